import Commands
import KVCluster
import Synchronization
import Text

extension Chapter {
  static let concurrency = Chapter(
    name: "concurrency", title: "Concurrency",
    text: """
      Sixteen clients race on eight keys: each is being written and read by several at any time. The live \
      verdict in the header judges each answer: is there one order of all operations that explains it?
      """,
    part: .header, setting: Setting(nodes: 3)
  ) { stage, cluster in
    let race = try await race(stage, cluster, seconds: stage.settings.length(3))
    stage.figure(
      "\(Figures.count(race.all)) operations of 16 clients on 8 keys, half of them writes; "
        + "p99 \(Figures.time(ns: race.latencies.percentileNs(0.99) ?? 0))")
    stage.claim("none failed", race.good == race.all, "\(Figures.count(race.all - race.good)) failures")
    try await stage.claimLinearizable(cluster)

    try await stage.say(
      "Now messages get lost and one node is slow. Operations take longer and are sent again; what they answer must "
        + "still fit one order.", at: .latency)
    try await stage.type("drop node1 40%")
    try await stage.type("slow node2 3ms")
    let rough = try await Self.race(stage, cluster, seconds: stage.settings.length(5))
    stage.figure(
      "\(Figures.count(rough.all)) operations over bad links; p50 "
        + "\(Figures.time(ns: rough.latencies.percentileNs(0.5) ?? 0)), p99 "
        + "\(Figures.time(ns: rough.latencies.percentileNs(0.99) ?? 0))")
    try await stage.claimLinearizable(cluster)
    try await halfDone(stage, cluster)
    try await stage.type("heal")
    let time = try await stage.until(seconds: 20) { stage.agreeing(0..<Self.keyCount, on: cluster) == Self.keyCount }
    stage.claim(
      "the owners agree on each key again", time != nil,
      time.map { "after \(Figures.time($0))" } ?? "not within 20 s")
  }

  /// What a read is for that writes.
  private static func halfDone(_ stage: Stage, _ cluster: Cluster) async throws {
    try await stage.say(
      "Last, each node is cut off from all others: clients go from one to the next, and read what is half written. "
        + "A reader that meets the new value writes it to a quorum before it answers, or the next might find the old one."
    )
    try await stage.type("heal")
    try await stage.type("partition node1 | node2 | node3")
    let race = try await race(stage, cluster, .mostlyReaders, seconds: max(3, stage.settings.length(4)))
    stage.figure(
      "\(Figures.count(race.all)) operations of 27 clients on 3 keys; p50 "
        + "\(Figures.time(ns: race.latencies.percentileNs(0.5) ?? 0)): a second node must be asked")
    try await stage.claimLinearizable(cluster)
  }

  private static let keyCount = 8

  /// Who races, on how many keys, and what a client does in its turns.
  private struct Runners: Sendable {
    var clients = 16
    var keys = keyCount
    /// Whether a client writes in a turn, else it reads.
    var writes: @Sendable (_ client: Int, _ turn: Int) -> Bool = { ($0 + $1) % 2 == 0 }

    /// A writer a key, and many readers: two writers at a time could explain nearly any answer. Nine a key, since the
    /// live verdict judges a key only while at most twelve operations on it overlap.
    static let mostlyReaders = Runners(clients: 27, keys: 3) { client, _ in client < 3 }
  }

  /// No two puts write the same: a verdict could not tell a stale answer otherwise.
  private static func race(
    _ stage: Stage, _ cluster: Cluster, _ runners: Runners = Runners(), seconds: Double
  ) async throws -> Stage.Tally {
    let end = ContinuousClock.now + .seconds(seconds)
    let total = await withTaskGroup(of: Stage.Tally.self) { group in
      for client in 0..<runners.clients {
        group.addTask { await run(client, cluster, runners, until: end) }
      }
      var total = Stage.Tally()
      for await tally in group { total.add(tally) }
      return total
    }
    try Task.checkCancellation()
    return total
  }

  private static func run(
    _ client: Int, _ cluster: Cluster, _ runners: Runners, until end: ContinuousClock.Instant
  ) async -> Stage.Tally {
    var tally = Stage.Tally()
    var turn = 0
    while ContinuousClock.now < end, !Task.isCancelled {
      turn += 1
      let isWrite = runners.writes(client, turn)
      let key = Stage.key((client * 5 + (isWrite ? 0 : turn)) % runners.keys)
      await tally.count(turn) { turn throws(ClusterError) in
        if isWrite {
          try await cluster.put(key, Stage.value(client, turn))
        } else {
          _ = try await cluster.get(key)
        }
        return true
      }
      // A client thinks for a moment: so the verdict can follow all of them, and not only a part of the keys.
      try? await Task.sleep(for: .milliseconds(4))
    }
    return tally
  }
}
