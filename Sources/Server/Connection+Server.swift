import KVCluster
import RESP

/// Commands about the server.
extension Connection {
  // MARK: - COMMAND

  func commandCommand() {
    guard parser.count > 1 else { return describe(CommandID.allCases.map(Optional.some)) }
    switch (word(1), parser.count) {
    case ("COUNT", 2): reply { $0.integer(CommandID.allCases.count) }
    case ("INFO", 2): describe(CommandID.allCases.map(Optional.some))
    case ("INFO", _): describe((2..<parser.count).map { CommandTable.id(argument($0)) })
    case ("LIST", 2):
      reply {
        $0.array(CommandID.allCases.count)
        for entry in CommandTable.entries { $0.bulk(entry.name) }
      }
    case ("DOCS", _): document()
    case ("GETKEYS", 3...): getKeys()
    case ("HELP", 2): help(["COUNT", "DOCS [name...]", "GETKEYS command", "INFO [name...]", "LIST"], of: "COMMAND")
    case ("COUNT", _), ("LIST", _), ("GETKEYS", _): fail(ErrorReply.wrongArguments("command|\(text(1).lowercased())"))
    default: fail(ErrorReply.unknownSubcommand(Array(argument(1)), of: "COMMAND"))
    }
  }

  private func describe(_ ids: [CommandID?]) {
    reply { replies in
      replies.array(ids.count)
      for id in ids {
        guard let id else {
          replies.nullArray()
          continue
        }
        let entry = CommandTable.entries[id.rawValue]
        replies.array(10)
        replies.bulk(entry.name)
        replies.integer(entry.arity)
        replies.set(entry.flags.count)
        for flag in entry.flags { replies.simple(flag) }
        replies.integer(entry.keys.first)
        replies.integer(entry.keys.last)
        replies.integer(entry.keys.step)
        // Categories, tips, key specifications and subcommands: none.
        replies.set(0)
        for _ in 0..<3 { replies.array(0) }
      }
    }
  }

  private func document() {
    let ids = parser.count == 2 ? CommandID.allCases : (2..<parser.count).compactMap { CommandTable.id(argument($0)) }
    reply { replies in
      replies.map(ids.count)
      for id in ids {
        let entry = CommandTable.entries[id.rawValue]
        let fields = [
          ("summary", entry.summary), ("since", entry.since ?? "0.0.0"), ("group", entry.group),
          ("complexity", entry.complexity),
        ]
        replies.bulk(entry.name)
        replies.map(fields.count)
        for (name, value) in fields {
          replies.bulk(name)
          replies.bulk(value)
        }
      }
    }
  }

  private func getKeys() {
    guard let id = CommandTable.id(argument(2)) else { return fail("ERR Invalid command specified") }
    let entry = CommandTable.entries[id.rawValue]
    let count = parser.count - 2
    guard entry.takes(count) else { return fail("ERR Invalid number of arguments specified for command") }
    guard entry.keys.step > 0 else { return fail("ERR The command has no key arguments") }
    let last = entry.keys.last < 0 ? count + entry.keys.last : entry.keys.last
    let places = Array(stride(from: entry.keys.first, through: last, by: entry.keys.step))
    reply {
      $0.array(places.count)
      for place in places { $0.bulk(argument(place + 2)) }
    }
  }

  // MARK: - CONFIG

  func configCommand() {
    switch (word(1), parser.count) {
    case ("GET", 3...): configGet()
    case ("SET", 4...): configSet()
    case ("HELP", 2): help(["GET pattern...", "SET name value"], of: "CONFIG")
    case ("GET", _), ("SET", _): fail(ErrorReply.wrongArguments("config|\(text(1).lowercased())"))
    default: fail(ErrorReply.unknownSubcommand(Array(argument(1)), of: "CONFIG"))
    }
  }

  private func configGet() {
    let globs = (2..<parser.count).map { Glob(Array(text($0).lowercased().utf8)) }
    let found = Parameters(core).all.filter { parameter in
      globs.contains { $0.matches(Array(parameter.name.utf8)) }
    }
    reply {
      $0.map(found.count)
      for parameter in found {
        $0.bulk(parameter.name)
        $0.bulk(parameter.value)
      }
    }
  }

