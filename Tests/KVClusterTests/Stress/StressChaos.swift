import Foundation
import KVSimulator
import Synchronization

@testable import KVCluster

/// What happens to the cluster while the stress runs: acts one after the other, in an order drawn from a seed. Membership
/// changes and faults are two sequences that run side by side.
struct StressChaos {
  enum Act: String, CaseIterable {
    case join, leave, replace
    case kill, failSync, fillDisk, slowDisk
    case pause, slowLink, dropMessages, partition

    static let changes: [Act] = [.join, .leave, .replace]
    static let nodeFaults: [Act] = [.kill, .failSync, .fillDisk, .slowDisk]
    static let linkFaults: [Act] = [.pause, .slowLink, .dropMessages, .partition]
  }

  private let cluster: Cluster
  private let disk: FaultyDisk
  private let acts: [Act]
  private var random: SeededRandom
  private var joined = 0
  /// How often each act was done.
  private(set) var done: [Act: Int] = [:]

  static let initialNodes = ["node1", "node2", "node3", "node4"]
  private static let nodesMax = 6

  init(_ acts: [Act], _ cluster: Cluster, _ disk: FaultyDisk, seed: UInt64) {
    self.acts = acts
    self.cluster = cluster
    self.disk = disk
    random = SeededRandom(seed: seed)
  }

  /// Does acts until the deadline.
  mutating func run(until end: Date) async {
    while Date() < end {
      let act = acts[random.below(acts.count)]
      if !Act.changes.contains(act) { await StressChaos.untilWhole(cluster, disk) }
      do throws(ClusterError) {
        if try await perform(act) { done[act, default: 0] += 1 }
      } catch {
        // A change may find its node failing, and a fault a node that is leaving: that is part of the stress.
        await pause()
      }
    }
  }

  private var names: [String] { cluster.status().nodes.map(\.name) }

  private mutating func drawNode() -> String {
    let names = names
    return names[random.below(names.count)]
  }

  /// Ends all faults and waits until every node votes. Faults come one at a time, so that each finds the other owners
  /// intact: then no answer may be wrong.
  static func untilWhole(_ cluster: Cluster, _ disk: FaultyDisk) async {
    disk.clear()
    cluster.heal()
    for _ in 0..<3_000 {
      let nodes = cluster.status().nodes
      for node in nodes where node.state.isDown { try? await cluster.restart(node.name) }
      try? await Task.sleep(for: .milliseconds(10))
      if nodes.allSatisfy({ !$0.state.isDown && $0.wal?.isSuspect == false }) { return }
    }
  }

  /// Returns whether it was done.
  private mutating func perform(_ act: Act) async throws(ClusterError) -> Bool {
    let name = drawNode()
    switch act {
    case .join:
      guard names.count < StressChaos.nodesMax else { return false }
      joined += 1
      try await cluster.addNode("new\(joined)")
    case .leave:
      guard names.count > 3 else { return false }
      try await cluster.removeNode(name)
    case .replace:
      joined += 1
      try await cluster.replaceNode(name, with: "new\(joined)")
    case .kill:
      try await cluster.kill(name)
      await pause()
      try await cluster.restart(name)
    case .failSync:
      disk.set(name) { $0.failsNextSync = true }
      await pause()
    case .fillDisk:
      disk.set(name) { $0.isFull = true }
      await pause()
    case .slowDisk:
      disk.set(name) { $0.syncDelayNs = 30_000_000 }
      await pause()
    case .pause:
      try cluster.pause(name)
      await pause()
    case .slowLink:
      try cluster.slow(name, byNs: 2_000_000)
      await pause()
    case .dropMessages:
      try cluster.drop(name, perMille: 300)
      await pause()
    case .partition:
      try cluster.partition([[name], names.filter { $0 != name }])
      await pause()
    }
    return true
  }

  private mutating func pause() async { try? await Task.sleep(for: .milliseconds(random.within(20...250))) }
}
