import Commands
import Dashboard
import Faces
import Foundation
import Glibc
import KVBench
import KVCluster
import KVSimulator
import Testing
import Text

/// Tools on data folders, histories and simulated days: what they print, and their statuses.
struct ToolTests {
  /// A folder with data of three nodes in it, at rest.
  private static func stored(_ count: Int = 50) async throws -> TestFolder {
    let folder = try TestFolder()
    let test = TestConsole()
    let commands = (0..<count).map { Array("put k\($0) value-\($0)".utf8) }
    var options = ClusterOptions.kept(folder)
    // What was never synced is torn, not damaged.
    options.fsync = .always
    #expect(await Script.run(.folder(options), test.console, commands: commands) == 0)
    _ = test.finish()
    return folder
  }

  private func run(_ body: (Console) async throws -> Int32) async throws -> (status: Int32, out: String, err: String) {
    let test = TestConsole(showsProgress: true)
    let status = try await body(test.console)
    let printed = test.finish()
    return (status, printed.out, printed.err)
  }

  /// Flips a byte of a value in a node's log.
  private func damage(_ folder: TestFolder, _ value: String, node: String) throws {
    let path = folder.path("data/\(node).wal/000000000001.segment")
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let place = try #require(bytes.range(of: Data(value.utf8)))
    bytes[place.lowerBound] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
  }

  @Test("verify finds no damage in a good folder, and a flipped byte; repair restores it")
  func verifies() async throws {
    let folder = try await Self.stored()
    let path = folder.path("data")
    let good = try await run { await VerifyRun.run(path, $0) }
    #expect(good.status == 0)
    #expect(good.out.contains("no damage") && good.out.contains("3 nodes"))
    try damage(folder, "value-7", node: "node2")
    let bad = try await run { await VerifyRun.run(path, $0) }
    #expect(bad.status == 1)
    #expect(bad.out.contains("Damaged: node2.wal/000000000001.segment") && bad.out.contains("1 damaged place."))
    let repaired = try await run { await RepairRun.run(path, acceptsLoss: false, $0) }
    #expect(repaired.status == 0)
    #expect(repaired.out.contains("Repaired \(path): no damage is left"))
    #expect(try await run { await VerifyRun.run(path, $0) }.status == 0)
  }

