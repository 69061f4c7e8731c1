/// Read-modify-writes: one hold of the partition's lock over the owners that take part.
///
/// The new version takes its place right behind the one that was read (``Stamp``). So a put that was drawn before and arrives
/// later comes after it, and needs not be waited for; and of two that read the same version, because the program died before
/// one of them was on enough disks, only one will ever be seen: who meets it proposes it anew.
extension DirectCarrier {
  /// Carries out a read-modify-write.
  /// - Parameters:
  ///   - allowed: owners that take part if they answer, by node id.
  ///   - transform: gets what there is, under the partition's lock.
  /// - Returns: what `transform` has told, and what to wait for before it may be answered, if anything.
  /// - Throws: `ClusterError.indeterminate` if too few owners took it; otherwise nothing was written.
  func update<R>(
    _ client: ClientOperation, _ key: UnsafeRawBufferPointer, among allowed: ((UInt16) -> Bool)? = nil,
    _ transform: (Found) -> (Change, R)
  ) throws(ClusterError) -> (result: R, pending: PendingOperation?) {
    let partition = partitions[Store.partition(of: client.hash)]
    return try partition.lock.pointee.withLock { () throws(ClusterError) in
      let base = try base(client.hash, key, partition, among: allowed)
      if client.kind == .update { partition.pointee.operations.writes &+= 1 }
      let found = try found(base.newest, client.hash, key)
      let (change, result) = transform(found)
      guard let version = try version(change, of: key, found) else {
        // What it found must be seen by all that come after.
        return (result, try settle(base, client.hash, key, partition))
      }
      let stamp = try stamp(version, after: base, partition)
      return (result, try propose(version.body, stamp, client.hash, key, partition, base.participants, base.live))
    }
  }

  /// What a read-modify-write begins with.
  struct Base {
    let participants: PlacementView.Participants
    /// Owners that take part.
    let live: ParticipantSet
    let operation: ReadOperation
    let newest: Newest?
  }

  /// Asks enough owners for the newest version. Call with the partition's lock held.
  /// - Parameter allowed: owners that take part if they answer, by node id.
  /// - Throws: nothing was done.
  func base(
    _ hash: UInt64, _ key: UnsafeRawBufferPointer, _ partition: UnsafeMutablePointer<Partition>,
    among allowed: ((UInt16) -> Bool)? = nil, isFinishing: Bool = false
  ) throws(ClusterError) -> Base {
    if !isFinishing { try meetRarities(hash, key, partition) }
    let view = partition.pointee.view.takeUnretainedValue()
    let participants = view.participants(ofSlot: Ring.slot(of: hash))
    var live = live(participants, partition)
    if let allowed { for i in 0..<participants.count where !allowed(participants.ids[i]) { live.remove(i) } }
    var operation = view.readOperation(participants, nil)
    let rule = view.writeRule(participants, nil)
    guard rule.isMet(by: live) else {
      let needed = operation.readRule.needed > rule.needed ? operation.readRule : rule
      throw unavailable(participants, partition, needed, nil, among: live)
    }
    let newest = try ask(&operation, hash, key, partition, participants, live)
    guard operation.phase == .finished || operation.phase == .writingBack else {
      throw unavailable(
        participants, partition, refusing(operation, live), nil,
        readOf: allowed == nil || operation.readRule.isMet(by: live) ? hash : nil, among: live)
    }
    return Base(participants: participants, live: live, operation: operation, newest: newest)
  }

  /// Brings what was found to a write quorum, if it is not there. Call with the partition's lock held.
  func settle(
    _ base: Base, _ hash: UInt64, _ key: UnsafeRawBufferPointer, _ partition: UnsafeMutablePointer<Partition>
  ) throws(ClusterError) -> PendingOperation? {
    guard base.operation.phase == .writingBack, let newest = base.newest, !answersUnsettled else { return nil }
    return try writeBack(
      newest, hash: hash, key, base.operation, partition, base.participants, nil, among: base.live)
  }

  /// What an update writes.
  struct NewVersion {
    /// The value; behind the time at which it expires, if it does.
    var body: [UInt8] = []
    var isTombstone = false
    var expires = false
  }

