import Commands
import Glibc
import KVBench
import KVCluster
import Synchronization

/// What one `kvstore bench` does once the cluster is open.
package struct BenchJob: Sendable {
  let plan: BenchmarkPlan
  let files: BenchFiles
  let commands: [TimedCommand]

  package init(plan: BenchmarkPlan, files: BenchFiles, commands: [TimedCommand]) {
    (self.plan, self.files, self.commands) = (plan, files, commands)
  }

  package func run(on cluster: Cluster) async -> Int32 {
    let runner = BenchmarkRunner(plan, cluster)
    if let announcement = runner.loadAnnouncement { HeadlessRun.complain(announcement) }
    let progress = Task { await BenchJob.showProgress(of: runner) }
    let failures = FailureCount()
    do {
      var result = try await withTaskCancellationHandler {
        try await runner.run { for command in commands { BenchJob.schedule(command, on: cluster, failures) } }
      } onCancel: {
        runner.stop()
      }
      progress.cancel()
      _ = await progress.value
      let verdict = cluster.status().verdict
      let startedNs = Clock.nowNs()
      await cluster.close()
      result.closeNs = Clock.nowNs() - startedNs
      let status = report(result)
      let isGood = BenchJob.report(verdict) && failures.isZero
      return status == 0 && !isGood ? 1 : status
    } catch {
      progress.cancel()
      _ = await progress.value
      HeadlessRun.complain("\(error)")
      return 1
    }
  }

  /// `--workload open`. A signal ends it as `kill -9` would, which the folder survives.
  package func reopen(_ options: ClusterOptions) async -> Int32 {
    do {
      return report(try await BenchmarkReopening.run(plan, options))
    } catch {
      HeadlessRun.complain("\(error)")
      return 1
    }
  }

  /// False if an answer was wrong.
  private static func report(_ verdict: VerdictStatus?) -> Bool {
    guard let verdict else { return true }
    BenchFile.write(verdict.words + "\n", to: STDOUT_FILENO)
    if let last = verdict.lastViolation { BenchFile.write(last.explanation, to: STDOUT_FILENO) }
    return verdict.violations == 0
  }

  /// Returns the status: ``StandardOutput/lost`` if a file could not be written.
  private func report(_ result: BenchmarkResult) -> Int32 {
    BenchFile.write(result.table, to: STDOUT_FILENO)
    let files = [
      self.files.json.map { ($0, result.json) }, self.files.csv.map { ($0, result.secondsCSV) },
      self.files.report.map { ($0, HTMLReport(result).page) }, self.files.timeline.map { ($0, result.timelineCSV) },
    ]
    // Each is tried, also after one that could not be written.
    return files.compactMap { $0 }.count { !BenchFile.save($1, to: $0) } > 0 ? StandardOutput.lost : 0
  }

  /// Runs the command when its time has come, and says on standard error when it began and ended.
  private static func schedule(_ command: TimedCommand, on cluster: Cluster, _ failures: FailureCount) {
    let start = ContinuousClock.now
    Task {
      try? await Task.sleep(for: .seconds(command.seconds))
      let began = ContinuousClock.now - start
      let outcome = await CommandRunner(cluster: cluster).run(line: Array(command.line.utf8)) { output in
        guard case .answer(let answer) = output else { return }
        let took = "\(tenths(began)) s to \(tenths(ContinuousClock.now - start)) s"
        BenchFile.write("\(took): \(String(decoding: answer.line, as: UTF8.self))\n", to: STDERR_FILENO)
      }
      if outcome == .failure { failures.add() }
    }
  }

  private static func tenths(_ duration: Duration) -> String {
    let tenths = Int((duration / .milliseconds(100)).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  /// A line that is written over, where someone looks at it.
  private static func showProgress(of runner: BenchmarkRunner) async {
    guard isatty(STDERR_FILENO) == 1 else { return }
    while (try? await Task.sleep(for: .milliseconds(200))) != nil {
      BenchFile.write("\r\(runner.snapshot().text)\u{1b}[K", to: STDERR_FILENO)
    }
    BenchFile.write("\r\u{1b}[K", to: STDERR_FILENO)
  }
}

/// Where the results go, beside the table on standard output.
package struct BenchFiles: Sendable {
  let json: String?
  let csv: String?
  let report: String?
  let timeline: String?

  package init(json: String?, csv: String?, report: String?, timeline: String?) {
    (self.json, self.csv, self.report, self.timeline) = (json, csv, report, timeline)
  }
}

/// A command and when to run it, as in `2.5:addnode node4`.
package struct TimedCommand: Sendable {
  let seconds: Double
  package let line: String

  package init(seconds: Double, line: String) { (self.seconds, self.line) = (seconds, line) }
}

/// Planned commands that failed.
private final class FailureCount: Sendable {
  private let count = Atomic<Int>(0)
  var isZero: Bool { count.load(ordering: .relaxed) == 0 }
  func add() { count.wrappingAdd(1, ordering: .relaxed) }
}

/// `kvstore bench --compare A.json B.json`.
package enum BenchComparison {
  package static func run(_ paths: [String]) throws {
    precondition(paths.count == 2, "checked when the options were read")
    do {
      let runs = try paths.map { try RecordedRun.read(BenchFile.read($0), named: $0) }
      BenchFile.write(BenchmarkComparison(runs[0], runs[1]).table(paths[0], paths[1]), to: STDOUT_FILENO)
    } catch let error as ComparisonError {
      throw HeadlessRun.refusal(error.description)
    }
  }
}

/// The files of `kvstore bench`.
package enum BenchFile {
  /// Returns whether it was written; says why if not.
  static func save(_ text: String, to path: String) -> Bool {
    do throws(WholeFile.Failure) {
      try WholeFile.write(text, to: path)
      return true
    } catch {
      HeadlessRun.complain("cannot write \(path): \(error)")
      return false
    }
  }

  /// What is said while it runs and at its end.
  package static func write(_ text: String, to descriptor: Int32) {
    if descriptor == STDOUT_FILENO { return StandardOutput.write(text) }
    try? WholeFile.write(text.utf8, to: descriptor)
  }

  static func read(_ path: String) throws -> String {
    do throws(WholeFile.Failure) {
      return String(decoding: try WholeFile.read(path, lineBytesMax: 64 << 20, bytesMax: 1 << 30), as: UTF8.self)
    } catch {
      throw HeadlessRun.refusal("cannot read \(path): \(error)")
    }
  }
}
