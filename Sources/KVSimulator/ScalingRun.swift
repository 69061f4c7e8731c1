import KVCluster
import Synchronization

/// How throughput grows with the number of nodes: a cluster of each size serves as many clients as it can, in virtual time.
///
/// The cluster is the one that ships, with its ring, messages, quorums and stores; what is simulated is that a node handles
/// one request at a time and takes a fixed time for it, and that links take a fixed time too. Every put and get asks the
/// three owners of its key, so the most that N nodes could do is N / 3 operations in a service time: that would take
/// perfect balance, and no node ever idle.
package struct ScalingRun: Sendable {
  package let nodes: Int
  /// Counted after the first quarter and before the last, in which nodes are not all busy.
  package let operations: Int
  package let virtualNs: UInt64
  /// Operations without an answer.
  package let failures: Int

  package var perSecond: Double { Double(operations) * 1e9 / Double(max(1, virtualNs)) }

  /// What these nodes could do at most.
  package var bound: Double { Double(nodes) / 3 * 1e9 / Double(ScalingRun.serviceNs) }

  package static let serviceNs: UInt64 = 10_000
  package static let linkNs: UInt64 = 20_000
  /// Enough for every node to have a queue at all times.
  package static let clientsPerNode = 64
  package static let nodeCounts = [3, 6, 12, 24, 48, 96]

  /// Half puts and half gets, of keys drawn at random from as many as there are operations.
  package static func measure(nodes: Int, operationsPerNode: Int, seed: UInt64 = 1) throws -> ScalingRun {
    try Clock.runVirtually(from: 1_000_000_000) {
      var options = ClusterOptions(
        dataFolder: "simulated", initialNodes: (1...nodes).map { "node\($0)" }, fsync: .never, cacheBytes: 0,
        operationTimeoutNs: 60_000_000_000)
      options.segmentBytes = 65_536
      let machine = SimulatedMachine(random: SeededRandom(seed: seed), isStaged: false)
      let cluster = try Cluster.open(simulated: machine, options, seed: seed)
      defer { cluster.vanish() }
      cluster.setLinks(lossPerMille: 0, duplicationPerMille: 0, delayNs: linkNs, jitterNs: 0)
      cluster.setServiceTime(ns: serviceNs)
      let load = ScalingLoad(cluster, nodes: nodes, operations: nodes * operationsPerNode, seed: ~seed)
      return try load.run()
    }
  }
}

/// Clients each of which begins its next operation when the one before has ended.
private final class ScalingLoad {
  private let cluster: Cluster
  private let nodes: Int
  private let total: Int
  private var random: SeededRandom
  private let ended = Ended()

  /// Filled from within the cluster.
  private final class Ended: Sendable {
    let counts = Mutex<(served: Int, failed: Int)>((0, 0))
  }

  init(_ cluster: Cluster, nodes: Int, operations: Int, seed: UInt64) {
    self.cluster = cluster
    self.nodes = nodes
    total = operations
    random = SeededRandom(seed: seed)
  }

  func run() throws -> ScalingRun {
    for _ in 0..<nodes * ScalingRun.clientsPerNode { try begin() }
    var (served, failures) = (0, 0)
    var first: (ns: UInt64, served: Int)?
    while served + failures < total * 3 / 4 {
      guard let due = cluster.nextMessageNs else { preconditionFailure("operations are under way, and nothing is due") }
      Clock.advance(toNs: max(due, Clock.nowNs()))
      cluster.runMessages()
      let news = ended.counts.withLock { counts in
        defer { counts = (0, 0) }
        return counts
      }
      served += news.served
      failures += news.failed
      for _ in 0..<news.served + news.failed { try begin() }
      if first == nil, served >= total / 4 { first = (Clock.nowNs(), served) }
    }
    guard let first else { return ScalingRun(nodes: nodes, operations: 0, virtualNs: 1, failures: failures) }
    return ScalingRun(
      nodes: nodes, operations: served - first.served, virtualNs: Clock.nowNs() - first.ns, failures: failures)
  }

  private func begin() throws {
    let key = Array("key\(random.below(total))".utf8)
    let call: ClientOperation.Call = random.chance(perMille: 500) ? .get : .put(Array("sixteen bytes ok".utf8))
    try cluster.submit(call, key) { [ended] outcome in
      ended.counts.withLock { counts in
        if outcome == .undecided { counts.failed += 1 } else { counts.served += 1 }
      }
    }
  }
}
