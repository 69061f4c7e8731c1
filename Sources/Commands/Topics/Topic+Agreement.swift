import ClusterModel
import Text

/// Guarantees of answers.
extension Topic {
  static func quorum(_ figures: TopicFigures) -> TopicPage {
    let quorum = figures.quorum
    let sum = quorum.map { ": \($0.read) + \($0.write) \($0.read + $0.write > $0.replicas ? ">" : "≤") \($0.replicas)" }
    return TopicPage(
      title: Topic.quorum.rawValue,
      paragraphs: [
        """
        A write is done when W of the N owners have it, a read when R have answered; the newest version wins. If R + \
        W > N every read set meets every write set, so a read cannot miss a finished write. Neither waits for the \
        slowest owner.
        """
      ],
      figures: [
        .init("this cluster", "\(figures.settings)\(sum ?? ""), \(figures.guarantee)"),
        .init("owners that may be down", figures.mayBeDown),
        .init("down now", figures.down),
        .init("reads", figures.latency(figures.status.latencies?.reads)),
        .init("writes", figures.latency(figures.status.latencies?.writes)),
      ],
      question: "Is R + W > N enough for linearizability?",
      hint: """
        no. A write under way may be seen by one read and missed by the next, so a read writes the newest version \
        back before it returns.
        """)
  }

  static func linearizability(_ figures: TopicFigures) -> TopicPage {
    TopicPage(
      title: Topic.linearizability.rawValue,
      paragraphs: [
        """
        Every operation seems to happen at one moment between its call and its return, on one copy. So after a read \
        has returned a value, no later read returns an older one, whichever client asks. It is a promise about each \
        key by itself. An operation whose end nobody knows may count as done or not, but not as both.
        """
      ],
      figures: [
        .init("promised here", "\(figures.guarantee), \(figures.settings)"),
        .init("live verdict", figures.verdict),
        .init("keys watched", watched(figures.status.verdict)),
      ],
      question: "How would you test it, and why is that hard?",
      hint: """
        record calls and returns, search for an order that explains all answers: exponential in what overlaps, so \
        key by key and in short stretches. `kvstore simulate` does\(figures.words(", and so does `verdict`", naming: .verdict)).
        """)
  }

  static func cas(_ figures: TopicFigures) -> TopicPage {
    TopicPage(
      title: Topic.cas.rawValue,
      paragraphs: [
        """
        Two clients that read 5 and both write 6 have lost an update, and every single read and write was right. A \
        compare-and-set writes only if the value is still the one that was read; an increment or an append needs no \
        second try. \(figures.howUpdatesAreOneStep)
        """
      ],
      figures: [
        .init("owners that must answer", figures.mustAnswer),
        .init("promised here", "\(figures.guarantee), \(figures.settings)"),
        .init("writes", figures.latency(figures.status.latencies?.writes)),
      ],
      question: "Why can no register with reads and writes alone do this, however many quorums it asks?",
      hint: """
        consensus: two clients cannot agree by reads and writes (Herlihy 1991). So somebody must decide an order: a \
        leader\(figures.quorum == nil ? ", as a key's master is" : ""), Paxos for each key, or\
        \(figures.quorum == nil ? "" : ", as here,") one lock that all owners share.\
        \(figures.words(" Try `incr visits` from two terminals.", naming: .incr))
        """)
  }

  static func ttl(_ figures: TopicFigures) -> TopicPage {
    TopicPage(
      title: Topic.ttl.rawValue,
      paragraphs: [
        """
        A value with an end is a version like any other: copies are compared and moved, and none of that looks at a clock. \
        Whether it has ended is decided once, when a read has found the newest version, by one clock that never goes back: \
        otherwise one reader could see the key gone and a later one see it again.
        """,
        """
        A key that has ended is absent at once; its bytes go later, by a delete that counts only if the value is still that \
        one. No node drops it by itself: an older copy elsewhere would come back.
        """,
      ],
      figures: [
        .init("values that end", figures.shown(figures.status.expiry?.keys) { Figures.count($0) }),
        .init("within a minute", figures.shown(figures.status.expiry?.soon) { Figures.count($0) }),
        .init("deleted since the start", figures.shown(figures.status.expiry?.deleted) { Figures.count($0) }),
        .init(
          "deletes are behind by",
          figures.shown(figures.status.expiry?.behindMs) { Figures.number(Double($0) / 1_000, placesMax: 3) + " s" }),
      ],
      question: "Two servers keep the times, and their clocks differ by a second. What may a client see?",
      hint: """
        a key that is gone on one and there on the other, again and again. One clock must decide, or nobody may answer \
        within the uncertainty (Spanner waits it out).\
        \(figures.words(" Try `expire visits 5`, then `ttl visits`.", naming: .expire))
        """)
  }

  static func cap(_ figures: TopicFigures) -> TopicPage {
    let faults = LinkFaultWords.texts(figures.status)
    return TopicPage(
      title: Topic.cap.rawValue,
      paragraphs: [
        """
        While the network is cut, a node on the small side can answer from what it has, perhaps wrongly, or not \
        answer. With R + W > N consistency is kept: the side with a quorum goes on, the other waits or is \
        refused. With R = W = 1 everybody is answered, and some with old values.
        """
      ],
      figures: [
        .init(
          "chosen here",
          figures.shown(figures.status.guarantee) {
            "\($0 == .linearizable ? "consistency" : "availability"): \(figures.settings)"
          }),
        .init(
          "faulty links",
          faults.first.map { "\(Figures.count(faults.count, "fault")): \($0)" }
            ?? (figures.tells(.linkFaults) ? "none" : Figures.unknown)),
        .init("owners that may be cut off", figures.mayBeDown),
        .init("verdict", figures.verdict),
      ],
      question: "And when there is no partition: what do you trade then?",
      hint: """
        latency against consistency (PACELC): a quorum waits for its second fastest owner, R = 1 for the fastest.\
        \(figures.words(" Try `slow node1 20ms`.", naming: .slow))
        """)
  }

  private static func watched(_ verdict: VerdictStatus?) -> String {
    guard let verdict, let rate = verdict.keysPerWatched else { return "none" }
    return Figures.count(verdict.keysWatched) + (rate == 1 ? ", all in use" : ", one in \(Figures.count(rate))")
  }
}
