import KVCluster

/// What a cluster promises whose quorums need not meet: a get returns nothing, or a value that someone had begun to write
/// under this key.
enum Invention {
  /// The first get of a value from nowhere, if there is one.
  static func verdict(_ operations: [SimulatedCall]) -> Verdict {
    var written: [[UInt8]: [[UInt8]: Int]] = [:]
    for call in operations {
      if let value = call.written ?? nil { written[call.key, default: [:]][value] = call.invokedAt }
    }
    for call in operations {
      guard case .found(let value?) = call.outcome, let returnedAt = call.returnedAt,
        let operation = call.recorded
      else { continue }
      if written[call.key]?[value].map({ $0 < returnedAt }) ?? false { continue }
      return .violation(Violation(key: call.key, initialContents: [nil], operations: [operation]))
    }
    return .linearizable
  }
}