  // A byte that is no UTF-8; a mark that makes another character of the slash before it.
  @Test(
    "A folder of any name is written, read, verified, repaired and copied under that name",
    arguments: [[0xFF], Array("\u{301}x".utf8)])
  func takesAnyName(name: [UInt8]) async throws {
    let folder = try TestFolder()
    let place = Array("\(folder.path)/".utf8) + name
    let path = ByteText.encode(place + Array("/data".utf8))
    let copy = ByteText.encode(place + Array("/copy".utf8))
    func exec(_ line: String, in path: String) async throws -> String {
      try await run {
        await Script.run(.folder(ClusterOptions(dataFolder: path, fsync: .always)), $0, commands: [Array(line.utf8)])
      }.out
    }
    #expect(try await exec("put a one", in: path).contains("Stored"))
    #expect(try await exec("get a", in: path).contains("one"))
    #expect(access(place.map(CChar.init(bitPattern:)) + [0], F_OK) == 0)
    #expect(try await run { await VerifyRun.run(path, $0) }.out.contains("no damage"))
    #expect(try await run { await RepairRun.run(path, acceptsLoss: false, $0) }.status == 0)
    let backup = try await run { await BackupRun.run(path, to: copy, $0) }
    #expect(backup.status == 0)
    if name == [0xFF] { #expect(backup.out.contains("/\\xff/copy")) }
    #expect(try await exec("get a", in: copy).contains("one"))
    #expect(try PosixDisk(root: folder.path).names(in: "") == [ByteText.encode(name)])
  }

  @Test("What is no data folder is refused with status 2", arguments: ["verify", "repair", "dump", "backup"])
  func refuses(tool: String) async throws {
    let folder = try TestFolder()
    let path = folder.path("nothing")
    let ended = try await run { console in
      switch tool {
      case "verify": await VerifyRun.run(path, console)
      case "repair": await RepairRun.run(path, acceptsLoss: false, console)
      case "dump": await DumpRun.run(path, node: nil, valueBytesMax: 64, showsSyncMarks: false, console)
      default: await BackupRun.run(path, to: folder.path("copy"), console)
      }
    }
    #expect(ended.status == 2)
    #expect(ended.err.contains("kvstore: ") && ended.out.isEmpty)
  }

  @Test("dump prints each record, cut or whole, of one node or all")
  func dumps() async throws {
    let folder = try await Self.stored(3)
    let path = folder.path("data")
    let all = try await run {
      await DumpRun.run(path, node: nil, valueBytesMax: 2, showsSyncMarks: true, $0)
    }
    #expect(all.status == 0)
    #expect(all.out.hasPrefix("node segment offset kind tag key bytes value state\n"))
    #expect(all.out.contains(#""k2" 7 "va"… ok"#))
    let one = try await run {
      await DumpRun.run(path, node: "node1", valueBytesMax: .max, showsSyncMarks: false, $0)
    }
    #expect(one.out.contains(#""value-2" ok"#) && !one.out.contains("\nnode2 "))
    try damage(folder, "value-1", node: "node1")
    let bad = try await run { await DumpRun.run(path, node: nil, valueBytesMax: 64, showsSyncMarks: false, $0) }
    #expect(bad.status == 1)
    #expect(bad.out.contains("damaged"))
    let full = open("/dev/full", O_WRONLY)
    defer { close(full) }
    let test = TestConsole()
    let console = Console(
      input: -1, output: full, errors: test.console.errors, isTyped: false, isOutputTerminal: false,
      showsProgress: false, signals: test.signals.source)
    let lost = await DumpRun.run(path, node: nil, valueBytesMax: 64, showsSyncMarks: false, console)
    #expect(console.status(lost) == Console.lost)
  }

  @Test("backup copies a folder once, and not over another")
  func backsUp() async throws {
    let folder = try await Self.stored(3)
    let done = try await run { await BackupRun.run(folder.path("data"), to: folder.path("copy"), $0) }
    #expect(done.status == 0)
    #expect(done.out.hasPrefix("Backed up \(folder.path("data")): 3 nodes, "))
    let again = try await run { await BackupRun.run(folder.path("data"), to: folder.path("copy"), $0) }
    #expect(again.status == 1)
    #expect(again.err.contains("kvstore: "))
  }

  @Test("A signal stops a tool with its status")
  func isStopped() async throws {
    let folder = try await Self.stored(3)
    let test = TestConsole()
    let signals = test.signals
    let path = folder.path("data")
    let status = await ToolRun.run(test.console) { control throws(ClusterError) in
      signals.send(SIGINT)
      return try VerifyRun.read(try FolderAtRest(path), control) == nil ? 2 : 0
    }
    #expect(status == 128 + SIGINT)
  }

  @Test("check-history says of each file whether it is linearizable, and draws why not")
  func checksHistories() async throws {
    let folder = try TestFolder()
    func event(_ process: Int, _ type: String, _ function: String, _ value: String) -> String {
      "INFO  jepsen.util - \(process)\t:\(type)\t:\(function)\t\(value)\n"
    }
    let good =
      event(0, "invoke", "write", "1") + event(0, "ok", "write", "1") + event(1, "invoke", "read", "nil")
      + event(1, "ok", "read", "1")
    try folder.write(good, to: "good.log")
    try folder.write(good + event(1, "invoke", "read", "nil") + event(1, "ok", "read", "nil"), to: "bad.log")
    try folder.write("", to: "empty.log")
    let (goodPath, badPath, picture) = (folder.path("good.log"), folder.path("bad.log"), folder.path("bad.svg"))
    let fine = try await run { CheckHistoryRun(files: [goodPath], explains: false, svg: picture, $0).run() }
    #expect(fine.status == 0)
    #expect(fine.out == "\(goodPath): linearizable\n")
    #expect(fine.err.contains("nothing to draw"))
    let bad = try await run { CheckHistoryRun(files: [goodPath, badPath], explains: true, svg: picture, $0).run() }
    #expect(bad.status == 1)
    #expect(bad.out.contains("\(badPath): violation\n") && bad.out.contains("1 timeline drawn"))
    #expect(try folder.text("bad.svg").contains("</svg>"))
    let lost = try await run {
      CheckHistoryRun(files: [badPath], explains: false, svg: folder.path("missing/x.svg"), $0).run()
    }
    #expect(lost.status == Console.lost)
    let unreadable = try await run {
      CheckHistoryRun(files: [folder.path("none")], explains: false, svg: nil, $0).run()
    }
    #expect(unreadable.status == 2)
  }

  @Test("simulate tells a day step by step, sums many up, and finds a planted mistake")
  func simulates() async throws {
    let told = try await run { SimulateRun(mistake: nil, carrier: nil, $0).tell(42) }
    #expect(told.status == 0)
    #expect(told.out.hasPrefix("seed 42: ") && told.out.contains("✓ Promises kept"))
    let many = try await run { SimulateRun(mistake: nil, carrier: nil, $0).runAll(1...3) }
    #expect(many.status == 0)
    #expect(many.err.contains("seeds a second"))
    let broken = try await run { SimulateRun(mistake: .readsOne, carrier: nil, $0).runAll(1...100) }
    #expect(broken.status == 1)
    #expect(broken.out.contains("--mistake readsOne") && broken.out.contains("✗ Promises broken"))
  }

  @Test("The table of scaling has a row for each cluster, and says what a join and a leave moved")
  func scales() async throws {
    let ended = try await run {
      try ScalingTable.run($0, nodeCounts: [3, 6], operationsPerNode: 500, largeNodes: 12)
    }
    let lines = ended.out.split(separator: "\n")
    #expect(lines.count == 6, "\(ended.out)")
    #expect(lines[3].hasPrefix("    3 ") && lines[3].contains("1.000") && lines[4].hasPrefix("    6 "))
    #expect(lines[5].hasPrefix("12 nodes: a join moved ") && lines[5].contains("0 wrong of 72 reads"))
  }

  @Test("How far many seeds are is told with their rate and the time that is left")
  func tellsProgress() {
    #expect(SimulationProgress.line(312, of: 2_000, ns: 10_000_000_000).hasPrefix("312 of 2"))
    #expect(SimulationProgress.line(0, of: 10, ns: 0).hasPrefix("0 of 10 seeds"))
  }

  @Test("frame draws what the dashboard shows after the commands, in each form")
  func draws() async throws {
    let folder = try TestFolder()
    let look = Appearance(themes: Theme.builtIn, theme: .midnight, glyphs: .braille, depth: .truecolor)
    let picture = folder.path("frame.svg")
    func draw(_ lines: [String], _ output: FrameRun.Output) async throws -> (status: Int32, out: String, err: String) {
      let options = try ClusterOptions.temporary()
      return try await run { console in
        await HeadlessRun.run(.folder(options, isWatched: false), console) { cluster in
          let frame = FrameRun(size: Size(width: 80, height: 24), appearance: look, lines: lines, output: output)
          return await frame.draw(cluster.runner, console)
        }
      }
    }
    let text = try await draw(["put a 1"], .text)
    #expect(text.status == 0)
    #expect(text.out.contains("Stored: a -> 1") && text.out.split(separator: "\n").count == 24)
    let colours = try await draw([], .ansi)
    #expect(colours.out.contains("\u{1b}["))
    let failed = try await draw(["get nope"], .description)
    #expect(failed.status == 1)
    #expect(failed.err.contains("get nope: "))
    #expect(try await draw([], .svg(path: picture)).status == 0)
    #expect(try folder.text("frame.svg").contains("</svg>"))
    #expect(try await draw([], .svg(path: folder.path("missing/x.svg"))).status == Console.lost)
  }

  @Test("bench prints its table, writes each file, runs what was planned, and compares", .timeLimit(.minutes(2)))
  func benchmarks() async throws {
    let folder = try TestFolder()
    var plan = BenchmarkPlan(workload: .mixed, keys: 2_000, threads: 1, clients: nil, seconds: 1, seed: 42)
    plan.recordsTimeline = true
    let files = BenchFiles(
      json: folder.path("a.json"), csv: folder.path("a.csv"), report: folder.path("a.html"),
      timeline: folder.path("t.csv"))
    let (options, planned) = (try ClusterOptions.temporary(), plan)
    let ended = try await run { console in
      let job = BenchJob(
        plan: planned, files: files,
        commands: [TimedCommand(seconds: 0.1, line: "kill node2"), TimedCommand(seconds: 0.2, line: "get nope")],
        console)
      return await HeadlessRun.run(.folder(options), console) { await job.run(on: $0) }
    }
    // One of the planned commands failed.
    #expect(ended.status == 1)
    #expect(ended.err.contains("Killed node: node2"), "\(ended.err)")
    #expect(ended.err.contains("Key not found: nope"), "\(ended.err)")
    #expect(ended.out.contains("operations"))
    for name in ["a.json", "a.csv", "a.html", "t.csv"] { #expect(try !folder.text(name).isEmpty) }
    let compared = try await run { console in
      try BenchComparison.run([folder.path("a.json"), folder.path("a.json")], console)
      return 0
    }
    #expect(compared.out.contains("a.json"))
    #expect(throws: Refusal.self) {
      try BenchComparison.run([folder.path("none"), folder.path("a.json")], TestConsole().console)
    }
    #expect(throws: Refusal.self) {
      try BenchComparison.run([folder.path("a.csv"), folder.path("a.json")], TestConsole().console)
    }
  }

  @Test("bench opens a folder again and again", .timeLimit(.minutes(2)))
  func reopens() async throws {
    let folder = try await Self.stored(3)
    var plan = BenchmarkPlan(workload: .open, keys: 100, threads: 1, clients: nil, seconds: 0, seed: 42)
    plan.openings = 2
    let planned = plan
    let ended = try await run { console in
      let files = BenchFiles(json: folder.path("missing/a.json"), csv: nil, report: nil, timeline: nil)
      return await BenchJob(plan: planned, files: files, commands: [], console).reopen(.kept(folder))
    }
    #expect(ended.status == Console.lost)
    #expect(!ended.out.isEmpty)
  }
}
