/// Kills nodes and starts them again, as told.
package struct NodeControl: Sendable {
  let folder: DataFolder
  let roster: Roster
  let data: DataPath
  let nodes: NodeLifecycle
  let events: EventLog
  let executor: any Executor
  let lifespan: Lifespan

  /// See ``Cluster/kill(_:)``.
  func kill(_ name: String) async throws(ClusterError) {
    await nodes.lock.lock()
    defer { nodes.lock.unlock() }
    try await executor.result("kill \(name)") { () throws(ClusterError) in try stop(name) }
  }

  /// Kills a node. Blocks.
  package func stop(_ name: String) throws(ClusterError) {
    let node = try member(name)
    guard node.state != .dead else {
      throw .refused(.init("\(name) is dead already", nodes: [name], advice: .restart(name)))
    }
    try markKilled(name, true)
    if let replica = node.replica { nodes.retire(replica) }
    roster.setState(.dead, of: node.id, replica: nil)
    data.partitions.forEach { _, partition in partition.pointee.hints.removeAll { $0.holder == node.id } }
    events.add(.killed(node: node.name))
  }

  /// See ``Cluster/restart(_:)``.
  func restart(_ name: String) async throws(ClusterError) {
    let startedNs = Clock.nowNs()
    await nodes.lock.lock()
    let replica: Replica
    do throws(ClusterError) {
      replica = try await executor.result("restart \(name)") { () throws(ClusterError) in try start(name) }
    } catch {
      nodes.lock.unlock()
      throw error
    }
    nodes.lock.unlock()
    let caughtUp = await executor.result("restart \(name)") {
      let catchUp = catchUp(of: replica)
      catchUp.run(resting: Rest(executor)) { lifespan.isClosing }
      return (catchUp.hintsDelivered, catchUp.copiesRepaired)
    }
    events.add(
      .restarted(
        node: name, ms: Int(Clock.nowNs() - startedNs) / 1_000_000, hintsDelivered: caughtUp.0,
        copiesRepaired: caughtUp.1))
  }

  /// Starts a node that is down: it answers on return, and has yet to catch up. Blocks.
  package func start(_ name: String) throws(ClusterError) -> Replica {
    let node = try member(name)
    guard !node.state.isServing else {
      throw .refused(.init("\(name) is \(node.state.word) already", nodes: [name], advice: .kill(name)))
    }
    roster.setState(.recovering(fraction: 0), of: node.id, replica: nil)
    let replica = try reopen(node)
    do throws(ClusterError) {
      try markKilled(name, false)
    } catch {
      nodes.retire(replica)
      roster.setState(.dead, of: node.id, replica: nil)
      throw error
    }
    roster.setState(roster.configuration.change?.state(of: node.id) ?? .up, of: node.id, replica: replica)
    nodes.writeWitnesses()
    data.partitions.add(replica)
    data.messages.nodeStarted(node.id)
    nodes.takeRecoveredHints(replica)
    return replica
  }

  /// What a node that was down has to catch up with.
  package func catchUp(of replica: Replica) -> CatchUp { CatchUp(replica, roster, data) }

  private func member(_ name: String) throws(ClusterError) -> Roster.Node {
    guard data.isServing else { throw .notServing("the cluster does not serve yet") }
    guard let node = roster.node(named: name) else {
      let names = roster.configuration.namesInOrder.joined(separator: ", ")
      throw .refused("no node \(name) in the cluster; its nodes are \(names)")
    }
    return node
  }

  private func markKilled(_ name: String, _ isKilled: Bool) throws(ClusterError) {
    do throws(StorageError) {
      try roster.withState { state throws(StorageError) in
        guard let i = state.configuration.members.firstIndex(where: { $0.name == name }),
          state.configuration.members[i].isKilled != isKilled
        else { return }
        var next = state.configuration
        next.members[i].isKilled = isKilled
        try folder.write(next)
        state.configuration = next
      }
    } catch {
      throw .storage("the configuration could not be written: \(error). \(name) is as it was")
    }
  }

  private func reopen(_ node: Roster.Node) throws(ClusterError) -> Replica {
    do throws(StorageError) {
      let replica = try nodes.openReplica(node.id, node.name, isExpected: true) { fraction in
        roster.setState(.recovering(fraction: fraction), of: node.id, replica: nil)
      }
      try? data.leases.current.write(to: folder.disk, folder: replica.store.log.folder)
      return replica
    } catch {
      roster.setCannotStart(node.id, error)
      throw .storage("\(node.name) cannot start: \(error)")
    }
  }
}
