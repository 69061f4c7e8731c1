import Commands
import KVCluster
import Synchronization

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
      "\(Numbers.count(race.all)) operations of 16 clients on 8 keys, half of them writes; "
        + "p99 \(Numbers.time(ns: race.latencies.percentileNs(0.99) ?? 0))")
    stage.claim("none failed", race.good == race.all, "\(Numbers.count(race.all - race.good)) failures")
    try await stage.claimLinearizable(cluster)

    try await stage.say(
      "Now messages get lost and one node is slow. Operations take longer and are sent again; what they answer must "
        + "still fit one order.", at: .latency)
    try await stage.type("drop node1 40%")
    try await stage.type("slow node2 3ms")
    let rough = try await Self.race(stage, cluster, seconds: stage.settings.length(5))
    stage.figure(
      "\(Numbers.count(rough.all)) operations over bad links; p50 "
        + "\(Numbers.time(ns: rough.latencies.percentileNs(0.5) ?? 0)), p99 "
        + "\(Numbers.time(ns: rough.latencies.percentileNs(0.99) ?? 0))")
    try await stage.claimLinearizable(cluster)
    try await stage.type("heal")
    let time = try await stage.until(seconds: 20) { stage.agreeing(0..<Self.keyCount, on: cluster) == Self.keyCount }
    stage.claim(
      "the owners agree on each key again", time != nil,
      time.map { "after \(Numbers.time($0))" } ?? "not within 20 s")
  }

  private static let keyCount = 8
  private static let clientCount = 16

  /// Half gets, half puts of values that no two have in common: a verdict could not tell a stale answer otherwise.
  private static func race(_ stage: Stage, _ cluster: Cluster, seconds: Double) async throws -> Stage.Tally {
    let end = ContinuousClock.now + .seconds(seconds)
    let total = await withTaskGroup(of: Stage.Tally.self) { group in
      for client in 0..<clientCount {
        group.addTask {
          var tally = Stage.Tally()
          var number = client
          while ContinuousClock.now < end, !Task.isCancelled {
            number += clientCount
            let key = Stage.key((number / clientCount + client * 5) % keyCount)
            await tally.count(number) { number throws(ClusterError) in
              if number / clientCount % 2 == client % 2 {
                try await cluster.put(key, Stage.value(number, client))
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
      var total = Stage.Tally()
      for await tally in group { total.add(tally) }
      return total
    }
    try Task.checkCancellation()
    return total
  }
}
