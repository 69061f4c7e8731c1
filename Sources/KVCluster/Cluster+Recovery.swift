import Glibc
import Synchronization

/// From a locked folder to a serving cluster.
extension Cluster {
  /// Replays every node's log, several at a time, then serves. Runs on a thread of its own.
  func recover() {
    do throws(ClusterError) {
      let configuration = roster.configuration
      let wanted = configuration.members.filter { !$0.isKilled }
      let lease = highestLease(configuration)
      try checkLease(lease, configuration)
      try noticePowerLoss(configuration)
      replay(wanted, isLeased: lease != nil)
      try serve(configuration, above: lease ?? 0)
    } catch {
      roster.withState { $0.recoveryFailure = error }
      log(.recovery, .failure, error.description)
      recovery.finish()
    }
  }

  /// Data without any lease might see its tags again.
  private func checkLease(_ highest: UInt64?, _ configuration: Configuration) throws(ClusterError) {
    guard highest != nil || !hasRecords(configuration) else {
      throw .dataFolder(
        "\(folder.path) has data but no readable tag lease in any node's folder, so versions could repeat; restore a node's 'lease' file"
      )
    }
  }

  /// If the machine went down while acknowledged writes were in memory only, no node is believed until all owners of a
  /// key have been compared. The nodes are marked before the boot is, so that a crash in between forgets nothing.
  private func noticePowerLoss(_ configuration: Configuration) throws(ClusterError) {
    guard let boot = folder.boot, !options.isEphemeral else { return }
    do throws(StorageError) {
      let found = try BootMark.read(from: folder.disk)
      if found?.isLost(in: boot) ?? false {
        // A full disk must not keep the others from starting: without its mark a node is suspect in this run, and at the
        // next start all are once more.
        let unmarked = configuration.members.map(\.name).filter { name in
          let log = DataFolder.logFolder(name)
          do throws(StorageError) {
            try folder.disk.makeFolder(log)
            try SuspectMark.write(.unsynced, to: folder.disk, folder: log)
            return false
          } catch {
            return true
          }
        }
        suspectsWithoutMark.withLock { $0 = unmarked }
        log(
          .recovery, .warning,
          "the machine stopped while acknowledged writes were not on its disk: no read is answered until the nodes have "
            + "compared their copies; a key may be older than it was, and all nodes agree on it")
        if !unmarked.isEmpty { return }
      }
      // What was left unsynced in this boot stays so until an orderly end, whatever the policy is now.
      let isOpen = options.fsync != .always || found.map { $0.boot == boot && !$0.isSafe } ?? false
      let mark = BootMark(boot: boot, isSafe: !isOpen)
      if found != mark { try mark.write(to: folder.disk) }
    } catch {
      throw .storage("the boot mark could not be read or written: \(error)")
    }
  }

  /// Says that all is on the disk, after an orderly end in which every node was synced.
  func noteOrderlyEnd() {
    guard let boot = folder.boot, !options.isEphemeral else { return }
    try? BootMark(boot: boot, isSafe: true).write(to: folder.disk)
  }

  /// A crash between making the logs and writing the first leases leaves one segment a node, without a record.
  private func hasRecords(_ configuration: Configuration) -> Bool {
    configuration.members.contains { member in
      let folder = DataFolder.logFolder(member.name)
      let names = ((try? self.folder.disk.names(in: folder)) ?? []).filter { LogFormat.segmentID(ofName: $0) != nil }
      guard names.count == 1, let bytes = try? self.folder.disk.read("\(folder)/\(names[0])") else {
        return !names.isEmpty
      }
      return bytes.dropFirst(LogFormat.segmentHeaderBytes).contains { $0 != 0 }
    }
  }

  private func highestLease(_ configuration: Configuration) -> UInt64? {
    let folders = [TagLease.clusterFolder] + configuration.members.map { DataFolder.logFolder($0.name) }
    return folders.compactMap { (try? TagLease.read(from: folder.disk, folder: $0)) ?? nil }.max()
  }

