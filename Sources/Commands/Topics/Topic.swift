import KVCluster

/// What `explain` can explain: the ideas the store is made of.
package enum Topic: String, Sendable, CaseIterable {
  case consistentHashing = "consistent-hashing"
  case virtualNodes = "virtual-nodes"
  case quorum, linearizability, wal
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
      allCases.first { !word.isEmpty && $0.rawValue.contains(word) } ?? near.flatMap { $0.slips <= 2 ? $0.topic : nil }
    let hint = meant.map { "; did you mean \($0.rawValue)?" } ?? ""
    throw .badOption(
      .explain,
      "there is no topic \(word.prefix(64))\(hint) Topics: \(allCases.map(\.rawValue).joined(separator: ", "))")
  }

  /// What it is about, for the list.
  package var summary: String {
    switch self {
    case .consistentHashing: "finding a key's nodes without asking anybody"
    case .virtualNodes: "many small arcs a node instead of one big one"
    case .quorum: "how many copies must answer, and why two of three"
    case .linearizability: "what a client may believe of an answer"
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
  package static var contents: Explanation {
    Explanation(
      title: "topics", paragraphs: ["explain TOPIC says how it works here, and what an interviewer asks next."],
      figures: allCases.map { Explanation.Figure($0.rawValue, $0.summary) })
  }
}
