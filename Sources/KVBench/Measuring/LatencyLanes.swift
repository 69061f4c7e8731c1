import Synchronization

/// Where callers put their latencies, and whence a watcher takes them while they go on: one histogram a thread, merged.
///
/// A lane is exchanged for an empty one under its lock, which is free nearly always, so that each latency is in exactly
/// one second. HdrHistogram's own `Recorder` does without a lock, by epochs; a free lock is little beside the two readings
/// of the clock, which cost 56 ns.
final class LatencyLanes: Sendable {
  private final class Lane: Sendable {
    let set = Mutex(LatencySet())
  }

  /// More callers share: many more than processors are never on the processor at once, and a lane takes 650 KB.
  private static let lanesMax = 16

  private let lanes: [Lane]

  init(callers: Int) {
    lanes = (0..<max(1, min(callers, LatencyLanes.lanesMax))).map { _ in Lane() }
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
