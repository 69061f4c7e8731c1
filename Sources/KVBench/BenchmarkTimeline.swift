import KVCluster
import Synchronization

/// Operations by windows of time: a thread that looks at the counters ten times a second.
final class BenchmarkTimeline: Sendable {
  static let windowNs: UInt64 = 100_000_000

  private let windows = Mutex<[OperationCounters]>([])
  private let isFinished = Atomic<Bool>(false)
  private let thread = Mutex<BackgroundThread?>(nil)

  init(_ count: @escaping @Sendable () -> OperationCounters) {
    let made = BackgroundThread("timeline") { [self] in watch(count) }
    thread.withLock { $0 = made }
  }

  private func watch(_ count: () -> OperationCounters) {
    var last = count()
    var due = Clock.nowNs()
    while !isFinished.load(ordering: .relaxed) {
      due += Self.windowNs
      let now = Clock.nowNs()
      if due > now { Clock.sleep(ns: due - now) }
      let current = count()
      windows.withLock {
        $0.append(OperationCounters(reads: current.reads - last.reads, writes: current.writes - last.writes))
      }
      last = current
    }
  }

  /// Ends the watch; the last window may be short.
  func finish() -> [OperationCounters] {
    isFinished.store(true, ordering: .relaxed)
    thread.withLock { $0 }?.join()
    return windows.withLock { $0 }
  }
}
