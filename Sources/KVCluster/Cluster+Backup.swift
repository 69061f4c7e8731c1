/// How far a backup is.
public struct BackupProgress: Sendable, Equatable {
  /// Bytes copied.
  public var bytesDone: Int
  /// Bytes to copy in all.
  public var bytesTotal: Int

  /// The engine tells progress; others make it up to show it.
  public init(bytesDone: Int, bytesTotal: Int) {
    self.bytesDone = bytesDone
    self.bytesTotal = bytesTotal
  }

  /// From 0 to 1.
  public var fraction: Double { min(1, Double(bytesDone) / Double(max(1, bytesTotal))) }

  /// `Copied 12 of 80 MiB`.
  public var text: String { "Copied \(bytesDone >> 20) of \(bytesTotal >> 20) MiB" }
}

/// What a finished backup holds.
public struct BackupSummary: Sendable, Equatable {
  /// Nodes whose logs were copied.
  public var nodes: Int
  /// Bytes of the copied logs.
  public var bytes: Int
}

extension Cluster {
  /// Copies everything to a new folder while reads and writes go on. Opening the copy is restoring it.
  ///
  /// The copy is the cluster of one moment, between two operations: the ends of all logs are taken with every
  /// partition's lock held, which takes microseconds, and a log below its end never changes. Compaction goes on, but
  /// files of segments it empties are not used again before the copy is done. Nodes that are to join, leave, die or come
  /// back wait meanwhile. (Without that, a node that comes back could recycle what is being copied. Links instead of
  /// copies were rejected: the same bytes on the same disk save from little, and segments are written again in place.)
  ///
  /// On the disk, folder and all, on return. Not copied: checkpoints of nodes that are up, so the copy's first start reads
  /// their whole logs.
  /// - Parameters:
  ///   - path: a folder that is empty or not there; made with mode 0700.
  ///   - progress: after every megabyte; false stops.
  /// - Returns: `nil` if it was stopped; nothing is left of the copy then, nor after a failure.
  /// - Throws: ``ClusterError/refused(_:)`` if the folder is not empty or a membership change is under way;
  ///   ``ClusterError/storage(_:)`` if it cannot be written.
  public func backUp(
    to path: String, progress: @escaping @Sendable (BackupProgress) -> Bool = { _ in true }
  ) async throws(ClusterError) -> BackupSummary? {
    await lifecycle.lock()
    defer { lifecycle.unlock() }
    guard isServing else { throw .notServing("the cluster does not serve yet, or no more") }
    guard roster.withState({ $0.move == nil }) else {
      throw .refused("a node is joining or leaving; back up when that is done: `nodes` shows it")
    }
    return try await onThread("backup") { () -> Result<BackupSummary?, ClusterError> in
      Result { () throws(ClusterError) in try self.backUpBlocking(to: path, progress) }
    }.get()
  }

  private func backUpBlocking(
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
    let lease = dataPath.tags.lease
    let atRest = configuration.members.map(\.name).filter { name in !cuts.contains { $0.node == name } }
    let bytes =
      cuts.reduce(0) { $0 + $1.segments.reduce(0) { $0 + $1.end } }
      + atRest.reduce(0) { $0 + BackupTarget.bytesAtRest($1, folder.path) }
    let target = try BackupTarget(path, copying: folder.path, bytesTotal: bytes) { [self] in
      progress($0) && !isClosing.load(ordering: .relaxed)
    }
    return try target.complete(with: configuration) { target throws(BackupTarget.Stop) in
      for cut in cuts { try copy(cut, lease, to: target) }
      do throws(StorageError) {
        try TagLease.write(lease, to: target.disk, folder: TagLease.clusterFolder)
      } catch {
        throw .storage(error)
      }
      for node in atRest { try target.copyLogAtRest(node, from: folder.path, withWitness: false) }
      try target.write(witness(of: cuts, configuration), to: cuts.map(\.node))
    }
  }

  /// What the copy's folders know of each other: the logs as they are in it.
  private func witness(of cuts: [Cut], _ configuration: Configuration) -> Witness {
    var witness = witnesses.copy(without: cuts.map(\.node))
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
    partitions.withAllLocked {
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
    return cuts
  }

  private func failing(_ node: String) -> ClusterError {
    .refused("\(node) is failing just now; back up again when `nodes` shows what it is")
  }

  private func copy(_ cut: Cut, _ lease: UInt64, to target: BackupTarget) throws(BackupTarget.Stop) {
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
      try TagLease.write(lease, to: target.disk, folder: folder)
      try LogManifest(segments: cut.segments.map(\.id)).write(to: target.disk, folder: folder)
    } catch {
      throw .storage(error)
    }
  }
}

extension FolderAtRest {
  /// Copies everything to a new folder, as ``Cluster/backUp(to:progress:)`` does.
  package func backUp(
    to path: String, progress: @escaping (BackupProgress) -> Bool = { _ in true }
  ) throws(ClusterError) -> BackupSummary? {
    guard case .intact(let configuration) = try readConfiguration() else {
      throw .dataFolder("\(self.path) has no readable configuration, and a copy would not open: see `kvstore verify`")
    }
    let names = configuration.namesInOrder
    let bytes = names.reduce(0) { $0 + BackupTarget.bytesAtRest($1, self.path) }
    let target = try BackupTarget(path, copying: self.path, bytesTotal: bytes, progress: progress)
    return try target.complete(with: configuration) { target throws(BackupTarget.Stop) in
      for node in names { try target.copyLogAtRest(node, from: self.path, withWitness: true) }
      do throws(StorageError) {
        if let bytes = try disk.read(Witness.path(Witnesses.clusterFolder)) {
          try target.disk.replace(Witness.path(Witnesses.clusterFolder), with: bytes)
        }
      } catch {
        throw .storage(error)
      }
    }
  }
}

extension BackupTarget {
  /// Fills the folder and finishes it, or leaves nothing. Returns `nil` if it was cancelled.
  fileprivate func complete(
    with configuration: Configuration, _ fill: (BackupTarget) throws(Stop) -> Void
  ) throws(ClusterError) -> BackupSummary? {
    do throws(Stop) {
      try fill(self)
      try finish(configuration)
      return BackupSummary(nodes: configuration.members.count, bytes: bytesDone)
    } catch {
      remove()
      switch error {
      case .cancelled: return nil
      case .storage(let cause): throw .storage("no backup was made: \(cause). Nothing is left of it in \(path)")
      }
    }
  }
}

extension PartitionTable {
  /// Runs `body` between two operations: with every partition's lock held, taken in the order of their numbers. Nobody
  /// else holds more than one.
  fileprivate func withAllLocked(_ body: () -> Void) {
    for number in 0..<Store.partitionCount { self[number].lock.pointee.lock() }
    body()
    for number in 0..<Store.partitionCount { self[number].lock.pointee.unlock() }
  }
}
