import ArgumentParser
import Glibc
import KVBench
import KVCluster

/// `kvstore bench`: one measured run without a screen.
struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure throughput and latency.",
    discussion: """
      Without --data the cluster is a temporary one. Keys are decimal numbers; with --data they are left behind.
      Up to --threads callers use the blocking interface from threads; more --clients than that are tasks.
      """)

  @Option(help: "fill: put random keys. read: get random keys, all of them loaded first.")
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

  @Option(help: ArgumentHelp("Write the result as JSON.", valueName: "file"))
  var json: String?

  @OptionGroup(title: "Cluster options")
  var options: StartOptions

  func run() async throws {
    let plan = BenchmarkPlan(
      workload: workload, keys: keys, keyBytes: keyBytes, valueBytes: valueBytes, threads: threads, clients: clients,
      seconds: seconds)
    if let problem = plan.problem { throw ValidationError(problem + ".") }
    var options = options
    if options.data == nil { options.ephemeral = true }
    let (start, json) = (try options.clusterOptions(), json)
    throw ExitCode(await HeadlessRun.run(start) { cluster in await Bench.measure(plan, cluster, json) })
  }

  private static func measure(_ plan: BenchmarkPlan, _ cluster: Cluster, _ json: String?) async -> Int32 {
    let runner = BenchmarkRunner(plan, cluster)
    let progress = Task { await showProgress(of: runner) }
    do {
      let result = try await withTaskCancellationHandler {
        try await runner.run()
      } onCancel: {
        runner.stop()
      }
      progress.cancel()
      _ = await progress.value
      write(result.table, to: STDOUT_FILENO)
      guard let json else { return 0 }
      return save(result.json, to: json)
    } catch {
      progress.cancel()
      HeadlessRun.complain("\(error)")
      return 1
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
