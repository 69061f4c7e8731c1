import Commands
import KVCluster

extension Chapter {
  static let partition = Chapter(
    name: "partition", title: "A partition, with quorums",
    text: """
      The network is cut: node1 on one side, node2 and node3 on the other. Clients may meet any node first. With \
      R=W=2 a lone node cannot answer by itself: who meets node1 waits until the operation reaches the other side.
      """,
    part: .latency, setting: Setting(nodes: 3, timeoutNs: 2_000_000_000)
  ) { stage, cluster in
    try await stage.type("put a 1")
    try await stage.type("partition node1 | node2 node3")
    try await stage.type("put a 2")
    let count = stage.settings.amount(200)
    let reads = try await stage.each(0..<count, clients: 8) { _ throws(ClusterError) in
      try await cluster.get(Array("a".utf8)) == Array("2".utf8)
    }
    stage.figure(
      "\(count) gets: p50 \(Numbers.time(ns: reads.latencies.percentileNs(0.5) ?? 0)), slowest "
        + "\(Numbers.time(ns: reads.slowestNs)): those that met node1 first")
    stage.claim(
      "no read is stale on either side", reads.wrong == 0 && reads.good == count,
      "\(reads.wrong) stale, \(reads.refused + reads.unknown) without an answer, of \(count)")
    let writes = try await stage.put(0..<count / 4, clients: 8, on: cluster)
    stage.claim("writes go on", writes.good == count / 4, "\(writes.good) of \(count / 4)")
    try await noQuorum(stage, cluster)

    try await stage.say("The network is whole again. node1 missed all of it; hints bring it the rest.", at: .nodes)
    try await stage.type("heal")
    let keys = 0..<count / 4
    let time = try await stage.until(seconds: 20) { stage.agreeing(keys, on: cluster) == keys.count }
    stage.claim(
      "all copies become equal by themselves", time != nil,
      time.map { "after \(Numbers.time($0))" } ?? "not within 20 s")
    try await stage.claimLinearizable(cluster)
  }

  /// The other half of the theorem: consistency is kept, availability is not.
  private static func noQuorum(_ stage: Stage, _ cluster: Cluster) async throws {
    try await stage.say(
      "Now node2 and node3 hold still: only node1 is left to talk to. It has an old copy, and no quorum to vouch for it.",
      at: .events)
    try await stage.type("pause node2")
    try await stage.type("pause node3")
    let answer = try await stage.type("get a")
    stage.claim(
      "the minority says “unknown”, not something old", answer.first?.hasPrefix("✗ indeterminate") == true,
      answer.first.map { String($0.prefix(40)) } ?? "no answer")
  }
}
