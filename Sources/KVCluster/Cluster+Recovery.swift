import Glibc
import Synchronization

/// From a locked folder to a serving cluster.
extension Cluster {
  /// Replays every node's log, several at a time, then serves. Runs on a thread of its own.
  func recover() {
    do throws(ClusterError) {
      let configuration = roster.configuration
      let wanted = configuration.members.filter { !$0.isKilled }
      recovery.bytesTotal.store(bytesToRead(wanted), ordering: .relaxed)
      try checkLeases(configuration)
      replay(wanted, isLeased: highestLease(configuration) != nil)
      try serve(configuration)
    } catch {
      roster.withState { $0.recoveryFailure = error }
      log(.recovery, .failure, error.description)
      recovery.finish()
    }
  }

  private func bytesToRead(_ members: [Configuration.Member]) -> Int {
    var total = 0
    for member in members {
      let folder = DataFolder.logFolder(member.name)
      let names = (try? self.folder.disk.names(in: folder)) ?? []
      total += names.count { LogFormat.segmentID(ofName: $0) != nil } * LogFormat.segmentBytesDefault
    }
    return total
  }

  /// Data without any lease might see its tags again.
  private func checkLeases(_ configuration: Configuration) throws(ClusterError) {
    let highest = highestLease(configuration)
    guard highest != nil || !hasRecords(configuration) else {
      throw .dataFolder(
        "\(folder.path) has data but no readable tag lease in any node's folder, so versions could repeat; restore a node's 'lease' file"
      )
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

  private func highestLease(_ configuration: Configuration) -> UInt64? {
    configuration.members.compactMap { member in
      (try? TagLease.read(from: folder.disk, folder: DataFolder.logFolder(member.name))) ?? nil
    }.max()
  }

  private func replay(_ members: [Configuration.Member], isLeased: Bool) {
    let next = Atomic<Int>(0)
    let workers = (0..<min(members.count, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))).map { _ in
      BackgroundThread("recovery") { [self] in
        while true {
          let i = next.wrappingAdd(1, ordering: .relaxed).oldValue
          guard i < members.count else { return }
          open(members[i], isLeased: isLeased)
        }
      }
    }
    for worker in workers { worker.join() }
  }

  /// Opens one node; a node whose log cannot be read is shown as failed, and the others go on without it.
  private func open(_ member: Configuration.Member, isLeased: Bool) {
    do throws(StorageError) {
      // Every member's log exists before the first lease is written: one that is gone has lost what it acknowledged.
      let path = DataFolder.logFolder(member.name)
      if isLeased, try folder.disk.names(in: path).allSatisfy({ LogFormat.segmentID(ofName: $0) == nil }) {
        throw .damaged(
          path: "\(folder.path)/\(path)", offset: 0, reason: "its log is missing; remove the node and add a new one")
      }
      let replica = try openReplica(member.id, member.name) { [recovery] bytes in
        recovery.bytesRead.wrappingAdd(bytes, ordering: .relaxed)
      }
      roster.setState(.up, of: member.id, replica: replica)
    } catch {
      roster.setState(.failed(reason: error.description), of: member.id, replica: nil)
      log(.storage, .failure, "\(member.name) stopped: \(error)")
    }
  }

  /// The code of a cold start, for one node: reads its log and starts its commit thread.
  func openReplica(_ id: UInt16, _ name: String, progress: (Int) -> Void) throws(StorageError) -> Replica {
    let identity = LogIdentity(clusterID: roster.configuration.clusterID, node: name)
    let store = try Store.open(
      disk: folder.disk, folder: DataFolder.logFolder(name), identity: identity, cacheBytes: options.cacheBytes,
      progress: progress)
    store.log.setRoomRequest { [weak log = store.log, provisioner] in
      if let log { provisioner.request(log) }
    }
    do throws(StorageError) {
      try dropForeignRanges(store, id)
    } catch {
      store.log.close()
      throw error
    }
    let commit = GroupCommit(log: store.log, node: name, policy: options.fsync) { [weak self] error in
      self?.nodeFailed(id, error)
    }
    return Replica(id: id, name: name, store: store, commit: commit)
  }

  /// A node that was away when ranges moved from it gives them up before it serves again.
  private func dropForeignRanges(_ store: Store, _ id: UInt16) throws(StorageError) {
    let view = PlacementView(roster.configuration)
    let foreign = RingRanges { !view.isOwner(id, ofSlot: $0) }
    var holdsAny = false
    for partition in 0..<Store.partitionCount where !foreign.isEmpty {
      _ = store.scan(partition, from: 0, limit: .max / 2) { slot, _ in
        holdsAny = holdsAny || !view.isOwner(id, ofSlot: Ring.slot(of: slot.hash))
      }
    }
    guard holdsAny else { return }
    try store.appendRangeDrop(foreign)
    try store.log.sync()
    for partition in 0..<Store.partitionCount {
      store.forget(partition) { view.isOwner(id, ofSlot: $0) }
    }
  }

  /// Draws the first tag above all that may have been used, lets the nodes answer, and takes up what was unfinished.
  private func serve(_ configuration: Configuration) throws(ClusterError) {
    let replicas = roster.live
    let newest = replicas.map { $0.store.newestTag.counter }.max() ?? 0
    do {
      try coordinator.tags.start(at: max(newest, highestLease(configuration) ?? 0) + 1)
    } catch {
      throw .storage("cannot write a tag lease: \(error)")
    }
    for replica in replicas { partitions.add(replica) }
    for replica in replicas { takeRecoveredHints(replica) }
    roster.withState { $0.phase = .serving }
    isServing.store(!isClosing.load(ordering: .acquiring), ordering: .releasing)
    announce(replicas)
    spawn("ticker") { $0.tick() }
    for replica in replicas { _ = HintReplay(partitions: partitions, target: replica).run() }
    if configuration.change != nil { resumeChange(configuration) }
    recovery.finish()
  }

  /// Puts hints found in a node's log where operations keep theirs.
  func takeRecoveredHints(_ holder: Replica) {
    let members = roster.configuration.members
    for hints in holder.store.recoveredHints {
      guard let target = members.first(where: { $0.name == hints.node }) else { continue }
      for hash in hints.hashes {
        let partition = partitions[Store.partition(of: hash)]
        partition.pointee.lock.withLock {
          _ = HintQueue.add(hash, target: target.id, holder: holder.id, to: &partition.pointee.hints)
        }
      }
    }
    holder.store.recoveredHints = []
  }

  private func announce(_ replicas: [Replica]) {
    let records = replicas.reduce(0) { $0 + $1.store.log.size.recordBytes }
    let ms = (Clock.nowNs() - openedNs) / 1_000_000
    log(.cluster, .info, "\(replicas.count) nodes serve; \(records >> 10) KiB of log read in \(ms) ms")
  }

  /// What must be looked at a few times a second: timeouts, disks that lag, the tag lease.
  func tick() {
    while !isClosing.load(ordering: .relaxed) {
      Clock.sleep(ns: 50_000_000)
      let now = Clock.nowNs()
      let replicas = roster.live
      for replica in replicas where now > options.operationTimeoutNs {
        replica.commit.expire(startedBefore: now - options.operationTimeoutNs)
      }
      coordinator.isOverdue.store(
        replicas.contains { $0.commit.isOverdue(nowNs: now) }, ordering: .relaxed)
      try? coordinator.tags.extendEarly()
    }
    coordinator.isOverdue.store(false, ordering: .relaxed)
  }

  /// A node's disk failed: it stops answering, visibly, and is not tried again by itself.
  func nodeFailed(_ id: UInt16, _ error: StorageError) {
    let name = roster.name(of: id)
    let replica = roster.withState { state in state.nodes.first { $0.id == id }?.replica }
    roster.setState(.failed(reason: error.description), of: id, replica: nil)
    if let replica {
      partitions.remove(replica)
      // This is its own commit thread, which retiring waits for.
      spawn("retire \(name)") { $0.retire(replica) }
    }
    log(
      .storage, .failure,
      "\(name) stopped: \(error). What it holds is on its replicas; `restart \(name)` reads its log again")
  }
}