  /// Reads all logs: first where each ends, then, several segments at a time, what is in them.
  private func replay(_ members: [Configuration.Member], isLeased: Bool) {
    let openings = Mutex<[(member: Configuration.Member, opening: StoreOpening)]>([])
    recovery.unitsTotal.store(members.count, ordering: .relaxed)
    parallel(members.count) { i in
      if let opening = self.opening(of: members[i], isLeased: isLeased) {
        openings.withLock { $0.append((members[i], opening)) }
      }
      self.recovery.unitsDone.wrappingAdd(1, ordering: .relaxed)
    }
    let opened = openings.withLock { $0 }
    let units = opened.flatMap { opened in (0..<opened.opening.unitCount).map { (opened.opening, $0) } }
    recovery.unitsTotal.wrappingAdd(units.count, ordering: .relaxed)
    parallel(units.count) { i in
      units[i].0.run(units[i].1)
      self.recovery.unitsDone.wrappingAdd(1, ordering: .relaxed)
    }
    for (member, opening) in opened { finish(member, opening) }
  }

  /// Runs `body` for each number below `count`, on as many threads as there are processors.
  private func parallel(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    if Clock.isVirtual { return (0..<count).forEach(body) }
    let next = Atomic<Int>(0)
    let workers = (0..<min(count, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))).map { _ in
      BackgroundThread("recovery") {
        while true {
          let i = next.wrappingAdd(1, ordering: .relaxed).oldValue
          guard i < count else { return }
          body(i)
        }
      }
    }
    for worker in workers { worker.join() }
  }

  private func opening(of member: Configuration.Member, isLeased: Bool) -> StoreOpening? {
    do throws(StorageError) {
      return try openLog(member.name, isExpected: isLeased)
    } catch {
      fail(member, error)
      return nil
    }
  }

  private func finish(_ member: Configuration.Member, _ opening: StoreOpening) {
    do throws(StorageError) {
      roster.setState(.up, of: member.id, replica: try startReplica(member.id, member.name, opening))
    } catch {
      fail(member, error)
    }
  }

  /// A node whose log cannot be read is shown as failed, and the others go on without it.
  private func fail(_ member: Configuration.Member, _ error: StorageError) {
    roster.setState(.failed(reason: error.description), of: member.id, replica: nil)
    log(.storage, .failure, "\(member.name) stopped: \(error)")
  }

  /// - Parameter isExpected: the node has had a log; if it is gone, so is what the node acknowledged.
  private func openLog(_ name: String, isExpected: Bool) throws(StorageError) -> StoreOpening {
    try StoreOpening(
      disk: folder.disk, folder: DataFolder.logFolder(name),
      identity: LogIdentity(clusterID: roster.configuration.clusterID, node: name), segmentBytes: options.segmentBytes,
      cacheBytes: options.cacheBytes, isExpected: isExpected, mayBeTorn: mayBeTorn(name))
  }

  /// Whether a node's log may end in the middle of what was not synced, for all that its folder says. Where nothing counts
  /// before a sync a kill may tear it; otherwise only a loss of power does, after which nodes are marked as suspect.
  private func mayBeTorn(_ name: String) -> Bool {
    options.fsync.stagesLogs || folder.boot == nil || suspectsWithoutMark.withLock { $0.contains(name) }
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

  private func startReplica(_ id: UInt16, _ name: String, _ opening: StoreOpening) throws(StorageError) -> Replica {
    let store = opening.finish()
    if suspectsWithoutMark.withLock({ $0.contains(name) }) { store.isSuspect = true }
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
      self.log(.storage, .failure, "\(name)'s log is damaged in \(place); nothing was deleted")
    }
    let commit = GroupCommit(log: store.log, node: name, policy: options.fsync) { [weak self] error in
      self?.nodeFailed(id, error)
    }
    commit.answersLatecomers = options.mistake == .answersLatecomers
    return Replica(id: id, name: name, store: store, commit: commit)
  }

  /// What a mistake makes of a store that has just been opened.
  private func plant(_ mistake: PlantedMistake, in store: Store) {
    switch mistake {
    case .amnesiacVotes: store.isSuspect = false
    case .cutsTail: store.forget { $0.tag == store.newestTag }
    case .buriesEarly: store.buriesEarly.store(true, ordering: .relaxed)
    case .suspectsAgree:
      store.agreesAlways.store(true, ordering: .relaxed)
      store.isSuspect = store.isSuspect
    case .leavesSealedUnsynced: store.log.leavesSealedUnsynced.store(true, ordering: .relaxed)
    default: break
    }
  }

  /// A node that was away when ranges moved from it gives them up before it serves again. What it is still asked for it
  /// keeps: partitions may not yet use the newest configuration, and it must not say of what it has dropped that there is
  /// nothing. It gives that up with all others, when the change ends.
  private func dropForeignRanges(_ store: Store, _ id: UInt16) throws(StorageError) {
    let view = partitions.viewInForce
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
    let view = viewNow
    var holdsAny = false
    for partition in 0..<Store.partitionCount where !holdsAny {
      partitions.whileServing(replica, partition) {
        holdsAny = replica.store.holdsAny(partition) { !view.isOwner(replica.id, ofSlot: $0) }
      }
    }
    guard holdsAny else { return }
    var rest = Rest()
    try replica.store.drop(
      view.slotsNotOwned(by: replica.id), sync: { replica.commit.syncNow() },
      withPartition: { number, body in
        partitions.whileServing(replica, number, body)
        // Without rests it took half of the clients' rate for a tenth of a second.
        if !Clock.isVirtual { rest.afterWork(factor: 3) }
      })
  }

  /// Draws the first tag above all that may have been used, lets the nodes answer, and takes up what was unfinished.
  private func serve(_ configuration: Configuration, above lease: UInt64) throws(ClusterError) {
    let replicas = roster.live
    let newest = replicas.map { $0.store.newestTag.counter }.max() ?? 0
    do {
      let first = max(newest, lease) + 1
      try dataPath.tags.start(at: options.mistake == .reusesTags ? max(2, newest) - 1 : first)
    } catch {
      throw .storage("cannot write a tag lease: \(error)")
    }
    for replica in replicas { partitions.add(replica) }
    for replica in replicas { takeRecoveredHints(replica) }
    // Changes asked for from now on wait for the one that was interrupted.
    if configuration.change != nil { changes.lockBlocking() }
    roster.withState { $0.phase = .serving }
    if !isClosing.load(ordering: .acquiring) { dataPath.startServing() }
    announce(replicas)
    // Else caretakers do it, little by little.
    if !isMaintained { for replica in replicas { HintReplay(partitions, links, to: replica).run() } }
    if !Clock.isVirtual { startWorkers(configuration) }
    recovery.finish()
  }

  private func startWorkers(_ configuration: Configuration) {
    spawn("ticker") { $0.tick() }
    spawn("links") { $0.carryMessages() }
    if isMaintained { spawn("maintenance") { $0.maintain() } }
    if configuration.change != nil { resumeChange(configuration) }
  }

  /// Runs the message carrier whenever something is due; sleeps while links are good.
  private func carryMessages() {
    let monitor = Monitor()
    dataPath.messages.setWakeUp { monitor.withLock { monitor.notifyAll() } }
    while !isClosing.load(ordering: .relaxed) {
      dataPath.messages.run()
      let due = min(dataPath.messages.nextDueNs ?? .max, Clock.nowNs() + 100_000_000)
      monitor.withLock { monitor.wait(untilNs: due) }
    }
    dataPath.messages.setWakeUp(nil)
  }

  /// Puts hints found in a node's log where operations keep theirs.
  func takeRecoveredHints(_ holder: Replica) {
    let members = roster.configuration.members
    for hints in holder.store.recoveredHints {
      guard let target = members.first(where: { $0.name == hints.node }) else { continue }
      for (hash, byteCount) in zip(hints.hashes, hints.byteCounts) {
        let partition = partitions[Store.partition(of: hash)]
        let hint = HintQueue.Hint(hash: hash, byteCount: byteCount)
        partition.lock.pointee.withLock {
          _ = HintQueue.add(hint, target: target.id, holder: holder.id, to: &partition.pointee)
        }
      }
    }
    holder.store.recoveredHints = []
  }

  private func announce(_ replicas: [Replica]) {
    let records = replicas.reduce(0) { $0 + $1.store.log.size.recordBytes }
    let ms = (Clock.nowNs() - openedNs) / 1_000_000
    let size = records >= 10 << 20 ? "\(records >> 20) MiB" : "\(records >> 10) KiB"
    let nodes = replicas.count == 1 ? "1 node serves" : "\(replicas.count) nodes serve"
    log(.cluster, .info, "\(nodes); \(size) of log opened in \(ms) ms")
  }

  /// What must be looked at a few times a second: timeouts, disks that lag, the tag lease.
  func tick() {
    var lookedNs = Clock.nowNs()
    while !isClosing.load(ordering: .relaxed) {
      Clock.sleep(ns: Cluster.tickNs)
      tickOnce()
      guard Clock.nowNs() > lookedNs + Cluster.deletionPauseNs else { continue }
      noticeDeletion()
      lookedNs = Clock.nowNs()
    }
    dataPath.holdWritersBack(false)
  }

  static let tickNs: UInt64 = 50_000_000

  /// Whether files were deleted is looked at so often.
  private static let deletionPauseNs: UInt64 = 500_000_000

  /// Stops nodes whose files were deleted under them: what they store would be gone with the program.
  func noticeDeletion() {
    if options.isEphemeral { return }
    let isFolderDeleted = folder.isDeleted
    for replica in roster.live {
      guard let path = isFolderDeleted ? folder.path : replica.store.log.deletedFile else { continue }
      deletedPath.withLock { $0 = $0 ?? path }
      nodeFailed(
        replica.id, .unusable(path: path, reason: "it was deleted while it was open, and with it what was stored there")
      )
    }
  }

  /// What was deleted while it was open, if something was.
  package var deletion: String? { deletedPath.withLock { $0 } }

  func tickOnce() {
    let now = Clock.nowNs()
    let replicas = roster.live
    for replica in replicas where now > options.operationTimeoutNs {
      replica.commit.expire(startedBefore: now - options.operationTimeoutNs)
    }
    // A failure that no sync has met yet: the next one stops the node.
    for replica in replicas where replica.store.log.failure != nil { replica.commit.wake() }
    dataPath.holdWritersBack(replicas.contains { $0.commit.isOverdue(nowNs: now) })
    try? dataPath.tags.extendEarly()
    exchangeHeartbeats(now)
    replaceIfDue(now)
  }

  /// A node's disk failed: it stops answering, visibly, and is not tried again by itself.
  func nodeFailed(_ id: UInt16, _ error: StorageError) {
    let name = roster.name(of: id)
    counters.failedNodes.wrappingAdd(1, ordering: .relaxed)
    let replica = roster.withState { state in state.nodes.first { $0.id == id }?.replica }
    roster.setState(.failed(reason: error.description), of: id, replica: nil)
    if let replica {
      partitions.remove(replica)
      // Pages whose sync failed may be gone from the disk and still be in memory: when it comes back, nothing of it is
      // believed before it has been compared with other owners.
      try? SuspectMark.write(.unsynced, to: folder.disk, folder: replica.store.log.folder)
      // This is its own commit thread, which retiring waits for. A simulation has none, and may hold the node's log.
      if Clock.isVirtual {
        failedReplicas.withLock { $0.append(replica) }
      } else {
        spawn("retire \(name)") { $0.retire(replica) }
      }
    }
    log(
      .storage, .failure,
      "\(name) stopped: \(error). What it holds is on its replicas; `restart \(name)` reads its log again")
  }
}
