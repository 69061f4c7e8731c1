/// The commands of the server: what each is called, what it takes, and what `COMMAND` and `COMMAND DOCS` say of it.
enum CommandID: Int, CaseIterable, Sendable {
  case get, set, setex, psetex, mget, mset, msetnx, incr, decr, incrby, decrby, append, setrange, setnx, getset, getdel,
    getex
  case del, unlink, exists, touch, strlen, getrange, substr, type, keys, scan, randomkey, dbsize
  case expire, pexpire, expireat, pexpireat, ttl, pttl, expiretime, pexpiretime, persist
  case multi, exec, discard, watch, unwatch
  case ping, echo, hello, auth, quit, reset, select
  case client, command, config, info, time, acl, slowlog, latency, kvstore
}

/// What is known of a command without carrying it out.
struct CommandEntry: Sendable {
  /// In small letters, as `COMMAND` lists it.
  let name: String
  /// Arguments with the name; −n for n or more.
  let arity: Int
  /// As Redis calls them.
  let flags: [String]
  /// Where its keys are: first, last (−1 for the last argument) and step; zeros if it has none.
  var keys = (first: 0, last: 0, step: 0)
  let group: String
  let summary: String
  /// The version of Redis that had it first; `nil` for ours.
  var since: String? = "1.0.0"
  let complexity: String
  /// Whether a client that has not said the password may call it.
  var isOpen: Bool { flags.contains("no_auth") }

  func takes(_ count: Int) -> Bool { arity >= 0 ? count == arity : count >= -arity }
}

enum CommandTable {
  /// By ``CommandID``.
  static let entries: [CommandEntry] = CommandID.allCases.map(entry)

  /// O(1). Letters' case does not matter.
  static func id(_ name: UnsafeRawBufferPointer) -> CommandID? {
    guard let word = CommandWord(name) else { return nil }
    return ids[word]
  }

  private static let ids = Dictionary(
    uniqueKeysWithValues: CommandID.allCases.map { id in
      var name = entries[id.rawValue].name
      return (name.withUTF8 { CommandWord(UnsafeRawBufferPointer($0))! }, id)
    })

  private static func entry(_ id: CommandID) -> CommandEntry {
    switch id {
    case .get, .set, .setex, .psetex, .mget, .mset, .msetnx, .strlen, .getrange, .substr: strings(id)
    case .incr, .decr, .incrby, .decrby, .append, .setrange, .setnx, .getset, .getdel, .getex: updates(id)
    case .expire, .pexpire, .expireat, .pexpireat, .ttl, .pttl, .expiretime, .pexpiretime, .persist: expiry(id)
    case .del, .unlink, .exists, .touch, .type, .keys, .scan, .randomkey, .dbsize: keyspace(id)
    case .multi, .exec, .discard, .watch, .unwatch: transactions(id)
    case .ping, .echo, .hello, .auth, .quit, .reset, .select: connection(id)
    case .client, .command, .config, .info, .time, .acl, .slowlog, .latency, .kvstore: server(id)
    }
  }

  private static func strings(_ id: CommandID) -> CommandEntry {
    func read(_ name: String, _ arity: Int, _ summary: String, last: Int = 1, _ complexity: String = "O(bytes)")
      -> CommandEntry
    {
      CommandEntry(
        name: name, arity: arity, flags: ["readonly", "fast"], keys: (1, last, 1), group: "string", summary: summary,
        complexity: complexity)
    }
    func write(_ name: String, _ arity: Int, _ summary: String, since: String = "1.0.0") -> CommandEntry {
      CommandEntry(
        name: name, arity: arity, flags: ["write", "denyoom"], keys: (1, 1, 1), group: "string", summary: summary,
        since: since, complexity: "O(bytes)")
    }
    func together(_ name: String, _ summary: String) -> CommandEntry {
      CommandEntry(
        name: name, arity: -3, flags: ["write", "denyoom"], keys: (1, -1, 2), group: "string", summary: summary,
        since: "1.0.1", complexity: "O(keys)")
    }
    return switch id {
    case .mset: together("mset", "Stores several values, all or none.")
    case .msetnx: together("msetnx", "Stores several values, all or none, where none of the keys has one.")
    case .get: read("get", 2, "Returns the value of a key.")
    case .mget: read("mget", -2, "Returns the values of several keys, each as of its own moment.", last: -1, "O(keys)")
    case .strlen: read("strlen", 2, "Returns the byte count of a key's value.")
    case .getrange: read("getrange", 4, "Returns a part of a key's value.")
    case .substr: read("substr", 4, "Returns a part of a key's value.")
    case .setex: write("setex", 4, "Stores a value that expires after some seconds.", since: "2.0.0")
    case .psetex: write("psetex", 4, "Stores a value that expires after some milliseconds.", since: "2.6.0")
    default: write("set", -3, "Stores a value.")
    }
  }

