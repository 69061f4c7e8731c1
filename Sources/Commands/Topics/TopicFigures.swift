import ClusterModel
import Text

/// Figures of the cluster for explanations, all from one status.
struct TopicFigures {
  let status: ClusterStatus
  private let capabilities: Capabilities?
  /// `nil` where operations do not wait for quorums.
  let quorum: QuorumSettings?
  let ring: RingMap
  /// Slots of which each node has the first copy, by id.
  private let firsts: [Int: Int]

  init(_ status: ClusterStatus, _ capabilities: Capabilities?) {
    (self.status, self.capabilities) = (status, capabilities)
    quorum = status.effectiveQuorum
    ring = RingMap(status.ring)
    var firsts: [Int: Int] = [:]
    if ring.ranks > 0 {
      for slot in 0..<ring.slotCount { firsts[Int(ring.owners[slot * ring.ranks]), default: 0] += 1 }
    }
    self.firsts = firsts
  }

  /// Words that name a command; nothing where the backend has it not.
  func words(_ text: String, naming command: CommandName) -> String {
    command.isOffered(by: capabilities) ? text : ""
  }

  /// Whether the backend can do it, and so knows whether it was done.
  func tells(_ feature: Capabilities.Feature) -> Bool { capabilities?.has(feature) ?? true }

  var nodeCount: Int { status.nodes.count }

  /// A figure in words, or a dash where the backend does not give it.
  func shown<Value>(_ value: Value?, _ words: (Value) -> String) -> String { value.map(words) ?? Figures.unknown }

  /// Whether the backend tells which nodes own which slots.
  private var hasRing: Bool { ring.ranks > 0 && ring.slotCount > 0 && nodeCount > 0 }

  /// `3 owners a key`.
  var ownersOfKey: String { "\(hasRing ? Figures.count(ring.ranks, "owner") : "\(Figures.unknown) owners") a key" }

  /// `N=3 R=2 W=2`.
  var settings: String { quorum.map { "N=\($0.replicas) R=\($0.read) W=\($0.write)" } ?? "no quorums" }

  /// `linearizable`, or a dash.
  var guarantee: String { shown(status.guarantee) { $0.rawValue } }

  /// How many owners of a key may be down while it is still served: `1 of each key's 3`.
  var mayBeDown: String {
    shown(quorum) { "\(max(0, $0.replicas - max($0.read, $0.write))) of each key's \($0.replicas)" }
  }

  /// Owners that an operation which reads and writes waits for: `2 of each key's 3`.
  var mustAnswer: String { shown(quorum) { "\(max($0.read, $0.write)) of each key's \($0.replicas)" } }

  /// What makes a read-modify-write one step, with quorums or on one server.
  var howUpdatesAreOneStep: String {
    quorum == nil
      ? "It must be one step where the key is: its master carries out one command after the other."
      : "It must be one step at enough owners: a version that is made from another takes its place right behind it, and of "
        + "two that are made from the same one at most one counts."
  }

  /// The least and the most of the ring of which a node has the first copy, and the most beside the mean.
  var firstCopies: String {
    let counts = status.nodes.map { Double(firsts[$0.id] ?? 0) }
    guard hasRing, let least = counts.min(), let most = counts.max(), most > 0 else { return Figures.unknown }
    let slots = Double(ring.slotCount)
    let mean = counts.reduce(0, +) / Double(nodeCount)
    return "\(Figures.precisePercent(least / slots)) to \(Figures.precisePercent(most / slots)) of the ring, "
      + "max/mean \(Figures.decimal(most / mean, places: 3))"
  }

  /// Runs of neighbouring slots with the same first owner.
  var arcs: Int? {
    guard hasRing else { return nil }
    return (1..<ring.slotCount).count { ring.owners[$0 * ring.ranks] != ring.owners[($0 - 1) * ring.ranks] } + 1
  }

  /// The sum over all nodes; `nil` if one of them does not give the figure.
  func sum(_ value: (NodeStatus) -> Int?) -> Int? {
    let values = status.nodes.compactMap(value)
    return values.count == status.nodes.count ? values.reduce(0, +) : nil
  }

  func count(_ value: (NodeStatus) -> Int?) -> String { shown(sum(value)) { Figures.count($0) } }
  func bytes(_ value: (NodeStatus) -> Int?) -> String { shown(sum(value)) { Figures.bytes($0) } }

  var syncs: Int? { sum { $0.wal?.syncs.map(Int.init(clamping:)) } }
  var records: Int? { sum { $0.operations.map { Int(clamping: $0.writes) } } }
  var fsync: String { shown(status.fsync) { "fsync \($0.rawValue)" } }

  /// 99th percentile of the sync latencies of all nodes together.
  var syncTail: String {
    var latencies = LatencyCounts()
    let known = status.nodes.compactMap { $0.wal?.syncLatencies }
    guard !known.isEmpty else { return Figures.unknown }
    for counts in known { latencies.add(counts) }
    return latencies.percentileNs(0.99).map { Figures.time(ns: $0) } ?? "none yet"
  }

  func latency(_ counts: LatencyCounts?) -> String {
    guard let counts else { return Figures.unknown }
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
  func byNode(_ value: (NodeStatus) -> Int?) -> String {
    let known = status.nodes.compactMap { node in value(node).map { (name: node.name, count: $0) } }
    guard known.count == status.nodes.count else { return Figures.unknown }
    let parts = known.filter { $0.count > 0 }.map { "\($0.name) \(Figures.count($0.count))" }
    return parts.isEmpty ? "none" : parts.prefix(6).joined(separator: ", ") + (parts.count > 6 ? ", …" : "")
  }
}
