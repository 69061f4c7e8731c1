/// Copies of read-modify-writes.
///
/// Two that never ended may have the same base, each on a few owners. Whichever is seen first must be the one that all see
/// from then on, so a copy must not make one of them look decided while the other is about. What W owners hold is decided, and
/// goes from one to another as a put does. Anything else is *settled*: the newest is proposed anew, with a tag of its own, to
/// all owners at once.
extension PartitionTable {
  /// Whether the version with this tag is on a write quorum of the owners in force: R of them meet it, also during a change.
  /// Call with the partition's lock held.
  func isDecided(_ tag: Tag, _ hash: UInt64, _ key: UnsafeRawBufferPointer) -> Bool {
    let partition = self[Store.partition(of: hash)]
    let view = partition.pointee.view.takeUnretainedValue()
    let participants = view.participants(ofSlot: Ring.slot(of: hash))
    var holders = ParticipantSet()
    for i in 0..<participants.count {
      guard let owner = partition.pointee.replica(participants.ids[i])?.takeUnretainedValue(),
        owner.store.version(hash, key, known: .none)?.tag == tag
      else { continue }
      holders.insert(i)
    }
    return QuorumRule(owners: participants.owners, needed: view.quorum.write).isMet(by: holders)
  }

  /// Brings a version of a key to another owner, or settles it. Call with the partition's lock held.
  /// - Parameter comparesAll: all owners are being compared, and get the newest of all.
  /// - Returns: whether the target has it now or something newer; false if too few owners reach each other to settle it.
  func copy(
    _ slot: IndexSlot, _ record: RecordView, from source: Replica, to target: Replica, _ links: Links,
    comparesAll: Bool = false
  ) throws(StorageError) -> Bool {
    if slot.tag.isRMW, !comparesAll, !copiesUndecided, !isDecided(slot.tag, slot.hash, record.key) {
      return try settle(slot.hash, record.key, links)
    }
    try target.store.take(slot, record)
    return true
  }

  /// Lets the newest version of a key be the one that everybody sees, if it is a read-modify-write. Call with the
  /// partition's lock held.
  /// - Returns: false if too few owners reach each other.
  func settle(_ hash: UInt64, _ key: UnsafeRawBufferPointer, _ links: Links) throws(StorageError) -> Bool {
    let partition = self[Store.partition(of: hash)]
    if partition.pointee.hasUnfinished, !bringUnfinished(hash) { return false }
    let participants = partition.pointee.view.takeUnretainedValue().participants(ofSlot: Ring.slot(of: hash))
    for i in 0..<participants.count {
      if try settle(hash, key, participants, by: participants.ids[i], links) { return true }
    }
    return false
  }

  /// - Parameter coordinator: the owner that asks the others.
  private func settle(
    _ hash: UInt64, _ key: UnsafeRawBufferPointer, _ participants: PlacementView.Participants,
    by coordinator: UInt16, _ links: Links
  ) throws(StorageError) -> Bool {
    let partition = self[Store.partition(of: hash)]
    let view = partition.pointee.view.takeUnretainedValue()
    var (reached, voters) = (ParticipantSet(), ParticipantSet())
    var newest: (owner: Replica, slot: IndexSlot, stamp: Stamp)?
    for i in 0..<participants.count where links.reaches(coordinator, participants.ids[i]) {
      guard let owner = partition.pointee.replica(participants.ids[i])?.takeUnretainedValue() else { continue }
      reached.insert(i)
      guard !owner.store.isSuspect, let version = owner.store.version(hash, key, known: .none) else { continue }
      voters.insert(i)
      if version.tag == .none { continue }
      let slot = IndexSlot(hash: hash, location: version.location, tag: version.tag)
      let stamp = owner.store.stamp(slot)
      if stamp.isNewer(than: newest?.stamp ?? .none) { newest = (owner, slot, stamp) }
    }
    guard view.evidenceRule(participants).isMet(by: voters), view.writeRule(participants, nil).isMet(by: reached) else {
      return false
    }
    // A put comes from the owner that has it.
    guard case (let owner, var slot, var stamp)? = newest, slot.tag.isRMW else { return true }
    slot.location = owner.store.logLocation(slot.location, owner.store.stripe(hash))
    let record = owner.store.record(at: slot.location)
    guard record.hasIntactValue, owner.store.hasIntactHeader(slot.location) else {
      owner.noteDamage(hash)
      return false
    }
    guard mayCopy(hash) else { return false }
    if keepsBallot || isDecided(slot.tag, hash, key) {
      try forEach(reached, participants, partition) { replica throws(StorageError) in
        try replica.store.take(slot, record)
      }
      return true
    }
    stamp.tag = try tags.draw().renewing(stamp.tag)
    let payload = stamp.payload(record.body)
    try payload.withBytes { payload throws(StorageError) in
      let checksum = Checksum.crc32c(payload)
      let kind = stamp.isTombstone ? RecordKind.tombstone : .value
      try forEach(reached, participants, partition) { replica throws(StorageError) in
        _ = try replica.store.apply(
          kind, hash: hash, tag: stamp.tag, key: key, value: payload, valueChecksum: checksum)
      }
    }
    return true
  }

  private func forEach(
    _ set: ParticipantSet, _ participants: PlacementView.Participants, _ partition: UnsafeMutablePointer<Partition>,
    _ body: (Replica) throws(StorageError) -> Void
  ) throws(StorageError) {
    for i in 0..<participants.count where set.contains(i) {
      guard let replica = partition.pointee.replica(participants.ids[i])?.takeUnretainedValue() else { continue }
      try body(replica)
      // Gets return it once it is on enough disks.
      replica.commit.hurry()
    }
  }
}

extension Store {
  /// Takes a copy of another owner's record unless it holds a newer version. Call with the partition's lock held.
  func take(_ slot: IndexSlot, _ record: RecordView) throws(StorageError) {
    _ = try apply(
      slot.location.isTombstone ? .tombstone : .value, hash: slot.hash, tag: slot.tag, key: record.key,
      value: record.payload, valueChecksum: record.valueChecksum)
  }
}
