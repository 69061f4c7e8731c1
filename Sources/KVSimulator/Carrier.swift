import KVCluster

/// How operations reach replicas on a simulated day, if not both ways as links are good or faulty.
package enum Carrier: String, Sendable, CaseIterable {
  /// Links are never faulty: where a node should be cut off, it dies.
  case direct
  /// All links are slow, if only a little.
  case messages
}

extension PlantedMistake {
  /// The ways on which the mistake can be made; see its documentation.
  package var carriers: [Carrier] { self == .retriesWithNewTag ? [.messages] : Carrier.allCases }
}

extension SimulationPlan {
  /// Lets the day's operations all go one way.
  mutating func force(_ carrier: Carrier) {
    switch carrier {
    case .direct:
      (lossPerMille, duplicationPerMille, delayUs, jitterUs) = (0, 0, 0, 0)
      faults.removeAll { [.partition, .deafness, .isolation, .clog, .pause].contains($0.fault) }
    case .messages: delayUs = max(1, delayUs)
    }
  }
}
