import KVCluster

/// The simulator's executor: jobs run on the one thread there is, and loops are not started. A queue of events drives what
/// they would do, step by step, see `Cluster+Simulation.swift`.
///
/// One thread uses it, as everything in a simulation.
final class StepExecutor: Executor, @unchecked Sendable {
  private(set) var depth = 0
  private var waiting: [@Sendable () -> Void] = []
  /// What others do where work that is done in one step would rest, for scripts.
  var onRest: (() -> Void)?

  /// Runs the job at once, or after the step under way: that may hold a lock that the job takes on a thread of its own.
  func run(_ name: String, _ job: @escaping @Sendable () -> Void) {
    if depth == 0 { job() } else { waiting.append(job) }
  }

  /// Runs a step, then the jobs that it began.
  func step<R>(_ body: () -> R) -> R {
    depth += 1
    defer {
      depth -= 1
      while depth == 0, !waiting.isEmpty { waiting.removeFirst()() }
    }
    return body()
  }

  func startLoop(_ name: String, _ loop: @escaping @Sendable () -> Void) {}
  func startOwnedLoop(_ name: String, _ loop: @escaping @Sendable () -> Void) -> BackgroundThread? { nil }

  func forEach(_ name: String, below count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    for i in 0..<count { body(i) }
  }

  /// The queue of events says when a job goes on.
  func restNs(afterNs workedNs: UInt64, factor: UInt64) -> UInt64 {
    onRest?()
    return 0
  }

  func join() {}
}
