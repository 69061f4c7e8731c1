/// Gets by direct call.
extension DirectCarrier {
  /// Reads a key from a quorum and hands its newest value to `take`, under the partition's lock; `nil` if it has none.
  /// - Returns: what `take` made of it, and what to wait for before it may be returned, if anything.
  @inline(__always)
  func read<R>(
    _ operation: ClientOperation, _ key: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer?) -> R
  ) throws(ClusterError) -> (result: R, pending: PendingOperation?) {
    let partition = partitions[Store.partition(of: operation.hash)]
    return try partition.lock.pointee.withLock { () throws(ClusterError) in
      partition.pointee.operations.reads &+= 1
      try meetRarities(operation.hash, key, partition)
      // The usual case, without the general machinery: as many owners as make both a read and a write quorum, of both
      // rings during a change, hold the same version.
      if operation.consistency == nil, let value = readAgreed(operation.hash, key, partition) {
        return (take(value.bytes), nil)
      }
      return try readFromAll(operation, key, partition, take)
    }
  }

  /// Asks for the entries of a key in the indexes of the owners that a get asks first.
  @inline(__always)
  func prefetchEntries(_ hash: UInt64) {
    let partition = partitions[Store.partition(of: hash)]
    partition.lock.pointee.withLock {
      let (wanted, order) = partition.pointee.view._withUnsafeGuaranteedRef { ($0.agreement, $0.readOrder(hash)) }
      let (owners, count, first) = order
      var at = first
      for _ in 0..<min(wanted, count) {
        partition.pointee.replica(owners[at])?._withUnsafeGuaranteedRef { $0.store.prefetch(hash) }
        at = at &+ 1 == count ? 0 : at &+ 1
      }
    }
  }

  /// Asks for the record of a key at the owner that a get asks first.
  @inline(__always)
  func prefetchRecord(_ hash: UInt64) {
    let partition = partitions[Store.partition(of: hash)]
    partition.lock.pointee.withLock {
      let (owners, count, first) = partition.pointee.view._withUnsafeGuaranteedRef { $0.readOrder(hash) }
      guard count > 0 else { return }
      partition.pointee.replica(owners[first])?._withUnsafeGuaranteedRef { $0.store.prefetchRecord(hash) }
    }
  }

  /// What few keys have: copies that are not the same, or a write of a batch that must be done first.
  @inline(__always)
  func meetRarities(
    _ hash: UInt64, _ key: UnsafeRawBufferPointer, _ partition: UnsafeMutablePointer<Partition>
  ) throws(ClusterError) {
    if partition.pointee.hasTwins { try checkTwins(hash, partition) }
    if partition.pointee.hasUnfinished { try finishBatches(hash, key, partition) }
  }

  @inline(never)
  func checkTwins(_ hash: UInt64, _ partition: UnsafeMutablePointer<Partition>) throws(ClusterError) {
    guard partition.pointee.twins.contains(hash) else { return }
    if let refusal = partitions.refusal(ofTwins: hash, folder: folder) { throw refusal }
  }

  /// A value on which a quorum agrees; `bytes` is `nil` if it is a tombstone.
  private struct Agreed {
    var bytes: UnsafeRawBufferPointer?
  }

  @inline(__always)
  private func readAgreed(
    _ hash: UInt64, _ key: UnsafeRawBufferPointer, _ partition: UnsafeMutablePointer<Partition>
  ) -> Agreed? {
    let (wanted, order) = partition.pointee.view._withUnsafeGuaranteedRef { ($0.agreement, $0.readOrder(hash)) }
    let (owners, count, first) = order
    guard count >= wanted else { return nil }
    var at = first
    for _ in 0..<wanted {
      guard let replica = partition.pointee.replica(owners[at]) else { return nil }
      replica._withUnsafeGuaranteedRef { $0.store.prefetch(hash) }
      at = at &+ 1 == count ? 0 : at &+ 1
    }
    at = first
    let replica = partition.pointee.replica(owners[at]).unsafelyUnwrapped
    let answer = replica._withUnsafeGuaranteedRef { replica in
      replica.store.prefetchRecord(hash)
      return service.read(hash, key, at: replica)
    }
    guard case .found(let tag, let position, let isTombstone, let body) = answer,
      service.holds(position, at: replica)
    else { return nil }
    for _ in 1..<wanted {
      at = at &+ 1 == count ? 0 : at &+ 1
      let replica = partition.pointee.replica(owners[at]).unsafelyUnwrapped
      guard let version = replica._withUnsafeGuaranteedRef({ $0.store.vote(hash, key, known: tag) }),
        version.tag == tag, service.holds(version.location, hash, at: replica)
      else { return nil }
    }
    // What cannot be said here is said, or thrown, after the long way.
    return isTombstone ? Agreed() : (try? visibility.value(body, tag, hash, key)).map { Agreed(bytes: $0) }
  }

  /// The newest version that owners have told of.
  struct Newest {
    let stamp: Stamp
    /// The payload behind the anchor.
    let body: UnsafeRawBufferPointer
  }

  /// What clients may see of it.
  func found(
    _ newest: Newest?, _ hash: UInt64, _ key: UnsafeRawBufferPointer
  ) throws(ClusterError) -> Found {
    guard let newest, !newest.stamp.isTombstone else { return Found(value: nil) }
    do throws(StorageError) {
      let value = try visibility.value(newest.body, newest.stamp.tag, hash, key)
      return Found(value: value, expiry: newest.stamp.tag.expires ? Expiry.time(in: newest.body) : nil)
    } catch {
      throw .storage(error.refusingWrite)
    }
  }

  /// The general read: asks owners until R have answered, writes the newest version back where it is missing, waits for
  /// disks.
  @inline(never)
  private func readFromAll<R>(
    _ client: ClientOperation, _ key: UnsafeRawBufferPointer, _ partition: UnsafeMutablePointer<Partition>,
    _ take: (UnsafeRawBufferPointer?) -> R
  ) throws(ClusterError) -> (result: R, pending: PendingOperation?) {
    let view = partition.pointee.view.takeUnretainedValue()
    let participants = view.participants(ofSlot: Ring.slot(of: client.hash))
    var operation = view.readOperation(participants, client.consistency)
    let newest = try ask(&operation, client.hash, key, partition, participants, live(participants, partition))
    switch operation.phase {
    case .finished: return (take(try found(newest, client.hash, key).value), nil)
    case .writingBack:
      guard let newest else { preconditionFailure("a write-back needs a version") }
      let found = try found(newest, client.hash, key)
      let pending = try writeBack(
        newest, hash: client.hash, key, operation, partition, participants, client.consistency)
      return (take(found.value), pending)
    case .asking, .undecidable:
      throw unavailable(
        participants, partition, refusing(operation, live(participants, partition)), client.consistency,
        readOf: client.hash)
    }
  }

  /// The rule that a get could not meet. What it finds must be on a write quorum before it is returned: where W is more
  /// than R, W owners must answer.
  func refusing(_ operation: ReadOperation, _ live: ParticipantSet) -> QuorumRule {
    let (read, write) = (operation.readRule, operation.writeRule)
    return read.isMet(by: live) || write.needed > read.needed ? write : read
  }

  /// Owners that answer.
  func live(
    _ participants: PlacementView.Participants, _ partition: UnsafeMutablePointer<Partition>
  ) -> ParticipantSet {
    var live = ParticipantSet()
    for i in 0..<participants.count where partition.pointee.replica(participants.ids[i]) != nil { live.insert(i) }
    return live
  }

  /// Asks owners, those in `live`, until enough have answered.
  func ask(
    _ operation: inout ReadOperation, _ hash: UInt64, _ key: UnsafeRawBufferPointer,
    _ partition: UnsafeMutablePointer<Partition>, _ participants: PlacementView.Participants, _ live: ParticipantSet
  ) throws(ClusterError) -> Newest? {
    var newest: Newest?
    for i in 0..<participants.count where operation.phase == .asking {
      guard live.contains(i), let replica = partition.pointee.replica(participants.ids[i])?.takeUnretainedValue() else {
        _ = operation.lose(i)
        continue
      }
      switch service.read(hash, key, at: replica) {
      case .absent: _ = operation.answer(i, .none)
      case .damaged: _ = operation.lose(i)
      case .found(let tag, let position, let isTombstone, let body):
        let placed = tag.isRMW ? replica.store.stamp(hash, tag) : Stamp(tag, isTombstone: isTombstone)
        guard let stamp = placed else {
          replica.noteDamage(hash)
          _ = operation.lose(i)
          continue
        }
        if stamp.isNewer(than: newest?.stamp ?? .none) { newest = Newest(stamp: stamp, body: body) }
        if let newest, newest.stamp.tag == tag,
          newest.stamp.isTombstone != isTombstone || !newest.body.elementsEqual(body)
        {
          partition.pointee.noteTwins(hash)
          try checkTwins(hash, partition)
        }
        _ = operation.answer(i, stamp, isDurable: service.holds(position, at: .passUnretained(replica)))
      }
    }
    return newest
  }

  /// Brings the newest version to a write quorum. One of a read-modify-write is proposed anew, with a tag of its own: another
  /// that never ended may have the same base, and of those only one may ever be seen.
  func writeBack(
    _ newest: Newest, hash: UInt64, _ key: UnsafeRawBufferPointer, _ operation: ReadOperation,
    _ partition: UnsafeMutablePointer<Partition>, _ participants: PlacementView.Participants,
    _ consistency: Consistency?, among owners: ParticipantSet? = nil
  ) throws(ClusterError) -> PendingOperation? {
    let kind = newest.stamp.isTombstone ? RecordKind.tombstone : .value
    var stamp = newest.stamp
    guard stamp.tag.isRMW else {
      let write = ReplicaWrite(kind, hash: hash, tag: stamp.tag, key: key, value: newest.body)
      return try writeBack(write, operation, partition, participants, consistency, among: owners)
    }
    var owners = owners
    if consistency != nil, !partitions.isDecided(stamp.tag, hash, key) {
      // So few have been asked that another may be decided: it stays where it is, and its disks are waited for.
      owners = holders(of: stamp.tag, hash, key, partition, participants)
    } else if !keepsBallot, !partitions.isDecided(stamp.tag, hash, key) {
      do { stamp.tag = try tags.draw().renewing(stamp.tag) } catch { throw .storage(error.refusingWrite) }
    }
    return try stamp.payload(newest.body).withBytes { payload throws(ClusterError) in
      let write = ReplicaWrite(kind, hash: hash, tag: stamp.tag, key: key, value: payload)
      return try writeBack(write, operation, partition, participants, consistency, among: owners)
    }
  }

  private func holders(
    of tag: Tag, _ hash: UInt64, _ key: UnsafeRawBufferPointer, _ partition: UnsafeMutablePointer<Partition>,
    _ participants: PlacementView.Participants
  ) -> ParticipantSet {
    var holders = ParticipantSet()
    for i in 0..<participants.count {
      let replica = partition.pointee.replica(participants.ids[i])?.takeUnretainedValue()
      if replica?.store.version(hash, key, known: .none)?.tag == tag { holders.insert(i) }
    }
    return holders
  }

  /// Brings the newest version to every owner that answers; those that hold it already acknowledge at once.
  private func writeBack(
    _ write: ReplicaWrite, _ operation: ReadOperation, _ partition: UnsafeMutablePointer<Partition>,
    _ participants: PlacementView.Participants, _ consistency: Consistency?, among owners: ParticipantSet?
  ) throws(ClusterError) -> PendingOperation? {
    var waiting = WriteOperation(tag: write.tag, rule: operation.writeRule)
    var positions = InlineArray<14, LogPosition>(repeating: .start)
    var live = ParticipantSet()
    var failures: [(name: String, failure: StorageError)] = []
    for i in 0..<participants.count {
      guard !operation.lost.contains(i), owners?.contains(i) ?? true,
        let replica = partition.pointee.replica(participants.ids[i])
      else {
        _ = waiting.lose(i)
        continue
      }
      let position: LogPosition
      do throws(StorageError) {
        position = try service.apply(write, at: replica.takeUnretainedValue())
      } catch {
        _ = waiting.lose(i)
        failures.append((replica.takeUnretainedValue().name, error))
        continue
      }
      live.insert(i)
      positions[i] = position
      if service.acknowledges(position, at: replica) { _ = waiting.acknowledge(i) }
    }
    switch waiting.step {
    case .done: return nil
    case .waiting: return wait(waiting, partition, participants, live, positions)
    case .undecidable:
      throw unavailable(participants, partition, operation.writeRule, consistency, failures: failures)
    }
  }
}
