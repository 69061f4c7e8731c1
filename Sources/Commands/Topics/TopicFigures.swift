import KVCluster
import Text

/// What the explanations say of the cluster that is there, all of it from one status.
struct TopicFigures {
  let status: ClusterStatus
  let quorum: QuorumSettings
  /// Slots of which each node has the first copy, by id.
  private let firsts: [Int: Int]

  init(_ status: ClusterStatus) {
    self.status = status
    quorum = status.quorum.effective(nodes: status.nodes.count)
    let ring = status.ring
    var firsts: [Int: Int] = [:]
    if ring.ranks > 0 {
      for slot in 0..<ring.slotCount { firsts[Int(ring.owners[slot * ring.ranks]), default: 0] += 1 }
    }
    self.firsts = firsts
  }

  var nodeCount: Int { status.nodes.count }
  var majority: Int { quorum.replicas / 2 + 1 }

  /// `N=3 R=2 W=2`.
  var settings: String { "N=\(quorum.replicas) R=\(quorum.read) W=\(quorum.write)" }

  /// How many owners of a key may be down while it is still served.
  var mayBeDown: Int { max(0, quorum.replicas - max(quorum.read, quorum.write)) }

  /// The least and the most of the ring of which a node has the first copy.
  var firstShares: String {
    let slots = Double(max(1, status.ring.slotCount))
    let shares = status.nodes.map { Double(firsts[$0.id] ?? 0) / slots }
    guard let least = shares.min(), let most = shares.max() else { return "no ring yet" }
    return "\(Figures.precisePercent(least)) to \(Figures.precisePercent(most)) of the ring"
  }

  /// The most loaded node's first copies beside the mean.
  var imbalance: String {
    let most = Double(firsts.values.max() ?? 0)
    let mean = Double(firsts.values.reduce(0, +)) / Double(max(1, nodeCount))
    return mean > 0 ? Figures.decimal(most / mean, places: 3) : "no ring yet"
  }

  /// Runs of neighbouring slots with the same first owner.
  var arcs: Int {
    let ring = status.ring
    guard ring.ranks > 0, ring.slotCount > 1 else { return 0 }
    return (1..<ring.slotCount).count { ring.owners[$0 * ring.ranks] != ring.owners[($0 - 1) * ring.ranks] } + 1
  }

  func sum(_ value: (NodeStatus) -> Int) -> Int { status.nodes.reduce(0) { $0 + value($1) } }

  var syncs: UInt64 { status.nodes.reduce(0) { $0 + $1.wal.syncs } }
  var records: UInt64 { status.nodes.reduce(0) { $0 + $1.operations.writes } }

  /// What 99 of 100 syncs did not exceed, of all nodes together.
  var syncTail: String {
    var latencies = LatencyCounts()
    for node in status.nodes { latencies.add(node.wal.syncLatencies) }
    return latencies.percentileNs(0.99).map { Figures.time(ns: $0) } ?? "none yet"
  }

  func latency(_ counts: LatencyCounts) -> String {
    guard let middle = counts.percentileNs(0.5), let tail = counts.percentileNs(0.99) else { return "none yet" }
    return "p50 \(Figures.time(ns: middle)), p99 \(Figures.time(ns: tail))"
  }

  /// Names of the nodes that do not answer.
  var down: String {
    let names = status.nodes.filter { !$0.state.isServing }.map(\.name)
    return names.isEmpty ? "none" : names.joined(separator: ", ")
  }

  var verdict: String { status.verdict?.words ?? "nobody watches this session" }

  /// `node2 1,204, node4 3`, of the nodes with any; else `none`.
  func byNode(_ value: (NodeStatus) -> Int) -> String {
    let parts = status.nodes.filter { value($0) > 0 }.map { "\($0.name) \(Figures.count(value($0)))" }
    return parts.isEmpty ? "none" : parts.prefix(6).joined(separator: ", ") + (parts.count > 6 ? ", …" : "")
  }
}
