import KVCluster

/// A node's cache hits and operations, second by second.
package struct NodeHistory: Equatable, Sendable {
  private struct Sample: Equatable { var atNs: UInt64, hits: UInt64, misses: UInt64, operations: UInt64 }

  /// As many as a sparkline in the node's details has cells.
  private static let secondsMax = 120
  private static let secondNs: UInt64 = 1_000_000_000

  /// Hits as a part of look-ups, by second; `nil` where nobody looked.
  private(set) var hitRates: [Double?] = []
  private(set) var operations: [Double?] = []
  private var last: Sample?

  mutating func add(_ node: NodeStatus, atNs: UInt64) {
    let now = Sample(
      atNs: atNs, hits: node.cache.hits, misses: node.cache.misses,
      operations: node.operations.reads + node.operations.writes)
    // A node that was restarted counts from zero again.
    guard let last, now.hits >= last.hits, now.misses >= last.misses, now.operations >= last.operations else {
      self.last = now
      return
    }
    guard atNs >= last.atNs + Self.secondNs else { return }
    let lookUps = now.hits - last.hits + (now.misses - last.misses)
    append(lookUps == 0 ? nil : Double(now.hits - last.hits) / Double(lookUps), to: &hitRates)
    append(Double(now.operations - last.operations) * 1e9 / Double(atNs - last.atNs), to: &operations)
    self.last = now
  }

  private func append(_ value: Double?, to values: inout [Double?]) {
    values.append(value)
    if values.count > Self.secondsMax { values.removeFirst() }
  }
}
