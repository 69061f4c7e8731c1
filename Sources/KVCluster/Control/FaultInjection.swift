/// Faults to play with. They act on the running cluster through its seams to links and disks, so what they show is what
/// would happen. Each is documented at the facade's function of the same name (``Cluster``).
struct FaultInjection: Sendable {
  let roster: Roster
  let data: DataPath
  let disk: any Disk
  let events: EventLog

  func pause(_ name: String) throws(ClusterError) {
    let node = try faultyNode(name)
    if data.links.isPaused(node.id) {
      throw .refused(.init("\(name) is paused already", nodes: [name], advice: .resume(name)))
    }
    data.links.pause(node.id)
    events.add(.paused(node: name))
  }

  func resume(_ name: String) throws(ClusterError) {
    let node = try faultyNode(name)
    guard data.links.isPaused(node.id) else { throw .refused("\(name) is not paused") }
    data.links.resume(node.id)
    data.messages.deliverHeld()
    events.add(.resumed(node: name))
  }

  func partition(_ groups: [[String]]) throws(ClusterError) {
    guard groups.count > 1, groups.allSatisfy({ !$0.isEmpty }) else {
      throw .invalidArgument("a partition has two sides at least, and a node on each")
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
        data.links.set(a.id, b.id) { $0.isCut = isCut }
      }
    }
    events.add(.partitioned(groups))
  }

  func slow(_ name: String, byNs delayNs: UInt64) throws(ClusterError) {
    try eachLink(of: name) { $0.delayNs = delayNs }
    events.add(.slowed(node: name, delayNs: delayNs))
  }

  func drop(_ name: String, perMille: Int) throws(ClusterError) {
    guard (0...1_000).contains(perMille) else { throw .invalidArgument("a part is 0 to 100 %") }
    try eachLink(of: name) { $0.lossPerMille = perMille }
    events.add(.lossy(node: name, perMille: perMille))
  }

  private func eachLink(of name: String, _ adjust: (inout Links.Quality) -> Void) throws(ClusterError) {
    let node = try faultyNode(name)
    for other in roster.withState({ state in state.nodes.map(\.id) }) where other != node.id {
      data.links.set(node.id, other, adjust)
      data.links.set(other, node.id, adjust)
    }
  }

  func heal() {
    data.links.heal()
    data.messages.deliverHeld()
    events.add(.linksHealed)
  }

  func corrupt(_ name: String) throws(ClusterError) {
    let node = try faultyNode(name)
    guard let replica = node.replica, let disk = self.disk as? PosixDisk else {
      throw .refused("\(name) does not answer, so there is nothing to damage")
    }
    var place = anyValue(of: replica)
    if place == nil {
      // What was read at the start counts as on the disk from the first sync on, and so does what was written since.
      replica.commit.syncNow()
      place = anyValue(of: replica)
    }
    guard let place else { throw .refused(.init("\(name) keeps no value", nodes: [name], advice: .put)) }
    do throws(StorageError) {
      try disk.flip("\(replica.store.log.folder)/\(LogFormat.segmentName(place.segment))", at: place.offset)
    } catch {
      throw .storage("\(error)")
    }
    events.add(.corrupted(node: name, segment: place.segment, offset: place.offset))
  }

  /// The first byte of some value that is on the node's disk.
  private func anyValue(of replica: Replica) -> LogPosition? {
    let synced = replica.store.log.durable
    let start = Int(Clock.nowNs() % UInt64(Store.partitionCount))
    var found: LogPosition?
    for i in 0..<Store.partitionCount where found == nil {
      let number = (start + i) % Store.partitionCount
      data.partitions.whileServing(replica, number) {
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

  func failSync(_ name: String) throws(ClusterError) {
    let node = try faultyNode(name)
    guard let replica = node.replica, let disk = self.disk as? PosixDisk else {
      throw .refused("\(name) does not answer, so it syncs nothing")
    }
    disk.failNextSync(in: replica.store.log.folder)
    replica.commit.wake()
    events.add(.syncWillFail(node: name))
  }

  private func faultyNode(_ name: String) throws(ClusterError) -> Roster.Node {
    guard let node = roster.node(named: name) else {
      let names = roster.configuration.namesInOrder.joined(separator: ", ")
      throw .refused("no node \(name) in the cluster; its nodes are \(names)")
    }
    return node
  }
}