  /// - Returns: `nil` if nothing is written.
  func version(
    _ change: Change, of key: UnsafeRawBufferPointer, _ found: Found
  ) throws(ClusterError) -> NewVersion? {
    let deleted = NewVersion(isTombstone: true)
    switch change {
    case .keep: return nil
    case .delete: return deleted
    case .put(let value, let expiry):
      try ClientOperation.check(keyBytes: key.count, valueBytes: value.count)
      let end: UInt64?
      switch expiry {
      case .none: end = nil
      case .kept: end = found.value == nil ? nil : found.expiry
      case .set(let time):
        let wanted = try visibility.clock.time(time)
        if wanted <= visibility.clock.now { return deleted }
        end = wanted
      }
      guard let end else { return NewVersion(body: value) }
      return NewVersion(body: value.withBytes { $0.behind(end) }, expires: true)
    }
  }

  /// The place of a new version right behind what was found. Call with the partition's lock held.
  func stamp(
    _ version: NewVersion, after base: Base, _ partition: UnsafeMutablePointer<Partition>
  ) throws(ClusterError) -> Stamp {
    var tag: Tag
    do { tag = try tags.draw() } catch { throw .storage(error.refusingWrite) }
    if version.expires { tag = tag.asExpiring }
    if updatesAfresh { return Stamp(tag, isTombstone: version.isTombstone) }
    let forgotten = max(partition.pointee.purged, tags.beforeThisLife)
    return (base.newest?.stamp ?? .none).successor(tag, isTombstone: version.isTombstone, forgotten: forgotten)
  }

  /// Writes a version. Call with the partition's lock held.
  func propose(
    _ body: [UInt8], _ stamp: Stamp, _ hash: UInt64, _ key: UnsafeRawBufferPointer,
    _ partition: UnsafeMutablePointer<Partition>, _ participants: PlacementView.Participants, _ owners: ParticipantSet
  ) throws(ClusterError) -> PendingOperation? {
    let kind = stamp.isTombstone ? RecordKind.tombstone : .value
    return try body.withBytes { body throws(ClusterError) in
      guard stamp.tag.isRMW else {
        let write = ReplicaWrite(kind, hash: hash, tag: stamp.tag, key: key, value: body)
        return try propose(write, partition, participants, owners)
      }
      return try stamp.payload(body).withBytes { payload throws(ClusterError) in
        let write = ReplicaWrite(kind, hash: hash, tag: stamp.tag, key: key, value: payload)
        return try propose(write, partition, participants, owners)
      }
    }
  }

  /// Each owner is asked first and written to then: a log must not hold, behind a newer version, one that began at nothing
  /// (``Stamp/supersedes(_:)``).
  private func propose(
    _ write: ReplicaWrite, _ partition: UnsafeMutablePointer<Partition>, _ participants: PlacementView.Participants,
    _ owners: ParticipantSet
  ) throws(ClusterError) -> PendingOperation? {
    let rule = partition.pointee.view.takeUnretainedValue().writeRule(participants, nil)
    var operation = WriteOperation(tag: write.tag, rule: rule)
    var positions = InlineArray<14, LogPosition>(repeating: .start)
    var live = ParticipantSet()
    var failure: StorageError?
    for i in 0..<participants.count where owners.contains(i) {
      guard let replica = partition.pointee.replica(participants.ids[i]) else { continue }
      do throws(StorageError) {
        positions[i] = try service.apply(write, at: replica.takeUnretainedValue())
      } catch {
        failure = error
        continue
      }
      // One that may have lost records says nothing by a newer version that it alone has.
      let store = replica.takeUnretainedValue().store
      if store.isSuspect, store.version(write.hash, write.key, known: .none)?.tag != write.tag { continue }
      live.insert(i)
      if service.acknowledges(positions[i], at: replica) { _ = operation.acknowledge(i) }
    }
    if live.count < participants.count { miss(write, partition, participants, live, &operation) }
    switch operation.step {
    case .done: return nil
    case .waiting: return wait(operation, partition, participants, live, positions)
    case .undecidable: throw undecidable(participants, partition, live, failure)
    }
  }
}
