import ClusterModel
import Text

extension Topic {
  /// The topic with the figures of a cluster's status.
  /// - Parameters:
  ///   - status: the cluster's.
  ///   - capabilities: its commands alone are named; `nil` for all.
  package func explanation(_ status: ClusterStatus, _ capabilities: Capabilities?) -> TopicPage {
    let figures = TopicFigures(status, capabilities)
    switch self {
    case .consistentHashing: return Self.consistentHashing(figures)
    case .virtualNodes: return Self.virtualNodes(figures)
    case .quorum: return Self.quorum(figures)
    case .linearizability: return Self.linearizability(figures)
    case .wal: return Self.wal(figures)
    case .groupCommit: return Self.groupCommit(figures)
    case .lru: return Self.lru(figures)
    case .hintedHandoff: return Self.hintedHandoff(figures)
    case .readRepair: return Self.readRepair(figures)
    case .antiEntropy: return Self.antiEntropy(figures)
    case .tombstones: return Self.tombstones(figures)
    case .rebalancing: return Self.rebalancing(figures)
    case .cas: return Self.cas(figures)
    case .ttl: return Self.ttl(figures)
    case .cap: return Self.cap(figures)
    }
  }
}

/// Owners of keys, and changes of them.
extension Topic {
  static func consistentHashing(_ figures: TopicFigures) -> TopicPage {
    TopicPage(
      title: Topic.consistentHashing.rawValue,
      paragraphs: [
        """
        A key's hash is a place on a ring of 2^64; the next N different nodes clockwise own it. So a client that knows \
        the nodes knows the owners, and nobody keeps a list of keys. A new node takes only the arcs before its tokens. \
        With hash mod n, one node more would give nearly every key another home.
        """
      ],
      figures: [
        .init("nodes on the ring", "\(Figures.count(figures.nodeCount)), \(figures.ownersOfKey)"),
        .init("first copies", figures.firstCopies),
        .init("one node more moves", "\(moved(figures)) of all copies"),
        .init(
          "hash mod n would move", Figures.precisePercent(Double(figures.nodeCount) / Double(figures.nodeCount + 1))),
      ],
      question: "A single key becomes so popular that its owners cannot keep up. What does the ring do about it?",
      hint: """
        nothing: it spreads keys, not requests. Cache in front, read from all N owners, or split the key into \
        several by a suffix.
        """)
  }

  static func virtualNodes(_ figures: TopicFigures) -> TopicPage {
    let tokens = figures.status.ring.tokenCount
    return TopicPage(
      title: Topic.virtualNodes.rawValue,
      paragraphs: [
        """
        With one token a node, arcs differ by chance, and all that a dead node served falls on one neighbour. With \
        many, shares even out and everybody takes over a little. Here tokens are not drawn by hash but placed for \
        balance, which needs far fewer of them.
        """
      ],
      figures: [
        .init(
          "tokens",
          figures.shown(tokens) { "\(Figures.count($0)), \(Figures.count($0 / max(1, figures.nodeCount))) a node" }),
        .init("arcs", figures.shown(figures.arcs) { "\(Figures.count($0, "run")) with the same first owner" }),
        .init("first copies", figures.firstCopies),
      ],
      question: "One machine has twice the disk of the others. How do you give it twice the keys?",
      hint: "twice the tokens; and then check that no key has two of its copies on it.")
  }

  static func rebalancing(_ figures: TopicFigures) -> TopicPage {
    let change = figures.status.change
    let waiting = figures.status.queuedChanges.count
    let now = change.map {
      "\($0.node) \($0.kind == .join ? "joins" : "leaves"), \(Figures.precisePercent($0.fraction)) handed over, "
        + ($0.keysMoved.map { Figures.count($0, "key") } ?? Figures.unknown)
    }
    return TopicPage(
      title: Topic.rebalancing.rawValue,
      paragraphs: [
        """
        A change goes from the old owners through a joint phase to the new ones. Meanwhile operations need quorums \
        of both, so none of them can miss a write, and ranges are streamed from a quorum of the old owners. Only \
        then do the old ones drop what is no longer theirs. Each step is durable: a crash resumes it.
        """
      ],
      figures: [
        .init("change under way", now ?? "none; epoch \(figures.status.epoch.map(Figures.count) ?? Figures.unknown)"),
        .init("one node more moves", "\(moved(figures)) of \(figures.count(\.keys)) copies"),
        .init("waiting", waiting == 0 ? "none" : Figures.count(waiting, "change")),
      ],
      question: "Two nodes are added at the same time by two operators. What can go wrong without a joint phase?",
      hint: "two sets of owners that share no quorum, each accepting writes. One change at a time, or consensus.")
  }

  /// The part of all copies that a further node would take: an equal share.
  private static func moved(_ figures: TopicFigures) -> String {
    // With fewer nodes than copies a newcomer gets a copy of everything.
    figures.nodeCount < figures.status.quorum?.replicas ?? 0
      ? "a new copy" : "about \(Figures.precisePercent(1 / Double(figures.nodeCount + 1)))"
  }
}
