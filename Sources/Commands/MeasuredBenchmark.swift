import Glibc
import KVBench
import ClusterModel
import Text

/// `benchmark WORKLOAD`: one run of the instrument that `kvstore bench` is, on the cluster that is there, under a prefix
/// of its own, and with its keys deleted at the end.
struct MeasuredBenchmark: Sendable {
  /// As often as a screen is worth drawing.
  private static let tick = Duration.milliseconds(200)

  let runner: any WorkloadRun
  /// Where the page with graphs goes, if anywhere; may stand for any bytes.
  let reportPath: String?
  let capabilities: Capabilities
  let history: BenchmarkHistory
  let emit: @Sendable (CommandOutput) -> Void

  func run() async -> CommandResult {
    let subject = BenchmarkSubject.workload(runner.plan)
    if let other = history.begin(subject, snapshot: { runner.snapshot() }, stop: { runner.stop() }) {
      return .impossible(.benchmarkRuns(other))
    }
    emit(.announcement(BenchmarkWords.begins(subject)))
    let ticker = Task {
      while (try? await Task.sleep(for: Self.tick)) != nil { emit(.progress(.measurement(runner.snapshot()))) }
    }
    let result: BenchmarkResult?
    do {
      result = try await withTaskCancellationHandler {
        try await runner.run {}
      } onCancel: {
        runner.stop()
      }
    } catch {
      result = nil
      say(BenchmarkWords.brokenOff(error, capabilities))
    }
    let isReported = result.map { report($0) } ?? false
    // In a task of its own: cancelling the benchmark must not leave its keys behind.
    let isClean = await Task { await runner.clear() }.value
    ticker.cancel()
    await ticker.value
    if !isClean { say(BenchmarkWords.leftBehind) }
    let summary = result.flatMap { $0.operations > 0 ? BenchmarkSummary($0) : nil }
    history.end(summary)
    let hasLostPage = summary != nil && !isReported
    return .measured(
      MeasuredEnd(summary: summary, isReported: isReported, hasLostPage: hasLostPage, isClean: isClean))
  }

  /// Says what was measured and writes it where it was asked for; returns whether that was possible.
  private func report(_ result: BenchmarkResult) -> Bool {
    guard result.operations > 0 else {
      say(BenchmarkWords.nothingMeasured)
      return false
    }
    for line in result.lines { say(Answer(.info, line)) }
    guard let reportPath else { return true }
    guard save(HTMLReport(result).page, to: reportPath) else {
      say(BenchmarkWords.notWritten(reportPath, because: SystemRefusal.words()))
      return false
    }
    say(BenchmarkWords.written(reportPath))
    return true
  }

  private func save(_ text: String, to path: String) -> Bool {
    // A pipe that nothing reads would be waited for.
    let descriptor = open(ByteText.path(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0o644)
    guard descriptor >= 0, let file = fdopen(descriptor, "w") else { return false }
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
    let bytes = Array(text.utf8)
    let isWhole = fwrite(bytes, 1, bytes.count, file) == bytes.count
    return fclose(file) == 0 && isWhole
  }

  private func say(_ answer: Answer) { emit(.answer(answer)) }
}
