import Commands
import KVCluster
import Text

extension Chapter {
  static let faults = Chapter(
    name: "faults", title: "Fault tolerance",
    text: """
      A node is killed: its memory is gone, its arcs on the ring go dim. Each of its keys has two other owners, \
      which are a quorum, so nothing is lost and nobody has to wait.
      """,
    part: .ring, setting: Setting(nodes: 5)
  ) { stage, cluster in
    let keys = 0..<stage.settings.amount(4_000)
    let ownership = Ownership(cluster.status())
    let puts = try await stage.put(keys, on: cluster)
    stage.figure("\(Figures.count(puts.good)) keys stored, three copies each")
    try await stage.type("kill node2")
    let reads = try await stage.readBack(keys, on: cluster)
    stage.claim(
      "with a node dead every key is still there", reads.good == keys.count,
      "\(Figures.count(reads.good)) of \(Figures.count(keys.count)) read back")

    try await stage.say(
      "Writes go on as well. What the dead node misses, others keep for it as hints: see its row in the table.",
      at: .nodes)
    let half = 0..<keys.count / 2
    let expected = half.count { ownership.owners(of: Stage.key($0)).contains("node2") }
    let updates = try await stage.put(half, version: 2, on: cluster)
    let hints = cluster.status().nodes.first { $0.name == "node2" }?.hintsWaiting ?? 0
    stage.claim(
      "every write goes through", updates.good == half.count,
      "\(Figures.count(updates.good)) of \(Figures.count(half.count))")
    stage.claim(
      "a hint waits for each write it missed", hints == expected,
      "\(Figures.count(hints)) hints, \(Figures.count(expected)) of the keys are its own")
    try await stage.type("restart node2")
    let agreeing = stage.agreeing(keys, on: cluster)
    stage.claim(
      "back again, it has what it missed", agreeing == keys.count,
      "\(Figures.count(agreeing)) of \(Figures.count(keys.count)) keys equal on all owners")
    try await loseTwo(stage, cluster, keys, half, ownership)
    try await stage.claimLinearizable(cluster)
  }

  /// Beyond what three copies can bear.
  private static func loseTwo(
    _ stage: Stage, _ cluster: Cluster, _ keys: Range<Int>, _ half: Range<Int>, _ ownership: Ownership
  ) async throws {
    try await stage.say(
      "Two dead nodes are more than three copies bear: keys that both own have one owner left, and one is no quorum. "
        + "They are refused, not answered wrongly.", at: .ring)
    try await stage.type("kill node2")
    try await stage.type("kill node4")
    let lost = keys.count { Set(ownership.owners(of: Stage.key($0))).isSuperset(of: ["node2", "node4"]) }
    let version = { @Sendable (number: Int) -> Int? in half.contains(number) ? 2 : 1 }
    let reads = try await stage.readBack(keys, on: cluster, expected: version)
    stage.claim(
      "keys with two owners left are served, the others refused",
      reads.refused == lost && reads.good == keys.count - lost && reads.wrong == 0,
      "\(Figures.count(reads.good)) served, \(Figures.count(reads.refused)) refused, the ring says "
        + "\(Figures.count(lost)); \(reads.wrong) wrong")
    try await stage.type("restart node2")
    try await stage.type("restart node4")
    let all = try await stage.readBack(keys, on: cluster, expected: version)
    stage.claim(
      "with the nodes back all is back", all.good == keys.count,
      "\(Figures.count(all.good)) of \(Figures.count(keys.count))")
  }
}
