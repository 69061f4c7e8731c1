import Commands
import KVCluster
import Synchronization
import Text

extension Chapter {
  static let scaling = Chapter(
    name: "scaling", title: "Scaling",
    text: """
      A sixth node joins while clients go on. It takes a little of every other node's arcs, one copy in six in all; \
      the rest stays where it is. Below the ring the ranges are handed over.
      """,
    part: .ring, setting: Setting(nodes: 5)
  ) { stage, cluster in
    let keys = 0..<stage.settings.amount(40_000)
    let puts = try await stage.put(keys, clients: 256, on: cluster)
    stage.figure("\(Figures.count(puts.good)) keys stored on five nodes")
    let before = Ownership(cluster.status())
    let during = try await BackgroundLoad.run(on: cluster, keys) { try await stage.type("addnode node6") }
    let after = Ownership(cluster.status())
    let (moved, copies) = (before.moved(keys, to: after), 3 * keys.count)
    stage.figure(
      "moved \(Figures.count(moved)) of \(Figures.count(copies)) copies: \(percent(moved, copies)); "
        + "the least for an equal sixth is \(Figures.precisePercent(1 / 6))")
    let modulo = Ownership.movedByModulo(keys, from: 5, to: 6)
    stage.figure("with hash mod nodes \(percent(modulo, keys.count)) of these keys would have changed their home")
    stage.claim(
      "a join moves little more than it must", Double(moved) < Double(copies) / 6 * 1.1 && moved > 0,
      "\(percent(moved, copies)) against \(Figures.precisePercent(1 / 6))")
    stage.claim(
      "clients go on meanwhile", during.good > 0 && during.all == during.good,
      "\(Figures.count(during.good)) reads and writes, \(during.all - during.good) failed")

    try await stage.say(
      "A node leaves: its copies go to the owners next in line, and again only they move. Look at the keys of each node.",
      at: .nodes)
    try await stage.type("removenode node1")
    let last = Ownership(cluster.status())
    let left = after.moved(keys, to: last)
    stage.claim(
      "a leave moves little more than it must", Double(left) < Double(copies) / 6 * 1.1,
      "\(percent(left, copies)) against \(Figures.precisePercent(1 / 6))")
    try await checkAll(stage, cluster, keys)
  }

  private static func checkAll(_ stage: Stage, _ cluster: Cluster, _ keys: Range<Int>) async throws {
    let reads = try await stage.readBack(keys, on: cluster)
    stage.claim(
      "every key is still there", reads.good == keys.count,
      "\(Figures.count(reads.good)) of \(Figures.count(keys.count)) read back")
    let held = cluster.status().nodes.reduce(0) { $0 + ($1.keys ?? 0) }
    let extra = BackgroundLoad.keyCount
    stage.claim(
      "three copies of each, no more", held >= 3 * keys.count && held <= 3 * (keys.count + extra),
      "\(Figures.count(held)) copies; \(Figures.count(keys.count)) keys, and \(extra) that the clients wrote meanwhile")
    try await stage.claimLinearizable(cluster)
  }

  private static func percent(_ part: Int, _ whole: Int) -> String {
    Figures.precisePercent(Double(part) / Double(max(1, whole)))
  }
}

/// Clients that read and write during a change, as a cluster's clients would.
final class BackgroundLoad: Sendable {
  /// Keys of its own that it writes.
  static let keyCount = 4
  private static let firstKey = 9_000_000

  private static let pauseAfterFailure = Duration.milliseconds(10)

  private let isStopped = Atomic(false)

  /// Runs the clients until `body` has ended, also if it throws.
  /// - Returns: the outcomes of the clients' operations.
  static func run(
    on cluster: Cluster, _ keys: Range<Int>, during body: () async throws -> Void
  ) async throws -> Stage.Tally {
    let load = BackgroundLoad()
    return try await withThrowingTaskGroup(of: Stage.Tally.self) { group in
      for client in 0..<keyCount { group.addTask { await load.work(client, cluster, keys) } }
      do {
        defer { load.isStopped.store(true, ordering: .relaxed) }
        try await body()
      }
      var total = Stage.Tally()
      for try await tally in group { total.add(tally) }
      return total
    }
  }

  private func work(_ client: Int, _ cluster: Cluster, _ keys: Range<Int>) async -> Stage.Tally {
    var tally = Stage.Tally()
    var number = 0
    while !isStopped.load(ordering: .relaxed), !Task.isCancelled {
      number += 1
      let key = Stage.key(Self.firstKey + client)
      let value = Stage.value(client, number)
      let good = tally.good
      let old = keys.lowerBound + (client &* 7_919 &+ number &* 104_729) % keys.count
      await tally.count(number) { number throws(ClusterError) in
        try await cluster.put(key, value)
        guard try await cluster.get(key) == value else { return false }
        return try await cluster.get(Stage.key(old)) == Stage.value(old)
      }
      // A closed cluster refuses at once: without a pause these clients would keep every other task from running.
      if tally.good == good { try? await Task.sleep(for: Self.pauseAfterFailure) }
    }
    return tally
  }
}
