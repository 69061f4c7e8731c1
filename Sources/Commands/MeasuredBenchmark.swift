import KVBench
import KVCluster

/// `benchmark WORKLOAD`: one run of the instrument that `kvstore bench` is, on the cluster that is there, under a prefix
/// of its own, and with its keys deleted at the end.
struct MeasuredBenchmark: Sendable {
  /// As often as a screen is worth drawing.
  private static let tick = Duration.milliseconds(200)

  let plan: BenchmarkPlan
  let cluster: Cluster
  let desk: BenchmarkDesk
  let emit: @Sendable (CommandOutput) -> Void

  /// Returns whether every operation succeeded and the keys are gone.
  func run() async -> Bool {
    let runner = BenchmarkRunner(plan, cluster)
    if let other = desk.begin(name, snapshot: runner.snapshot, stop: runner.stop) {
      say(.failure, BenchmarkDesk.refusal(other))
      return false
    }
    say(.info, "Running benchmark \(name)...")
    let ticker = Task {
      while (try? await Task.sleep(for: Self.tick)) != nil { emit(.progress(.measurement(runner.snapshot()))) }
    }
    let result: BenchmarkResult?
    do {
      result = try await withTaskCancellationHandler {
        try await runner.run()
      } onCancel: {
        runner.stop()
      }
    } catch {
      result = nil
      say(.failure, "The benchmark could not go on: \(error)")
    }
    if let result { report(result) }
    // In a task of its own: cancelling the benchmark must not leave its keys behind.
    let isClean = await Task { await runner.clear() }.value
    ticker.cancel()
    await ticker.value
    if !isClean {
      say(
        .failure, "Some keys under \(Benchmark.keyPrefix) are left behind; a benchmark with as many keys deletes them")
    }
    desk.end(result.map { BenchmarkSummary($0) })
    return isClean && result?.counts.failures == 0
  }

  private var name: String { "\(plan.workload.rawValue) with \(plan.clients) clients" }

  private func report(_ result: BenchmarkResult) {
    for line in result.table.split(separator: "\n") { say(.info, String(line)) }
  }

  private func say(_ kind: Answer.Kind, _ text: String) { emit(.answer(Answer(kind, text))) }
}

extension BenchmarkDesk {
  static func refusal(_ other: String) -> String {
    "A benchmark is running already: \(other). One at a time; benchmark stop ends it"
  }

  func stopAnswer() -> Answer {
    guard let name = stop() else { return Answer(.failure, "No benchmark is running") }
    return Answer(.success, "Stopped benchmark: \(name)")
  }

  /// The last few runs, each beside the one before it of the same workload.
  func resultLines() -> [Answer] {
    let all = summaries
    guard !all.isEmpty else { return [Answer(.info, "No results; benchmark WORKLOAD measures one")] }
    return all.enumerated().map { index, summary in
      let earlier = all[..<index].last { $0.plan.workload == summary.plan.workload }
      return Answer(.info, summary.line(index + 1, comparedWith: earlier))
    }
  }
}
