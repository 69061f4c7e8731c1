/// Kills nodes and starts them again, as told.
package struct NodeControl: Sendable {
  let folder: DataFolder
  let roster: Roster
  let data: DataPath
  let nodes: NodeLifecycle
  let events: EventLog
  let executor: any Executor
  let lifespan: Lifespan

  /// Stops a node as a crash of it would: it stops answering, frees its index and cache and closes its files. What it
  /// acknowledged stays in its log. It stays dead over a restart of the program until ``restart(_:)``.
  /// - Throws: ``ClusterError/refused(_:)`` if there is no such node or it is dead already.
  func kill(_ name: String) async throws(ClusterError) {
    await nodes.lock.lock()
    defer { nodes.lock.unlock() }
    let node = try beginKilling(name)
    if let replica = node.replica { await executor.result("kill \(name)") { self.nodes.retire(replica) } }
    finishKilling(node)
  }

  private func beginKilling(_ name: String) throws(ClusterError) -> Roster.Node {
    let node = try member(name)
    guard node.state != .dead else { throw .refused("\(name) is dead already; `restart \(name)` brings it back") }
    try markKilled(name, true)
    return node
  }

  private func finishKilling(_ node: Roster.Node) {
    roster.setState(.dead, of: node.id, replica: nil)
    data.partitions.forEach { _, partition in partition.pointee.hints.removeAll { $0.holder == node.id } }
    events.add(.kill, .warning, "\(node.name) was killed; the other owners keep hints for it")
  }

  /// ``kill(_:)`` for a simulation.
  package func killNow(_ name: String) throws(ClusterError) {
    let node = try beginKilling(name)
    if let replica = node.replica { nodes.retire(replica) }
    finishKilling(node)
  }

  /// Starts a dead node the way a cold start does: it reads its log, serves, and receives what it missed, first from
  /// hints, then by a comparison with the other owners. Returns when it has caught up.
  /// - Throws: ``ClusterError/refused(_:)`` if the node is not down; ``ClusterError/storage(_:)`` if its log is damaged.
  func restart(_ name: String) async throws(ClusterError) {
    let startedNs = Clock.nowNs()
    await nodes.lock.lock()
    let replica: Replica
    do throws(ClusterError) {
      let node = try beginRestarting(name)
      let opened = await executor.result("restart \(name)") { self.reopen(node) }
      replica = try finishRestarting(node, opened)
    } catch {
      nodes.lock.unlock()
      throw error
    }
    nodes.lock.unlock()
    let caughtUp = await executor.result("restart \(name)") { () -> String in
      let catchUp = CatchUp(replica, self.roster, self.data)
      catchUp.run(resting: Rest(self.executor)) { self.lifespan.isClosing }
      return catchUp.summary
    }
    events.add(.restart, .success, "\(name) is back after \((Clock.nowNs() - startedNs) / 1_000_000) ms; \(caughtUp)")
  }

  /// ``restart(_:)`` for a simulation: the node answers, and catches up as the steps of what is returned.
  package func restartNow(_ name: String) throws(ClusterError) -> CatchUp {
    let node = try beginRestarting(name)
    return CatchUp(try finishRestarting(node, reopen(node)), roster, data)
  }

  private func beginRestarting(_ name: String) throws(ClusterError) -> Roster.Node {
    let node = try member(name)
    guard !node.state.isServing else {
      throw .refused("\(name) is \(node.state.word) already; `kill \(name)` stops it")
    }
    roster.setState(.recovering(fraction: 0), of: node.id, replica: nil)
    return node
  }

  private func finishRestarting(
    _ node: Roster.Node, _ opened: Result<Replica, StorageError>
  ) throws(ClusterError) -> Replica {
    let replica: Replica
    do throws(StorageError) {
      replica = try opened.get()
    } catch {
      roster.setState(.failed(reason: error.description), of: node.id, replica: nil)
      throw .storage("\(node.name) cannot start: \(error)")
    }
    do throws(ClusterError) {
      try markKilled(node.name, false)
    } catch {
      nodes.retire(replica)
      roster.setState(.dead, of: node.id, replica: nil)
      throw error
    }
    roster.setState(roster.configuration.change?.state(of: node.id) ?? .up, of: node.id, replica: replica)
    data.partitions.add(replica)
    data.messages.nodeStarted(node.id)
    nodes.takeRecoveredHints(replica)
    return replica
  }

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

  private func reopen(_ node: Roster.Node) -> Result<Replica, StorageError> {
    do throws(StorageError) {
      let replica = try nodes.openReplica(node.id, node.name, isExpected: true) { fraction in
        roster.setState(.recovering(fraction: fraction), of: node.id, replica: nil)
      }
      try? TagLease.write(data.tags.lease, to: folder.disk, folder: replica.store.log.folder)
      return .success(replica)
    } catch {
      return .failure(error)
    }
  }
}
