import ClusterModel
import Dashboard
import Glibc
import Synchronization
import TestBackends
import Testing

@testable import Commands
@testable import Faces
@testable import KVBench

/// A run of a workload that measures until it is told to finish, and then fails.
private final class ScriptedWorkload: WorkloadRun {
  private struct State {
    var isOver = false
    var isCleared = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  let plan = BenchmarkPlan(workload: .mixed, keys: 1_000, clients: 64, seconds: 4)
  let loadAnnouncement: String? = nil
  private let state = Mutex(State())

  var isCleared: Bool { state.withLock { $0.isCleared } }

  func run(onStart: () -> Void) async throws -> BenchmarkResult {
    onStart()
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        if !state.isOver { state.waiter = continuation }
        return state.isOver
      }
      if isOver { continuation.resume() }
    }
    throw ClusterError.storage("the disk is full")
  }

  func finish() {
    state.withLock { state in
      state.isOver = true
      defer { state.waiter = nil }
      return state.waiter
    }?.resume()
  }

  func stop() { finish() }

  func clear() async -> Bool {
    state.withLock { $0.isCleared = true }
    return true
  }

  func snapshot() -> BenchmarkSnapshot {
    let isOver = state.withLock { $0.isOver }
    let second = OperationCounts(reads: 500, writes: 1_000, failures: 0)
    return BenchmarkSnapshot(
      plan: plan, phase: isOver ? .finished : .measuring, atNs: 4_000_000_000, startedNs: 2_000_000_000,
      counts: OperationCounts(reads: 1_000, writes: 2_000, failures: 3), fraction: isOver ? 1 : 0.5,
      leftNs: isOver ? nil : 2_000_000_000,
      seconds: (0..<2).map {
        BenchmarkSecond(
          startNs: $0 * 1_000_000_000, endNs: ($0 + 1) * 1_000_000_000, counts: second, latency: nil)
      }, marks: [])
  }
}

/// The dashboard, line mode and scripts over a backend that is no engine.
struct BackendFaceTests {
  /// Three nodes of a cluster whose data is meant to stay.
  private static func status() -> ClusterStatus {
    ClusterStatus(
      uptimeNs: 5_000_000_000, phase: .serving,
      nodes: ["east", "north", "west"].enumerated().map {
        NodeStatus(id: $0.offset, name: $0.element, state: .up, share: 1)
      },
      ring: RingStatus(epoch: 1, slotCount: 16, arcs: [RingStatus.Arc(start: 0, owners: [0, 1, 2])]))
  }

  private static func backend(_ change: (inout ScriptedBackend.Script) -> Void = { _ in }) -> ScriptedBackend {
    var script = ScriptedBackend.Script()
    script.status = status()
    change(&script)
    return ScriptedBackend(script)
  }

  private static func source(_ backend: ScriptedBackend, atClose problem: String? = nil) -> ClusterSource {
    ClusterSource { () throws(ClusterError) in OpenCluster(CommandRunner(backend: backend)) { problem } }
  }

  // MARK: - The dashboard

  @Test("A dictionary has the dashboard and its prompt, and is asked for nothing that it has not")
  func dictionary() async throws {
    let folder = try TestFolder()
    let host = ClusterHost(CommandRunner(backend: DictionaryBackend()), history: HistoryFile(folder.path("history")))
    let terminal = try await TestTerminal(120, 40).show(host)
    try await terminal.shows("a dictionary is open")
    try await terminal.type("put a 1\r")
    try await terminal.shows("Stored: a -> 1")
    try await terminal.type("get a\r")
    try await terminal.shows("Retrieved: a -> 1")
    try await terminal.type("kill dictionary\r")
    try await terminal.shows("this cluster has no control of single nodes")
    #expect(!terminal.record.text.contains("eventual") && !terminal.record.text.contains("fsync"))
    try await terminal.type("\u{15}\u{03}")
    #expect(try await terminal.ends() == 0)
  }

  /// A dashboard on a backend.
  private struct Session {
    let terminal: TestTerminal
    let backend: ScriptedBackend
    private let folder: TestFolder

    init(_ backend: ScriptedBackend, _ local: CommandRunner.Local? = nil) async throws {
      self.backend = backend
      folder = try TestFolder()
      let host = ClusterHost(
        CommandRunner(backend: backend, local: local), history: HistoryFile(folder.path("history")))
      terminal = try await TestTerminal(120, 40).show(host)
      try await terminal.shows("west")
    }

    func run(_ line: String, _ words: String) async throws {
      try await terminal.type(line + "\r")
      try await terminal.shows(words)
    }

    func quit() async throws {
      try await terminal.type("\u{15}\u{03}")
      #expect(try await terminal.ends() == 0)
    }
  }

