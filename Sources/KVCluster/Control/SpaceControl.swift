/// Compaction at once, on request.
struct SpaceControl: Sendable {
  let roster: Roster
  let executor: any Executor
  let lifespan: Lifespan

  /// See ``Cluster/compact(_:)``.
  func compact(_ name: String?) async throws(ClusterError) -> CompactionSummary {
    let replicas = try replicas(name)
    return await executor.result("compact") { compact(replicas) }
  }

  private func replicas(_ name: String?) throws(ClusterError) -> [Replica] {
    guard let name else {
      let live = roster.live
      guard !live.isEmpty else { throw .refused(.init("no node is up", advice: .listNodes)) }
      return live
    }
    guard let node = roster.node(named: name) else {
      throw .refused(.init("no node \(name) in the cluster", advice: .listNodes))
    }
    guard let replica = node.replica else {
      throw .refused(
        .init("\(name) is \(node.state.word); start it first", nodes: [name], advice: roster.repair(of: name)))
    }
    return [replica]
  }

  /// The thread that looks after the nodes does the work: two that move the records of one log would meet.
  private func compact(_ replicas: [Replica]) -> CompactionSummary {
    let before = replicas.reduce(0) { $0 + $1.store.log.fileBytes }
    for replica in replicas { replica.wantsCompaction.store(true, ordering: .releasing) }
    while replicas.contains(where: isAtWork), !lifespan.isClosing { lifespan.sleep(ns: NodeMaintenance.pauseNs) }
    let after = replicas.reduce(0) { $0 + $1.store.log.fileBytes }
    return CompactionSummary(nodes: replicas.count, bytesBefore: before, bytesAfter: after)
  }

  private func isAtWork(_ replica: Replica) -> Bool {
    replica.wantsCompaction.load(ordering: .acquiring) && !replica.isRetired.load(ordering: .acquiring)
  }
}
