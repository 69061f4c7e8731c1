import Glibc
import Synchronization

/// The seam to threads: where background work runs. ``ThreadExecutor`` gives each piece of work a thread; a simulation has
/// an executor of its own, which runs jobs at once, and drives the steps of loops itself.
///
/// The engine hands its work over and never asks which executor it has. (Tasks of Swift's concurrency were rejected: this
/// work blocks in fdatasync and in waits, and the cooperative pool has one thread a processor.)
package protocol Executor: Sendable {
  /// Runs a job that may block and comes to an end: at once, or on a thread that ``join()`` waits for.
  func run(_ name: String, _ job: @escaping @Sendable () -> Void)

  /// Starts a loop that ends when the cluster closes; ``join()`` waits for it. A simulation starts none.
  func startLoop(_ name: String, _ loop: @escaping @Sendable () -> Void)

  /// Starts a loop that its owner ends and joins; `nil` in a simulation.
  func startOwnedLoop(_ name: String, _ loop: @escaping @Sendable () -> Void) -> BackgroundThread?

  /// Runs `body` once for each number below `count`, in any order, and returns when all have run.
  func forEach(_ name: String, below count: Int, _ body: @escaping @Sendable (Int) -> Void)

  /// How long background work rests after it worked for `workedNs`; clients have the machine meanwhile.
  /// - Parameter factor: the rest, in times of the work.
  func restNs(afterNs workedNs: UInt64, factor: UInt64) -> UInt64

  /// Waits for all jobs, and for the loops that have no other owner.
  func join()
}

extension Executor {
  /// Runs a job that may block, and waits for its result without holding a thread.
  func result<R: Sendable, E: Error>(
    _ name: String, _ job: @escaping @Sendable () throws(E) -> R
  ) async throws(E) -> R {
    let result = await withCheckedContinuation { continuation in
      run(name) { continuation.resume(returning: Result { () throws(E) in try job() }) }
    }
    return try result.get()
  }
}

/// Runs each piece of background work on a thread of its own.
package final class ThreadExecutor: Executor {
  private let threads = Mutex<[BackgroundThread]>([])
  /// Less work than this deserves no rest: a sleep takes 50 µs at least.
  private static let workMinNs: UInt64 = 500_000
  /// Longer rests would show as pauses of the work, and leave clients no more.
  private static let restMaxNs: UInt64 = 20_000_000

  package init() {}

  package func run(_ name: String, _ job: @escaping @Sendable () -> Void) {
    let thread = BackgroundThread(name, job)
    let ended = threads.withLock { threads in
      let ended = threads.filter(\.hasEnded)
      threads.removeAll { $0.hasEnded }
      threads.append(thread)
      return ended
    }
    for thread in ended { thread.join() }
  }

  package func startLoop(_ name: String, _ loop: @escaping @Sendable () -> Void) { run(name, loop) }

  package func startOwnedLoop(_ name: String, _ loop: @escaping @Sendable () -> Void) -> BackgroundThread? {
    BackgroundThread(name, loop)
  }

  /// On as many threads as there are processors.
  package func forEach(_ name: String, below count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let next = Counter()
    let workers = (0..<min(count, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))).map { _ in
      BackgroundThread(name) {
        while true {
          let i = next.value.wrappingAdd(1, ordering: .relaxed).oldValue
          guard i < count else { return }
          body(i)
        }
      }
    }
    for worker in workers { worker.join() }
  }

  private final class Counter: Sendable {
    let value = Atomic<Int>(0)
  }

  package func restNs(afterNs workedNs: UInt64, factor: UInt64) -> UInt64 {
    guard workedNs > ThreadExecutor.workMinNs, factor > 0 else { return 0 }
    return min(workedNs * factor, ThreadExecutor.restMaxNs)
  }

  package func join() {
    while let thread = threads.withLock({ $0.popLast() }) { thread.join() }
  }
}

/// Pieces of background work with rests in between, so that clients keep their share of the machine.
struct Rest {
  private let executor: any Executor
  private var startedNs = Clock.nowNs()

  init(_ executor: any Executor) { self.executor = executor }

  /// How long to rest for the work done since the last rest; 0 if that was little.
  func due(factor: UInt64) -> UInt64 {
    executor.restNs(afterNs: Clock.nowNs() - startedNs, factor: factor)
  }

  /// Rests `factor` times as long as the work took.
  mutating func afterWork(factor: UInt64) {
    let ns = due(factor: factor)
    guard ns > 0 else { return }
    Clock.sleep(ns: ns)
    startedNs = Clock.nowNs()
  }
}
