/// Who is in the cluster, who owns what, and how many must agree: what all nodes must hold in common, as a value.
///
/// Configurations form one linear, durable log, of which the folder keeps the last. A membership change takes three:
/// the old one, the *joint* one in which operations satisfy the quorums of both rings (``change`` is set), the new one.
package struct Configuration: Equatable, Sendable {
  /// Drawn once when the cluster is made; every segment carries it.
  package var clusterID: UInt64
  package var epoch: UInt64
  package var quorum: QuorumSettings
  /// Ordered by id.
  package var members: [Member]
  /// The ring in force; during a change, the old one.
  package var ring: Ring
  package var change: Change?

  package struct Member: Equatable, Sendable {
    package var id: UInt16
    package var name: String
    /// Killed nodes stay so over a restart of the program.
    package var isKilled: Bool
  }

  package struct Change: Equatable, Sendable {
    package var kind: ChangeStatus.Kind
    package var node: UInt16
    /// Takes over all that the leaving `node` owns.
    package var replacement: UInt16?
    package var nextRing: Ring

    /// Who becomes a member.
    package var newcomer: UInt16? { kind == .join ? node : replacement }

    /// What a node that answers is doing during the change.
    package func state(of id: UInt16) -> NodeState {
      id == newcomer ? .joining : id == node ? .leaving : .up
    }
  }

  package init(clusterID: UInt64, quorum: QuorumSettings, nodeNames: [String]) {
    self.clusterID = clusterID
    self.quorum = quorum
    epoch = 1
    members = nodeNames.enumerated().map { Member(id: UInt16($0.offset), name: $0.element, isKilled: false) }
    ring = Ring.balanced(nodes: members.map(\.id), replicas: quorum.replicas)
  }

  package init(
    clusterID: UInt64, epoch: UInt64, quorum: QuorumSettings, members: [Member], ring: Ring, change: Change?
  ) {
    self.clusterID = clusterID
    self.epoch = epoch
    self.quorum = quorum
    self.members = members
    self.ring = ring
    self.change = change
  }

  package func member(named name: String) -> Member? { members.first { $0.name == name } }
  package func member(_ id: UInt16) -> Member? { members.first { $0.id == id } }

  /// The names as people count: `node2` before `node10`.
  package var namesInOrder: [String] { members.map(\.name).sorted(by: Configuration.countsBefore) }

  /// The joint configuration of a change.
  package func joint(for wanted: QueuedChange) throws(ClusterError) -> Configuration {
    switch (wanted.kind, wanted.replacement) {
    case (.join, _): try joining(wanted.node)
    case (.leave, nil): try leaving(wanted.node)
    case (.leave, let replacement?): try replacing(wanted.node, with: replacement)
    }
  }

  /// The joint configuration in which `name` joins.
  package func joining(_ name: String) throws(ClusterError) -> Configuration {
    var (next, id) = try adding(name)
    next.change = Change(kind: .join, node: id, nextRing: ring.adding(id, replicas: quorum.replicas))
    return next
  }

  /// The next configuration with one member more, whom no ring knows yet.
  private func adding(_ name: String) throws(ClusterError) -> (next: Configuration, id: UInt16) {
    try checkNoChange()
    try Configuration.checkName(name)
    guard member(named: name) == nil else {
      throw .refused(.init("node \(name) is in the cluster already", nodes: [name], advice: .listNodes))
    }
    guard members.count < Limits.nodesMax else { throw .refused("a cluster has at most \(Limits.nodesMax) nodes") }
    let id = (0...UInt16.max).first { id in !members.contains { $0.id == id } }!
    var next = self
    next.epoch += 1
    next.members.append(Member(id: id, name: name, isKilled: false))
    next.members.sort { $0.id < $1.id }
    return (next, id)
  }

  /// The joint configuration in which `name` leaves.
  package func leaving(_ name: String) throws(ClusterError) -> Configuration {
    try checkNoChange()
    let member = try existing(name)
    guard members.count > 1 else {
      throw .refused("\(name) is the last node and holds all data; add another one first")
    }
    var next = self
    next.epoch += 1
    next.change = Change(kind: .leave, node: member.id, nextRing: ring.removing(member.id, replicas: quorum.replicas))
    return next
  }

  /// The joint configuration in which a new node takes over all that `name` owns, and `name` leaves: no other key moves.
  package func replacing(_ name: String, with replacement: String) throws(ClusterError) -> Configuration {
    let leaver = try existing(name)
    var (next, id) = try adding(replacement)
    next.change = Change(kind: .leave, node: leaver.id, replacement: id, nextRing: ring.handing(leaver.id, to: id))
    return next
  }

  private func existing(_ name: String) throws(ClusterError) -> Member {
    guard let member = member(named: name) else {
      throw .refused("no node \(name) in the cluster; its nodes are \(namesInOrder.joined(separator: ", "))")
    }
    return member
  }

  /// The configuration that ends the change.
  package var settled: Configuration {
    guard let change else { preconditionFailure("no change to settle") }
    var next = self
    next.epoch += 1
    next.ring = change.nextRing
    next.change = nil
    if change.kind == .leave { next.members.removeAll { $0.id == change.node } }
    return next
  }

  private func checkNoChange() throws(ClusterError) {
    guard let change else { return }
    let name = member(change.node)?.name ?? "?"
    throw .refused("node \(name) is \(change.kind == .join ? "joining" : "leaving"); wait until that is done")
  }

  /// - Throws: `ClusterError.invalidArgument` unless the name is 1–64 of letters, digits, `-`, `_` and `.`, and
  ///   does not begin with a dot.
  package static func checkName(_ name: String) throws(ClusterError) {
    let allowed = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        return true
      default: return false
      }
    }
    guard allowed, (1...Limits.nodeNameBytesMax).contains(name.utf8.count), !name.hasPrefix(".") else {
      throw .invalidArgument(
        "a node's name is 1 to 64 letters, digits, '-', '_' or '.', not beginning with '.'; got '\(name)'")
    }
  }

  /// Orders names with numbers in them by the numbers' value.
  package static func countsBefore(_ a: String, _ b: String) -> Bool {
    let (x, y) = (Array(a.utf8), Array(b.utf8))
    var (i, j) = (0, 0)
    func number(_ bytes: [UInt8], _ from: inout Int) -> Int? {
      let start = from
      var value = 0
      while from < bytes.count, from - start < 15, (48...57).contains(bytes[from]) {
        value = value * 10 + Int(bytes[from] - 48)
        from += 1
      }
      return from > start ? value : nil
    }
    while i < x.count, j < y.count {
      if let m = number(x, &i), let n = number(y, &j) {
        if m != n { return m < n }
      } else if i < x.count, j < y.count {
        if x[i] != y[j] { return x[i] < y[j] }
        i += 1
        j += 1
      }
    }
    return x.count - i != y.count - j ? x.count - i < y.count - j : a < b
  }
}
