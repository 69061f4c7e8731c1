import Commands
import KVCluster
import Text

extension Chapter {
  static let counting = Chapter(
    name: "counting", title: "Two clients count",
    text: """
      Two clients count visits with get and put. Each round both read the number before either writes it back, one \
      higher. Every answer is right, and still half of the visits are lost.
      """,
    part: .header, setting: Setting(nodes: 3)
  ) { stage, cluster in
    let rounds = 100
    for _ in 0..<rounds {
      try Task.checkCancellation()
      let read = try await (number(cluster), number(cluster))
      async let first: Void = cluster.put(visits, Array("\(read.0 + 1)".utf8))
      async let second: Void = cluster.put(visits, Array("\(read.1 + 1)".utf8))
      _ = try await (first, second)
    }
    let lossy = try await number(cluster)
    stage.figure("\(2 * rounds) visits, counted by get and put: \(lossy)")
    stage.claim("get and put lose updates", lossy < 2 * rounds, "\(2 * rounds - lossy) of \(2 * rounds) are lost")

    try await stage.say(
      "`cas` writes only if the value is still the one that was read: the second of two is refused, reads again, and tries again."
    )
    try await stage.type("cas visits \(lossy) 0")
    try await stage.type("cas visits \(lossy) 1")
    var refused = 0
    for _ in 0..<rounds {
      try Task.checkCancellation()
      let read = try await number(cluster)
      async let first = swap(read, cluster)
      async let second = swap(read, cluster)
      let done = try await [first, second].count { $0 }
      for _ in done..<2 {
        refused += 1
        while try await !swap(number(cluster), cluster) {}
      }
    }
    let swapped = try await number(cluster)
    stage.claim(
      "with compare-and-set none is lost", swapped == 2 * rounds,
      "\(swapped) of \(2 * rounds), \(Figures.count(refused, "refusal"))")

    try await stage.say(
      "`incr` is one step: nothing comes between its read and its write, so nobody tries again. Eight clients count, and a node dies."
    )
    try await stage.type("cas visits \(swapped) 0")
    try await stage.type("incr visits")
    let total = stage.settings.amount(2_000)
    async let counted = stage.each(0..<total, clients: 8) { _ throws(ClusterError) in
      try await cluster.increment(visits)
      return true
    }
    try await stage.type("kill node2")
    try await stage.type("restart node2")
    let tally = try await counted
    let sum = try await number(cluster)
    stage.claim(
      "with increments none is lost", (1 + tally.good...1 + tally.good + tally.unknown).contains(sum),
      "\(Figures.count(sum)) of \(Figures.count(1 + tally.good))"
        + (tally.unknown > 0 ? ", \(Figures.count(tally.unknown)) of unknown outcome" : ""))
    try await stage.claimLinearizable(cluster)
  }

  private static let visits = Array("visits".utf8)

  private static func number(_ cluster: Cluster) async throws(ClusterError) -> Int {
    try await cluster.get(visits).flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
  }

  private static func swap(_ read: Int, _ cluster: Cluster) async throws(ClusterError) -> Bool {
    try await cluster.compareAndSet(visits, expected: Array("\(read)".utf8), to: Array("\(read + 1)".utf8))
  }
}
