import ClusterModel
import Text

/// How copies become equal again.
extension Topic {
  static func hintedHandoff(_ figures: TopicFigures) -> TopicPage {
    TopicPage(
      title: Topic.hintedHandoff.rawValue,
      paragraphs: [
        """
        A write goes to all owners and is done at W of them. For one that is away another node notes durably that it \
        missed this key, and hands the newest version over when it is back. A hint never counts toward W: it is a \
        help, not a copy, and may be dropped when there are too many, since the comparison of copies closes what is \
        left.
        """
      ],
      figures: [
        .init("nodes down", figures.down),
        .init("hints waiting", figures.byNode(\.hintsWaiting)),
        .init("quorums", "\(figures.settings): hints count toward none"),
      ],
      question: "A “sloppy quorum” lets hints count as acknowledgements. What does it win, and what is lost?",
      hint: "writes go on when most owners are gone, but R + W > N no longer means that sets meet.")
  }

  static func readRepair(_ figures: TopicFigures) -> TopicPage {
    TopicPage(
      title: Topic.readRepair.rawValue,
      paragraphs: [
        """
        A read asks R owners and compares versions. If the newest is not yet on W of them, the read writes it back \
        before it returns: else the next read might meet owners that never had it, and time would run backwards. It \
        mends only what is read; the rest is anti-entropy's.
        """
      ],
      figures: [
        .init("quorums", figures.settings),
        .init("reads so far", figures.shown(figures.status.operations) { Figures.count($0.reads) }),
        .init("reads", figures.latency(figures.status.latencies?.reads)),
        .init("live verdict", figures.verdict),
      ],
      question:
        "A read meets a version on one owner only, written by a client that has crashed. May it return the old one?",
      hint: """
        either, but every later read too: if it returns the new one it must make it durable on W first. Plant `noWriteBack` \
        in `kvstore simulate` to see the alternative.
        """)
  }

  static func antiEntropy(_ figures: TopicFigures) -> TopicPage {
    TopicPage(
      title: Topic.antiEntropy.rawValue,
      paragraphs: [
        """
        Two owners compare hash trees of a range (Merkle): equal roots, equal copies, and nothing else is sent. \
        Where roots differ they go down the branches that do, and copy only those keys, newest version first. It \
        runs all the time, in the background, and finds what hints and reads have missed.
        """
      ],
      figures: [
        .init("trees", "256 ranges, 256 leaves each, made when needed"),
        .init("copies held", held(figures.status.nodes)),
        .init("hints waiting", figures.byNode(\.hintsWaiting)),
        .init("nodes being rebuilt", figures.byNode { $0.wal?.isSuspect.map { $0 ? 1 : 0 } }),
      ],
      question: "A deleted key is on one owner and missing on another. Which of them is right?",
      hint: "nobody can say: hence tombstones. A tree must cover deletions too.")
  }

  /// The fewest and the most keys of a node.
  private static func held(_ nodes: [NodeStatus]) -> String {
    let keys = nodes.compactMap(\.keys)
    guard keys.count == nodes.count, let least = keys.min(), let most = keys.max() else { return Figures.unknown }
    return "\(Figures.count(least)) to \(Figures.count(most)) keys a node"
  }
}
