import Histogram
import Synchronization

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

/// Where callers put their latencies, and whence a watcher takes them while they go on: one histogram a thread, merged.
///
/// A lane is exchanged for an empty one under its lock, which is free nearly always, so that each latency is in exactly
/// one second. HdrHistogram's own `Recorder` does without a lock, by epochs; a free lock is little beside the two readings
/// of the clock, which cost 56 ns.
final class LatencyRecorder: Sendable {
  private final class Lane: Sendable {
    let set = Mutex(LatencySet())
  }

  /// More callers share: many more than processors are never on the processor at once, and a lane takes 650 KB.
  private static let lanesMax = 16

  private let lanes: [Lane]

  init(callers: Int) {
    lanes = (0..<max(1, min(callers, LatencyRecorder.lanesMax))).map { _ in Lane() }
  }

  @inline(__always)
  func record(_ caller: Int, _ kind: OperationKind, _ ns: UInt64) {
    lanes[caller % lanes.count].set.withLock { $0.record(kind, ns) }
  }

  /// Moves everything recorded so far into `sum`.
  /// - Parameter spare: an empty set; it is empty again afterwards.
  func take(into sum: inout LatencySet, _ spare: inout LatencySet) {
    for lane in lanes {
      lane.set.withLock { swap(&$0, &spare) }
      sum.add(spare)
      spare.reset()
    }
  }
}
