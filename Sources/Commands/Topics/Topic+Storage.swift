import ClusterModel
import Text

/// How one node keeps its keys.
extension Topic {
  static func wal(_ figures: TopicFigures) -> TopicPage {
    let bytes = figures.sum { $0.wal?.bytes }
    let live = figures.sum { $0.wal?.liveBytes }
    return TopicPage(
      title: Topic.wal.rawValue,
      paragraphs: [
        """
        A write is appended to a log and acknowledged when it is on the disk as the policy says; a start reads the \
        log again. Here the log is all there is (Bitcask): the index in memory points into it, so nothing is written \
        twice. Old versions are dead bytes until compaction writes the live ones of a segment again and frees it.
        """
      ],
      figures: [
        .init(
          "logs",
          "\(figures.shown(bytes) { Figures.bytes($0) }) in "
            + figures.shown(figures.sum { $0.wal?.segments }) { Figures.count($0, "segment") }),
        .init(
          "live",
          figures.shown(live) { live in
            let part = bytes.flatMap { $0 > 0 ? Double(live) / Double($0) : nil }
            return Figures.bytes(live) + (part.map { ", \(Figures.precisePercent($0)) of it" } ?? "")
          }),
        .init(
          "compactions",
          "\(figures.count { $0.wal?.compactions }), \(figures.bytes { $0.wal?.compactedBytes }) written again"
        ),
        .init("policy", figures.fsync),
        .init("damaged places found", figures.count { $0.wal?.damages }),
      ],
      question: "The last record of a log is half there after a crash. How do you tell that from a disk that rots?",
      hint: "by what was synced: bad before the last synced position is damage, after it a torn tail, which is cut.")
  }

  static func groupCommit(_ figures: TopicFigures) -> TopicPage {
    let (records, syncs) = (figures.records, figures.syncs)
    let each =
      if let records, let syncs {
        syncs == 0 ? "none yet" : Figures.decimal(Double(records) / Double(syncs), places: 1)
      } else {
        Figures.unknown
      }
    return TopicPage(
      title: Topic.groupCommit.rawValue,
      paragraphs: [
        """
        A sync to disk takes milliseconds, whatever it writes. While one runs, all that is appended gathers for the \
        next, so a sync serves everybody who waits: throughput grows with the clients, and each still waits for one \
        or two syncs. A lone writer waits for nobody.
        """
      ],
      figures: [
        .init("policy", figures.fsync),
        .init(
          "syncs since the start",
          "\(figures.shown(syncs) { Figures.count($0) }) for \(figures.shown(records) { Figures.count($0) }) records"),
        .init("records a sync", each),
        .init("99 of 100 syncs take at most", figures.syncTail),
        .init("writes", figures.latency(figures.status.latencies?.writes)),
      ],
      question: "Why not acknowledge at once and sync every second, as Redis does by default?",
      hint: """
        a power cut then loses what was acknowledged; `--fsync everysec` says so. A crash of the program alone loses \
        nothing: its bytes are the system's already.
        """)
  }

  static func lru(_ figures: TopicFigures) -> TopicPage {
    let hits = figures.sum { $0.cache?.hits.map { Int(clamping: $0) } }
    let misses = figures.sum { $0.cache?.misses.map { Int(clamping: $0) } }
    let lookUps = hits.flatMap { hits in misses.map { hits &+ $0 } }
    return TopicPage(
      title: Topic.lru.rawValue,
      paragraphs: [
        """
        A cache that is full forgets what was used longest ago. An exact list would be re-linked on every hit, under \
        a lock. CLOCK comes close without one: a hit marks its entry, and the hand gives marked entries a second \
        round. Here the cache is bounded in bytes and sits in front of the log, on each node.
        """
      ],
      figures: [
        .init(
          "hits",
          figures.shown(lookUps) { count in
            count == 0
              ? "nothing read yet"
              : "\(Figures.precisePercent(Double(hits ?? 0) / Double(count))) of \(Figures.count(count)) look-ups"
          }),
        .init("in use", "\(figures.bytes { $0.cache?.bytes }) of \(figures.bytes { $0.cache?.capacityBytes })"),
        .init("keys held", "\(figures.count(\.keys)) copies"),
      ],
      question: "One scan over all keys empties an LRU cache. What do you do?",
      hint: "let newcomers prove themselves first: 2Q, segmented LRU, or TinyLFU's counts of how often.")
  }

  static func tombstones(_ figures: TopicFigures) -> TopicPage {
    TopicPage(
      title: Topic.tombstones.rawValue,
      paragraphs: [
        """
        If a delete only forgot the key, an owner that was away would still have the value, and the next repair \
        would bring it back to all. So a delete writes a marker with a version of its own, which wins over older \
        values like any write. It may be forgotten only when no owner, log or hint has anything older: here once every \
        owner has it on its disk, nothing older can come back, and all nodes serve.
        """
      ],
      figures: [
        .init(
          "tombstones",
          "\(figures.count(\.tombstones)) beside \(figures.count(\.keys)) copies of values"),
        .init("by node", figures.byNode(\.tombstones)),
        .init("purged since the start", figures.shown(figures.status.tombstonesPurged) { Figures.count($0) }),
        .init("owners down", figures.down),
      ],
      question: "Cassandra drops tombstones after ten days. What if a node was away for eleven?",
      hint: "it brings deleted keys back. A purge has to ask every owner first, not the clock.")
  }
}
