import KVBench

/// One run of a workload, as a prompt and `kvstore bench` use it.
package protocol WorkloadRun: Sendable {
  /// The plan, with its open fields filled in by the runner.
  var plan: BenchmarkPlan { get }
  /// Description of the keys that are loaded before measuring; `nil` if none are.
  var loadAnnouncement: String? { get }

  /// Loads, warms up, and measures.
  /// - Parameter onStart: is called when measuring begins.
  /// - Throws: the first error of a caller, unless the plan tolerates failures.
  func run(onStart: () -> Void) async throws -> BenchmarkResult

  /// Ends the run soon. Its result has the figures measured until then.
  func stop()

  /// How the run stands now. May be asked from any thread as often as a screen is drawn.
  func snapshot() -> BenchmarkSnapshot

  /// Deletes the keys that the run made.
  /// - Returns: whether all are gone.
  func clear() async -> Bool
}

extension BenchmarkRunner: WorkloadRun {}
