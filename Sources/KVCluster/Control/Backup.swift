/// Backups while reads and writes go on.
///
/// A copy is the cluster of one moment, between two operations: the ends of all logs are taken with every partition's lock
/// held, which takes microseconds, and a log below its end never changes. Compaction goes on, but files of segments it
/// empties are not used again before the copy is done. Nodes that are to join, leave, die or come back wait meanwhile.
/// (Without that, a node that comes back could recycle what is being copied. Links instead of copies were rejected: the
/// same bytes on the same disk save from little, and segments are written again in place.)
struct Backup: Sendable {
  let folder: DataFolder
  let roster: Roster
  let data: DataPath
  let nodes: NodeLifecycle
  let executor: any Executor
  let lifespan: Lifespan

  /// See ``Cluster/backUp(to:progress:)``.
  func run(
    to path: String, progress: @escaping @Sendable (BackupProgress) -> Bool
  ) async throws(ClusterError) -> BackupSummary? {
    await nodes.lock.lock()
    defer { nodes.lock.unlock() }
    guard data.isServing else { throw .notServing("the cluster does not serve yet, or no more") }
    guard roster.withState({ $0.move == nil }) else {
      throw .refused(.init("a node is joining or leaving; back up when that is done", advice: .listNodes))
    }
    return try await executor.result("backup") { () throws(ClusterError) in try copy(to: path, progress) }
  }

  private func copy(
    to path: String, _ progress: @escaping @Sendable (BackupProgress) -> Bool
  ) throws(ClusterError) -> BackupSummary? {
    let configuration = roster.configuration
    let replicas = roster.live
    for replica in replicas { replica.store.log.hold() }
    defer { for replica in replicas { replica.store.log.unhold() } }
    let cuts = try cut(replicas)
    // What is copied is the files, and under `always` they have what has been synced.
    for replica in replicas { replica.commit.syncNow() }
    if let failed = replicas.first(where: { $0.store.log.failure != nil }) { throw failing(failed.name) }
    let lease = data.leases.current
    let atRest = configuration.members.map(\.name).filter { name in !cuts.contains { $0.node == name } }
    let bytes =
      cuts.reduce(0) { $0 + $1.segments.reduce(0) { $0 + $1.end } }
      + atRest.reduce(0) { $0 + BackupTarget.bytesAtRest($1, folder.path) }
    let target = try BackupTarget(path, copying: folder.path, bytesTotal: bytes) { [self] in
      progress($0) && !lifespan.isClosing
    }
    return try target.complete(with: configuration) { target throws(BackupTarget.Stop) in
      for cut in cuts { try copy(cut, lease, to: target) }
      do throws(StorageError) {
        try lease.write(to: target.disk, folder: TagLease.clusterFolder)
      } catch {
        throw .storage(error)
      }
      for node in atRest { try target.copyLogAtRest(node, from: folder.path, withWitness: false) }
      try target.write(witness(of: cuts, configuration), to: cuts.map(\.node))
    }
  }

  /// What the copy's folders know of each other: the logs as they are in it.
  private func witness(of cuts: [Cut], _ configuration: Configuration) -> Witness {
    var witness = nodes.witnesses.copy(without: cuts.map(\.node))
    witness.note(configuration)
    for cut in cuts { witness.note(cut.node, synced: cut.end, written: cut.end, cut.suspicion) }
    return witness
  }

  /// One node's log at the moment of the backup.
  private struct Cut {
    var node: String
    var segments: [(id: UInt64, end: Int)]
    var suspicion: SuspectMark.Cause?
    /// Where the log ends.
    var end: LogPosition
  }

  private func cut(_ replicas: [Replica]) throws(ClusterError) -> [Cut] {
    var cuts: [Cut] = []
    var failed: String?
    var isUnfinished = false
    data.partitions.withAllLocked {
      isUnfinished = data.batches.hasUnfinished
      for replica in replicas {
        let log = replica.store.log
        let (end, all) = log.segmentsNow
        let segments = all.map { (id: $0.id, end: $0.end) }
        if segments.isEmpty || log.failure != nil { failed = replica.name }
        let suspicion = !replica.store.isSuspect ? nil : replica.store.hasLost ? SuspectMark.Cause.lost : .unsynced
        cuts.append(Cut(node: replica.name, segments: segments, suspicion: suspicion, end: end))
      }
    }
    if let failed { throw failing(failed) }
    if isUnfinished {
      throw .refused(
        "a batch of keys is not at all their owners yet, and the copy would have half of it; back up in a moment")
    }
    return cuts
  }

  private func failing(_ node: String) -> ClusterError {
    .refused(.init("\(node) is failing just now; back up again when it has failed", nodes: [node], advice: .listNodes))
  }

  private func copy(_ cut: Cut, _ lease: TagLease, to target: BackupTarget) throws(BackupTarget.Stop) {
    let folder = DataFolder.logFolder(cut.node)
    try target.makeFolder(folder)
    for segment in cut.segments {
      let name = "\(folder)/\(LogFormat.segmentName(segment.id))"
      // A segment always has room for its seal. Whole pages, as the engine makes them.
      let length = segment.id == cut.segments.last?.id ? (segment.end + LogFormat.sealBytes + 4_095) & ~4_095 : 0
      try target.copy("\(self.folder.path)/\(name)", to: name, byteCount: segment.end, length: length)
    }
    do throws(StorageError) {
      if let cause = cut.suspicion { try SuspectMark.write(cause, to: target.disk, folder: folder) }
      try lease.write(to: target.disk, folder: folder)
      try LogManifest(segments: cut.segments.map(\.id)).write(to: target.disk, folder: folder)
    } catch {
      throw .storage(error)
    }
  }
}

extension PartitionTable {
  /// Runs `body` between two operations: with every partition's lock held, taken in the order of their numbers, as
  /// batches take theirs. Nobody else holds more than one.
  fileprivate func withAllLocked(_ body: () -> Void) {
    for number in 0..<Store.partitionCount { self[number].lock.pointee.lock() }
    body()
    for number in 0..<Store.partitionCount { self[number].lock.pointee.unlock() }
  }
}