  @Test("What is typed, confirmed and chosen in a menu reaches the backend as the order it is")
  func givesOrders() async throws {
    let session = try await Session(Self.backend())
    try await session.run("put a 1", "Stored: a -> 1")
    try await session.run("get a", "Retrieved: a -> 1")
    try await session.run("removenode west", "Remove west?")
    try await session.terminal.type("y")
    try await session.terminal.shows("Removed node: west")
    try await session.run("corrupt east", "Corrupt east?")
    try await session.terminal.type("y")
    try await session.terminal.shows("> corrupt east yes")
    try await session.terminal.shows("Corrupted node: east")
    try await session.run("slow east 1.5ms", "Slowed node: east, 1.5 ms a message")
    #expect(session.backend.orders == [.removeNode("west"), .corrupt("east"), .slow("east", byNs: 1_500_000)])
    try await session.run("backup /nowhere", "Backed up: 2 nodes, 2.00 MiB of log -> /nowhere")
    try await session.quit()
  }

  @Test("What the backend refuses is told with what can be done there, and by a backend that cannot, without")
  func refuses() async throws {
    let error = ClusterError.unavailable(needed: 2, live: 1, owners: 3, missing: ["east", "north"])
    for canRestart in [true, false] {
      let backend = Self.backend { script in
        script.error = error
        if !canRestart { script.capabilities.features.remove(.nodeControl) }
      }
      let session = try await Session(backend)
      try await session.run("get a", canRestart ? "`restart east`" : "Nothing was changed")
      #expect(session.terminal.record.text.contains("`restart") == canRestart)
      if !canRestart {
        try await session.run("kill east", "this cluster has no control of single nodes")
        try await session.run("kill", "this cluster has no control of single nodes")
        try await session.run("help restart", "this cluster has no control of single nodes")
        try await session.terminal.type("kil\t")
        #expect(!session.terminal.record.text.contains("kvstore> kill"))
      }
      try await session.quit()
    }
  }

  @Test("A backend that never serves says why at each command")
  func neverServes() async throws {
    let backend = Self.backend { $0.neverReady = .notServing("no quorum of masters") }
    let session = try await Session(backend)
    try await session.run("put a 1", "no quorum of masters")
    #expect(backend.script.withLock { $0.values.isEmpty })
    try await session.quit()
  }

  @Test("A plain benchmark of which no write succeeds says so in its panel", .timeLimit(.minutes(1)))
  func measuresNothing() async throws {
    let backend = Self.backend { $0.error = .storage("the disk is full") }
    let session = try await Session(backend)
    try await session.run("benchmark", "no write succeeded: the disk is full")
    try await session.terminal.shows("Benchmark stopped: no write succeeded")
    try await session.quit()
  }

  @Test(
    "A line is parsed once: for prompt, completion, question, walk of the key and benchmark", .timeLimit(.minutes(1)))
  func parsesOnce() async throws {
    let parsed = Mutex<[String]>([])
    let note: @Sendable ([UInt8]) -> Void = { line in
      parsed.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
    }
    try await Command.$onParse.withValue(note) {
      let session = try await Session(Self.backend())
      for character in "put key:1 v" { try await session.terminal.type("\(character)") }
      try await session.run("", "Stored: key:1 -> v")
      try await session.terminal.type("get ke\t")
      try await session.run("", "Retrieved: key:1 -> v")
      try await session.run("removenode west", "Remove west?")
      try await session.terminal.type("y")
      try await session.terminal.shows("Removed node: west")
      // The key that stops a benchmark writes no line that would have to be parsed. Until then no write ends.
      session.backend.script.withLock { $0.holdsWrites = true }
      try await session.run("benchmark", "writing")
      for _ in 0..<8 where !session.terminal.record.text.contains("stop it") { try await session.terminal.type("\t") }
      try await session.terminal.type("x")
      try await session.terminal.shows("Stopped benchmark")
      session.backend.release()
      try await session.terminal.shows("Benchmark cancelled")
      try await session.quit()
    }
    #expect(parsed.withLock { $0 } == ["put key:1 v", "get key:1 ", "removenode west", "benchmark"])
  }

  @Test("A workload's run is drawn from its snapshots, and once it is over from what it measured")
  func drawsWorkloads() async throws {
    let workload = ScriptedWorkload()
    let local = CommandRunner.Local(makeRunner: { _ in workload }, checkRoom: { () throws(ClusterError) in })
    let session = try await Session(Self.backend(), local)
    try await session.run("benchmark mixed", "mixed, 64 clients")
    try await session.terminal.shows("3 failed")
    try await session.terminal.shows("57 %")
    workload.finish()
    try await session.terminal.shows("The benchmark could not go on: the disk is full")
    // Of the seconds that were measured, not of the deletion of its keys.
    try await session.terminal.shows("3.00 k operations in 2.00 s")
    try await session.terminal.shows("500 reads/s")
    #expect(workload.isCleared)
    try await session.quit()
  }

