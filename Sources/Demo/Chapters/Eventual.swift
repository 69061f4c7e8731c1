import Commands
import KVCluster

extension Chapter {
  static let eventual = Chapter(
    name: "eventual", title: "The same partition, R=W=1",
    text: """
      Another cluster, which waits for one owner only: R + W is not more than N, so the header says “eventual”. One \
      owner is always within reach and nobody waits. See what the answers are worth.
      """,
    part: .header, setting: Setting(nodes: 3, quorum: 1)
  ) { stage, cluster in
    let status = cluster.status()
    stage.claim(
      "the screen says what is promised", status.guarantee == .eventual,
      "N=\(status.quorum.replicas) R=\(status.quorum.read) W=\(status.quorum.write): \(status.guarantee.rawValue)")
    try await stage.type("put a 1")
    try await stage.type("partition node1 | node2 node3")
    try await stage.type("put a 2")
    // Whoever meets the other side first reads what it has: soon one does, and then there are some to count.
    let count = stage.settings.amount(200)
    let reads = try await stage.each(0..<count, clients: 8) { _ throws(ClusterError) in
      try await cluster.get(Array("a".utf8)) == Array("2".utf8)
    }
    stage.figure(
      "\(count) gets: p50 \(Numbers.time(ns: reads.latencies.percentileNs(0.5) ?? 0)), slowest "
        + Numbers.time(ns: reads.slowestNs))
    stage.claim(
      "everybody is answered at once", reads.refused + reads.unknown == 0,
      "\(reads.refused + reads.unknown) of \(count) without an answer")
    stage.claim(
      "and some read what had been overwritten", reads.wrong > 0, "\(reads.wrong) stale of \(count)")
    let verdict = try await stage.verdict(of: cluster)
    if let violation = verdict.lastViolation { stage.figure("the verdict: \(violation.summary)") }
    stage.claim("the live verdict sees it", verdict.violations > 0, verdict.words)

    try await stage.say("Healed, the copies become equal: eventual consistency keeps its promise, late.", at: .nodes)
    try await stage.type("heal")
    let time = try await stage.until(seconds: 20) {
      let copies = cluster.copies(of: Array("a".utf8))
      return copies.allSatisfy { $0?.tag == copies.first??.tag && $0 != nil }
    }
    stage.claim(
      "the copies become equal", time != nil, time.map { "after \(Numbers.time($0))" } ?? "not within 20 s")
  }
}
