import ArgumentParser
import Commands
import Glibc
import KVBench
import KVCluster

/// `kvstore bench`: one measured run without a screen.
struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure throughput and latency.",
    discussion: """
      Without --data the cluster is a temporary one. Keys are decimal numbers; with --data they are left behind.
      Up to --threads callers use the blocking interface from threads; more --clients than that are tasks, and so are all
      of read-array. fill starts with what is there; every other workload puts each key once before it is measured.
      """)

  @Option(
    help: """
      fill, overwrite: put random keys. read, read-array: get random keys, into a buffer or as new arrays. \
      mixed: get and put in turn. open: close the folder, open it and wait until it serves.
      """)
  var workload: BenchmarkPlan.Workload = .fill

  @Option(help: ArgumentHelp("Distinct keys.", valueName: "n"))
  var keys = 1_000_000

  @Option(help: ArgumentHelp("Bytes of a key.", valueName: "n"))
  var keyBytes = 16

  @Option(help: ArgumentHelp("Bytes of a value.", valueName: "n"))
  var valueBytes = 100

  @Option(help: ArgumentHelp("Threads.", valueName: "t"))
  var threads = 1

  @Option(help: ArgumentHelp("Callers at the same time (default: as many as threads).", valueName: "c"))
  var clients: Int?

  @Option(help: ArgumentHelp("Measure so long (default: as many operations as keys).", valueName: "s"))
  var seconds = 0.0

  @Flag(help: "Before measuring, read for as many operations as keys, a million at most; where the workload reads.")
  var warm = false

  @Option(help: ArgumentHelp("How often to open, with --workload open.", valueName: "n"))
  var openings = 5

  @Option(help: ArgumentHelp("Write the result as JSON.", valueName: "file"))
  var json: String?

  @Option(help: ArgumentHelp("Write reads and writes in each 100 ms as CSV; times every operation.", valueName: "file"))
  var timeline: String?

  @Option(help: ArgumentHelp("Run a command so long after the start; may be given again.", valueName: "s:command"))
  var at: [String] = []

  @Flag(help: "Judge a part of the operations while it runs; status 1 if an answer is wrong.")
  var check = false

  @OptionGroup(title: "Cluster options")
  var options: StartOptions

  @ParentCommand
  private var root: KVStore

  func run() async throws {
    var plan = BenchmarkPlan(
      workload: workload, keys: keys, keyBytes: keyBytes, valueBytes: valueBytes, threads: threads, clients: clients,
      seconds: seconds)
    plan.recordsTimeline = timeline != nil
    plan.warms = warm
    plan.openings = openings
    if let problem = plan.problem { throw ValidationError(problem + ".") }
    var options = options.filled(from: root.options)
    if options.data == nil { options.ephemeral = true }
    if workload == .open, options.ephemeral {
      throw ValidationError("--workload open needs --data DIR: a temporary folder is gone once it is closed.")
    }
    let job = Job(plan: plan, json: json, timeline: timeline, commands: try at.map(TimedCommand.init))
    let start = try options.clusterOptions()
    if workload == .open { throw ExitCode(await job.reopen(start)) }
    throw ExitCode(await HeadlessRun.run(start, isWatched: check) { cluster in await job.run(on: cluster) })
  }
}

/// A command and when to run it, as in `2.5:addnode node4`.
private struct TimedCommand: Sendable {
  let seconds: Double
  let line: String

  init(_ text: String) throws {
    let parts = text.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, let seconds = Double(parts[0]), seconds >= 0 else {
      throw ValidationError("--at takes seconds and a command, as in --at '2:addnode node4'; got '\(text)'.")
    }
    self.seconds = seconds
    line = String(parts[1])
  }
}

/// What one `kvstore bench` does once the cluster is open.
private struct Job: Sendable {
  let plan: BenchmarkPlan
  let json: String?
  let timeline: String?
  let commands: [TimedCommand]

  func run(on cluster: Cluster) async -> Int32 {
    let runner = BenchmarkRunner(plan, cluster)
    let progress = Task { await Job.showProgress(of: runner) }
    do {
      var result = try await withTaskCancellationHandler {
        try await runner.run { for command in commands { Job.schedule(command, on: cluster) } }
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
      return status == 0 && !Job.report(verdict) ? 1 : status
    } catch {
      progress.cancel()
      HeadlessRun.complain("\(error)")
      return 1
    }
  }

  /// `--workload open`. A signal ends it as `kill -9` would, which the folder survives.
  func reopen(_ options: ClusterOptions) async -> Int32 {
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
    write(verdict.words + "\n", to: STDOUT_FILENO)
    if let last = verdict.lastViolation { write(last.explanation, to: STDOUT_FILENO) }
    return verdict.violations == 0
  }

  private func report(_ result: BenchmarkResult) -> Int32 {
    Job.write(result.table, to: STDOUT_FILENO)
    if let json, case let status = Job.save(result.json, to: json), status != 0 { return status }
    return timeline.map { Job.save(result.timelineCSV, to: $0) } ?? 0
  }

  /// Runs the command when its time has come, and says on standard error when it began and ended.
  private static func schedule(_ command: TimedCommand, on cluster: Cluster) {
    let start = ContinuousClock.now
    Task {
      try? await Task.sleep(for: .seconds(command.seconds))
      let began = ContinuousClock.now - start
      _ = await CommandRunner(cluster: cluster).run(line: Array(command.line.utf8)) { output in
        guard case .answer(let answer) = output else { return }
        let took = "\(began / .seconds(1)) s to \((ContinuousClock.now - start) / .seconds(1)) s"
        write("\(took): \(String(decoding: answer.line, as: UTF8.self))\n", to: STDERR_FILENO)
      }
    }
  }

  /// A line that is written over, where someone looks at it.
  private static func showProgress(of runner: BenchmarkRunner) async {
    guard isatty(STDERR_FILENO) == 1 else { return }
    while (try? await Task.sleep(for: .milliseconds(200))) != nil {
      write("\r\(runner.operationsDone) operations…\u{1b}[K", to: STDERR_FILENO)
    }
    write("\r\u{1b}[K", to: STDERR_FILENO)
  }

  private static func save(_ text: String, to path: String) -> Int32 {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard file >= 0 else {
      HeadlessRun.complain("cannot write \(path): \(String(cString: strerror(errno)))")
      return 1
    }
    write(text, to: file)
    close(file)
    return 0
  }

  private static func write(_ text: String, to file: Int32) {
    let bytes = Array(text.utf8)
    _ = Glibc.write(file, bytes, bytes.count)
  }
}

extension BenchmarkPlan.Workload: ExpressibleByArgument {}
