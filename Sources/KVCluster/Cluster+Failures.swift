/// Nodes fail and come back, as told.
extension Cluster {
  /// Stops a node as a crash of it would: it stops answering, frees its index and cache and closes its files. What it
  /// acknowledged stays in its log. It stays dead over a restart of the program until ``restart(_:)``.
  /// - Throws: ``ClusterError/refused(_:)`` if there is no such node or it is dead already.
  public func kill(_ name: String) async throws(ClusterError) {
    await lifecycle.lock()
    defer { lifecycle.unlock() }
    let node = try member(name)
    guard node.state != .dead else { throw .refused("\(name) is dead already; `restart \(name)` brings it back") }
    try markKilled(name, true)
    if let replica = node.replica { await onThread("kill \(name)") { self.retire(replica) } }
    roster.setState(.dead, of: node.id, replica: nil)
    partitions.forEach { _, partition in partition.pointee.hints.removeAll { $0.holder == node.id } }
    log(.kill, .warning, "\(name) was killed; the other owners keep hints for it")
  }

  /// Starts a dead node the way a cold start does: it reads its log, serves, and receives what it missed, first from
  /// hints, then by a comparison with the other owners. Returns when it has caught up.
  /// - Throws: ``ClusterError/refused(_:)`` if the node is not down; ``ClusterError/storage(_:)`` if its log is damaged.
  public func restart(_ name: String) async throws(ClusterError) {
    await lifecycle.lock()
    defer { lifecycle.unlock() }
    let node = try member(name)
    guard !node.state.isServing else {
      throw .refused("\(name) is \(node.state.word) already; `kill \(name)` stops it")
    }
    let startedNs = Clock.nowNs()
    roster.setState(.recovering(fraction: 0), of: node.id, replica: nil)
    let replica: Replica
    do throws(StorageError) {
      replica = try await onThread("restart \(name)") { () -> Result<Replica, StorageError> in self.reopen(node) }.get()
    } catch {
      roster.setState(.failed(reason: error.description), of: node.id, replica: nil)
      throw .storage("\(name) cannot start: \(error)")
    }
    do throws(ClusterError) {
      try markKilled(name, false)
    } catch {
      await onThread("kill \(name)") { self.retire(replica) }
      roster.setState(.dead, of: node.id, replica: nil)
      throw error
    }
    let change = roster.configuration.change.flatMap { $0.node == node.id ? $0.kind : nil }
    roster.setState(change == .leave ? .leaving : change == .join ? .joining : .up, of: node.id, replica: replica)
    partitions.add(replica)
    takeRecoveredHints(replica)
    let caughtUp = await onThread("restart \(name)") { () -> String in self.catchUp(replica) }
    log(.restart, .success, "\(name) is back after \((Clock.nowNs() - startedNs) / 1_000_000) ms; \(caughtUp)")
  }

  private func member(_ name: String) throws(ClusterError) -> Roster.Node {
    guard isServing.load(ordering: .acquiring) else { throw .notServing("the cluster does not serve yet") }
    guard let node = roster.node(named: name) else {
      let names = roster.configuration.namesInOrder.joined(separator: ", ")
      throw .refused("no node \(name) in the cluster; its nodes are \(names)")
    }
    return node
  }

  private func markKilled(_ name: String, _ isKilled: Bool) throws(ClusterError) {
    do throws(StorageError) {
      try roster.withState { state throws(StorageError) in
        guard let i = state.configuration.members.firstIndex(where: { $0.name == name }) else { return }
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
      do throws(StorageError) {
        try TagLease.write(coordinator.tags.lease, to: folder.disk, folder: replica.store.log.folder)
      } catch {
        retire(replica)
        throw error
      }
      return .success(replica)
    } catch {
      return .failure(error)
    }
  }

  /// Returns what was done, in words.
  private func catchUp(_ replica: Replica) -> String {
    let hints = HintReplay(partitions: partitions, target: replica).run()
    // It may itself hold hints for others.
    for other in roster.live where other !== replica { _ = HintReplay(partitions: partitions, target: other).run() }
    let sweep = Sweep(.catchUp(replica.id), partitions) { [weak self] in
      self?.isClosing.load(ordering: .relaxed) ?? true
    }
    let sources = roster.live.map(\.id).filter { $0 != replica.id }
    _ = try? sweep.run(sources: sources) { _ in true }
    let compared = sweep.keysCopied.load(ordering: .relaxed)
    return "\(hints.delivered) hints delivered, \(compared) more copies by comparison"
  }

  /// Runs `body` on a thread that may block, and waits for it without holding one.
  func onThread<R: Sendable>(_ name: String, _ body: @escaping @Sendable () -> R) async -> R {
    await withCheckedContinuation { continuation in
      spawn(name) { _ in continuation.resume(returning: body()) }
    }
  }
}
