import ClusterModel
import Dashboard
import Foundation
import Synchronization
import TestBackends
import Testing

@testable import Commands
@testable import KVBench

/// Faces over backends that are not the engine.
@Suite struct BackendTests {
  /// Lines said while a command ran, as line mode prints them.
  private func say(_ line: String, _ runner: CommandRunner) async -> (result: CommandResult, lines: [String]) {
    let lines = Mutex<[String]>([])
    let result = await runner.run(line: Array(line.utf8)) { output in
      switch output {
      case .answer(let answer), .announcement(let answer):
        lines.withLock { $0.append(String(decoding: answer.line, as: UTF8.self)) }
      case .progress: break
      }
    }
    return (result, lines.withLock { $0 })
  }

  private func screen(_ backend: any ClusterBackend, _ size: Size = Size(width: 120, height: 40)) -> DashboardState {
    var state = DashboardState(size: size)
    var status = backend.status()
    for tick in 0...40 {
      status.uptimeNs = UInt64(tick) * 250_000_000
      state.apply(status: status, nowNs: 1_000_000_000 + status.uptimeNs)
    }
    for event in backend.events(after: 0) { state.apply(event: event) }
    return state
  }

  @Test("A dictionary has the dashboard and the commands that it can do, and none that it cannot")
  func dictionary() async throws {
    let backend = DictionaryBackend()
    let runner = CommandRunner(backend: backend)
    #expect(await say("put a 1", runner).lines == ["✓ Stored: a -> 1"])
    #expect(await say("get a", runner).lines == ["✓ Retrieved: a -> 1"])
    #expect(await say("keys", runner).lines == ["Found 1 key:", "- Key: a"])
    #expect(await say("nodes", runner).lines == ["Cluster has 1 node:", "- Node: dictionary"])
    let refused = await say("kill dictionary", runner)
    #expect(refused.result == .failed(.unsupported(.nodeControl)))
    #expect(refused.lines == ["✗ this cluster has no control of single nodes; nothing was done"])
    let help = await say("help", runner).lines
    #expect(
      help.contains { $0.hasPrefix("put ") } && !help.contains { $0.hasPrefix("kill ") || $0.hasPrefix("backup ") })
    let state = screen(backend)
    let picture = Picture(state, state.appearance.look).canvas.lines.joined(separator: "\n")
    #expect(picture.contains("1 node up") && !picture.contains("eventual") && picture.contains("a dictionary is open"))
    #expect(!picture.contains("fsync ") && !picture.contains("N=") && !picture.contains("/home"))
    #expect(!Description.lines(state).joined().contains("eventual"))
  }

  @Test("The plain benchmark measures any backend and leaves no key behind")
  func benchmark() async throws {
    let backend = DictionaryBackend()
    var benchmark = PlainBenchmark(backend: backend) { _ in }
    benchmark.schedule = .init(writesEnd: .seconds(1), readsEnd: .seconds(2), end: .seconds(10))
    let end = await benchmark.run()
    #expect(end.isGood && end.averages.map { $0.writesPerSecond > 0 && $0.readsPerSecond ?? 0 > 0 } == true)
    #expect(try await backend.scan(prefix: [], from: nil, limit: 1).keys.isEmpty)
  }

  // MARK: - Capabilities

  @Test(
    "What a backend has not is in no help, no completion, and refused by name", arguments: Capabilities.Feature.allCases
  )
  func switchesOff(feature: Capabilities.Feature) async throws {
    var script = ScriptedBackend.Script()
    script.capabilities.features.remove(feature)
    let backend = ScriptedBackend(script)
    let local = CommandRunner.Local(makeRunner: { FailingWorkload(plan: $0) }, checkRoom: {})
    let runner = CommandRunner(backend: backend, local: local)
    let capabilities = backend.capabilities
    let all = CommandCompletion.at(0, in: [], nodes: [], capabilities).candidates
    let help = HelpText.lines(about: nil, capabilities)
    for (line, name) in Self.lines {
      let isOffered = name.feature != feature
      #expect(all.contains(name.rawValue) == isOffered, "\(name)")
      #expect(help.contains { $0.hasPrefix(CommandEntry.of(name).usage) } == isOffered, "\(name)")
      let result = await say(line, runner).result
      #expect((result == .failed(.unsupported(feature))) == !isOffered, "\(line): \(result)")
    }
    for (line, needed) in Self.demanding {
      let result = await say(line, runner).result
      #expect((result == .failed(.unsupported(feature))) == (needed == feature), "\(line): \(result)")
    }
    // No feature's test is empty.
    #expect(Self.lines.contains { $0.1.feature == feature } || Self.demanding.contains { $0.1 == feature })
  }

  /// Lines that need a feature which their command alone does not.
  private static let demanding: [(String, Capabilities.Feature)] = [
    ("benchmark mixed", .workloads), ("benchmark ycsb-a --seconds 1", .workloads),
    ("put a 1 --consistency all", .consistencyLevels), ("get --consistency one a", .consistencyLevels),
    ("del a --consistency=quorum", .consistencyLevels), ("help kill", .nodeControl), ("help keys", .scans),
  ]

  /// A line for every command but those that need more than a backend.
  private static let lines: [(String, CommandName)] = [
    ("put a 1", .put), ("get a", .get), ("del a", .del), ("cas --absent c 1", .cas), ("incr c", .incr),
    ("mget c d", .mget), ("mset c 0 d 1", .mset), ("append c 0", .append), ("getdel c", .getdel),
    ("expire a 10", .expire), ("ttl a", .ttl), ("persist a", .persist), ("nodes", .nodes), ("addnode n", .addnode),
    ("removenode n", .removenode), ("replacenode n m", .replacenode), ("failover n", .failover),
    ("change pause", .change), ("kill n", .kill), ("restart n", .restart),
    ("pause n", .pause), ("resume n", .resume), ("partition a | b", .partition), ("heal", .heal),
    ("slow n 20ms", .slow), ("drop n 30%", .drop), ("corrupt n yes", .corrupt), ("fsync-fail n yes", .fsyncFail),
    ("keys", .keys), ("verdict", .verdict), ("compact n", .compact), ("backup /nowhere", .backup),
    ("explain quorum", .explain),
    ("help", .help), ("load /nowhere/at/all", .load), ("benchmark results", .benchmark), ("demo", .demo),
    ("exit", .exit),
  ]

  @Test("Every command's line is run or answered, and every order reaches the backend as it was given")
  func givesOrders() async throws {
    #expect(Set(Self.lines.map(\.1)) == Set(CommandName.allCases))
    let backend = ScriptedBackend()
    let runner = CommandRunner(backend: backend)
    for (line, name) in Self.lines {
      let said = await say(line, runner)
      #expect(!said.lines.isEmpty || name == .exit, "\(line)")
    }
    let orders = backend.orders
    for order in orders { #expect(CommandName(order).feature == order.feature) }
    #expect(
      orders == [
        .addNode("n"), .removeNode("n"), .replaceNode("n", replacement: "m"), .failOver("n"), .steer(.pause),
        .kill("n"),
        .restart("n"), .pause("n"),
        .resume("n"), .partition([["a"], ["b"]]), .heal, .slow("n", byNs: 20_000_000), .drop("n", perMille: 300),
        .corrupt("n"), .failSync("n"), .compact("n"), .backUp(path: "/nowhere"),
      ])
  }

  @Test("Nothing advises a command that the backend lacks", arguments: Capabilities.Feature.allCases)
  func advisesWhatThereIs(feature: Capabilities.Feature) async throws {
    var script = ScriptedBackend.Script()
    script.capabilities.features.remove(feature)
    script.status = Self.troubled
    script.events = Self.events
    let backend = ScriptedBackend(script)
    let capabilities = backend.capabilities
    let runner = CommandRunner(backend: backend)
    var said: [String] = []
    for event in Self.events { said.append(event.words(on: capabilities)) }
    for error in Self.errors { said.append(error.words(on: capabilities)) }
    for word in ["frobnicate", "stop", "start", "mend", "snapshot", "takeover", "kil", "vacuum", "scan"] {
      said += await say(word, runner).lines
    }
    for name in CommandName.allCases {
      said += await say("help \(name.rawValue)", runner).lines + say(name.rawValue + " a b c d e f", runner).lines
    }
    for topic in Topic.allCases { said += await say("explain \(topic.rawValue)", runner).lines }
    for obstacle in Self.obstacles {
      said += CommandResult.impossible(obstacle).answers(on: capabilities).map {
        String(decoding: $0.text, as: UTF8.self)
      }
    }
    said += CommandCompletion.at(10, in: Array("benchmark ".utf8), nodes: [], capabilities).candidates.map {
      "`benchmark \($0)`"
    }
    said += Self.pictures(of: backend)
    let all = said.joined(separator: "\n")
    for name in CommandName.allCases where name.feature == feature {
      let advised = said.filter { line in
        line.contains("`\(name.rawValue)") || line.contains("Did you mean \(name.rawValue)?")
          || line.contains("Usage: \(name.rawValue)")
      }
      #expect(advised.isEmpty, "\(name): \(advised)")
    }
    // Words of help name no command that is missing, with or without quotes.
    let words = Self.wordsOfHelp(capabilities)
    for name in CommandName.allCases where name.feature == feature && !Self.nouns.contains(name) {
      #expect(!words.contains(name.rawValue), "\(name)")
    }
    switch feature {
    case .consistencyLevels: #expect(!all.contains("--consistency LEVEL"))
    case .workloads: #expect(!all.contains("ycsb"))
    case .nodeControl: #expect(!all.contains("restart "))
    default: break
    }
  }

  /// All words of help on the commands that such a backend has.
  private static func wordsOfHelp(_ capabilities: Capabilities) -> Set<String> {
    let lines = HelpText.entries(capabilities).flatMap { HelpText.lines(about: $0.name, capabilities) }
    let words = lines.flatMap { $0.split { !$0.isLetter && $0 != "-" } }
    return Set(words.map(String.init))
  }

  /// Commands whose names help uses as words of English, as steps of `change`, or as a topic and a workload.
  private static let nouns: Set<CommandName> = [.keys, .cas, .ttl, .change, .pause, .resume]

  @Test("Where everything is there, everything is advised: the test before could fail")
  func advisesAll() async {
    var script = ScriptedBackend.Script()
    (script.status, script.events) = (Self.troubled, Self.events)
    let backend = ScriptedBackend(script)
    let said =
      Self.events.map { $0.words(on: backend.capabilities) } + Self.errors.map { $0.words(on: backend.capabilities) }
      + Self.pictures(of: backend)
    let all = said.joined(separator: "\n")
    for name: CommandName in [.restart, .resume, .heal, .addnode, .removenode, .change, .verdict, .kill] {
      #expect(all.contains("`\(name.rawValue)"), "\(name)")
    }
  }

  /// Every panel with the cluster in trouble, and the details of each node.
  private static func pictures(of backend: ScriptedBackend) -> [String] {
    let capabilities = backend.capabilities
    let advice = CommandAdvice(
      words: { $0.words(on: capabilities) }, advise: { $0.words(on: capabilities) }, features: capabilities.features)
    var state = DashboardState(size: Size(width: 200, height: 60), advice: advice)
    for tick in 0...8 {
      var status = backend.status()
      status.uptimeNs = UInt64(tick) * 250_000_000
      state.apply(status: status, nowNs: 1_000_000_000 + status.uptimeNs)
    }
    for event in backend.events(after: 0) { state.apply(event: event) }
    var lines = Picture(state, state.appearance.look).canvas.lines
    _ = state.handle(.escape)
    lines += Picture(state, state.appearance.look).canvas.lines
    while state.focus != .panel(.nodes) { _ = state.handle(.tab) }
    _ = state.handle(.character("z"))
    for _ in state.nodes {
      lines += Picture(state, state.appearance.look).canvas.lines
      _ = state.handle(.down)
    }
    return lines + Description.lines(state)
  }

  /// One node is dead, one paused, one cut off, one slow, and an answer was wrong.
  private static let troubled: ClusterStatus = {
    var status = ClusterStatus(
      uptimeNs: 5_000_000_000, phase: .serving,
      nodes: (0..<5).map { NodeStatus(id: $0, name: "n\($0)", state: $0 == 0 ? .dead : .up, share: 0.2) },
      ring: RingStatus(epoch: 1, slotCount: 16_384, arcs: [RingStatus.Arc(start: 0, owners: [0, 1, 2])]))
    status.pausedNodes = [1]
    let others = [0, 1, 3, 4]
    status.linkFaults =
      others.flatMap { [LinkFault(from: 2, to: $0, isCut: true), LinkFault(from: $0, to: 2, isCut: true)] }
      + [0, 1, 2, 4].flatMap {
        [LinkFault(from: 3, to: $0, delayNs: 20_000_000), LinkFault(from: $0, to: 3, delayNs: 20_000_000)]
      }
    status.verdict = VerdictStatus(
      operationsChecked: 9, keysWatched: 1, keysPerWatched: 1, violations: 1,
      lastViolation: .init(summary: "get → 1", explanation: ["key a", "p1 put", "p2 get"]))
    return status
  }()

  private static let events = [
    ClusterEvent.What.nodeFailed(node: "n0", reason: "why"), .underReplicated(nodes: 2, replicas: 3),
    .replacementPostponed(node: "n0", errors[0]), .recoveryFailed(errors[1]),
    .writesMayBeLost(node: "n0", ranges: [LostRange(owners: ["n0"], losers: ["n0"], needed: 1)]),
    .twinsFound(nodes: ["n0", "n1"], key: [97], more: 0),
    .notLinearizable("get → 1"),
  ].enumerated().map { ClusterEvent(sequence: UInt64($0.offset + 1), uptimeNs: 1, $0.element) }

  private static let errors: [ClusterError] = [
    .unavailable(needed: 2, live: 1, owners: 3, missing: ["n0"]),
    .notServing(
      .init(
        "not yet", advice: .restart("n0"), .restartOnceMended("n0"), .kill("n0"), .resume("n1"), .heal, .addNode,
        .compact, .put,
        .listNodes, .verdict, .removeNode("n0"), .steer(.resume), .steer(.cancel), .steer(.finish), .steer(.undo))),
  ]

  private static let obstacles: [CommandResult.Obstacle] = [
    .mustBeMeant(.failSync("n1")), .benchmarkRuns(.plain), .noBenchmarkRuns,
  ]

  @Test("Bisection finds where a condition begins to hold, at both ends and in slices too", arguments: 0...9)
  func bisects(from first: Int) {
    let numbers = Array(0..<9)
    #expect(numbers.partitioningIndex { $0 >= first } == first)
    #expect(numbers[2..<7].partitioningIndex { $0 >= first } == max(2, min(7, first)))
    #expect([Int]().partitioningIndex { _ in true } == 0)
  }

  @Test("Engine, options and program: an error names the field, a face adds the option")
  func namesFields() {
    let error = ClusterError.invalidArgument(.init("readQuorum is 1 or more, not 0", field: "readQuorum"))
    #expect(error.description == "readQuorum is 1 or more, not 0")
    #expect(error.words(on: nil) == "readQuorum is 1 or more, not 0 (--read-quorum)")
  }

  @Test("An error is told with what can be typed about it, and a client reads it without")
  func toldWithAdvice() async throws {
    let backend = ScriptedBackend()
    let error = ClusterError.unavailable(needed: 2, live: 1, owners: 3, missing: ["n1", "n2"])
    backend.script.withLock { $0.error = error }
    let said = await say("get a", CommandRunner(backend: backend))
    #expect(said.result.error?.code == .unavailable && error.nodes == ["n1", "n2"])
    #expect(
      said.lines == [
        "✗ unavailable: 2 of the key's 3 owners must answer, 1 can; not answering: n1, n2. Nothing was changed; "
          + "`restart n1` brings it back"
      ])
    #expect(!error.description.contains("`"))
  }

  // MARK: - Panels

  /// A node of which nothing is known but its name and state.
  private static let bare = ClusterStatus(
    uptimeNs: 5_000_000_000, phase: .serving, nodes: [NodeStatus(id: 0, name: "m1", state: .up, share: 1)],
    ring: RingStatus(epoch: 1, slotCount: 16_384, arcs: [RingStatus.Arc(start: 0, owners: [0])]))

  @Test("A figure that the backend does not give is a dash in every panel, never 0")
  func inventsNothing() async throws {
    var script = ScriptedBackend.Script()
    script.status = Self.bare
    var state = screen(ScriptedBackend(script), Size(width: 200, height: 60))
    for look in [Look(theme: .midnight, glyphs: Glyphs(.braille)), Look(theme: .terminal, glyphs: Glyphs(.ascii))] {
      for panel in PanelKind.allCases where panel != .ring {
        let lines = Picture.panel(panel, state, Size(width: 110, height: 24), look).lines
        // The axis counts time, which is no figure of the backend.
        let said = lines.filter { !$0.contains("-1 m") && !$0.contains("axis") }.joined(separator: " ")
        let figures = said.matches(of: /(?:^|[ ↑↓^v])0(?: |$|\.00| B| ops| reads| writes)/)
        #expect(figures.isEmpty, "\(panel): \(figures.map { $0.output }) in\n\(lines.joined(separator: "\n"))")
      }
      let latency = Picture.panel(.latency, state, Size(width: 110, height: 24), look).lines.joined()
      #expect(!latency.contains("none in"), "nothing was measured, which is not to say that nothing was done")
      let ring = Picture.panel(.ring, state, Size(width: 60, height: 24), look).lines.joined()
      #expect(ring.contains(" \(look.glyphs.dash) "), "\(ring)")
      let nodes = Picture.panel(.nodes, state, Size(width: 110, height: 10), look).lines.joined()
      #expect(nodes.filter { String($0) == look.glyphs.dash }.count >= 6, "\(nodes)")
    }
    state.size = Size(width: 200, height: 60)
    let described = Description.lines(state).joined(separator: "\n")
    #expect(!described.contains(" 0 ") && described.contains("m1 is up, owns 100.0 %."))
    let whole = Picture(state, state.appearance.look).canvas.lines.joined(separator: "\n")
    #expect(!whole.contains("N=") && !whole.contains("fsync ") && !whole.contains("eventual"))
  }

  @Test("A node without a part of the ring, a change without sizes and a cluster without epochs show no 0 for them")
  func inventsNothingOfChanges() {
    var script = ScriptedBackend.Script()
    script.status = ClusterStatus(
      uptimeNs: 5_000_000_000, phase: .serving, nodes: [NodeStatus(id: 0, name: "m1", state: .up)],
      change: ChangeStatus(
        kind: .join, node: "m2", fraction: 0.5, keysMoved: nil, bytesMoved: nil, elapsedNs: 3_000_000_000,
        waitingFor: nil))
    let state = screen(ScriptedBackend(script), Size(width: 200, height: 60))
    let whole = Picture(state, state.appearance.look).canvas.lines.joined(separator: "\n")
    for word in ["epoch", "0 %", "0 keys", "0 B/s"] { #expect(!whole.contains(" \(word)"), "\(word) in\n\(whole)") }
    #expect(!Description.lines(state).joined().contains("owns"))
  }

  @Test(
    "Keys that nobody serves are not counted as none",
    arguments: [
      NodeStatus(id: 0, name: "a", state: .recovering(fraction: 0.4), share: 1, keys: 400_000),
      NodeStatus(id: 0, name: "a", state: .dead, share: 1, keys: 400_000),
      NodeStatus(id: 0, name: "a", state: .up, keys: 7), NodeStatus(id: 0, name: "a", state: .up, share: 0, keys: 7),
      NodeStatus(id: 0, name: "a", state: .up, share: 1),
    ])
  func countsWhatIsServed(node: NodeStatus) {
    var status = Self.bare
    status.nodes = [node]
    #expect(status.keys == nil)
    var script = ScriptedBackend.Script()
    script.status = status
    let state = screen(ScriptedBackend(script))
    let whole = Picture(state, state.appearance.look).canvas.lines.joined(separator: "\n")
    #expect(
      !whole.contains("no keys yet")
        && !Description.lines(state).contains { $0.hasPrefix("0 keys") || $0.contains(" 0 keys") }, "\(whole)")
  }

  @Test("A cluster without nodes has no keys, and one whose owners serve has theirs")
  func countsKeys() {
    var status = Self.bare
    status.nodes = []
    #expect(status.keys == 0)
    status.phase = .recovering(fraction: 0.5)
    #expect(status.keys == nil)
    status.phase = .serving
    status.nodes = [0, 1].map { NodeStatus(id: $0, name: "n\($0)", state: .up, share: 0.5, keys: 10) }
    #expect(status.keys == 20)
    status.nodes[1].state = .dead
    #expect(status.keys == 20)
  }

  @Test(
    "No topic invents a figure where a backend tells nothing, nor where it tells no ring", arguments: Topic.allCases)
  func explainsWithoutFigures(topic: Topic) {
    var ringless = Self.bare
    (ringless.nodes[0].share, ringless.ring) = (nil, RingStatus(slotCount: 16_384))
    let capabilities = Capabilities(features: [], keyBytesMax: 64, valueBytesMax: 256)
    for status in [Self.bare, ringless] {
      let page = topic.explanation(status, capabilities)
      for figure in page.figures {
        let zeros = figure.value.matches(of: /(?:^|[ ,])0(?:\.0+)?(?: |,|$)/)
        #expect(zeros.isEmpty, "\(figure.label): \(figure.value)")
      }
      #expect(page.lines(width: 80).allSatisfy { !$0.contains("eventual") && !$0.contains("kept forever") })
    }
    let engine = ClusterStatus(uptimeNs: 1, phase: .serving, nodes: [NodeStatus(id: 0, name: "a", state: .up)])
    let known = topic.explanation(engine, capabilities).figures.map(\.value)
    switch topic {
    case .consistentHashing: #expect(known.prefix(2) == ["1, — owners a key", "—"])
    case .virtualNodes: #expect(known == ["—", "—", "—"])
    case .antiEntropy: #expect(known.dropFirst() == ["—", "—", "—"])
    case .tombstones: #expect(known[2] == "—")
    case .cap: #expect(known.prefix(2) == ["—", "—"])
    default: break
    }
  }

  @Test("A node's menu offers what the backend can do", arguments: Capabilities.Feature.allCases)
  func offersInMenu(feature: Capabilities.Feature) {
    var down = Self.bare.nodes[0]
    down.state = .dead
    let all = Set(Capabilities.Feature.allCases)
    for (node, isPaused, offered) in [
      (Self.bare.nodes[0], false, ["kill", "pause", "remove"]),
      (Self.bare.nodes[0], true, ["kill", "resume", "remove"]),
      (down, false, ["restart", "remove"]),
    ] {
      func menu(_ features: Set<Capabilities.Feature>) -> [NodeMenu.Item] {
        NodeMenu(node, isPaused: isPaused, features, column: 0, row: 0).items
      }
      #expect(menu(all).map(\.words) == ["details"] + offered)
      #expect(menu(all.subtracting([feature])) == menu(all).filter { $0.order?.feature != feature })
    }
    for (feature, words) in [
      (Capabilities.Feature.nodeControl, "kill"), (.linkFaults, "pause"), (.membership, "remove"),
    ] {
      let items = NodeMenu(Self.bare.nodes[0], isPaused: false, all.subtracting([feature]), column: 0, row: 0).items
      #expect(!items.map(\.words).contains(words))
    }
  }

  @Test("Each figure alone is shown, whatever else is missing", arguments: 0..<7)
  func showsWhatThereIs(figure: Int) async throws {
    var status = Self.bare
    let word: String
    switch figure {
    case 0: (status.nodes[0].keys, word) = (42, "42")
    case 1: (status.nodes[0].wal, word) = (WalStatus(bytes: 3 << 20), "3.00 MiB")
    case 2: (status.nodes[0].hintsWaiting, word) = (17, "17")
    case 3: (status.nodes[0].cache, word) = (CacheStatus(hits: 1, misses: 1, bytes: 5 << 10), "5.00 KiB")
    case 4: (status.quorum, word) = (QuorumSettings(), "N=1 R=1 W=1")
    case 5: (status.fsync, word) = (.everysec, "fsync everysec")
    default: (status.dataFolder, word) = ("/srv/data", "data /srv/data")
    }
    var script = ScriptedBackend.Script()
    script.status = status
    var state = screen(ScriptedBackend(script), Size(width: 200, height: 60))
    _ = state.handle(.tab)
    _ = state.handle(.tab)
    let whole = Picture(state, state.appearance.look).canvas.lines.joined(separator: "\n")
    #expect(whole.contains(word), "\(word) in\n\(whole)")
  }

  @Test("Panels draw any mixture of what a backend has, at any size")
  func drawsAnything() async throws {
    var random = Seeded(state: 7)
    for _ in 0..<60 {
      var script = ScriptedBackend.Script()
      script.status = Self.random(&random)
      script.events = [ClusterEvent(sequence: 1, uptimeNs: 1, .remark(.kill, .warning, node: "m0", "m0 went away"))]
      let size = Size(width: Int.random(in: 1...200, using: &random), height: Int.random(in: 1...60, using: &random))
      var state = screen(ScriptedBackend(script), size)
      for key in [Key.tab, .down, .enter, .tab, .right, .character("s")] { _ = state.handle(key) }
      #expect(Picture(state, state.appearance.look).canvas.size == size)
      _ = Description.lines(state)
    }
  }

  private static func random(_ random: inout Seeded) -> ClusterStatus {
    func maybe<V>(_ value: V) -> V? { Bool.random(using: &random) ? value : nil }
    let count = Int.random(in: 0...5, using: &random)
    let nodes = (0..<count).map { id in
      var node = NodeStatus(
        id: id, name: "m\(id)", state: [.up, .dead, .joining, .recovering(fraction: 0.4), .failed(reason: "why")][id],
        share: Double.random(in: 0...1, using: &random), keys: maybe(Int.random(in: 0...9_999, using: &random)))
      node.wal = maybe(WalStatus(bytes: 9_999, liveBytes: maybe(999), segments: maybe(3), damages: maybe(1)))
      node.cache = maybe(CacheStatus(hits: 3, misses: 4, bytes: maybe(5)))
      node.hintsWaiting = maybe(12)
      node.operations = maybe(OperationCounters(reads: 10, writes: 20))
      return node
    }
    var status = ClusterStatus(
      uptimeNs: 1, phase: .serving, quorum: maybe(QuorumSettings()), fsync: maybe(.always), dataFolder: maybe("/d"),
      nodes: nodes, operations: maybe(OperationCounters(reads: 100, writes: 200)))
    status.latencies = maybe(OperationLatencies())
    status.verdict = maybe(VerdictStatus(operationsChecked: 5))
    if count > 0, Bool.random(using: &random) {
      // Slots without an owner, and with owners of different numbers.
      status.ring = RingStatus(
        epoch: 1, slotCount: 16_384,
        arcs: (0..<8).map { part in
          RingStatus.Arc(start: part * 2_048, owners: Array((0..<count).prefix(part % 3)))
        }, tokenCount: maybe(64))
    }
    return status
  }

  // MARK: - On the way

  @Test("A status of another version is refused, and says what to do")
  func refusesNewer() throws {
    let encoded = try JSONEncoder().encode(Self.bare)
    let text = String(decoding: encoded, as: UTF8.self)
    let own = "\"version\":\(FormatVersion.current)"
    #expect(text.contains(own))
    for other in [FormatVersion.current - 1, FormatVersion.current + 1] {
      let data = Data(text.replacing(own, with: "\"version\":\(other)").utf8)
      let error = #expect(throws: DecodingError.self) { try JSONDecoder().decode(ClusterStatus.self, from: data) }
      #expect("\(String(describing: error))".contains("version \(other)"))
    }
  }

  @Test("An event of a newer version is refused in words, even if this program knows nothing of its kind")
  func refusesNewerEvents() throws {
    let event = ClusterEvent(sequence: 1, uptimeNs: 5, .killed(node: "a"))
    let text = String(decoding: try JSONEncoder().encode(event), as: UTF8.self)
    let newer = text.replacing(#""version":2"#, with: #""version":3"#).replacing("killed", with: "vaporised")
    let error = try #require(throws: DecodingError.self) {
      try JSONDecoder().decode(ClusterEvent.self, from: Data(newer.utf8))
    }
    #expect(
      FormatVersion.words(error)
        == "it has version 3, and this program reads version 2: use the same kvstore on both sides")
  }

  @Test("A status and events are the same after they were encoded, and the ring is short")
  func isEncoded() throws {
    var random = Seeded(state: 3)
    for _ in 0..<20 {
      let status = Self.random(&random)
      #expect(try JSONDecoder().decode(ClusterStatus.self, from: JSONEncoder().encode(status)) == status)
    }
    let events: [ClusterEvent.What] = [
      .killed(node: "a"), .rebuilt(node: "a", copies: 3, .allOwners), .replacementPostponed(node: "b", .refused("no")),
      .remark(.storage, .failure, node: nil, "text"), .twinsFound(nodes: ["a", "b"], key: [0, 255], more: 0),
    ]
    for (index, what) in events.enumerated() {
      let event = ClusterEvent(sequence: UInt64(index), uptimeNs: 5, what)
      #expect(try JSONDecoder().decode(ClusterEvent.self, from: JSONEncoder().encode(event)) == event)
    }
  }
}

/// A run of a workload that fails at once.
private struct FailingWorkload: WorkloadRun {
  let plan: BenchmarkPlan
  var loadAnnouncement: String? { nil }

  func run(onStart: () -> Void) async throws -> BenchmarkResult { throw ClusterError.storage("the disk is full") }
  func stop() {}
  func clear() async -> Bool { true }

  func snapshot() -> BenchmarkSnapshot {
    BenchmarkSnapshot(
      plan: plan, phase: .waiting, atNs: 0, startedNs: 0, counts: OperationCounts(), fraction: nil, leftNs: nil,
      seconds: [], marks: [])
  }
}

/// SplitMix64.
private struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
