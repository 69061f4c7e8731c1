import Commands
import KVCluster
import Testing

/// What a line means, and what an error says to type instead.
struct CommandParserTests {
  private func parse(_ line: String) throws(CommandError) -> Command? {
    try Command.parse(Array(line.utf8))
  }

  private func message(_ line: String) -> String {
    do throws(CommandError) {
      return "parsed as \(String(describing: try parse(line)))"
    } catch {
      return error.description
    }
  }

  @Test(
    "Every command is read",
    arguments: [
      ("get k", Command.get(key: Array("k".utf8))), ("del k", .delete(key: Array("k".utf8))), ("nodes", .nodes),
      ("addnode node4", .order(.addNode("node4"))), ("removenode node1", .order(.removeNode("node1"))),
      ("kill n", .order(.kill("n"))),
      ("replacenode node1 node9", .order(.replaceNode("node1", replacement: "node9"))),
      ("restart n", .order(.restart("n"))), ("benchmark", .benchmark(.averages)), ("benchmark stop", .benchmark(.stop)),
      ("benchmark results", .benchmark(.results)), ("load -", .load(path: Array("-".utf8))),
      ("load 'my file'", .load(path: Array("my file".utf8))), ("keys", .keys(prefix: [], limit: 100)),
      ("keys user:", .keys(prefix: Array("user:".utf8), limit: 100)),
      ("backup '/tmp/a b'", .backup(path: Array("/tmp/a b".utf8))), ("help", .help(nil)), ("verdict", .verdict),
      ("help put", .help(.put)), ("get k --consistency one", .get(key: [0x6b], consistency: .one)),
      ("del k --consistency ALL", .delete(key: [0x6b], consistency: .all)),
      ("put k \"v\" --consistency quorum", .put(key: [0x6b], value: [0x76], consistency: .quorum)),
      ("put k v --consistency  all ", .put(key: [0x6b], value: [0x76], consistency: .all)),
      ("put k v w --consistency one", .put(key: [0x6b], value: Array("v w".utf8), consistency: .one)),
      ("put k \"v --consistency one\"", .put(key: [0x6b], value: Array("v --consistency one".utf8))),
      (
        "cas k old new value",
        .update(key: [0x6b], .compareAndSet(expected: Array("old".utf8), value: Array("new value".utf8)))
      ),
      ("cas --absent k v", .update(key: [0x6b], .compareAndSet(expected: nil, value: [0x76]))),
      ("cas k --absent v", .update(key: [0x6b], .compareAndSet(expected: nil, value: [0x76]))),
      (
        "cas -- k --absent v",
        .update(key: [0x6b], .compareAndSet(expected: Array("--absent".utf8), value: [0x76]))
      ),
      ("cas k \"\" \"\"", .update(key: [0x6b], .compareAndSet(expected: [], value: []))),
      ("incr k", .update(key: [0x6b], .increment(by: 1))), ("incr k -5", .update(key: [0x6b], .increment(by: -5))),
      ("append k  a b ", .update(key: [0x6b], .append(Array("a b".utf8)))),
      ("append k \" a\"", .update(key: [0x6b], .append(Array(" a".utf8)))),
      ("append k v --consistency all", .update(key: [0x6b], .append(Array("v --consistency all".utf8)))),
      ("getdel k", .update(key: [0x6b], .take)), ("ttl k", .update(key: [0x6b], .timeToLive)),
      ("persist k", .update(key: [0x6b], .persist)),
      ("expire k 90", .update(key: [0x6b], .expire(.after(milliseconds: 90_000)))),
      ("expire k 1.5", .update(key: [0x6b], .expire(.after(milliseconds: 1_500)))),
      ("expire k 500ms", .update(key: [0x6b], .expire(.after(milliseconds: 500)))),
      ("expire k 5m", .update(key: [0x6b], .expire(.after(milliseconds: 300_000)))),
      ("expire k 2h", .update(key: [0x6b], .expire(.after(milliseconds: 7_200_000)))),
      ("expire k 1d", .update(key: [0x6b], .expire(.after(milliseconds: 86_400_000)))),
      ("exit", .exit), ("quit", .exit), ("  \tNODES \r", .nodes),
    ])
  func readsEveryCommand(line: String, command: Command) throws {
    #expect(try parse(line) == command)
    #expect(try parse(command.line) == command, "\(command.line)")
  }

