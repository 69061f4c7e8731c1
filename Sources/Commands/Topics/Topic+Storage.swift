import KVCluster
import Text

/// How one node keeps its keys.
extension Topic {
  static func wal(_ figures: TopicFigures) -> TopicPage {
    let bytes = figures.sum(\.wal.bytes)
    let live = figures.sum(\.wal.liveBytes)
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
        .init("logs", "\(Figures.bytes(bytes)) in \(Figures.count(figures.sum(\.wal.segments), "segment"))"),
        .init("live", "\(Figures.bytes(live)), \(Figures.precisePercent(Double(live) / Double(max(1, bytes)))) of it"),
        .init(
          "compactions",
          "\(Figures.count(figures.sum(\.wal.compactions))), \(Figures.bytes(figures.sum(\.wal.compactedBytes))) written again"
        ),
        .init("policy", "fsync \(figures.status.fsync.rawValue)"),
        .init("damaged places found", Figures.count(figures.sum(\.wal.damages))),
      ],
      question: "The last record of a log is half there after a crash. How do you tell that from a disk that rots?",
      hint: "by what was synced: bad before the last synced position is damage, after it a torn tail, which is cut.")
  }

  static func groupCommit(_ figures: TopicFigures) -> TopicPage {
    let (records, syncs) = (figures.records, figures.syncs)
    let each = syncs == 0 ? "none yet" : Figures.decimal(Double(records) / Double(syncs), places: 1)
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
        .init("policy", "fsync \(figures.status.fsync.rawValue)"),
        .init("syncs since the start", "\(Figures.count(syncs)) for \(Figures.count(records)) records"),
        .init("records a sync", each),
        .init("99 of 100 syncs take at most", figures.syncTail),
        .init("writes", figures.latency(figures.status.latencies.writes)),
      ],
      question: "Why not acknowledge at once and sync every second, as Redis does by default?",
      hint: """
        a power cut then loses what was acknowledged; `--fsync everysec` says so. A crash of the program alone loses \
        nothing: its bytes are the system's already.
        """)
  }

  static func lru(_ figures: TopicFigures) -> TopicPage {
    let (hits, misses) = (figures.sum { Int($0.cache.hits) }, figures.sum { Int($0.cache.misses) })
    let used = figures.sum(\.cache.bytes)
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
          hits + misses == 0
            ? "nothing read yet"
            : "\(Figures.precisePercent(Double(hits) / Double(hits + misses))) of \(Figures.count(hits + misses)) look-ups"
        ),
        .init("in use", "\(Figures.bytes(used)) of \(Figures.bytes(figures.sum(\.cache.capacityBytes)))"),
        .init("keys held", "\(Figures.count(figures.sum(\.keys))) copies"),
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
        values like any write. Here markers are kept for good: forgetting one is safe only when no owner, log or \
        hint has anything older.
        """
      ],
      figures: [
        .init(
          "tombstones",
          "\(Figures.count(figures.sum(\.tombstones))) beside \(Figures.count(figures.sum(\.keys))) copies of values"),
        .init("by node", figures.byNode(\.tombstones)),
        .init("owners down", figures.down),
      ],
      question: "Cassandra drops tombstones after ten days. What if a node was away for eleven?",
      hint: "it brings deleted keys back. A purge has to ask every owner first, not the clock.")
  }
}
