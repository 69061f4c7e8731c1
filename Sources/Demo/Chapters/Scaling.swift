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
    let load = BackgroundLoad(cluster, keys)
    try await stage.type("addnode node6")
    let during = await load.end()
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

/// Clients that read and write until they are told to stop, as a cluster's clients would during a change.
final class BackgroundLoad: Sendable {
  /// Keys of its own that it writes.
  static let keyCount = 4
  private static let firstKey = 9_000_000

  private let isStopped = Atomic(false)
  private let task: Mutex<Task<Stage.Tally, Never>?>

  init(_ cluster: Cluster, _ keys: Range<Int>) {
    task = Mutex(nil)
    let clients = Task { [self] in
      await withTaskGroup(of: Stage.Tally.self) { group in
        for client in 0..<Self.keyCount { group.addTask { [self] in await work(client, cluster, keys) } }
        var total = Stage.Tally()
        for await tally in group { total.add(tally) }
        return total
      }
    }
    task.withLock { $0 = clients }
  }

  /// Stops the clients and says what became of their operations.
  func end() async -> Stage.Tally {
    isStopped.store(true, ordering: .relaxed)
    return await task.withLock { $0 }?.value ?? Stage.Tally()
  }

  private func work(_ client: Int, _ cluster: Cluster, _ keys: Range<Int>) async -> Stage.Tally {
    var tally = Stage.Tally()
    var number = 0
    while !isStopped.load(ordering: .relaxed), !Task.isCancelled {
      number += 1
      let key = Stage.key(Self.firstKey + client)
      let value = Stage.value(client, number)
      let old = keys.lowerBound + (client &* 7_919 &+ number &* 104_729) % keys.count
      await tally.count(number) { number throws(ClusterError) in
        try await cluster.put(key, value)
        guard try await cluster.get(key) == value else { return false }
        return try await cluster.get(Stage.key(old)) == Stage.value(old)
      }
    }
    return tally
  }
}
