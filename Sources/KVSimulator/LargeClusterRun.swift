import KVCluster
import Synchronization

/// A very large cluster takes in a node and gives one up, and every key is read before, between and after.
package struct LargeClusterRun: Sendable {
  package let nodes: Int
  package let keys: Int
  /// The greatest load of a node divided by the mean, before the changes and after both.
  package let imbalance: (before: Double, after: Double)
  /// Copies moved, divided by the least that any placement would move.
  package let movement: (join: Double, leave: Double)
  /// Reads that did not find what was written.
  package let wrongReads: Int

  package static func measure(nodes: Int, keys: Int) throws -> LargeClusterRun {
    try Clock.runVirtually(from: 1_000_000_000) {
      var options = ClusterOptions(
        dataFolder: "simulated", initialNodes: (1...nodes).map { "node\($0)" }, fsync: .never, cacheBytes: 0)
      options.segmentBytes = 16_384
      let machine = SimulatedMachine(random: SeededRandom(seed: 1), isStaged: false)
      let cluster = try Cluster.open(simulated: machine, options, seed: 1)
      defer { cluster.vanish() }
      for i in 0..<keys { _ = try answer(cluster, .put(value(i)), key(i)) }
      var wrong = try wrongReads(cluster, keys)
      let before = table(cluster)
      try carryOut(try cluster.beginChange(.join, "newcomer"))
      wrong += try wrongReads(cluster, keys)
      let between = table(cluster)
      try carryOut(try cluster.beginChange(.leave, "node1"))
      wrong += try wrongReads(cluster, keys)
      let after = table(cluster)
      return LargeClusterRun(
        nodes: nodes, keys: keys, imbalance: (before.imbalance, after.imbalance),
        movement: (Movement(from: before, to: between).ratio, Movement(from: between, to: after).ratio),
        wrongReads: wrong)
    }
  }

  private static func key(_ i: Int) -> [UInt8] { Array("key\(i)".utf8) }
  private static func value(_ i: Int) -> [UInt8] { Array("value \(i)".utf8) }

  private static func table(_ cluster: Cluster) -> PreferenceTable {
    let configuration = cluster.configurationNow
    return configuration.ring.preferenceTable(replicas: configuration.quorum.replicas)
  }

  private static func carryOut(_ steps: Cluster.Steps) throws {
    while true {
      switch steps.step() {
      case .again: continue
      case .rest(let ns): Clock.advance(toNs: Clock.nowNs() + ns)
      case .done: return
      }
    }
  }

  private static func wrongReads(_ cluster: Cluster, _ keys: Int) throws -> Int {
    var wrong = 0
    for i in 0..<keys where try answer(cluster, .get, key(i)) != .found(value(i)) { wrong += 1 }
    return wrong
  }

  /// Links are good and nothing waits for a disk, so the answer is there at once.
  private static func answer(
    _ cluster: Cluster, _ call: ClientOperation.Call, _ key: [UInt8]
  ) throws -> ClientOperation.Outcome {
    let result = Result()
    try cluster.submit(call, key) { outcome in result.outcome.withLock { $0 = outcome } }
    return result.outcome.withLock { $0 } ?? .undecided
  }

  private final class Result: Sendable {
    let outcome = Mutex<ClientOperation.Outcome?>(nil)
  }
}
