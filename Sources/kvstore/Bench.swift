import ArgumentParser
import Commands
import Faces
import KVBench
import KVCluster

/// `kvstore bench`: one measured run without a screen, or the comparison of runs made before.
struct Bench: Subcommand, AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure throughput and latency, or compare runs.",
    discussion: """
      Without --data the cluster is a temporary one. Keys are decimal numbers (YCSB's own names with ycsb-*); with --data \
      they are left behind. Up to --threads callers use the blocking interface from threads; more --clients than that are \
      tasks, and so are all of read-array. fill starts with what is there; every other workload first loads each key, \
      which takes its time: 1,000,000 keys of 1,000 bytes (ycsb-*, by default) are 3 GB in three copies; --keys 100000 is \
      quicker. How far it is stands on standard error.
      """)

  @Option(
    help: """
      fill, overwrite: put random keys. read, read-array: get random keys, into a buffer or as new arrays. \
      mixed: get and put in turn. open: close the folder, open it and wait until it serves. \
      ycsb-a, -b, -c, -d, -f: YCSB's core workloads, with values of 1,000 bytes.
      """)
  var workload: BenchmarkPlan.Workload = .fill

  @Option(help: ArgumentHelp("Distinct keys.", valueName: "n"))
  var keys = 1_000_000

  @Option(
    help:
      "Which keys are used how often: zipfian is scrambled, with 0.99; hotspot 80 % to 20 % (default: the workload's).")
  var distribution: KeyDistribution?

  @Option(help: ArgumentHelp("Bytes of a key.", valueName: "n"))
  var keyBytes: Int?

  @Option(
    help: ArgumentHelp(
      "Bytes of a value: n, uniform:min-max or zipfian:min-max (default: 100; ycsb: 1000).", valueName: "sizes"))
  var valueBytes: ValueSizes?

  @Option(help: ArgumentHelp("Threads.", valueName: "t"))
  var threads = 1

  @Option(help: ArgumentHelp("Callers at the same time (default: as many as threads).", valueName: "c"))
  var clients: Int?

  @Option(help: ArgumentHelp("Measure so long (default: as many operations as keys).", valueName: "s"))
  var seconds = 0.0

  @Option(help: ArgumentHelp("Measure so many operations, if not so many seconds.", valueName: "n"))
  var operations: Int?

  @Option(
    help: ArgumentHelp(
      "Open loop: so many operations a second, each due at its moment, from which its latency counts.", valueName: "r"))
  var rate: Double?

  @Flag(help: "Before measuring, read for as many operations as keys, a million at most; where the workload reads.")
  var warm = false

  @Option(help: ArgumentHelp("Run the workload so long before measuring.", valueName: "s"))
  var warmUp = 0.0

  @Option(help: ArgumentHelp("Seed of the keys' and sizes' generators.", valueName: "n"))
  var seed: UInt64 = 42

  @Option(
    help: ArgumentHelp(
      "Time one operation in n, 0 none (default: all that wait for a disk and those of an open loop, else 1 in 16).",
      valueName: "n"))
  var sampling: Int?

  @Flag(help: "Count operations that fail and go on, instead of ending with the first.")
  var tolerateFailures = false

  @Option(help: ArgumentHelp("How often to open, with --workload open.", valueName: "n"))
  var openings = 5

  @Option(help: ArgumentHelp("Run a command so long after the start; may be given again.", valueName: "s:command"))
  var at: [String] = []

  @Flag(help: "Judge a part of the operations while it runs; status 1 if an answer is wrong.")
  var check = false

  @OptionGroup(title: "Results")
  var outputs: BenchOutputs

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Measure nothing; compare two files written with --json.", valueName: "a.json b.json"),
    completion: .file(extensions: ["json"]))
  var compare: [String] = []

  @OptionGroup(title: "Cluster options")
  var options: StartOptions

  @ParentCommand var parent: KVStore

  /// Here and not where it runs, so that the usage shown with a problem is this command's.
  func validate() throws {
    guard compare.isEmpty else {
      if compare.count == 2 { return }
      throw ValidationError(
        "--compare takes two files written with --json; several runs of one side are lines of its file.")
    }
    if let problem = plan().problem { throw ValidationError(problem + ".") }
    _ = try at.map(TimedCommand.init)
  }

  func run() async throws {
    if !compare.isEmpty { return try BenchComparison.run(compare) }
    let plan = plan()
    var options = options.filled(from: parent.options)
    if options.data == nil { options.ephemeral = true }
    if workload == .open, options.ephemeral {
      throw ValidationError("--workload open needs --data DIR: a temporary folder is gone once it is closed.")
    }
    let job = BenchJob(plan: plan, files: outputs.files, commands: try at.map(TimedCommand.init))
    let start = try options.clusterOptions()
    if workload == .open { throw ExitCode(await job.reopen(start)) }
    throw ExitCode(await HeadlessRun.run(.folder(start, isWatched: check), .standard) { await job.run(on: $0) })
  }

  private func plan() -> BenchmarkPlan {
    var plan = BenchmarkPlan(
      workload: workload, keys: keys, threads: threads, clients: clients, seconds: seconds, seed: seed)
    if let keyBytes { plan.names = .decimal(prefix: [], digits: keyBytes) }
    if let valueBytes { plan.valueSizes = valueBytes }
    if let distribution { plan.distribution = distribution }
    plan.operationCount = operations
    plan.rate = rate
    plan.warms = warm
    plan.warmUpSeconds = warmUp
    plan.sampling = sampling
    plan.toleratesFailures = tolerateFailures
    plan.recordsTimeline = outputs.timeline != nil
    plan.openings = openings
    return plan
  }
}

/// Where the results go, beside the table on standard output.
struct BenchOutputs: ParsableArguments {
  @Option(help: ArgumentHelp("Write the result as one line of JSON.", valueName: "file"), completion: .file())
  var json: String?

  @Option(
    help: ArgumentHelp("Write operations and percentiles of each second as CSV.", valueName: "file"),
    completion: .file())
  var csv: String?

  @Option(
    help: ArgumentHelp("Write a page with graphs, complete in one HTML file.", valueName: "file"), completion: .file())
  var report: String?

  @Option(
    help: ArgumentHelp("Write reads and writes in each 100 ms as CSV; times every operation.", valueName: "file"),
    completion: .file())
  var timeline: String?

  var files: BenchFiles { BenchFiles(json: json, csv: csv, report: report, timeline: timeline) }
}

extension TimedCommand {
  /// A week.
  private static let secondsMax = 604_800.0

  init(_ text: String) throws {
    let parts = text.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, let seconds = Double(parts[0]), (0...TimedCommand.secondsMax).contains(seconds) else {
      throw ValidationError(
        "--at takes seconds, 0 to \(Int(TimedCommand.secondsMax)), and a command, as in --at '2:addnode node4'; got '\(text)'."
      )
    }
    self.init(seconds: seconds, line: String(parts[1]))
    let command: Command?
    do throws(CommandError) {
      command = try Command.parse(Array(line.utf8))
    } catch {
      throw ValidationError("--at: \(error)")
    }
    if command == nil { throw ValidationError("--at: no command in '\(text)'.") }
  }
}

extension BenchmarkPlan.Workload: ExpressibleByArgument {
  /// Without the one that is refused with the reason, see ``BenchmarkPlan/problem``.
  public static var allValueStrings: [String] { allCases.filter { $0 != .ycsbE }.map(\.rawValue) }
}
extension KeyDistribution: ExpressibleByArgument {}
extension ValueSizes: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
