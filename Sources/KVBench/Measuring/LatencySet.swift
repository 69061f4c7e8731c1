import Histogram

/// Latencies of one kind of operation, or of several, in nanoseconds. Exact to three digits up to a minute.
package typealias LatencyHistogram = Histogram<UInt64>

extension LatencyHistogram {
  /// Longer ones count as a minute.
  static let longestNs: UInt64 = 60_000_000_000

  package static func ofLatencies() -> LatencyHistogram {
    LatencyHistogram(highestTrackableValue: longestNs, numberOfSignificantValueDigits: .three)
  }
}

/// Latencies by kind of operation.
package struct LatencySet: Sendable {
  package var reads = LatencyHistogram.ofLatencies()
  /// Updates and inserts.
  package var writes = LatencyHistogram.ofLatencies()
  package var modifies = LatencyHistogram.ofLatencies()

  @inline(__always)
  mutating func record(_ kind: OperationKind, _ ns: UInt64) {
    let ns = min(max(1, ns), LatencyHistogram.longestNs)
    switch kind {
    case .read: reads.record(ns)
    case .write, .insert: writes.record(ns)
    case .modify: modifies.record(ns)
    }
  }

  mutating func add(_ other: LatencySet) {
    if other.reads.totalCount > 0 { reads.add(other.reads) }
    if other.writes.totalCount > 0 { writes.add(other.writes) }
    if other.modifies.totalCount > 0 { modifies.add(other.modifies) }
  }

  mutating func reset() {
    if reads.totalCount > 0 { reads.reset() }
    if writes.totalCount > 0 { writes.reset() }
    if modifies.totalCount > 0 { modifies.reset() }
  }

  /// Of all kinds together.
  package var all: LatencyHistogram {
    var all = reads
    all.add(writes)
    all.add(modifies)
    return all
  }
}
