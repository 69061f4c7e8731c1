/// Topics of `explain`: the ideas the store is made of.
package enum Topic: String, Sendable, CaseIterable {
  case consistentHashing = "consistent-hashing"
  case virtualNodes = "virtual-nodes"
  case quorum, linearizability, cas, ttl, wal
  case groupCommit = "group-commit"
  case lru
  case hintedHandoff = "hinted-handoff"
  case readRepair = "read-repair"
  case antiEntropy = "anti-entropy"
  case tombstones, rebalancing, cap

  /// The topic that a word names, in small or capital letters.
  /// - Throws: ``CommandError/badOption(_:_:)``, which lists the topics.
  static func called(_ word: String) throws(CommandError) -> Topic {
    let word = word.lowercased()
    if let topic = Topic(rawValue: word) { return topic }
    let near = allCases.map { (topic: $0, slips: Suggestion.distance(word, $0.rawValue)) }.min { $0.slips < $1.slips }
    let meant =
      allCases.first { $0.synonyms.contains(word) } ?? allCases.first { !word.isEmpty && $0.rawValue.contains(word) }
      ?? near.flatMap { $0.slips <= 2 ? $0.topic : nil }
    throw .badOption(.explain, .unknownTopic(String(word.prefix(64)), meant: meant))
  }

  /// Words that people look for when they want this topic.
  private var synonyms: [String] {
    switch self {
    case .consistentHashing: ["ring", "hashing", "hash", "placement", "sharding", "slots", "slot"]
    case .virtualNodes: ["tokens", "token", "vnodes", "vnode", "balance"]
    case .quorum: ["consistency", "replicas", "replication", "r", "w", "n", "nwr"]
    case .linearizability: ["linearizable", "verdict", "history", "checker", "violation"]
    case .cas:
      ["compare", "compare-and-set", "incr", "increment", "append", "rmw", "atomic", "update", "lock", "getdel"]
    case .ttl: ["expire", "expiry", "expiration", "persist", "lifetime", "clock", "time"]
    case .wal: ["log", "logs", "durability", "segment", "segments", "crash", "recovery"]
    case .groupCommit: ["fsync", "sync", "fdatasync", "batch"]
    case .lru: ["cache", "memory", "eviction"]
    case .hintedHandoff: ["hints", "hint", "handoff", "kill", "restart"]
    case .readRepair: ["repair", "write-back", "writeback", "stale"]
    case .antiEntropy: ["merkle", "sweep", "trees", "tree", "convergence", "scrub"]
    case .tombstones: ["delete", "deletes", "deletion", "del", "tombstone"]
    case .rebalancing: ["join", "leave", "addnode", "removenode", "membership", "epoch"]
    case .cap: ["partition", "partitions", "availability", "heal", "split-brain"]
    }
  }

  /// Its line in the list of topics.
  package var summary: String {
    switch self {
    case .consistentHashing: "finding a key's nodes without asking anybody"
    case .virtualNodes: "many small arcs a node instead of one big one"
    case .quorum: "how many copies must answer, and why two of three"
    case .linearizability: "what a client may believe of an answer"
    case .cas: "reading and writing in one step"
    case .ttl: "keys that end, and whose clock decides"
    case .wal: "why a log is written before anything else"
    case .groupCommit: "one disk sync for all who wait"
    case .lru: "which values stay in memory"
    case .hintedHandoff: "writes kept for a node that is away"
    case .readRepair: "a read that mends what it finds"
    case .antiEntropy: "copies compared by hash trees"
    case .tombstones: "why a delete is a write"
    case .rebalancing: "what moves when nodes come and go"
    case .cap: "what a partition leaves you to choose"
    }
  }

  /// The list of topics.
  package static var contents: TopicPage {
    TopicPage(
      title: "topics", paragraphs: ["explain TOPIC says how it works here, and what an interviewer asks next."],
      figures: allCases.map { TopicPage.Figure($0.rawValue, $0.summary) })
  }
}
