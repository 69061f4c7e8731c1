import ClusterModel

/// The commands' names, in the order in which help lists them.
package enum CommandName: String, Sendable, CaseIterable {
  case put, get, del, mget, mset, cas, incr, append, getdel, expire, ttl, persist, nodes, addnode, removenode,
    replacenode,
    failover, change, kill,
    restart, pause, resume,
    partition, heal, slow,
    drop, corrupt
  case fsyncFail = "fsync-fail"
  case benchmark, load, keys, verdict, backup, compact, explain, demo, help, exit

  /// Commands whose first argument is a key.
  package static let ofKeys: Set<CommandName> = [
    .put, .get, .del, .mget, .mset, .cas, .incr, .append, .getdel, .expire, .ttl, .persist,
  ]
}

/// Everything there is to know about a command's words: parser, help, completion and "did you mean" all read it here,
/// so that a new command is one entry and one case.
package struct CommandEntry: Sendable {
  /// Kind of an argument; completion offers candidates by it.
  package enum ArgumentKind: Sendable, Equatable {
    /// A key, value or path: free text.
    case bytes
    /// A number, time or part, or `yes`: never with spaces.
    case figure
    /// A name that no node has yet.
    case newNode
    /// Any member.
    case node
    /// A member that answers.
    case liveNode
    /// A member that does not answer.
    case deadNode
    /// One of the commands.
    case command
    /// One of the topics that can be explained.
    case topic
    /// A step for a change of members.
    case steering
    /// A workload of the benchmark, or what else its first word may be.
    case workload
    /// An option of the benchmark, or its value.
    case benchmarkOption
  }

  /// One argument's place.
  package struct Argument: Sendable {
    package var label: String
    package var kind: ArgumentKind
    package var isOptional = false
    /// Unquoted, it is the rest of the line.
    package var takesRest = false
    /// It takes every word that is left.
    package var repeats = false
  }

  /// A line about a command.
  package struct Detail: Sendable, ExpressibleByStringInterpolation {
    package var text: String
    /// The feature that the line is about; without it the line is left out.
    var feature: Capabilities.Feature?

    package init(stringLiteral text: String) { self.text = text }

    init(_ text: String, needs feature: Capabilities.Feature) { (self.text, self.feature) = (text, feature) }

    func isTrue(on capabilities: Capabilities?) -> Bool { feature.map { capabilities?.has($0) ?? true } ?? true }
  }

  package var name: CommandName
  /// One line for help, without a final full stop.
  package var summary: String
  package var arguments: [Argument] = []
  /// Further lines of `help NAME`.
  package var details: [Detail] = []
  /// Other names that work.
  package var aliases: [String] = []
  /// Words that people type when they mean this command; they do not work, but the error points here.
  package var synonyms: [String] = []

  /// `put KEY VALUE`, `keys [PREFIX]`.
  package var usage: String {
    ([name.rawValue] + arguments.map { $0.isOptional ? "[\($0.label)]" : $0.label }).joined(separator: " ")
  }

  /// Options that stand before the arguments, with their values.
  var options: [String] {
    switch name {
    case .cas: [Command.absentOption]
    case .put, .get, .del: ["\(Command.consistencyOption) LEVEL"]
    default: []
    }
  }

  /// The entry of a command.
  package static func of(_ name: CommandName) -> CommandEntry {
    guard let entry = all.first(where: { $0.name == name }) else {
      preconditionFailure("\(name.rawValue) is missing in the table of commands")
    }
    return entry
  }

  /// The entry that `word` calls, in small or capital letters.
  package static func called(_ word: String) -> CommandEntry? {
    let word = word.lowercased()
    return all.first { $0.name.rawValue == word || $0.aliases.contains(word) }
  }
}

extension CommandEntry {
  private static let key = Argument(label: "KEY", kind: .bytes)

