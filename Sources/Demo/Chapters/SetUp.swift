import Commands
import KVCluster
import Text

extension Chapter {
  static let setUp = Chapter(
    name: "cluster", title: "Cluster set-up",
    text: """
      Five nodes run in this process, each with a log on disk, an index and a cache of its own. The ring shows who \
      owns which hashes, a colour a node: the outer band holds the first copy of a key, the inner bands the second \
      and third.
      """,
    part: .ring, setting: Setting(nodes: 5)
  ) { stage, cluster in
    try await stage.type("nodes")
    let ownership = Ownership(cluster.status())
    let shares = ownership.firstShares.sorted()
    let mean = shares.reduce(0, +) / Double(shares.count)
    stage.figure(
      "\(Figures.count(ownership.tokenCount)) tokens; a node has the first copy of \(Figures.precisePercent(shares[0])) to "
        + Figures.precisePercent(shares[shares.count - 1]))
    stage.claim(
      "every range has three different owners", ownership.distinctSlots == ownership.slotCount,
      "\(Figures.count(ownership.distinctSlots)) of \(Figures.count(ownership.slotCount)) slots")
    let imbalance = shares[shares.count - 1] / mean
    stage.claim(
      "no node has much more than its share", imbalance < 1.1, "max/mean \(Figures.decimal(imbalance, places: 3))")

    try await stage.say(
      "Keys go where their hashes fall. Look at the keys of each node: nobody planned them, and they are nearly equal.",
      at: .nodes)
    let count = stage.settings.amount(5_000)
    let puts = try await stage.put(0..<count, on: cluster)
    let status = cluster.status()
    let copies = status.nodes.map { $0.keys ?? 0 }
    stage.figure(
      "\(Figures.count(puts.good)) puts acknowledged; copies: "
        + status.nodes.map { "\($0.name) \(Figures.count($0.keys ?? 0))" }.joined(separator: ", "))
    stage.claim(
      "every key has three copies", copies.reduce(0, +) == 3 * count && puts.good == count,
      "\(Figures.count(copies.reduce(0, +))) copies of \(Figures.count(count)) keys")
    stage.claim(
      "the cluster is healthy and linearizable", status.health == .healthy && status.guarantee == .linearizable,
      "\(status.health.rawValue), \(Stage.settings(status)), \(status.guarantee?.rawValue ?? Figures.unknown)")
  }
}
