/// Nodes fail and come back, as told.
extension Cluster {
  /// Stops a node as a crash of it would: it stops answering, frees its index and cache and closes its files. What it
  /// acknowledged stays in its log. It stays dead over a restart of the program until ``restart(_:)``.
  /// - Throws: ``ClusterError/refused(_:)`` if there is no such node or it is dead already.
  public func kill(_ name: String) async throws(ClusterError) {
    await lifecycle.lock()
    defer { lifecycle.unlock() }
    let node = try beginKilling(name)
    if let replica = node.replica { await onThread("kill \(name)") { self.retire(replica) } }
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
    partitions.forEach { _, partition in partition.pointee.hints.removeAll { $0.holder == node.id } }
    log(.kill, .warning, "\(node.name) was killed; the other owners keep hints for it")
  }

  /// ``kill(_:)`` for a simulation.
  func killNow(_ name: String) throws(ClusterError) {
    let node = try beginKilling(name)
    if let replica = node.replica { retire(replica) }
    finishKilling(node)
  }

  /// Starts a dead node the way a cold start does: it reads its log, serves, and receives what it missed, first from
  /// hints, then by a comparison with the other owners. Returns when it has caught up.
  /// - Throws: ``ClusterError/refused(_:)`` if the node is not down; ``ClusterError/storage(_:)`` if its log is damaged.
  public func restart(_ name: String) async throws(ClusterError) {
    let startedNs = Clock.nowNs()
    await lifecycle.lock()
    let replica: Replica
    do throws(ClusterError) {
      let node = try beginRestarting(name)
      let opened = await onThread("restart \(name)") { self.reopen(node) }
      replica = try finishRestarting(node, opened)
    } catch {
      lifecycle.unlock()
      throw error
    }
    lifecycle.unlock()
    let caughtUp = await onThread("restart \(name)") { () -> String in
      let catchUp = CatchUp(replica, self)
      catchUp.run { self.isClosing.load(ordering: .relaxed) }
      return catchUp.summary
    }
    log(.restart, .success, "\(name) is back after \((Clock.nowNs() - startedNs) / 1_000_000) ms; \(caughtUp)")
  }

  /// ``restart(_:)`` for a simulation: the node answers, and catches up as the steps of what is returned.
  func restartNow(_ name: String) throws(ClusterError) -> CatchUp {
    let node = try beginRestarting(name)
    return CatchUp(try finishRestarting(node, reopen(node)), self)
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
      retire(replica)
      roster.setState(.dead, of: node.id, replica: nil)
      throw error
    }
    roster.setState(roster.configuration.change?.state(of: node.id) ?? .up, of: node.id, replica: replica)
    writeWitnesses()
    partitions.add(replica)
    dataPath.messages.nodeStarted(node.id)
    takeRecoveredHints(replica)
    return replica
  }

  private func member(_ name: String) throws(ClusterError) -> Roster.Node {
    guard isServing else { throw .notServing("the cluster does not serve yet") }
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
      let replica = try openReplica(node.id, node.name, isExpected: true) { fraction in
        roster.setState(.recovering(fraction: fraction), of: node.id, replica: nil)
      }
      try? TagLease.write(dataPath.tags.lease, to: folder.disk, folder: replica.store.log.folder)
      return .success(replica)
    } catch {
      return .failure(error)
    }
  }

  /// Runs `body` on a thread that may block, and waits for it without holding one.
  func onThread<R: Sendable>(_ name: String, _ body: @escaping @Sendable () -> R) async -> R {
    await withCheckedContinuation { continuation in
      spawn(name) { _ in continuation.resume(returning: body()) }
    }
  }
}

/// Brings a node that is back up to date: hints for it, hints it kept for others, then a comparison of all its keys with
/// the other owners.
final class CatchUp {
  private let replica: Replica
  private unowned let cluster: Cluster
  private let own: HintReplay
  private var others: [HintReplay]
  private var sweep: Sweep?

  init(_ replica: Replica, _ cluster: Cluster) {
    self.replica = replica
    self.cluster = cluster
    own = HintReplay(cluster.partitions, cluster.links, to: replica)
    others = cluster.roster.live.filter { $0 !== replica }.map { HintReplay(cluster.partitions, cluster.links, to: $0) }
  }

  func step() -> Pace {
    if own.step() { return .again }
    if let other = others.last {
      if !other.step() { others.removeLast() }
      return .again
    }
    let sweep =
      self.sweep
      ?? Sweep(
        .catchUp(replica.id), cluster.partitions, cluster.links,
        sources: cluster.roster.live.map(\.id).filter { $0 != replica.id })
    self.sweep = sweep
    // A copy that cannot be made now is made when replicas are compared again.
    return (try? sweep.step()) == .more ? .again : .done
  }

  func run(isCancelled: () -> Bool) {
    var rest = Rest()
    while step() == .again, !isCancelled() { rest.afterWork(factor: 7) }
  }

  /// What was done, in words.
  var summary: String {
    "\(own.delivered) hints delivered, \(sweep?.keysCopied.load(ordering: .relaxed) ?? 0) more copies by comparison"
  }
}