  /// The table, in the order of ``CommandName``.
  package static let all: [CommandEntry] = [
    CommandEntry(
      name: .put, summary: "store a value under a key",
      arguments: [key, Argument(label: "VALUE", kind: .bytes, takesRest: true)],
      details: [
        "An unquoted VALUE is the rest of the line, trimmed: put k Alice Johnson",
        "Double quotes take \\n \\t \\\\ \\\" \\xHH; single quotes take everything literally.",
        "An empty value: put k \"\"",
        Detail(
          "put k v --consistency LEVEL waits for one owner, for a quorum (most of them) or for all;",
          needs: .consistencyLevels),
        Detail(
          "without it, for as many as the cluster was told (W). It may stand before KEY too. Quote a VALUE that ends so;",
          needs: .consistencyLevels),
        "behind -- all is KEY and VALUE: put -- --key value",
      ],
      synonyms: ["set", "store", "write", "insert"]),
    CommandEntry(
      name: .get, summary: "show the value of a key", arguments: [key],
      details: [
        "A KEY with spaces needs quotes: get \"a b\"",
        Detail(
          "get k --consistency LEVEL asks one owner, which may be behind, a quorum (most of them) or all;",
          needs: .consistencyLevels),
        Detail("without it, as many as the cluster was told (R).", needs: .consistencyLevels),
        "Behind -- all is KEY: get -- --key",
      ], synonyms: ["read", "show", "fetch"]),
    CommandEntry(
      name: .del, summary: "delete a key", arguments: [key],
      details: [
        Detail(
          "del k --consistency LEVEL waits for one owner, for a quorum (most of them) or for all.",
          needs: .consistencyLevels)
      ],
      synonyms: ["delete", "rm", "remove", "unset", "erase"]),
    CommandEntry(
      name: .mget, summary: "show the values of several keys",
      arguments: [Argument(label: "KEY...", kind: .bytes, repeats: true)],
      details: ["Each is read as of a moment of its own. A KEY with spaces needs quotes."]),
    CommandEntry(
      name: .mset, summary: "store several values, all or none",
      arguments: [Argument(label: "KEY VALUE...", kind: .bytes, repeats: true)],
      details: [
        "Nobody sees a part of them, and no crash leaves one. KEY and VALUE are words, or quoted: mset a 1 b \"x y\"",
        "Of a key that comes twice the last value counts. Behind -- all are keys and values: mset -- --key value",
      ], synonyms: ["batch", "multi", "transaction", "msetnx"]),
    CommandEntry(
      name: .cas, summary: "replace a value by another if nobody has changed it",
      arguments: [key, Argument(label: "OLD", kind: .bytes), Argument(label: "NEW", kind: .bytes, takesRest: true)],
      details: [
        "Compare and set, in one step that nothing comes between: of many who expect the same OLD one succeeds.",
        "cas \(Command.absentOption) KEY NEW stores a value where there is none.",
        "OLD is one word, or quoted; an unquoted NEW is the rest of the line: cas k \"Alice J\" Alice Johnson",
        "Behind -- all is KEY, OLD and NEW: cas -- --key old new",
        "Attached to another kvstore, OLD and NEW have 64 MiB together at most.",
      ], synonyms: ["compare", "setnx", "compareandset", "compareandswap"]),
    CommandEntry(
      name: .incr, summary: "count a value up, in one step",
      arguments: [key, Argument(label: "BY", kind: .figure, isOptional: true)],
      details: [
        "The value is a whole number of 64 bits; no value counts as 0.",
        "BY is 1 if not said, and may be negative: incr k -5",
        "Of increments by several clients at once none is lost. get and put could lose some.",
      ], synonyms: ["increment", "incrby", "decr", "count"]),
    CommandEntry(
      name: .append, summary: "append to a value, in one step",
      arguments: [key, Argument(label: "VALUE", kind: .bytes, takesRest: true)],
      details: ["No value counts as an empty one. An unquoted VALUE is the rest of the line, trimmed: append k \" x\""],
      synonyms: ["concat"]),
    CommandEntry(
      name: .getdel, summary: "show a value and delete its key, in one step", arguments: [key],
      details: ["Of several who take the same value one gets it."], synonyms: ["take", "pop"]),
    CommandEntry(
      name: .expire, summary: "let a key end after a while",
      arguments: [key, Argument(label: "TIME", kind: .bytes)],
      details: [
        "TIME is in seconds, or as in 500ms, 90s, 5m, 2h, 1d. From then on the key is absent.",
        "A put takes the end away; cas, incr and append keep it.",
      ], synonyms: ["pexpire", "timeout"]),
    CommandEntry(
      name: .ttl, summary: "tell how long a key lasts", arguments: [key], synonyms: ["pttl", "lifetime"]),
    CommandEntry(
      name: .persist, summary: "let a key not end by itself", arguments: [key], synonyms: ["noexpire"]),
    CommandEntry(
      name: .nodes, summary: "list the nodes and those that are not up", synonyms: ["ls", "status", "info", "cluster"]),
    CommandEntry(
      name: .addnode, summary: "add a node and move its share of the data to it",
      arguments: [Argument(label: "NODE", kind: .newNode)],
      details: ["NODE is 1 to 64 letters, digits, - _ or ."], synonyms: ["add", "join"]),
    CommandEntry(
      name: .removenode, summary: "move a node's data to the others and remove it",
      arguments: [Argument(label: "NODE", kind: .node)], synonyms: ["leave", "rmnode", "delnode"]),
    CommandEntry(
      name: .replacenode, summary: "give all that a node owns to a new one, and remove it",
      arguments: [Argument(label: "NODE", kind: .node), Argument(label: "NEW", kind: .newNode)],
      details: ["NODE may be dead. Nothing but its share of the data is copied. --replace-after does it unasked."],
      synonyms: ["replace", "swap"]),
    CommandEntry(
      name: .failover, summary: "let a replica take over from its master, without loss",
      arguments: [Argument(label: "NODE", kind: .liveNode)],
      details: ["NODE is the replica, or the master: then the replica that is least behind takes over."],
      synonyms: ["takeover", "promote"]),
    CommandEntry(
      name: .change, summary: "steer a change of members, or close what one has left",
      arguments: [Argument(label: "WISH", kind: .steering)],
      details: [
        "WISH is \(ChangeSteering.allCases.map(\.rawValue).joined(separator: ", ")).",
        Detail(
          "cancel leaves what has moved where it is; the same addnode or removenode goes on with the rest.",
          needs: .membership),
        "finish and undo are for slots that a change which was cut off has left open: moved on, or back.",
      ], synonyms: ["move", "migration"]),
    CommandEntry(
      name: .kill, summary: "stop a node as a crash would; its log stays",
      arguments: [Argument(label: "NODE", kind: .liveNode)], synonyms: ["stop", "crash"]),
    CommandEntry(
      name: .restart, summary: "start a killed node again; it catches up",
      arguments: [Argument(label: "NODE", kind: .deadNode)], synonyms: ["start", "revive"]),
    CommandEntry(
      name: .pause, summary: "let a node hold still, as a stopped process does",
      arguments: [Argument(label: "NODE", kind: .liveNode)], synonyms: ["freeze", "suspend"]),
    CommandEntry(
      name: .resume, summary: "let a paused node go on", arguments: [Argument(label: "NODE", kind: .node)],
      synonyms: ["continue", "unpause"]),
    CommandEntry(
      name: .partition, summary: "cut the links between groups of nodes",
      arguments: [Argument(label: "NODES", kind: .node, repeats: true)],
      details: [
        "Sides are separated by |: partition node1 | node2 node3",
        "Nodes that are not named are on the last side. heal ends it.",
      ], synonyms: ["split", "cut", "isolate"]),
    CommandEntry(name: .heal, summary: "make all links good and let paused nodes go on", synonyms: ["mend"]),
    CommandEntry(
      name: .slow, summary: "delay every message to and from a node",
      arguments: [Argument(label: "NODE", kind: .node), Argument(label: "TIME", kind: .figure)],
      details: ["TIME as in 20ms or 1.5s; 0ms ends it, and so does heal."], synonyms: ["delay", "lag"]),
    CommandEntry(
      name: .drop, summary: "lose a part of the messages to and from a node",
      arguments: [Argument(label: "NODE", kind: .node), Argument(label: "PERCENT", kind: .figure)],
      details: ["PERCENT as in 30%; 0% ends it, and so does heal."], synonyms: ["lose", "loss"]),
    CommandEntry(
      name: .corrupt, summary: "flip a byte of a value on a node's disk",
      arguments: [
        Argument(label: "NODE", kind: .liveNode), Argument(label: "yes", kind: .figure, isOptional: true),
      ],
      details: [
        "A read finds the damage, and the copy is fetched from another node again.",
        "Unless the cluster is --ephemeral, say that you mean it: corrupt node1 yes",
      ],
      synonyms: ["flip", "rot"]),
    CommandEntry(
      name: .fsyncFail, summary: "let a node's next fdatasync fail, which stops it",
      arguments: [
        Argument(label: "NODE", kind: .liveNode), Argument(label: "yes", kind: .figure, isOptional: true),
      ],
      details: [
        Detail(
          "No data is lost while others have it: restart lets the node compare itself with them.", needs: .nodeControl),
        "Unless the cluster is --ephemeral, say that you mean it: fsync-fail node1 yes",
      ],
      synonyms: ["fsyncfail"]),
    CommandEntry(
      name: .benchmark, summary: "measure writes and reads, or a workload",
      arguments: [
        Argument(label: "WORKLOAD", kind: .workload, isOptional: true),
        Argument(label: "…", kind: .benchmarkOption, isOptional: true, repeats: true),
      ],
      details: [
        Detail("Workloads: \(BenchmarkRequest.workloads.joined(separator: ", "))", needs: .workloads),
        Detail(
          "Options: \(BenchmarkRequest.options.joined(separator: ", ")); by default \(BenchmarkRequest.clientsDefault) clients, "
            + "\(BenchmarkRequest.keysDefault) keys, \(Int(BenchmarkRequest.secondsDefault)) seconds", needs: .workloads
        ),
        "\(PlainBenchmark.summary)",
        Detail("A workload also tells latencies.", needs: .workloads),
        "benchmark stop ends what runs, and benchmark results lists what was measured last.",
        "Its keys begin with \(PlainBenchmark.keyPrefix) and are deleted at the end.",
      ], synonyms: ["bench"]),
    CommandEntry(
      name: .load, summary: "store each KEY<TAB>VALUE line of a file",
      arguments: [Argument(label: "FILE", kind: .bytes)],
      details: ["Bytes are taken literally. FILE - is standard input."], synonyms: ["import", "source"]),
    CommandEntry(
      name: .keys, summary: "list keys, at most \(Command.keysListedDefault), in order",
      arguments: [Argument(label: "PREFIX", kind: .bytes, isOptional: true)], synonyms: ["list", "scan"]),
    CommandEntry(
      name: .verdict, summary: "say whether this session's answers are linearizable",
      details: [
        "A part of the keys is watched while it is used, all of them under a light load, and every answer on those judged.",
        "With R + W > N there are no violations. With --read-quorum 1 --write-quorum 1 a node that was dead tells old",
        "values until it has caught up.",
        Detail("To see it, kill and restart one under load.", needs: .nodeControl),
      ], synonyms: ["check", "verify"]),
    CommandEntry(
      name: .backup, summary: "copy the whole data folder while it is in use",
      arguments: [Argument(label: "FOLDER", kind: .bytes)],
      details: [
        "FOLDER is made; one that is not empty is refused. The copy holds all that was acknowledged before it began.",
        "To restore, open it: kvstore --data FOLDER",
        "Meanwhile other commands go on; nodes that are to join, leave, die or come back wait until it is done.",
      ], synonyms: ["save", "copy", "snapshot", "export"]),
    CommandEntry(
      name: .compact, summary: "empty deleted and replaced records out of the logs",
      arguments: [Argument(label: "NODE", kind: .liveNode, isOptional: true)],
      details: [
        "Without NODE all nodes that are up. Says what their files took before and take now.",
        "It also starts once half of a log is dead, and when the disk is full; other commands go on meanwhile.",
      ], synonyms: ["vacuum", "gc", "shrink", "trim"]),
    CommandEntry(
      name: .explain, summary: "explain an idea with this cluster's figures",
      arguments: [Argument(label: "TOPIC", kind: .topic, isOptional: true)],
      details: ["Topics: \(Topic.allCases.map(\.rawValue).joined(separator: ", "))"],
      synonyms: ["why", "what", "how", "teach"]),
    CommandEntry(
      name: .demo, summary: "play a guided tour on clusters of its own",
      details: ["Your data is not touched: the tour works in temporary folders, and you come back to where you were."],
      synonyms: ["tour", "tutorial", "learn"]),
    CommandEntry(
      name: .help, summary: "list the commands, or explain one",
      arguments: [Argument(label: "COMMAND", kind: .command, isOptional: true)], synonyms: ["?", "man", "usage"]),
    CommandEntry(name: .exit, summary: "end the session", aliases: ["quit"], synonyms: ["q", "bye", "logout"]),
  ]
}
