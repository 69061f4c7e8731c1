import Commands
import KVCluster
import Text

extension Chapter {
  static let recovery = Chapter(
    name: "recovery", title: "Crash recovery",
    text: """
      The log is the store: a node that crashes loses its memory, and rebuilds index and cache by reading its log \
      again. Watch the table while all three nodes are killed at once and come back.
      """,
    part: .nodes, setting: Setting(nodes: 3)
  ) { stage, cluster in
    let keys = 0..<stage.settings.amount(10_000)
    let deleted = 0..<keys.count / 10
    let puts = try await stage.put(keys, on: cluster)
    let deletes = try await stage.each(deleted) { number throws(ClusterError) in
      try await cluster.delete(Stage.key(number))
    }
    try await stage.type("put the-last-one \"written just before the crash\"")
    let bytes = cluster.status().nodes.compactMap(\.wal?.bytes).max() ?? 0
    stage.figure(
      "\(Figures.count(puts.good)) puts and \(Figures.count(deletes.good)) deletes acknowledged; a log holds "
        + Figures.bytes(bytes))
    for node in 1...3 { try await stage.type("kill node\(node)") }
    let refused = try await stage.readBack(0..<10, on: cluster)
    stage.claim(
      "without nodes there are no answers, and no wrong ones", refused.refused == 10,
      "\(refused.refused) of 10 refused")

    try await stage.say("Nothing is left in memory. Each node reads its log from the disk, checksum by checksum.")
    let start = ContinuousClock.now
    for node in 1...3 { try await stage.type("restart node\(node)") }
    stage.figure("three nodes read \(Figures.bytes(3 * bytes)) of log and serve after \(Figures.time(.now - start))")
    let reads = try await stage.readBack(keys, on: cluster) { deleted.contains($0) ? nil : 1 }
    stage.claim(
      "every acknowledged write is there, every delete too", reads.good == keys.count,
      "\(Figures.count(keys.count - deleted.count)) values and \(Figures.count(deleted.count)) deletions, "
        + "\(Figures.count(reads.wrong + reads.refused + reads.unknown)) wrong")
    let last = try await stage.type("get the-last-one")
    stage.claim(
      "the last write before the crash is there too", last.outcome == .success, Stage.short(last))
    let agreeing = stage.agreeing(keys, on: cluster)
    stage.claim(
      "the three logs say the same", agreeing == keys.count,
      "\(Figures.count(agreeing)) of \(Figures.count(keys.count)) keys")
    try await damage(stage, cluster, keys, deleted)
    try await stage.claimLinearizable(cluster)
  }

  /// A disk that lies.
  private static func damage(
    _ stage: Stage, _ cluster: Cluster, _ keys: Range<Int>, _ deleted: Range<Int>
  ) async throws {
    try await stage.say(
      "Disks rot: now a bit pattern of one value on node1's disk is flipped. Its checksum no longer fits, so that copy "
        + "answers “don't know”, and the other owners decide.", at: .events)
    try await stage.type("corrupt node1")
    let reads = try await stage.readBack(keys, on: cluster) { deleted.contains($0) ? nil : 1 }
    stage.claim(
      "a damaged copy is never believed", reads.good == keys.count,
      "\(Figures.count(reads.good)) of \(Figures.count(keys.count)) answers right")
  }
}
