import ClusterModel
import Commands
import KVBench
import KVCluster
import Synchronization
import Text

/// One `kvstore bench`, once the cluster is open.
package struct BenchJob: Sendable {
  let plan: BenchmarkPlan
  let files: BenchFiles
  let commands: [TimedCommand]
  let console: Console

  package init(
    plan: BenchmarkPlan, files: BenchFiles, commands: [TimedCommand], _ console: Console = .standard
  ) {
    (self.plan, self.files, self.commands, self.console) = (plan, files, commands, console)
  }

  package func run(on cluster: OpenCluster) async -> Int32 {
    guard let runner = cluster.runner.workload(plan) else {
      console.complain(ClusterError.unsupported(.workloads).description)
      return 1
    }
    if let announcement = runner.loadAnnouncement { console.complain(announcement) }
    let progress = Task { await showProgress(of: runner) }
    let failures = FailureCount()
    do {
      var result = try await withTaskCancellationHandler {
        try await runner.run { for command in commands { schedule(command, on: cluster.runner, failures) } }
      } onCancel: {
        runner.stop()
      }
      progress.cancel()
      _ = await progress.value
      let verdict = cluster.runner.backend.status().verdict
      let startedNs = MonotonicClock.nowNs()
      _ = await cluster.close()
      result.closeNs = MonotonicClock.nowNs() - startedNs
      let status = report(result)
      let isGood = report(verdict) && failures.isZero
      return status == 0 && !isGood ? 1 : status
    } catch {
      progress.cancel()
      _ = await progress.value
      console.complain("\(error)")
      return 1
    }
  }

  /// `--workload open`. A signal ends it as `kill -9` would, which the folder survives.
  package func reopen(_ options: ClusterOptions) async -> Int32 {
    do {
      return report(try await BenchmarkReopening.run(plan, options))
    } catch {
      console.complain("\(error)")
      return 1
    }
  }

  /// False if an answer was wrong.
  private func report(_ verdict: VerdictStatus?) -> Bool {
    guard let verdict else { return true }
    console.write(verdict.words + "\n")
    for line in verdict.lastViolation?.explanation ?? [] { console.write(line + "\n") }
    return verdict.violations == 0
  }

  /// Returns the status: ``Console/lost`` if a file could not be written.
  private func report(_ result: BenchmarkResult) -> Int32 {
    console.write(result.table)
    let files = [
      self.files.json.map { ($0, result.json) }, self.files.csv.map { ($0, result.secondsCSV) },
      self.files.report.map { ($0, HTMLReport(result).page) }, self.files.timeline.map { ($0, result.timelineCSV) },
    ]
    // Each is tried, also after one that could not be written.
    return files.compactMap { $0 }.count { !BenchFile.save($1, to: $0, console) } > 0 ? Console.lost : 0
  }

  /// Runs the command when its time has come, and says on standard error when it began and ended.
  private func schedule(_ command: TimedCommand, on runner: CommandRunner, _ failures: FailureCount) {
    let start = ContinuousClock.now
    Task {
      try? await Task.sleep(for: .seconds(command.seconds))
      let began = ContinuousClock.now - start
      let result = await runner.run(line: Array(command.line.utf8)) { output in
        let answer: Answer
        switch output {
        case .answer(let said), .announcement(let said): answer = said
        case .progress: return
        }
        let took =
          "\(Figures.decimal(began / .seconds(1), places: 1)) s to "
          + "\(Figures.decimal((ContinuousClock.now - start) / .seconds(1), places: 1)) s"
        console.note("\(took): \(String(decoding: answer.harmless, as: UTF8.self))\n")
      }
      if result.outcome == .failure { failures.add() }
    }
  }

  /// A line that is written over, where someone looks at it.
  private func showProgress(of runner: any WorkloadRun) async {
    guard console.showsProgress else { return }
    while (try? await Task.sleep(for: .milliseconds(200))) != nil {
      console.note("\r\(runner.snapshot().text)\u{1b}[K")
    }
    console.note("\r\u{1b}[K")
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
  package static func run(_ paths: [String], _ console: Console = .standard) throws {
    precondition(paths.count == 2, "checked when the options were read")
    do {
      let runs = try paths.map { try RecordedRun.read(BenchFile.read($0), named: $0) }
      console.write(BenchmarkComparison(runs[0], runs[1]).table(paths[0], paths[1]))
    } catch let error as ComparisonError {
      throw Refusal(error.description)
    }
  }
}

/// The files of `kvstore bench`.
enum BenchFile {
  /// Returns whether it was written; says why if not.
  static func save(_ text: String, to path: String, _ console: Console) -> Bool {
    do throws(WholeFile.Failure) {
      try WholeFile.write(text, to: path)
      return true
    } catch {
      console.complain("cannot write \(path): \(error)")
      return false
    }
  }

  static func read(_ path: String) throws -> String {
    do throws(WholeFile.Failure) {
      return String(decoding: try WholeFile.read(path, lineBytesMax: 64 << 20, bytesMax: 1 << 30), as: UTF8.self)
    } catch {
      throw Refusal("cannot read \(path): \(error)")
    }
  }
}
