import Text

/// What every configuration promises its readers. A file's checksum tells that its bytes are what was written, and not who
/// wrote them: a member's name becomes a folder's, its id indexes tables, and quorums size the sets of an operation.
extension Configuration {
  /// Why no cluster can have this configuration; `nil` if one can.
  var fault: String? { quorumFault ?? memberFault ?? ringFault(ring, "ring") ?? changeFault }

  private var quorumFault: String? {
    guard (1...Limits.replicasMax).contains(quorum.replicas) else {
      return "it has \(quorum.replicas) copies of a key, and there can be 1 to \(Limits.replicasMax)"
    }
    let counts = 1...quorum.replicas
    guard counts.contains(quorum.read), counts.contains(quorum.write) else {
      return "its quorums of \(quorum.read) and \(quorum.write) are not among its \(quorum.replicas) copies"
    }
    return nil
  }

  private var memberFault: String? {
    guard (1...Limits.nodesMax).contains(members.count) else {
      return "it has \(Figures.count(members.count, "node")), and there can be 1 to \(Limits.nodesMax)"
    }
    for (a, b) in zip(members, members.dropFirst()) where a.id >= b.id {
      return "its nodes are not in the order of their ids"
    }
    for member in members {
      guard Int(member.id) < Limits.nodesMax else { return "it has a node with the id \(member.id)" }
      guard (try? Configuration.checkName(member.name)) != nil else { return "'\(member.name)' is no name of a node" }
    }
    return Set(members.map(\.name)).count < members.count ? "two of its nodes have one name" : nil
  }

  private func ringFault(_ ring: Ring, _ name: String) -> String? {
    if ring.tokens.isEmpty { return "its \(name) is empty" }
    let stranger = ring.nodes.first { member($0) == nil }
    return stranger.map { "its \(name) names a node with the id \($0), which is no member" }
  }

  private var changeFault: String? {
    guard let change else { return nil }
    for id in [change.node, change.replacement].compactMap({ $0 }) where member(id) == nil {
      return "it changes a node with the id \(id), which is no member"
    }
    if change.replacement == change.node { return "a node cannot take its own place" }
    if change.kind == .leave, change.nextRing.nodes.contains(change.node) {
      return "a node that leaves is in the next ring"
    }
    return ringFault(change.nextRing, "next ring")
  }
}
