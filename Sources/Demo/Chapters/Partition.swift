import Commands
import KVCluster
import Text

extension Chapter {
  static let partition = Chapter(
    name: "partition", title: "A partition, with quorums",
    text: """
      The network is cut: node1 on one side, node2 and node3 on the other. A client may meet any node first. With \
      R=W=2 a lone node cannot answer by itself: who meets node1 waits until the other side is reached.
      """,
    part: .ring, setting: Setting(nodes: 3, timeoutNs: 2_000_000_000)
  ) { stage, cluster in
    let cut = try await PartitionedReads(stage, cluster)
    stage.figure(cut.figure + ", by those that met node1 first")
    stage.claim(
      "no read is stale on either side", cut.reads.wrong == 0 && cut.reads.good == cut.reads.all,
      "\(cut.reads.wrong) stale, \(cut.reads.refused + cut.reads.unknown) without an answer, of \(cut.reads.all)")
    stage.claim("writes go on", cut.writes.good == cut.writes.all, "\(cut.writes.good) of \(cut.writes.all)")
    try await noQuorum(stage, cluster)

    try await stage.say(
      "node2 and node3 go on, and the network is whole again. node1 missed all of it; hints bring it the rest.",
      at: .nodes)
    try await stage.type("resume node2")
    try await stage.type("resume node3")
    try await stage.type("heal")
    let keys = PartitionedReads.keys
    let time = try await stage.until(seconds: 20) { stage.agreeing(keys, on: cluster) == keys.count }
    stage.claim(
      "all copies become equal by themselves", time != nil,
      time.map { "after \(Figures.time($0))" } ?? "not within 20 s")
    try await stage.claimLinearizable(cluster)
  }

  /// The other half of the theorem: consistency is kept, availability is not.
  private static func noQuorum(_ stage: Stage, _ cluster: Cluster) async throws {
    try await stage.say(
      "Now node2 and node3 hold still: only node1 is left to talk to. It has an old copy, and no quorum to vouch for it.",
      at: .events)
    try await stage.type("pause node2")
    try await stage.type("pause node3")
    let answer = try await stage.type("get user:1001")
    stage.claim(
      "the minority says “unknown”, not something old", answer.error?.code == .indeterminate,
      Stage.short(answer))
  }
}

/// The same in two clusters with different quorums: keys are written, the network is cut, they are written again, and
/// read by clients that meet any node first.
struct PartitionedReads {
  /// Enough that some of them are written from each side.
  static let keys = 0..<24

  let writes: Stage.Tally
  let reads: Stage.Tally

  init(_ stage: Stage, _ cluster: Cluster) async throws {
    let first = try await stage.put(Self.keys, on: cluster)
    stage.figure("\(Figures.count(first.good, "key")) stored")
    try await stage.type("partition node1 | node2 node3")
    writes = try await stage.put(Self.keys, version: 2, clients: 8, on: cluster)
    stage.figure("\(writes.good) of \(writes.all) overwritten while the network is cut")
    let count = stage.settings.amount(400)
    reads = try await stage.each(0..<count, clients: 8) { number throws(ClusterError) in
      let key = number % Self.keys.count
      return try await cluster.get(Stage.key(key)) == Stage.value(key, 2)
    }
  }

  var figure: String {
    "\(reads.all) gets: p50 \(Figures.time(ns: reads.latencies.percentileNs(0.5) ?? 0)), slowest "
      + Figures.time(ns: reads.slowestNs)
  }
}
