import ClusterModel
import ArgumentParser
import Commands
import Dashboard
import Testing

@testable import kvstore

/// What is typed on the command line: subcommands, options and what is refused.
struct ArgumentTests {
  /// Commands that only a session can carry out, for they speak of what happens in it, or that are subcommands of their own.
  private static let ofSession: [CommandName] = [
    .change, .pause, .resume, .partition, .heal, .slow, .drop, .corrupt, .fsyncFail, .verdict, .exit,
  ]
  private static let ofTheirOwn: [CommandName] = [.backup, .demo, .help]

  private func parse(_ words: String...) throws -> any ParsableCommand { try KVStore.parseAsRoot(words) }

  @Test("Each command is a subcommand, or on the list of those that are not", arguments: CommandName.allCases)
  func areSubcommands(name: CommandName) {
    let direct = KVStore.configuration.subcommands.compactMap { ($0 as? any DirectCommand.Type)?.name }
    #expect(direct.contains(name) != (Self.ofSession + Self.ofTheirOwn).contains(name))
  }

  @Test("A direct subcommand is the command that a session has, its words taken as they are")
  func becomeCommands() throws {
    func command(_ words: String...) throws -> Command? {
      (try KVStore.parseAsRoot(words) as? any DirectCommand)?.command
    }
    func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
    #expect(try command("put", "a", "b", "c") == .put(key: bytes("a"), value: bytes("b c"), consistency: nil))
    #expect(try command("get", "--consistency", "one", "a") == .get(key: bytes("a"), consistency: .one))
    #expect(try command("del", "a") == .delete(key: bytes("a"), consistency: nil))
    #expect(
      try command("cas", "a", "old", "new")
        == .update(key: bytes("a"), .compareAndSet(expected: bytes("old"), value: bytes("new"))))
    #expect(
      try command("cas", "--absent", "a", "new")
        == .update(key: bytes("a"), .compareAndSet(expected: nil, value: bytes("new"))))
    #expect(try command("incr", "a") == .update(key: bytes("a"), .increment(by: 1)))
    #expect(try command("incr", "a", "--", "-5") == .update(key: bytes("a"), .increment(by: -5)))
    #expect(try command("append", "a", "b", "c") == .update(key: bytes("a"), .append(bytes("b c"))))
    #expect(try command("mget", "a", "b") == .getAll(keys: [bytes("a"), bytes("b")]))
    #expect(
      try command("mset", "a", "1", "b", "x y")
        == .putTogether([KeyValue(bytes("a"), bytes("1")), KeyValue(bytes("b"), bytes("x y"))]))
    #expect(throws: (any Error).self) { try command("mset", "a") }
    #expect(try command("getdel", "a") == .update(key: bytes("a"), .take))
    #expect(try command("nodes") == .nodes)
    #expect(try command("addnode", "x") == .order(.addNode("x")))
    #expect(try command("removenode", "x") == .order(.removeNode("x")))
    #expect(try command("replacenode", "x", "y") == .order(.replaceNode("x", replacement: "y")))
    #expect(try command("failover", "x") == .order(.failOver("x")))
    #expect(try command("kill", "x") == .order(.kill("x")))
    #expect(try command("restart", "x") == .order(.restart("x")))
    #expect(try command("explain", "quorum") == .explain(.quorum))
    #expect(try command("load", "-") == .load(path: bytes("-")))
    #expect(try command("keys", "u", "--limit", "5") == .keys(prefix: bytes("u"), limit: 5))
    #expect(try command("benchmark") == .benchmark(.averages))
  }

  @Test(
    "What cannot be is refused before anything is opened",
    arguments: [
      ["--nodes", "0"], ["--replicas", "99"], ["--cache-mib", "-1"], ["--replace-after", "0"], ["--data", ""],
      ["--ephemeral", "--data", "x"], ["--refresh-ms", "1"], ["--fsync", "sometimes"], ["keys", "--limit", "0"],
      ["cas", "a", "b"], ["cas", "--absent", "a", "b", "c"], ["cas", "a", "b", "c", "d"], ["incr", "a", "x"],
      ["append", "--", "a", "b", "--data", "d"], ["cas", "--", "a", "b", "--data=d"],
      ["bench", "--workload", "ycsb-e"], ["bench", "--at", "nonsense"],
      ["bench", "--at", "1:nonsense"], ["bench", "--compare", "a.json"], ["demo", "--speed", "0"],
      ["demo", "--chapter", "none"], ["frame", "--text", "--ansi"], ["frame", "--size", "0x4"],
      ["serve", "--listen", "x:y"], ["serve", "--listen", "none", "--listen", "1"], ["serve", "--max-clients", "0"],
      ["serve", "--listen", "127.0.0.1:65536"], ["serve", "--listen", ":1"],
    ])
  func refuses(words: [String]) {
    #expect(throws: (any Error).self) { try KVStore.parseAsRoot(words) }
  }

  @Test(
    "Options that a subcommand would ignore are refused",
    arguments: [
      ["--theme", "nord", "put", "a", "1"], ["--theme", "nord", "serve"], ["--interactive", "nodes"],
      ["--ephemeral", "verify", "x"], ["get", "a", "--record", "r"], ["put", "a", "1", "--theme", "nord"],
      ["nodes", "--interactive"],
      ["--nodes", "5", "simulate", "--seed", "1"], ["exec", "nodes", "--theme", "nord"],
      ["exec", "nodes", "--record", "r"],
      ["serve", "--history", "h"], ["bench", "--mouse"], ["verify", "x", "--nodes", "4"],
      ["repair", "x", "--theme", "nord"],
      ["dump", "x", "--interactive"], ["backup", "x", "y", "--data", "z"], ["check-history", "x", "--fsync", "never"],
      ["simulate", "--seed", "1", "--data", "x"],
    ])
  func refusesIgnored(words: [String]) throws {
    let command = try KVStore.parseAsRoot(words)
    #expect(throws: ValidationError.self) { try IgnoredOptions.refuse(for: command) }
  }

  /// What is told of words that cannot be read, or that are refused.
  private func told(_ words: [String]) -> String? {
    do {
      try IgnoredOptions.refuse(for: Arguments.parse(words))
      return nil
    } catch {
      return Arguments.message(for: error, words)
    }
  }

  @Test(
    "A negative number behind an option is its value, and is refused as one",
    arguments: [
      ["bench", "--seconds", "-1"], ["bench", "--rate", "-5"], ["bench", "--clients", "-1"], ["bench", "--keys", "-1"],
      ["bench", "--threads", "-2"], ["bench", "--operations", "-3"], ["bench", "--warm-up", "-.5"],
      ["bench", "--sampling", "-1"], ["bench", "--openings", "-1"], ["bench", "--key-bytes", "-1"],
      ["bench", "--value-bytes", "-3"], ["bench", "--at", "-1:get a"], ["--nodes", "-1"], ["--cache-mib", "-1"],
      ["nodes", "--replicas", "-1"], ["--read-quorum", "-1"], ["--write-quorum", "-2"], ["--replace-after", "-5"],
      ["--refresh-ms", "-5"], ["keys", "--limit", "-1"], ["demo", "--speed", "-2"], ["serve", "--idle-timeout", "-1"],
      ["serve", "--max-clients", "-3"], ["frame", "--size", "-1x-1"], ["bench", "--seed", "-1"],
      ["simulate", "--seed", "-1"],
    ])
  func refusesNegatives(words: [String]) throws {
    let text = try #require(told(words))
    #expect(!text.contains("Missing value"), "\(text)")
    let option = try #require(words.first { $0.hasPrefix("--") })
    #expect(text.contains(option), "\(text)")
  }

  @Test(
    "The parser's sentences that are recognised are still its own",
    arguments: [
      (["--nodes"], Arguments.missingValue), (["put", "k"], Arguments.misread[0]),
      (["get", "a", "-k"], Arguments.misread[1]),
      (["put", "k"], Arguments.usage),
    ])
  func recognises(words: [String], sentence: String) {
    let error = #expect(throws: (any Error).self) { try KVStore.parseAsRoot(words) }
    #expect(error.map { KVStore.fullMessage(for: $0).contains(sentence) } == true)
  }

  @Test(
    "A key or value that looks like an option is answered with what to type",
    arguments: [
      ["get", "-k"], ["put", "-k", "v"], ["put", "k", "v", "-x"], ["incr", "x", "-5"], ["del", "-5"], ["del", "--foo"],
      ["keys", "-x"],
    ])
  func hintsAtDashes(words: [String]) throws {
    let dashed = try #require(words.first { $0.hasPrefix("-") })
    let before = words.prefix { $0 != dashed }.joined(separator: " ")
    #expect(try #require(told(words)).contains("kvstore \(before) -- \(dashed)"))
    #expect(told([words[0], "--"] + words.dropFirst()) == nil || words == ["keys", "-x"])
  }

  @Test(
    "A value that an error repeats stays on one line and does nothing to a terminal",
    arguments: [
      ["--glyphs", "@"], ["--fsync", "@"], ["--nodes", "@"], ["--replicas", "@"], ["--read-quorum", "@"],
      ["--write-quorum", "@"], ["--cache-mib", "@"], ["--replace-after", "@"], ["--refresh-ms", "@"],
      ["--layout", "@"],
      ["--redis", "@"], ["--redis-map", "@"], ["--unknown@"], ["--nodes=@"], ["get", "a", "--consistency", "@"],
      ["keys", "--limit", "@"], ["bench", "--workload", "@"], ["bench", "--distribution", "@"],
      ["bench", "--value-bytes", "@"], ["bench", "--at", "@"], ["bench", "--at=@"], ["bench", "--rate", "@"],
      ["demo", "--chapter", "@"], ["demo", "--mistake", "@"], ["serve", "--listen", "@"], ["simulate", "--seed", "@"],
      ["simulate", "--carrier", "@"], ["frame", "--size", "@"], ["verify", "a", "@"], ["explain", "@"],
    ])
  func repeatsHarmlessly(words: [String]) throws {
    let hostile = "x\n\u{1b}[31m\ty"
    let text = try #require(told(words.map { $0.replacing("@", with: hostile) }))
    #expect(!text.contains("\u{1b}") && !text.contains("\t") && !text.contains("x\n"), "\(text)")
  }

  @Test(
    "Options that a subcommand uses are taken, before its name or behind it",
    arguments: [
      ["--ephemeral", "put", "a", "1"], ["put", "a", "1", "--ephemeral"], ["--theme", "nord", "frame"],
      ["--theme", "nord", "demo"],
    ])
  func takes(words: [String]) throws {
    let command = try KVStore.parseAsRoot(words)
    #expect(throws: Never.self) { try IgnoredOptions.refuse(for: command) }
  }

  @Test("An option behind the subcommand wins over the same before it")
  func fills() throws {
    let root = try #require(try parse("--nodes", "5", "--fsync", "never") as? KVStore)
    let own = try StartOptions.parse(["--nodes", "4"])
    let filled = own.filled(from: root.options)
    #expect(filled.nodes == 4 && filled.fsync == .never && filled.given == ["--nodes", "--fsync"])
    let display = try DisplayOptions.parse(["--glyphs", "ascii"]).filled(
      from: try DisplayOptions.parse(["--theme", "nord"]))
    #expect(display.given == ["--theme", "--glyphs"])
  }

  @Test("A size is columns and rows")
  func readsSizes() {
    #expect(FrameSize(argument: "80x24")?.size == Size(width: 80, height: 24))
    for wrong in ["80", "80x", "x24", "1001x1", "80x24x1"] { #expect(FrameSize(argument: wrong) == nil) }
  }
}
