import Synchronization

/// Starts nodes and takes them out of service: opens a node's log, lets the node answer, and stops it when it is killed,
/// when its disk fails or when its files are deleted.
package final class NodeLifecycle: Sendable {
  let options: ClusterOptions
  let folder: DataFolder
  let roster: Roster
  private let data: DataPath
  private let events: EventLog
  private let counters: ClusterCounters
  private let executor: any Executor
  private let provisioner: Provisioner?
  /// What the folders know of each other.
  let witnesses: Witnesses
  /// Held while a node is started or stopped: one at a time.
  let lock = AsyncLock()
  /// Nodes that may have lost writes, and whose disks did not take the mark that says so.
  let unmarkedSuspects = Mutex<[String]>([])
  private let deleted = Mutex<String?>(nil)

  init(
    _ options: ClusterOptions, _ folder: DataFolder, _ roster: Roster, _ data: DataPath, _ events: EventLog,
    _ counters: ClusterCounters, _ executor: any Executor, _ witnesses: Witnesses
  ) {
    self.options = options
    self.witnesses = witnesses
    self.folder = folder
    self.roster = roster
    self.data = data
    self.events = events
    self.counters = counters
    self.executor = executor
    provisioner = Provisioner(executor)
  }

  /// No room is made ahead of writers any more.
  func stopProvisioning() { provisioner?.stop() }

  // MARK: - Start

  /// - Parameter isExpected: the node has had a log; if it is gone, so is what the node acknowledged.
  func openLog(_ name: String, isExpected: Bool) throws(StorageError) -> StoreOpening {
    let known = try known(of: name, isLeased: isExpected)
    let opening = try StoreOpening(
      disk: folder.disk, folder: DataFolder.logFolder(name),
      identity: LogIdentity(clusterID: roster.configuration.clusterID, node: name), segmentBytes: options.segmentBytes,
      cacheBytes: options.cacheBytes, isExpected: known.isExpected, mayHaveLostPower: mayHaveLostPower(name),
      known: known.end)
    opening.checkpoint?.keepsSlots = options.mistake == .keepsSlots
    return opening
  }

  /// Whether a loss of power may have taken what was not synced, for all that the node's folder says: after one nodes are
  /// marked as suspect.
  func mayHaveLostPower(_ name: String) -> Bool {
    folder.boot == nil || unmarkedSuspects.withLock { $0.contains(name) }
  }

  /// The code of a cold start, for one node: reads its log and starts its commit thread.
  func openReplica(
    _ id: UInt16, _ name: String, isExpected: Bool, progress: (Double) -> Void = { _ in }
  ) throws(StorageError) -> Replica {
    let opening = try openLog(name, isExpected: isExpected)
    for unit in 0..<opening.unitCount {
      opening.run(unit)
      progress(Double(unit + 1) / Double(opening.unitCount))
    }
    return try startReplica(id, name, opening)
  }

  func startReplica(_ id: UInt16, _ name: String, _ opening: StoreOpening) throws(StorageError) -> Replica {
    let store = try opening.finish()
    if unmarkedSuspects.withLock({ $0.contains(name) }) {
      store.isSuspect = true
      store.hasLost = store.hasLost || witnesses.log(name)?.suspicion == .lost
    }
    witnesses.update { $0.reopen(name, end: store.log.written) }
    // Nothing goes into a damaged segment any more: it may have to be kept as it is.
    if store.log.isTailDamaged { try? store.log.sealTail() }
    store.mendOrder()
    if let mistake = options.mistake { plant(mistake, in: store) }
    if let provisioner { store.log.setRoomRequest { log in provisioner.request(log) } }
    do throws(StorageError) {
      try dropForeignRanges(store, id)
    } catch {
      store.log.close()
      throw error
    }
    for place in store.damage.places {
      events.add(.logDamaged(node: name, segment: place.segment, bytes: place.range, reason: place.reason))
    }
    let commit = GroupCommit(log: store.log, node: name, policy: options.fsync, executor: executor) {
      [weak self] error in
      self?.fail(id, error)
    }
    commit.answersLatecomers = options.mistake == .answersLatecomers
    return Replica(id: id, name: name, store: store, commit: commit)
  }

  /// What a mistake makes of a store that has just been opened.
  private func plant(_ mistake: PlantedMistake, in store: Store) {
    switch mistake {
    case .amnesiacVotes: store.isSuspect = false
    case .cutsTail: store.forget { $0.tag == store.newestTag }
    case .suspectsAgree:
      store.agreesAlways.store(true, ordering: .relaxed)
      store.isSuspect = store.isSuspect
    case .buriesEarly: store.buriesEarly.store(true, ordering: .relaxed)
    case .leavesSealedUnsynced: store.log.leavesSealedUnsynced.store(true, ordering: .relaxed)
    default: break
    }
  }

  /// A node that was away when ranges moved from it gives them up before it serves again. What it is still asked for it
  /// keeps: partitions may not yet use the newest configuration, and it must not say of what it has dropped that there is
  /// nothing. It gives that up with all others, when the change ends.
  private func dropForeignRanges(_ store: Store, _ id: UInt16) throws(StorageError) {
    let view = data.partitions.viewInForce
    var holdsAny = false
    for partition in 0..<Store.partitionCount where !holdsAny {
      holdsAny = store.holdsAny(partition) { !view.isOwner(id, ofSlot: $0) }
    }
    guard holdsAny else { return }
    try store.drop(
      view.slotsNotOwned(by: id), sync: { () throws(StorageError) in try store.log.sync() },
      withPartition: { _, body in body() })
  }

  /// ``dropForeignRanges(_:_:)`` for a node that serves.
  func dropForeignRanges(of replica: Replica) throws(StorageError) {
    let view = data.view(of: roster.configuration)
    var holdsAny = false
    for partition in 0..<Store.partitionCount where !holdsAny {
      data.partitions.whileServing(replica, partition) {
        holdsAny = replica.store.holdsAny(partition) { !view.isOwner(replica.id, ofSlot: $0) }
      }
    }
    guard holdsAny else { return }
    var rest = Rest(executor)
    try replica.store.drop(
      view.slotsNotOwned(by: replica.id), sync: { replica.commit.syncNow() },
      withPartition: { number, body in
        data.partitions.whileServing(replica, number, body)
        // Without rests it took half of the clients' rate for a tenth of a second.
        rest.afterWork(factor: 3)
      })
  }

  /// Puts hints found in a node's log where operations keep theirs.
  func takeRecoveredHints(_ holder: Replica) {
    let members = roster.configuration.members
    for hints in holder.store.recoveredHints {
      guard let target = members.first(where: { $0.name == hints.node }) else { continue }
      for (hash, byteCount) in zip(hints.hashes, hints.byteCounts) {
        let partition = data.partitions[Store.partition(of: hash)]
        let hint = HintQueue.Hint(hash: hash, byteCount: byteCount)
        partition.lock.pointee.withLock {
          _ = HintQueue.add(hint, target: target.id, holder: holder.id, to: &partition.pointee)
        }
      }
    }
    holder.store.recoveredHints = []
  }

  // MARK: - Stop

  /// Takes a node out of service: it answers no more, its thread ends, its files are closed. A second call does nothing.
  /// Not to be called from the node's own commit thread.
  package func retire(_ replica: Replica, syncing: Bool = false) {
    guard !replica.isRetired.exchange(true, ordering: .acquiringAndReleasing) else { return }
    data.partitions.remove(replica)
    replica.commit.stop(syncing: syncing)
    note(replica)
    replica.close()
  }

  /// Makes durable, in its own folder and in those of the others, that nothing the node has is to be believed before it was
  /// compared with other owners.
  private func distrust(_ replica: Replica) {
    if options.mistake == .forgetsFailedSync { return }
    replica.store.isSuspect = true
    note(replica)
    do throws(StorageError) {
      try SuspectMark.write(.unsynced, to: folder.disk, folder: replica.store.log.folder)
    } catch {
      unmarkedSuspects.withLock { $0.append(replica.name) }
    }
    if options.isEphemeral { return }
    witnesses.write(to: roster.live.filter { $0 !== replica }.map(\.store.log.folder))
  }

  /// A node's disk failed: it stops answering, visibly, and is not tried again by itself.
  func fail(_ id: UInt16, _ error: StorageError) {
    let name = roster.name(of: id)
    counters.failedNodes.wrappingAdd(1, ordering: .relaxed)
    let replica = roster.withState { state in state.nodes.first { $0.id == id }?.replica }
    if let replica {
      if replica.hasFailed.exchange(true, ordering: .acquiringAndReleasing) { return }
      data.partitions.remove(replica)
      // Pages whose sync failed may be gone from the disk and still be in memory: when it comes back, nothing of it is
      // believed before it has been compared with other owners. Nobody hears of the failure before that is on a disk.
      distrust(replica)
    }
    roster.setState(.failed(reason: error.description), of: id, replica: nil)
    if let replica {
      // This may be its own commit thread, which retiring waits for.
      executor.run("retire \(name)") { self.retire(replica) }
    }
    events.add(.nodeFailed(node: name, reason: error.description))
  }

  /// Stops nodes whose files were deleted under them: what they store would be gone with the program.
  func noticeDeletion() {
    if options.isEphemeral { return }
    let isFolderDeleted = folder.isDeleted
    for replica in roster.live {
      guard let path = isFolderDeleted ? folder.path : replica.store.log.deletedFile else { continue }
      deleted.withLock { $0 = $0 ?? path }
      fail(
        replica.id, .unusable(path: path, reason: "it was deleted while it was open, and with it what was stored there")
      )
    }
  }

  /// What was deleted while it was open, if something was.
  package var deletion: String? { deleted.withLock { $0 } }

  // MARK: - Checkpoints

  /// Writes a node's index to its folder, unless the node keeps hints, which are found only by reading the log, or is
  /// suspect: with a checkpoint the next start would not read the log, and not see what is missing there.
  func writeCheckpoint(_ replica: Replica) {
    if replica.store.isSuspect { return }
    var hasHints = false
    data.partitions.forEach { _, partition in
      hasHints = hasHints || partition.pointee.hints.contains { $0.holder == replica.id && !$0.hints.isEmpty }
    }
    if hasHints || replica.store.isDisordered.load(ordering: .relaxed) { return }
    replica.whileOpen {
      do throws(StorageError) {
        try Checkpoint.write(
          replica.store,
          sync: { () throws(StorageError) in
            replica.commit.syncNow()
            if let failure = replica.store.log.failure { throw failure }
          },
          withPartition: { number, body in data.partitions.whileServing(replica, number, body) })
      } catch {
        events.add(.checkpointFailed(node: replica.name, reason: error.description))
      }
    }
  }
}
