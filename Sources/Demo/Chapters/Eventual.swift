import Commands
import KVCluster
import Text

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
      "\(Stage.settings(status)): \(status.guarantee?.rawValue ?? Figures.unknown)")
    let cut = try await PartitionedReads(stage, cluster)
    stage.figure(cut.figure)
    stage.claim(
      "everybody is answered at once", cut.reads.refused + cut.reads.unknown == 0,
      "\(cut.reads.refused + cut.reads.unknown) of \(cut.reads.all) without an answer")
    stage.claim(
      "and some read what had been overwritten", cut.reads.wrong > 0, "\(cut.reads.wrong) stale of \(cut.reads.all)")
    let verdict = try await stage.verdict(of: cluster)
    if let violation = verdict.lastViolation { stage.figure("the verdict: \(violation.summary)") }
    stage.claim("the live verdict sees it", verdict.violations > 0, verdict.words)

    try await stage.say("Healed, the copies become equal: eventual consistency keeps its promise, late.", at: .nodes)
    try await stage.type("heal")
    let keys = PartitionedReads.keys
    let time = try await stage.until(seconds: 60) { stage.agreeing(keys, on: cluster) == keys.count }
    stage.claim(
      "the copies become equal", time != nil, time.map { "after \(Figures.time($0))" } ?? "not within a minute")
  }
}
