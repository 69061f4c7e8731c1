import KVCluster

/// How operations reach replicas on a simulated day, if not both ways as links are good or faulty.
package enum Carrier: String, Sendable, CaseIterable {
  /// Links are never faulty: where a node should be cut off, it dies.
  case direct
  /// All links are slow, if only a little.
  case messages
}

extension PlantedMistake {
  /// The ways by which the mistake is shown: both, if it can be made on both. Those that logs make, and those who look
  /// after them, are made on neither: one way shows them.
  package var carriers: [Carrier] {
    switch self {
    case .retriesWithNewTag, .believesPastLives, .streamsOnce, .purgesUnsynced: [.messages]
    case .suspectsAgree, .leavesSealedUnsynced, .answersLatecomers, .forgetsFailedSync, .rebuildsFromOne, .buriesEarly,
      .keepsSlots:
      [.direct]
    default: Carrier.allCases
    }
  }
}

extension SimulationPlan {
  /// Lets the day's operations all go one way.
  mutating func force(_ carrier: Carrier) {
    switch carrier {
    case .direct:
      isDirect = true
      (lossPerMille, duplicationPerMille, delayUs, jitterUs) = (0, 0, 0, 0)
      faults.removeAll { $0.fault.isOfLinks }
    case .messages:
      isDirect = false
      delayUs = max(1, delayUs)
    }
  }
}