  private func configSet() {
    guard parser.count == 4 else { return fail("ERR CONFIG SET takes one name and its value here") }
    let name = text(2).lowercased()
    guard Parameters(core).all.contains(where: { $0.name == name }) else {
      return fail("ERR Unknown option or number of arguments for CONFIG SET - '\(text(2))'")
    }
    guard name == "timeout" else {
      return fail("ERR CONFIG SET failed (possibly related to argument '\(name)') - can't set immutable config")
    }
    guard let seconds = Integer.parse(argument(3)), (0...1 << 30).contains(seconds) else {
      return fail(
        "ERR CONFIG SET failed (possibly related to argument 'timeout') - argument must be between 0 and 2147483647 inclusive"
      )
    }
    core.idleSeconds.store(seconds, ordering: .relaxed)
    reply { $0.ok() }
  }

  // MARK: - ACL

  func aclCommand() {
    switch (word(1), parser.count) {
    case ("WHOAMI", 2): reply { $0.bulk("default") }
    case ("WHOAMI", _): fail(ErrorReply.wrongArguments("acl|whoami"))
    default: fail(ErrorReply.unknownSubcommand(Array(argument(1)), of: "ACL"))
    }
  }

  // MARK: - What is not recorded

  /// As a Redis whose slow log is off: `slowlog-log-slower-than -1`.
  func slowlogCommand() {
    switch (word(1), parser.count) {
    case ("GET", 2...3): reply { $0.array(0) }
    case ("LEN", 2): reply { $0.integer(0) }
    case ("RESET", 2): reply { $0.ok() }
    case ("HELP", 2): help(["GET [count]", "LEN", "RESET"], of: "SLOWLOG")
    default: fail(ErrorReply.unknownSubcommand(Array(argument(1)), of: "SLOWLOG"))
    }
  }

  /// As a Redis whose monitor is off: `latency-monitor-threshold 0`, its default.
  func latencyCommand() {
    switch (word(1), parser.count) {
    case ("LATEST", 2), ("HISTORY", 3): reply { $0.array(0) }
    case ("RESET", 2...): reply { $0.integer(0) }
    case ("HELP", 2): help(["LATEST", "HISTORY event", "RESET [event...]"], of: "LATENCY")
    default: fail(ErrorReply.unknownSubcommand(Array(argument(1)), of: "LATENCY"))
    }
  }

  // MARK: - KVSTORE

  /// Lines may read and write files of the server's machine, so they take the right to the data folder, or the password.
  func kvstoreCommand() {
    guard isTrusted else {
      return fail("NOPERM KVSTORE is for clients of the socket in the data folder, or behind a password")
    }
    switch (word(1), parser.count) {
    case ("RUN", 3): run()
    case ("CALL", 4...): call()
    case ("RUN", _), ("CALL", _): fail(ErrorReply.wrongArguments("kvstore|\(text(1).lowercased())"))
    case ("HELP", 2): help(["RUN line", "CALL version json [key [value …]]"], of: "KVSTORE")
    default: fail(ErrorReply.unknownSubcommand(Array(argument(1)), of: "KVSTORE"))
    }
  }

  private func run() {
    let (line, version, run) = (Array(argument(2)), version, core.runLine)
    work = .task {
      let answer = await run(line)
      var reply = ReplyBuffer()
      reply.version = version
      reply.array(answer.lines.count + 1)
      reply.simple(answer.outcome)
      for line in answer.lines {
        reply.array(2)
        reply.simple(line.kind)
        reply.bulk(line.text)
      }
      return Array(reply.bytes)
    }
  }

  private func call() {
    guard Integer.parse(argument(2)) == BackendCall.version else {
      return fail(
        "ERR this kvstore (\(Info.version)) is of another version: it answers calls of version \(BackendCall.version)")
    }
    guard let call = BackendCoding.decode(BackendCall.self, Array(argument(3))) else {
      return fail("ERR no such call")
    }
    let (bytes, version, service) = (arguments(from: 4), version, BackendService(backend: core.cluster))
    work = .task {
      let answer = await service.answer(call, bytes)
      var reply = ReplyBuffer()
      reply.version = version
      reply.array(2)
      reply.bulk(BackendCoding.encode(answer.reply))
      if let value = answer.value { reply.bulk(value) } else { reply.null() }
      return Array(reply.bytes)
    }
  }
}
