import KVCluster

/// The simulator's executor: jobs run at once, on the one thread there is, and loops are not started. A queue of events
/// drives what they would do, step by step, see `Cluster+Simulation.swift`.
struct StepExecutor: Executor {
  func run(_ name: String, _ job: @escaping @Sendable () -> Void) { job() }
  func startLoop(_ name: String, _ loop: @escaping @Sendable () -> Void) {}
  func startOwnedLoop(_ name: String, _ loop: @escaping @Sendable () -> Void) -> BackgroundThread? { nil }

  func forEach(_ name: String, below count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    for i in 0..<count { body(i) }
  }

  /// The queue of events says when a job goes on.
  func restNs(afterNs workedNs: UInt64, factor: UInt64) -> UInt64 { 0 }

  func join() {}
}
