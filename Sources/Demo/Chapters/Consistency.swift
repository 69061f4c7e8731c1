import Commands
import KVCluster
import Text

extension Chapter {
  static let consistency = Chapter(
    name: "consistency", title: "Consistency",
    text: """
      Three copies, two answers for a read and two for a write: any two sets of two out of three share a node, so a \
      read meets the newest write. The header says what follows, and counts the answers that the live verdict has \
      judged.
      """,
    part: .header, setting: Setting(nodes: 5)
  ) { stage, cluster in
    let quorum = cluster.status().quorum ?? QuorumSettings()
    stage.claim(
      "R + W > N: reads and writes overlap", quorum.read + quorum.write > quorum.replicas,
      "\(quorum.read) + \(quorum.write) against \(quorum.replicas)")
    let rounds = stage.settings.amount(2_000)
    let reads = try await stage.each(0..<rounds, clients: 16) { number throws(ClusterError) in
      try await cluster.put(Stage.key(number % 400), Stage.value(number % 400, number))
      return true
    }
    stage.figure("16 clients made \(Figures.count(reads.good)) puts on \(Figures.count(min(rounds, 400))) keys")

    try await stage.say(
      "Now each client writes a key and reads it at once: the answer must be what it has just written.")
    let own = try await stage.each(0..<rounds, clients: 16) { number throws(ClusterError) in
      let (key, value) = (Stage.key(10_000 + number % 16), Stage.value(number))
      try await cluster.put(key, value)
      return try await cluster.get(key) == value
    }
    stage.claim(
      "every client reads its own writes", own.wrong == 0 && own.good == rounds,
      "\(Figures.count(own.wrong)) stale of \(Figures.count(own.all)) reads")
    let keys = min(rounds, 400)
    let agreeing = stage.agreeing(0..<keys, on: cluster)
    stage.claim(
      "all owners of a key hold the same version", agreeing == keys,
      "\(Figures.count(agreeing)) of \(Figures.count(keys)) keys, by version and checksum")
    try await stage.claimLinearizable(cluster)
  }
}