  private static func updates(_ id: CommandID) -> CommandEntry {
    func update(
      _ name: String, _ arity: Int, _ summary: String, isFast: Bool = true, since: String = "1.0.0",
      _ complexity: String = "O(bytes)"
    ) -> CommandEntry {
      CommandEntry(
        name: name, arity: arity, flags: ["write", "denyoom"] + (isFast ? ["fast"] : []), keys: (1, 1, 1),
        group: "string", summary: summary, since: since, complexity: complexity)
    }
    return switch id {
    case .incr: update("incr", 2, "Adds one to a number.", "O(1)")
    case .decr: update("decr", 2, "Takes one from a number.", "O(1)")
    case .incrby: update("incrby", 3, "Adds to a number.", "O(1)")
    case .decrby: update("decrby", 3, "Takes from a number.", "O(1)")
    case .append: update("append", 3, "Appends to a value.", since: "2.0.0")
    case .setrange: update("setrange", 4, "Overwrites a part of a value.", isFast: false, since: "2.2.0")
    case .setnx: update("setnx", 3, "Stores a value where there is none.")
    case .getset: update("getset", 3, "Stores a value, and returns the one before.")
    case .getex: update("getex", -2, "Returns a value, and sets when it expires.", since: "6.2.0")
    default: update("getdel", 2, "Deletes a key, and returns its value.", since: "6.2.0")
    }
  }

  private static func expiry(_ id: CommandID) -> CommandEntry {
    func timed(
      _ name: String, _ arity: Int, _ summary: String, since: String, isWrite: Bool = true
    ) -> CommandEntry {
      CommandEntry(
        name: name, arity: arity, flags: [isWrite ? "write" : "readonly", "fast"], keys: (1, 1, 1), group: "generic",
        summary: summary, since: since, complexity: isWrite ? "O(bytes)" : "O(1)")
    }
    return switch id {
    case .expire: timed("expire", -3, "Lets a key expire after some seconds.", since: "1.0.0")
    case .pexpire: timed("pexpire", -3, "Lets a key expire after some milliseconds.", since: "2.6.0")
    case .expireat: timed("expireat", -3, "Lets a key expire at a Unix time in seconds.", since: "1.2.0")
    case .pexpireat: timed("pexpireat", -3, "Lets a key expire at a Unix time in milliseconds.", since: "2.6.0")
    case .ttl: timed("ttl", 2, "Tells after how many seconds a key expires.", since: "1.0.0", isWrite: false)
    case .pttl: timed("pttl", 2, "Tells after how many milliseconds a key expires.", since: "2.6.0", isWrite: false)
    case .expiretime: timed("expiretime", 2, "Tells when a key expires, in seconds.", since: "7.0.0", isWrite: false)
    case .pexpiretime:
      timed("pexpiretime", 2, "Tells when a key expires, in milliseconds.", since: "7.0.0", isWrite: false)
    default: timed("persist", 2, "Lets a key not expire.", since: "2.2.0")
    }
  }

  private static func transactions(_ id: CommandID) -> CommandEntry {
    func transaction(_ name: String, _ arity: Int, _ summary: String, since: String, isWatch: Bool = false)
      -> CommandEntry
    {
      CommandEntry(
        name: name, arity: arity, flags: ["noscript", "loading", "stale"] + (name == "exec" ? [] : ["fast"]),
        keys: isWatch ? (1, -1, 1) : (0, 0, 0), group: "transactions", summary: summary, since: since,
        complexity: name == "exec" ? "that of its commands" : "O(keys)")
    }
    return switch id {
    case .multi: transaction("multi", 1, "Begins a transaction: commands are queued.", since: "1.2.0")
    case .exec: transaction("exec", 1, "Carries out what was queued, in one step, all or none.", since: "1.2.0")
    case .discard: transaction("discard", 1, "Forgets what was queued.", since: "2.0.0")
    case .watch:
      transaction("watch", -2, "Lets the next EXEC do nothing if a key was written.", since: "2.2.0", isWatch: true)
    default: transaction("unwatch", 1, "Forgets which keys are watched.", since: "2.2.0")
    }
  }

