/// Faults to play with: they act on the running cluster through the seams it has to links and disks anyway, and what
/// they show is what would happen.
extension Cluster {
  /// Lets a node hold still, as a stopped process does: what reaches it waits until ``resume(_:)``.
  /// - Throws: ``ClusterError/refused(_:)`` if there is no such node, or it is paused already.
  public func pause(_ name: String) throws(ClusterError) {
    let node = try faultyNode(name)
    if links.isPaused(node.id) { throw .refused("\(name) is paused already; `resume \(name)` lets it go on") }
    links.pause(node.id)
    log(.cluster, .warning, "\(name) is paused: what reaches it waits")
  }

  /// Lets a paused node go on.
  public func resume(_ name: String) throws(ClusterError) {
    let node = try faultyNode(name)
    guard links.isPaused(node.id) else { throw .refused("\(name) is not paused") }
    links.resume(node.id)
    dataPath.messages.deliverHeld()
    log(.cluster, .success, "\(name) goes on")
  }

  /// Cuts all links between nodes of different groups. Nodes that are in no group belong to the last.
  public func partition(_ groups: [[String]]) throws(ClusterError) {
    guard groups.count > 1, groups.allSatisfy({ !$0.isEmpty }) else {
      throw .invalidArgument("a partition has two sides at least, as in: partition node1 | node2 node3")
    }
    for name in groups.joined() { _ = try faultyNode(name) }
    let all = groups.flatMap { $0 }
    if let twice = all.first(where: { name in all.count { $0 == name } > 1 }) {
      throw .invalidArgument("\(twice) cannot be on two sides")
    }
    let side = { (name: String) in groups.firstIndex { $0.contains(name) } ?? groups.count - 1 }
    let nodes = roster.withState { state in state.nodes.map { (id: $0.id, name: $0.name) } }
    for a in nodes {
      for b in nodes where a.id != b.id {
        let isCut = side(a.name) != side(b.name)
        links.set(a.id, b.id) { $0.isCut = isCut }
      }
    }
    log(.cluster, .warning, "the network is cut: \(groups.map { $0.joined(separator: " ") }.joined(separator: " | "))")
  }

  /// Delays every message to and from a node; 0 ends that.
  public func slow(_ name: String, byNs delayNs: UInt64) throws(ClusterError) {
    try eachLink(of: name) { $0.delayNs = delayNs }
    log(.cluster, .warning, "messages to and from \(name) take \(delayNs / 1_000_000) ms")
  }

  /// Loses so many of 1,000 messages to and from a node; 0 ends that.
  public func drop(_ name: String, perMille: Int) throws(ClusterError) {
    guard (0...1_000).contains(perMille) else { throw .invalidArgument("a part is 0 to 100 %") }
    try eachLink(of: name) { $0.lossPerMille = perMille }
    log(.cluster, .warning, "\(Double(perMille) / 10) % of the messages to and from \(name) are lost")
  }

  private func eachLink(of name: String, _ adjust: (inout Links.Quality) -> Void) throws(ClusterError) {
    let node = try faultyNode(name)
    for other in roster.withState({ state in state.nodes.map(\.id) }) where other != node.id {
      links.set(node.id, other, adjust)
      links.set(other, node.id, adjust)
    }
  }

  /// Makes all links good and lets paused nodes go on.
  public func heal() {
    links.heal()
    dataPath.messages.deliverHeld()
    log(.cluster, .success, "all links are good")
  }

  /// Flips the bits of one byte in a value that a node keeps on its disk: a reader or the scrub will find it, and it is
  /// fetched from another node again.
  /// - Throws: ``ClusterError/refused(_:)`` if the node does not answer or keeps no value.
  public func corrupt(_ name: String) throws(ClusterError) {
    let node = try faultyNode(name)
    guard let replica = node.replica, let disk = folder.disk as? PosixDisk else {
      throw .refused("\(name) does not answer, so there is nothing to damage")
    }
    var place = anyValue(of: replica)
    if place == nil {
      // What was read at the start counts as on the disk from the first sync on, and so does what was written since.
      replica.commit.syncNow()
      place = anyValue(of: replica)
    }
    guard let place else { throw .refused("\(name) keeps no value: `put` one") }
    do throws(StorageError) {
      try disk.flip("\(replica.store.log.folder)/\(LogFormat.segmentName(place.segment))", at: place.offset)
    } catch {
      throw .storage("\(error)")
    }
    log(
      .storage, .warning,
      "a byte of \(name)'s log was flipped on its disk, in segment \(place.segment) at \(place.offset)")
  }

  /// The first byte of some value that is on the node's disk.
  private func anyValue(of replica: Replica) -> LogPosition? {
    let synced = replica.store.log.durable
    let start = Int(Clock.nowNs() % UInt64(Store.partitionCount))
    var found: LogPosition?
    for i in 0..<Store.partitionCount where found == nil {
      let number = (start + i) % Store.partitionCount
      partitions.whileServing(replica, number) {
        _ = replica.store.scan(number, from: 0, limit: .max / 2) { slot, record in
          let position = replica.store.table.position(of: slot.location)
          guard found == nil, !slot.location.isTombstone, !record.value.isEmpty, position < synced else { return }
          found = LogPosition(
            segment: position.segment, offset: position.offset + LogFormat.recordHeaderBytes + record.key.count)
        }
      }
    }
    return found
  }

  /// The next sync of a node's log fails, which stops the node: pages may be lost, so nothing of it is believed until it
  /// has been compared with others.
  public func failSync(_ name: String) throws(ClusterError) {
    let node = try faultyNode(name)
    guard let replica = node.replica, let disk = folder.disk as? PosixDisk else {
      throw .refused("\(name) does not answer, so it syncs nothing")
    }
    disk.failNextSync(in: replica.store.log.folder)
    replica.commit.wake()
    log(.storage, .warning, "\(name)'s next sync will fail")
  }

  private func faultyNode(_ name: String) throws(ClusterError) -> Roster.Node {
    guard let node = roster.node(named: name) else {
      let names = roster.configuration.namesInOrder.joined(separator: ", ")
      throw .refused("no node \(name) in the cluster; its nodes are \(names)")
    }
    return node
  }

  /// What is wrong with links and nodes, in words; empty if nothing is.
  func faultWords() -> [String] {
    guard links.isFaulty else { return [] }
    let names = roster.withState { state in state.nodes.map { (id: $0.id, name: $0.name) } }
    let name = { (id: UInt16) in names.first { $0.id == id }?.name ?? "node \(id)" }
    return links.pausedNodes.map { "\(name($0)) paused" }
      + links.faults.map { fault in
        "\(name(fault.from)) → \(name(fault.to)) " + fault.quality.words
      }
  }
}

extension Links.Quality {
  fileprivate var words: String {
    if isCut { return "cut" }
    var words: [String] = []
    if delayNs > 0 { words.append("+\(delayNs / 1_000_000) ms") }
    if lossPerMille > 0 { words.append("\(Double(lossPerMille) / 10) % lost") }
    return words.joined(separator: ", ")
  }
}
