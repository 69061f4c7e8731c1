import Synchronization

/// From a locked folder to nodes that answer: replays every node's log, several at a time.
struct ClusterRecovery: Sendable {
  let options: ClusterOptions
  let folder: DataFolder
  let roster: Roster
  let data: DataPath
  let nodes: NodeLifecycle
  let events: EventLog
  let executor: any Executor
  let lifespan: Lifespan

  /// Blocks until all nodes that can be started have been.
  func run() throws(ClusterError) {
    let configuration = roster.configuration
    let wanted = configuration.members.filter { !$0.isKilled }
    let lease = try highestLease(configuration)
    try checkLease(lease, configuration)
    try noticePowerLoss(configuration)
    replay(wanted, isLeased: lease != nil)
    try attach(above: lease ?? TagLease(tagsBelow: 0))
  }

  /// Data without any lease might see its tags again.
  private func checkLease(_ highest: TagLease?, _ configuration: Configuration) throws(ClusterError) {
    guard highest != nil || !hasRecords(configuration) else {
      throw .dataFolder(
        .init(
          "\(folder.path) has data but no readable tag lease in any node's folder, so versions could repeat; put the newest "
            + "'lease' file of any node back"))
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
        nodes.unmarkedSuspects.withLock { $0 = unmarked }
        events.add(.unsyncedWritesLost)
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

  /// - Throws: none can be read, and the system does not let one be opened: that is no loss.
  private func highestLease(_ configuration: Configuration) throws(ClusterError) -> TagLease? {
    let folders = [TagLease.clusterFolder] + configuration.members.map { DataFolder.logFolder($0.name) }
    var highest: TagLease?
    var refusal: StorageError?
    for folder in folders {
      do throws(StorageError) {
        guard let lease = try TagLease.read(from: self.folder.disk, folder: folder) else { continue }
        highest = TagLease(
          tagsBelow: max(highest?.tagsBelow ?? 0, lease.tagsBelow),
          expiredBy: max(highest?.expiredBy ?? 0, lease.expiredBy))
      } catch {
        if error.isRefusal { refusal = error }
      }
    }
    if highest == nil, let refusal { throw .dataFolder(.init(refusal.description)) }
    return highest
  }

  /// Reads all logs: first where each ends, then, several segments at a time, what is in them.
  private func replay(_ members: [Configuration.Member], isLeased: Bool) {
    let openings = Mutex<[(member: Configuration.Member, opening: StoreOpening)]>([])
    lifespan.unitsTotal.store(members.count, ordering: .relaxed)
    executor.forEach("recovery", below: members.count) { i in
      if let opening = self.opening(of: members[i], isLeased: isLeased) {
        openings.withLock { $0.append((members[i], opening)) }
      }
      self.lifespan.unitsDone.wrappingAdd(1, ordering: .relaxed)
    }
    let opened = openings.withLock { $0 }
    let units = opened.flatMap { opened in (0..<opened.opening.unitCount).map { (opened.opening, $0) } }
    lifespan.unitsTotal.wrappingAdd(units.count, ordering: .relaxed)
    executor.forEach("recovery", below: units.count) { i in
      units[i].0.run(units[i].1)
      self.lifespan.unitsDone.wrappingAdd(1, ordering: .relaxed)
    }
    for (member, opening) in opened { finish(member, opening) }
  }

  private func opening(of member: Configuration.Member, isLeased: Bool) -> StoreOpening? {
    do throws(StorageError) {
      return try nodes.openLog(member.name, isExpected: isLeased)
    } catch {
      fail(member, error)
      return nil
    }
  }

  private func finish(_ member: Configuration.Member, _ opening: StoreOpening) {
    do throws(StorageError) {
      roster.setState(.up, of: member.id, replica: try nodes.startReplica(member.id, member.name, opening))
    } catch {
      fail(member, error)
    }
  }

  /// A node whose log cannot be read is shown as failed, and the others go on without it.
  private func fail(_ member: Configuration.Member, _ error: StorageError) {
    roster.setCannotStart(member.id, error)
    events.add(.nodeCannotStart(node: member.name, error.detail))
  }

  /// Draws the first tag above all that may have been used, and lets the nodes answer.
  private func attach(above lease: TagLease) throws(ClusterError) {
    let replicas = roster.live
    let newest = replicas.map { $0.store.newestTag.counter }.max() ?? 0
    for replica in replicas { nodes.note(replica) }
    let first = max(newest, lease.tagsBelow) + 1
    guard first <= Tag.counterMax - 2 * Limits.tagLease else {
      throw .dataFolder(
        .init(
          "\(folder.path): a record or a lease has version \(first - 1), and hardly any are left up to \(Tag.counterMax): it "
            + "is damaged. Restore a backup"))
    }
    data.leases.takeUp(expiredBy: lease.expiredBy)
    data.clock.start(at: lease.expiredBy)
    do {
      try data.tags.start(at: options.mistake == .reusesTags ? max(2, newest) - 1 : first)
    } catch {
      throw .storage("cannot write a tag lease: \(error)")
    }
    for replica in replicas { data.partitions.add(replica) }
    do {
      guard try data.batches.takeUp() else {
        throw ClusterError.dataFolder(
          .init(
            "\(folder.path)/\(BatchJournal.name), the journal of batches, is damaged; \(BatchJournal.cure)"))
      }
    } catch let error as ClusterError {
      throw error
    } catch {
      throw .storage("\(BatchJournal.name) cannot be read: \(error)")
    }
    for replica in replicas { nodes.takeRecoveredHints(replica) }
  }

  /// Tells the event log that reads and writes are served.
  func announce() {
    let replicas = roster.live
    let records = replicas.reduce(0) { $0 + $1.store.log.size.recordBytes }
    let ms = Int(Clock.nowNs() - lifespan.openedNs) / 1_000_000
    events.add(.opened(nodes: replicas.count, logBytes: records, ms: ms))
  }
}