  private static func keyspace(_ id: CommandID) -> CommandEntry {
    func keyed(_ name: String, _ arity: Int, _ flags: [String], _ summary: String, last: Int = -1) -> CommandEntry {
      CommandEntry(
        name: name, arity: arity, flags: flags, keys: (1, last, 1), group: "generic", summary: summary,
        complexity: last == -1 ? "O(keys)" : "O(1)")
    }
    return switch id {
    case .del: keyed("del", -2, ["write"], "Deletes keys; returns how many there were.")
    case .unlink: keyed("unlink", -2, ["write", "fast"], "Deletes keys; returns how many there were.")
    case .exists: keyed("exists", -2, ["readonly", "fast"], "Counts those of the keys that have a value.")
    case .touch: keyed("touch", -2, ["readonly", "fast"], "Counts those of the keys that have a value.")
    case .type: keyed("type", 2, ["readonly", "fast"], "Returns string, or none.", last: 1)
    case .keys:
      CommandEntry(
        name: "keys", arity: 2, flags: ["readonly", "sort_for_script"], group: "generic",
        summary: "Lists the keys that match a pattern, in the order of their bytes.", complexity: "O(all keys)")
    case .scan:
      CommandEntry(
        name: "scan", arity: -2, flags: ["readonly"], group: "generic",
        summary: "Lists keys a part at a time; one that exists throughout comes once.", since: "2.8.0",
        complexity: "O(keys / 256 + COUNT) for each call")
    case .randomkey:
      CommandEntry(
        name: "randomkey", arity: 1, flags: ["readonly"], group: "generic", summary: "Returns a key at random.",
        complexity: "O(keys / 256)")
    default:
      CommandEntry(
        name: "dbsize", arity: 1, flags: ["readonly", "fast"], group: "server",
        summary: "Counts the keys; exact while all owners serve and agree.", complexity: "O(nodes)")
    }
  }

  private static func connection(_ id: CommandID) -> CommandEntry {
    func connection(_ name: String, _ arity: Int, _ flags: [String], _ summary: String) -> CommandEntry {
      CommandEntry(
        name: name, arity: arity, flags: flags + ["fast"], group: "connection", summary: summary, complexity: "O(1)")
    }
    let open = ["noscript", "loading", "stale", "no_auth"]
    return switch id {
    case .ping: connection("ping", -1, [], "Answers PONG, or its argument.")
    case .echo: connection("echo", 2, ["loading", "stale"], "Answers its argument.")
    case .hello: connection("hello", -1, open, "Chooses the protocol's version, and says who asks.")
    case .auth: connection("auth", -2, open, "Says the password.")
    case .quit: connection("quit", -1, open, "Closes the connection after the replies that are due.")
    case .reset: connection("reset", 1, open, "Makes the connection as it was when it began.")
    default: connection("select", 2, ["loading", "stale"], "Chooses the database; there is one, 0.")
    }
  }

  private static func server(_ id: CommandID) -> CommandEntry {
    func server(
      _ name: String, _ arity: Int, _ flags: [String], _ summary: String, since: String? = "1.0.0"
    ) -> CommandEntry {
      CommandEntry(
        name: name, arity: arity, flags: flags, group: "server", summary: summary, since: since, complexity: "O(1)")
    }
    let admin = ["admin", "noscript", "loading", "stale"]
    return switch id {
    case .client: server("client", -2, ["noscript", "loading", "stale"], "Looks at connections, names and ends them.")
    case .command: server("command", -1, ["loading", "stale"], "Describes the commands.")
    case .config: server("config", -2, admin, "Shows the settings, and changes those that can be changed.")
    case .info: server("info", -1, ["loading", "stale"], "Describes the server and what it has done.")
    case .time: server("time", 1, ["loading", "stale", "fast"], "Tells the server's time.")
    case .acl: server("acl", -2, ["noscript", "loading", "stale"], "Tells who the connection's user is.")
    case .slowlog: server("slowlog", -2, admin, "Slow commands are not recorded: the log is empty.", since: "2.2.12")
    case .latency: server("latency", -2, admin, "Spikes are not recorded: the monitor is off.", since: "2.8.13")
    default:
      server(
        "kvstore", -2, admin, "What Redis has no command for: RUN carries out a line as kvstore's prompt does.",
        since: nil)
    }
  }
}

/// A name of up to 16 bytes as two numbers, its letters in capitals.
private struct CommandWord: Hashable {
  private var high: UInt64 = 0
  private var low: UInt64 = 0

  init?(_ name: UnsafeRawBufferPointer) {
    guard (1...16).contains(name.count) else { return nil }
    for byte in name {
      high = high << 8 | low >> 56
      low = low << 8 | UInt64((UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) ? byte & 0xDF : byte)
    }
  }
}
