import ClusterModel

/// A node's cache hits and operations, second by second.
package struct NodeHistory: Equatable, Sendable {
  private struct Sample: Equatable {
    var atNs: UInt64, hits: UInt64?, misses: UInt64?, operations: UInt64?, compactions: Int?, syncs: LatencyCounts?
  }

  /// As many as a sparkline in the node's details has cells.
  private static let secondsMax = 120
  private static let secondNs: UInt64 = 1_000_000_000

  /// Hits as a part of look-ups, by second; `nil` where nobody looked.
  private(set) var hitRates: [Double?] = []
  private(set) var operations: [Double?] = []
  private var last: Sample?

  /// A second's syncs are slow if their 99th percentile exceeds that of all before them by this factor, and this time.
  private static let slowSyncFactor: UInt64 = 4
  private static let slowSyncNs: UInt64 = 20_000_000

  /// Takes a status; returns what happened in the second that is over with it, if anything that may explain a slow one.
  mutating func add(_ node: NodeStatus, atNs: UInt64) -> [CauseMark.Kind] {
    let now = Sample(
      atNs: atNs, hits: node.cache?.hits, misses: node.cache?.misses, operations: node.operations?.total,
      compactions: node.wal?.compactions, syncs: node.wal?.syncLatencies)
    guard let last, !Self.hasBegunAnew(now, last) else {
      self.last = now
      return []
    }
    guard atNs >= last.atNs + Self.secondNs else { return [] }
    if let hits = Self.grown(now.hits, last.hits), let misses = Self.grown(now.misses, last.misses) {
      append(hits + misses == 0 ? nil : Double(hits) / Double(hits + misses), to: &hitRates)
    }
    if let done = Self.grown(now.operations, last.operations) {
      append(Double(done) * 1e9 / Double(atNs - last.atNs), to: &operations)
    }
    self.last = now
    return Self.causes(now, last)
  }

  /// Forgets the last seconds.
  mutating func drop(lastSeconds count: Int) {
    hitRates.removeLast(Swift.min(count, hitRates.count))
    operations.removeLast(Swift.min(count, operations.count))
  }

  private static func causes(_ now: Sample, _ last: Sample) -> [CauseMark.Kind] {
    var causes: [CauseMark.Kind] = []
    if let now = now.compactions, let last = last.compactions, now > last { causes.append(.compaction) }
    if let before = last.syncs, let usual = before.percentileNs(0.99),
      let recent = now.syncs?.since(before).percentileNs(0.99), recent >= usual * slowSyncFactor, recent >= slowSyncNs
    {
      causes.append(.slowSync)
    }
    return causes
  }

  /// A node that was restarted counts from zero again.
  private static func hasBegunAnew(_ now: Sample, _ last: Sample) -> Bool {
    [(now.hits, last.hits), (now.misses, last.misses), (now.operations, last.operations)].contains { now, last in
      if let now, let last { now < last } else { false }
    }
  }

  private static func grown(_ now: UInt64?, _ last: UInt64?) -> UInt64? {
    if let now, let last { now - last } else { nil }
  }

  private func append(_ value: Double?, to values: inout [Double?]) {
    values.append(value)
    if values.count > Self.secondsMax { values.removeFirst() }
  }
}