  // MARK: - Line mode

  private func lines(
    _ input: String, _ backend: ScriptedBackend, atClose problem: String? = nil
  ) async throws -> (status: Int32, out: String, err: String) {
    let test = TestConsole()
    test.type(input)
    test.endInput()
    let status = await LineMode.run(Self.source(backend, atClose: problem), test.console)
    let printed = test.finish()
    return (status, printed.out, printed.err)
  }

  @Test("Line mode answers from any backend, and what went wrong at its end is told")
  func answersLines() async throws {
    let backend = Self.backend()
    let ended = try await lines("put a 1\nget a\nget b\nkeys\nheal\nnodes\n", backend, atClose: "the connection broke")
    #expect(ended.status == 1 && ended.err == "kvstore: the connection broke\n")
    #expect(
      ended.out == """
        ✓ Stored: a -> 1
        ✓ Retrieved: a -> 1
        ✗ Key not found: b
        Found 1 key:
        - Key: a
        ✓ Healed: all links are good
        Cluster has 3 nodes:
        - Node: east
        - Node: north
        - Node: west

        """)
    #expect(backend.orders == [.heal])
  }

  @Test("Line mode ends at once, with the reason, where the backend never serves")
  func endsLines() async throws {
    let ended = try await lines("put a 1\n", Self.backend { $0.neverReady = .notServing("no quorum of masters") })
    #expect(ended.status == 1 && ended.out.isEmpty && ended.err == "kvstore: no quorum of masters\n")
  }

  @Test("What is typed line by line is completed with the backend's own commands and nodes, and parsed once")
  func completesLines() async throws {
    let parsed = Mutex<[String]>([])
    let note: @Sendable ([UInt8]) -> Void = { line in
      parsed.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
    }
    try await Command.$onParse.withValue(note) {
      let backend = Self.backend { $0.capabilities.features.remove(.backup) }
      let test = TestConsole(isTyped: true)
      let (console, folder) = (test.console, try TestFolder())
      let path = folder.path("history")
      let running = Task { await LineMode.run(Self.source(backend), console, historyPath: path) }
      try await test.prints("kvstore> ")
      test.type("kill n\t\r")
      try await test.prints("Killed node: north")
      test.type("backu\t\r")
      try await test.prints("Unknown command: backu")
      test.type("\u{04}")
      #expect(await running.value == 0)
      #expect(backend.orders == [.kill("north")])
      #expect(
        !test.finish().out.contains(
          "Commands: put, get, del, nodes, addnode, removenode, replacenode, failover, change, backup"))
    }
    #expect(parsed.withLock { $0 } == ["kill north ", "backu"])
  }

  // MARK: - Scripts

  @Test("A script over any backend has its failures on standard error and in the status")
  func runsScripts() async throws {
    func run(_ commands: [String], _ backend: ScriptedBackend) async -> (status: Int32, out: String, err: String) {
      let test = TestConsole()
      test.endInput()
      let status = await Script.run(Self.source(backend), test.console, commands: commands.map { Array($0.utf8) })
      let printed = test.finish()
      return (status, printed.out, printed.err)
    }
    let good = await run(["put a 1", "del a"], Self.backend())
    #expect(good == (0, "✓ Stored: a -> 1\n✓ Deleted: a\n", ""))
    let broken = await run(["put a 1"], Self.backend { $0.error = .storage("the disk is full") })
    #expect(broken == (1, "", "✗ the disk is full\n"))
    let poor = await run(
      ["restart east", "benchmark mixed"],
      Self.backend { $0.capabilities.features.subtract([.nodeControl, .workloads]) })
    #expect(
      poor == (
        1, "",
        "✗ this cluster has no control of single nodes; nothing was done\n"
          + "✗ this cluster has no load generator for workloads; nothing was done\n"
      ))
  }

  @Test("A signal ends a script between two answers of a backend that takes its time")
  func isSignalled() async throws {
    let backend = Self.backend { $0.holdsReads = true }
    let test = TestConsole()
    test.endInput()
    let (console, source) = (test.console, Self.source(backend))
    let running = Task { await Script.run(source, console, commands: [Array("get a".utf8), Array("put b 1".utf8)]) }
    await backend.untilCalled()
    test.signals.send(SIGTERM)
    backend.release()
    #expect(await running.value == 128 + SIGTERM)
    #expect(test.signals.ended.isEmpty)
    _ = test.finish()
  }
}