  @Test("Commands of several keys take as many as there are")
  func severalKeys() throws {
    func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
    let (k, ab) = (bytes("k"), bytes("a b"))
    #expect(try Command.parse(bytes("mget k")) == .getAll(keys: [k]))
    #expect(try Command.parse(bytes("mget k 'a b' k")) == .getAll(keys: [k, ab, k]))
    #expect(
      try Command.parse(bytes("mset k 1 'a b' \"\"")) == .putTogether([KeyValue(k, bytes("1")), KeyValue(ab, [])]))
    #expect(try Command.parse(bytes("mset -- -k 1")) == .putTogether([KeyValue(bytes("-k"), bytes("1"))]))
    for line in ["mget", "mset", "mset a", "mset a 1 b"] {
      #expect(throws: CommandError.self, "\(line)") { try Command.parse(bytes(line)) }
    }
  }

  @Test(
    "An order is the line that gives it",
    arguments: [
      ("slow n 1.5ms", AdminCommand.slow("n", byNs: 1_500_000)), ("drop n 0.5%", .drop("n", perMille: 5)),
      ("partition a | b c", .partition([["a"], ["b", "c"]])), ("compact", .compact(nil)), ("compact n", .compact("n")),
      ("change undo", .steer(.undo)), ("fsync-fail n", .failSync("n")), ("heal", .heal), ("failover n", .failOver("n")),
    ])
  func ordersAreLines(line: String, order: AdminCommand) throws {
    #expect(order.line == line)
    #expect(try parse(line) == .order(order))
  }

  @Test(
    "A value is the trimmed rest of the line, or one quoted word",
    arguments: [
      ("put k Alice", "Alice"), ("put k Alice Johnson", "Alice Johnson"), ("put k  a  b \t\r", "a  b"),
      ("put k --consistency", "--consistency"), ("put k a --consistency one b", "a --consistency one b"),
      ("put k --consistency a b", "--consistency a b"),
      ("put k it's 5\" long", "it's 5\" long"), ("put k a\\nb", "a\\nb"), ("put k -5", "-5"),
      (#"put k """#, ""), ("put k ''", ""), (#"put k " a ""#, " a "), (#"put k "a\n\t\\\"b""#, "a\n\t\\\"b"),
      (#"put k '\n"x"'"#, #"\n"x""#), (#"put k "it's"  "#, "it's"), (#"put k "\x41\x7a""#, "Az"),
      ("put k Grüße 🌍", "Grüße 🌍"), (#"put "k" x"#, "x"),
    ])
  func readsValues(line: String, value: String) throws {
    #expect(try parse(line) == .put(key: Array("k".utf8), value: Array(value.utf8)))
  }

  @Test(
    "Options stand before the arguments or behind them, and behind -- there are none",
    arguments: [
      "put --consistency all k v": "put k=v all", "put --consistency=one k v w": "put k=v w one",
      "put k --consistency all v": "put k=v all", "put k v --consistency=all": "put k=v all", "put -- -k v": "put -k=v",
      "put -- --consistency all k": "put --consistency=all k",
      "put -- k v --consistency all": "put k=v --consistency all", "put --consistency one -- --k v": "put --k=v one",
      "put \"--\" v": "put --=v", "put '--consistency' v": "put --consistency=v", "put -k v": "put -k=v",
      "get --consistency one k": "get k one", "get -- --k": "get --k", "del -- -k": "del -k",
      "del --consistency=all k": "del k all", "keys -- --a": "keys --a", "load -- -f": "load -f",
    ])
  func readsOptions(line: String, expected: String) throws {
    func text(_ bytes: [UInt8], _ level: Consistency?) -> String {
      String(decoding: bytes, as: UTF8.self) + (level.map { " \($0.rawValue)" } ?? "")
    }
    let read: String
    switch try parse(line) {
    case .put(let key, let value, let level): read = "put \(text(key, nil))=\(text(value, level))"
    case .get(let key, let level): read = "get \(text(key, level))"
    case .delete(let key, let level): read = "del \(text(key, level))"
    case .keys(let prefix, _): read = "keys \(text(prefix, nil))"
    case .load(let path): read = "load \(text(path, nil))"
    default: read = "another command"
    }
    #expect(read == expected)
  }

  @Test(
    "A word that looks like an option and is none is no key",
    arguments: [
      (
        "put --consistancy all k v",
        "put: there is no option --consistancy; there is --consistency LEVEL; behind -- it is text: put -- --consistancy"
      ),
      (
        "cas --consistency all k a b",
        "cas: there is no option --consistency; there is --absent; behind -- it is text: cas -- --consistency"
      ),
      ("incr k five", "incr: 'five' should be a whole number of 64 bits, as in incr k 5"),
      ("incr k 9223372036854775808", "incr: '9223372036854775808' should be a whole number of 64 bits, as in incr k 5"),
      ("get --k", "get: there is no option --k; there is --consistency LEVEL; behind -- it is text: get -- --k"),
      ("cas --absent a", "NEW is missing. Usage: cas KEY OLD NEW, or cas --absent KEY NEW"),
      ("incr k 1 2", "Too many words. Usage: incr KEY [BY]"),
      ("get a b", "Too many words. Usage: get KEY; a KEY with spaces needs quotes: \"a b\""),
      ("slow node1 1 s", "Too many words. Usage: slow NODE TIME"),
      ("kill node1 node2", "Too many words. Usage: kill NODE"),
      ("keys --limit 5", "keys: there is no option --limit; behind -- it is text: keys -- --limit"),
      ("put --consistency some k v", "put: 'some' should be one of one, quorum, all"),
      ("put --consistency", "put: --consistency takes one of one, quorum, all"),
    ])
  func refusesUnknownOptions(line: String, expected: String) {
    #expect(message(line) == expected)
  }

  @Test("Keys and values take any bytes, escaped or as they are")
  func takesAnyBytes() throws {
    #expect(try parse(#"put "\x00\xff" "\xC3""#) == .put(key: [0x00, 0xFF], value: [0xC3]))
    #expect(try Command.parse(Array("get ".utf8) + [0xFE, 0xFF]) == .get(key: [0xFE, 0xFF]))
    #expect(try parse("get \"a b\"") == .get(key: Array("a b".utf8)))
  }

  @Test("A value may hold the newlines of an argument of exec")
  func keepsNewlinesInside() throws {
    #expect(try parse("put k a\nget k\n") == .put(key: Array("k".utf8), value: Array("a\nget k".utf8)))
  }

  @Test("A line of white space is no command", arguments: ["", " ", "\t \r\n"])
  func ignoresBlankLines(line: String) throws {
    #expect(try parse(line) == nil)
  }

  @Test(
    "An error says what to type",
    arguments: [
      ("put", "KEY is missing. Usage: put KEY VALUE"),
      ("put k", "VALUE is missing. Usage: put KEY VALUE; an empty value is \"\""),
      ("get", "KEY is missing. Usage: get KEY"),
      ("get a b", "Too many words. Usage: get KEY; a KEY with spaces needs quotes: \"a b\""),
      ("nodes now", "nodes takes no arguments. Usage: nodes"),
      ("backup", "FOLDER is missing. Usage: backup FOLDER"),
      ("keys a b", "Too many words. Usage: keys [PREFIX]; a PREFIX with spaces needs quotes: \"a b\""),
      (#"put k "abc"#, #"No closing " for the one at column 7; inside double quotes a quote is \""#),
      ("put 'k v", "No closing ' for the one at column 5; a word that begins with ' goes in \" \""),
      (
        #"put ü "a\qb""#,
        #"Unknown escape \q at column 9. Double quotes take \n \t \\ \" \xHH; single quotes take everything literally"#
      ),
      (
        #"get "\x4""#,
        #"Unknown escape \x4 at column 6. Double quotes take \n \t \\ \" \xHH; single quotes take everything literally"#
      ),
      (
        #"put k "a" b"#,
        "Text after the closing quote at column 9. Usage: put KEY VALUE. Quote the whole, or nothing of it"
      ),
      ("put k v --consistency two", "put: 'two' should be one of one, quorum, all"),
      ("put k --consistency one", "VALUE is missing. Usage: put KEY VALUE; an empty value is \"\""),
      (
        "explain nosuch",
        "explain: there is no topic nosuch. Topics: \(Topic.allCases.map(\.rawValue).joined(separator: ", "))"
      ),
      ("get k --consistency", "get: --consistency takes one of one, quorum, all"),
      ("del k --consistency two", "del: 'two' should be one of one, quorum, all"),
      (#"get "a"b"#, "Text after the closing quote at column 7. Quote the whole, or nothing of it"),
      (
        #"get "a\"#,
        #"Unknown escape \ at column 7. Double quotes take \n \t \\ \" \xHH; single quotes take everything literally"#
      ),
    ])
  func explainsErrors(line: String, expected: String) {
    #expect(message(line) == expected)
  }

  private static let names =
    "Commands: put, get, del, mget, mset, cas, incr, append, getdel, expire, ttl, persist, nodes, addnode, removenode, replacenode, failover, change, kill, restart, pause, resume, partition, heal, slow, "
    + "drop, corrupt, fsync-fail, benchmark, load, keys, verdict, backup, compact, explain, demo, help, exit"

  @Test(
    "The topic that was meant is found by what people call it",
    arguments: [
      ("merkle", "anti-entropy"), ("hints", "hinted-handoff"), ("verdict", "linearizability"), ("quorom", "quorum"),
      ("fsync", "group-commit"),
    ])
  func guessesTopics(word: String, meant: String) {
    #expect(message("explain \(word)").hasPrefix("explain: there is no topic \(word). Did you mean \(meant)? Topics: "))
  }

  @Test("An unknown command names the one that was meant, or the known ones")
  func namesCommands() {
    #expect(message("gett a") == "Unknown command: gett. Did you mean get? help lists all")
    #expect(message("frobnicate") == "Unknown command: frobnicate. \(Self.names)")
    #expect(message("help delete") == "Unknown command: delete. Did you mean del? help lists all")
    let shown = String(repeating: "x", count: 64)
    #expect(message(String(repeating: "x", count: 1_000)).hasPrefix("Unknown command: \(shown)…. "))
  }

  @Test(
    "The command that was meant is found by synonym, beginning or slip of the finger",
    arguments: [
      ("set", CommandName.put), ("rm", .del), ("bench", .benchmark), ("addnod", .addnode), ("add", .addnode),
      ("restrat", .restart), ("ndoes", .nodes),
      ("KILLL", .kill), ("key", .keys), ("q", .exit), ("gte", .get),
    ])
  func guesses(word: String, meant: CommandName) {
    #expect(Suggestion.command(for: word) == meant)
  }

  @Test("Nothing is guessed where nothing is near", arguments: ["", "zzz", "abc", "hello-world", "1"])
  func guessesNothing(word: String) {
    #expect(Suggestion.command(for: word) == nil)
  }

  @Test("The distance counts insertions, deletions, replacements and swaps")
  func measuresDistance() {
    #expect(Suggestion.distance("get", "get") == 0)
    #expect(Suggestion.distance("gte", "get") == 1)
    #expect(Suggestion.distance("", "ab") == 2)
    #expect(Suggestion.distance("kitten", "sitting") == 3)
  }

  @Test("The table holds every command once, and no word for two")
  func tableIsComplete() {
    #expect(CommandEntry.all.map(\.name) == CommandName.allCases)
    let words = CommandEntry.all.flatMap { [$0.name.rawValue] + $0.aliases + $0.synonyms }
    #expect(Set(words).count == words.count)
  }

  @Test("Help lists every command, and explains one")
  func helps() {
    let all = HelpText.lines(about: nil)
    for name in CommandName.allCases { #expect(all.contains { $0.hasPrefix(CommandEntry.of(name).usage + " ") }) }
    for name in CommandName.allCases { #expect(HelpText.lines(about: name).allSatisfy { $0.count <= 100 }) }
    #expect(HelpText.lines(about: .exit) == ["exit: end the session", "Also: quit"])
    #expect(all.allSatisfy { $0.count <= 80 }, "help fits a narrow terminal")
  }
}

@Suite struct FaultCommandTests {
  private func parse(_ line: String) throws -> Command? { try Command.parse(Array(line.utf8)) }

  @Test("Faults are read as people write them")
  func reads() throws {
    #expect(try parse("partition node1 | node2 node3") == .order(.partition([["node1"], ["node2", "node3"]])))
    #expect(try parse("partition node1|node2") == .order(.partition([["node1"], ["node2"]])))
    #expect(try parse("slow node3 20ms") == .order(.slow("node3", byNs: 20_000_000)))
    #expect(try parse("slow node3 1.5s") == .order(.slow("node3", byNs: 1_500_000_000)))
    #expect(try parse("drop node2 30%") == .order(.drop("node2", perMille: 300)))
    #expect(try parse("drop node2 0.5") == .order(.drop("node2", perMille: 5)))
    #expect(try parse("corrupt node1") == .order(.corrupt("node1")))
    #expect(try parse("fsync-fail node2 yes") == .order(.failSync("node2"), isMeant: true))
    #expect(try parse("heal") == .order(.heal))
  }

  @Test(
    "What makes no sense is refused with what to type",
    arguments: [
      "slow node3 20", "slow node3 -1ms", "slow node3", "drop node2 101%", "drop node2 x", "corrupt node1 maybe",
    ])
  func refuses(line: String) {
    #expect(throws: CommandError.self) { try parse(line) }
  }
}
