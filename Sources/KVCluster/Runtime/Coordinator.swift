import CKernels
import Synchronization

/// Carries out reads and writes over healthy links: the pure operations of `Coordination`, with every message a direct
/// call on the caller's thread.
///
/// A put takes one lock, the partition's, and under it touches three replicas without a queue, a task or an allocation.
/// What must wait for a disk leaves the lock first.
final class Coordinator: Sendable {
  let partitions: PartitionTable
  let tags: TagSource
  private let policy: FsyncPolicy
  private let timeoutNs: UInt64
  /// Writers wait while a disk lags too far behind; set by the cluster's ticker.
  let isOverdue = Atomic<Bool>(false)
  /// For those who are told to look at it.
  private let folder: String
  private let whyFailed: @Sendable (_ id: UInt16) -> String?
  /// A replica's copy did not verify.
  private let onDamage: @Sendable (_ replica: Replica, _ hash: UInt64) -> Void

  init(
    partitions: PartitionTable, tags: TagSource, policy: FsyncPolicy, timeoutNs: UInt64,
    folder: String, whyFailed: @escaping @Sendable (_ id: UInt16) -> String?,
    onDamage: @escaping @Sendable (_ replica: Replica, _ hash: UInt64) -> Void
  ) {
    self.partitions = partitions
    self.tags = tags
    self.policy = policy
    self.timeoutNs = timeoutNs
    self.folder = folder
    self.whyFailed = whyFailed
    self.onDamage = onDamage
  }

  // MARK: - Writing

  /// Applies a put or delete at all owners that answer.
  /// - Parameter consistency: how many must have it, unless as many as the cluster says.
  /// - Returns: what to wait for before it may be acknowledged, or `nil` if it may be now.
  @inline(__always)
  func write(
    _ kind: RecordKind, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer,
    _ consistency: Consistency? = nil
  ) throws(ClusterError) -> DurabilityWait? {
    try Coordinator.checkKey(key.count)
    try Coordinator.checkValue(value.count)
    if isOverdue.load(ordering: .relaxed) { try waitWhileOverdue() }
    let hash = Ring.hash(key)
    let checksum = kv_crc32c(0, value.baseAddress, value.count)
    let tag: Tag
    do { tag = try tags.draw() } catch { throw .storage("no tag for the write: \(error)") }
    let partition = partitions[Store.partition(of: hash)]
    let write = Write(
      kind: kind, hash: hash, tag: tag, key: key, value: value, checksum: checksum, consistency: consistency)
    return try partition.lock.pointee.withLock { () throws(ClusterError) in
      if tag <= partition.pointee.purged { return try applyAnew(write, partition) }
      return try apply(write, partition)
    }
  }

  /// A tombstone that is newer than this write was purged between the draw of its tag and now: it could not be told any
  /// more that it comes first, so it comes later. Nobody has seen its first tag.
  @inline(never)
  private func applyAnew(
    _ write: Write, _ partition: UnsafeMutablePointer<Partition>
  ) throws(ClusterError) -> DurabilityWait? {
    var write = write
    do { write.tag = try tags.draw() } catch { throw .storage("no tag for the write: \(error)") }
    return try apply(write, partition)
  }

  private struct Write {
    let kind: RecordKind
    let hash: UInt64
    var tag: Tag
    let key: UnsafeRawBufferPointer
    let value: UnsafeRawBufferPointer
    let checksum: UInt32
    var consistency: Consistency?

    /// Puts the record into a replica's log. `Unmanaged` spares a retain and a release a replica; it does not pass typed
    /// errors through, hence the result.
    @inline(__always)
    func append(at replica: Unmanaged<Replica>) throws(StorageError) -> Location {
      try replica._withUnsafeGuaranteedRef { replica -> Result<Location, StorageError> in
        do throws(StorageError) {
          return .success(
            try replica.store.log.append(kind, tag: tag, key: key, value: value, valueChecksum: checksum))
        } catch {
          return .failure(error)
        }
      }.get()
    }

    @inline(__always)
    func publish(_ location: Location, at replica: Unmanaged<Replica>, _ known: inout Tag) -> LogPosition {
      replica._withUnsafeGuaranteedRef {
        $0.store.publish(location, hash: hash, tag: tag, key: key, known: &known)
      }
    }
  }

  @inline(__always)
  private func apply(_ write: Write, _ partition: UnsafeMutablePointer<Partition>) throws(ClusterError)
    -> DurabilityWait?
  {
    let (participants, rule) = partition.pointee.view._withUnsafeGuaranteedRef { view in
      let participants = view.participants(ofSlot: Ring.slot(of: write.hash))
      let rule =
        if let consistency = write.consistency { view.writeRule(participants, consistency) } else {
          view.writeRule(participants)
        }
      return (participants, rule)
    }
    var live = ParticipantSet()
    for i in 0..<participants.count {
      guard let replica = partition.pointee.replica(participants.ids[i]) else { continue }
      live.insert(i)
      replica._withUnsafeGuaranteedRef { $0.store.prefetch(write.hash) }
    }
    guard rule.isMet(by: live) else { throw unavailable(participants, partition, rule, write.consistency) }
    partition.pointee.operations.writes &+= 1
    var operation = WriteOperation(tag: write.tag, rule: rule)
    var positions = InlineArray<14, LogPosition>(repeating: .start)
    var failure: StorageError?
    // First into all logs, then into all indexes: while the records are written, the indexes' memory arrives, and while
    // the later ones are, the record that the key has now.
    var locations = InlineArray<14, Location>(repeating: .none)
    var isFirst = true
    for i in 0..<participants.count where live.contains(i) {
      let replica = partition.pointee.replica(participants.ids[i]).unsafelyUnwrapped
      do throws(StorageError) {
        locations[i] = try write.append(at: replica)
      } catch {
        failure = error
        live.remove(i)
        _ = operation.lose(i)
        continue
      }
      if isFirst {
        replica._withUnsafeGuaranteedRef { $0.store.prefetchRecord(write.hash) }
        isFirst = false
      }
    }
    var known = Tag.none
    for i in 0..<participants.count where live.contains(i) {
      let replica = partition.pointee.replica(participants.ids[i]).unsafelyUnwrapped
      positions[i] = write.publish(locations[i], at: replica, &known)
      if policy != .always { _ = operation.acknowledge(i) }
    }
    if live.count < participants.count { addHints(write, partition, participants, live) }
    if let failure, live.isEmpty { throw .storage("\(failure). Nothing was written") }
    if operation.step == .done { return nil }
    if operation.step == .undecidable {
      throw .undecidedWrite(
        "\(live.count) of \(participants.count) owners took the write: \(failure.map(String.init(describing:)) ?? "")")
    }
    return pending(operation, partition, participants, live, positions)
  }

  /// Notes for each owner that does not answer that it missed the write; the first one that took it keeps the note.
  @inline(never)
  private func addHints(
    _ write: Write, _ partition: UnsafeMutablePointer<Partition>, _ participants: PlacementView.Participants,
    _ live: ParticipantSet
  ) {
    guard let first = (0..<participants.count).first(where: live.contains) else { return }
    let holder = partition.pointee.replica(participants.ids[first])!.takeUnretainedValue()
    let view = partition.pointee.view.takeUnretainedValue()
    for i in 0..<participants.count where !live.contains(i) {
      let target = participants.ids[i]
      let name = view.nameBytes(of: target)
      let byteCount = HintQueue.byteCount(keyBytes: write.key.count, nameBytes: name.count)
      let hint = HintQueue.Hint(hash: write.hash, byteCount: byteCount)
      guard HintQueue.add(hint, target: target, holder: holder.id, to: &partition.pointee) else { continue }
      name.withBytes {
        // A hint that finds no room is lost; comparing replicas closes what it leaves open.
        try? holder.store.appendHint(for: $0, key: write.key, tag: write.tag)
      }
    }
  }

  /// Registers an operation with the logs it waits for. A log among the first that are enough, in the order of the nodes'
  /// ids, is waited for at once; the others sync a little later and for more writers together.
  private func pending(
    _ operation: WriteOperation, _ partition: UnsafeMutablePointer<Partition>,
    _ participants: PlacementView.Participants, _ live: ParticipantSet, _ positions: InlineArray<14, LogPosition>
  ) -> DurabilityWait {
    var operation = operation
    for i in 0..<participants.count where !live.contains(i) { _ = operation.lose(i) }
    let wait = DurabilityWait(operation)
    var chosen = operation.acknowledged
    while !operation.rule.isMet(by: chosen) {
      var next: Int?
      for i in 0..<participants.count where live.contains(i) && !chosen.contains(i) {
        if next.map({ participants.ids[i] < participants.ids[$0] }) ?? true { next = i }
      }
      guard let next else { break }
      chosen.insert(next)
    }
    for i in 0..<participants.count where live.contains(i) {
      partition.pointee.replica(participants.ids[i])?._withUnsafeGuaranteedRef {
        $0.commit.register(wait, participant: i, position: positions[i], isUrgent: chosen.contains(i))
      }
    }
    return wait
  }

  // MARK: - Reading

  /// Reads a key from a quorum and hands its newest value to `take`, under the partition's lock; `nil` if it has none.
  /// - Returns: what `take` made of it, and what to wait for before it may be returned, if anything.
  @inline(__always)
  func read<R>(
    _ key: UnsafeRawBufferPointer, _ consistency: Consistency? = nil, _ take: (UnsafeRawBufferPointer?) -> R
  ) throws(ClusterError) -> (result: R, pending: DurabilityWait?) {
    try Coordinator.checkKey(key.count)
    let hash = Ring.hash(key)
    let partition = partitions[Store.partition(of: hash)]
    return try partition.lock.pointee.withLock { () throws(ClusterError) in
      try read(hash, key, partition, consistency, take)
    }
  }

  @inline(__always)
  private func read<R>(
    _ hash: UInt64, _ key: UnsafeRawBufferPointer, _ partition: UnsafeMutablePointer<Partition>,
    _ consistency: Consistency?, _ take: (UnsafeRawBufferPointer?) -> R
  ) throws(ClusterError) -> (result: R, pending: DurabilityWait?) {
    partition.pointee.operations.reads &+= 1
    if partition.pointee.hasTwins, partition.pointee.twins.contains(hash),
      let refusal = partitions.refusal(ofTwins: hash, folder: folder)
    {
      throw refusal
    }
    // The usual case, without the general machinery: as many owners as make both a read and a write quorum, of both rings
    // during a change, hold the same version.
    if consistency == nil, let value = readAgreed(hash, key, partition) { return (take(value.bytes), nil) }
    return try readSlowly(hash, key, partition, consistency, take)
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
      return replica.store.read(hash, key)
    }
    guard case .found(let tag, let position, let isTombstone, let value) = answer, isDurable(replica, position) else {
      return nil
    }
    for _ in 1..<wanted {
      at = at &+ 1 == count ? 0 : at &+ 1
      let replica = partition.pointee.replica(owners[at]).unsafelyUnwrapped
      guard let version = replica._withUnsafeGuaranteedRef({ $0.store.vote(hash, key, known: tag) }),
        version.tag == tag, isDurable(replica, version.location, hash)
      else { return nil }
    }
    return Agreed(bytes: isTombstone ? nil : value)
  }

  @inline(__always)
  private func isDurable(_ replica: Unmanaged<Replica>, _ position: LogPosition) -> Bool {
    policy != .always || replica._withUnsafeGuaranteedRef { $0.store.log.durable > position }
  }

  @inline(__always)
  private func isDurable(_ replica: Unmanaged<Replica>, _ location: Location, _ hash: UInt64) -> Bool {
    policy != .always
      || replica._withUnsafeGuaranteedRef { $0.store.log.durable > $0.store.position(location, hash) }
  }

  private struct SlowRead {
    let hash: UInt64
    let key: UnsafeRawBufferPointer
    let participants: PlacementView.Participants
  }

  /// The general read: asks everyone who answers, writes the newest version back where it is missing, waits for disks.
  @inline(never)
  private func readSlowly<R>(
    _ hash: UInt64, _ key: UnsafeRawBufferPointer, _ partition: UnsafeMutablePointer<Partition>,
    _ consistency: Consistency?, _ take: (UnsafeRawBufferPointer?) -> R
  ) throws(ClusterError) -> (result: R, pending: DurabilityWait?) {
    let view = partition.pointee.view.takeUnretainedValue()
    let participants = view.participants(ofSlot: Ring.slot(of: hash))
    var operation =
      if let consistency {
        ReadOperation(
          readRule: view.readRule(participants, consistency),
          writeRule: view.writeBackRule(participants, consistency))
      } else {
        ReadOperation(readRule: view.readRule(participants), writeRule: view.writeRule(participants))
      }
    let read = SlowRead(hash: hash, key: key, participants: participants)
    var newest: (tag: Tag, isTombstone: Bool, value: UnsafeRawBufferPointer)?
    for i in 0..<read.participants.count where operation.phase == .asking {
      guard let replica = partition.pointee.replica(read.participants.ids[i])?.takeUnretainedValue() else {
        _ = operation.lose(i)
        continue
      }
      switch replica.store.read(read.hash, read.key) {
      case .absent: _ = operation.answer(i, tag: .none)
      case .damaged:
        _ = operation.lose(i)
        if !replica.store.isSuspect { onDamage(replica, read.hash) }
      case .found(let tag, let position, let isTombstone, let value):
        if tag > operation.newest { newest = (tag, isTombstone, value) }
        if tag == operation.newest, let newest, newest.isTombstone != isTombstone || !newest.value.elementsEqual(value)
        {
          partition.pointee.noteTwins(hash)
          if let refusal = partitions.refusal(ofTwins: hash, folder: folder) { throw refusal }
        }
        _ = operation.answer(i, tag: tag, isDurable: isDurable(.passUnretained(replica), position))
      }
    }
    switch operation.phase {
    case .finished:
      return (take(newest.flatMap { $0.isTombstone ? nil : $0.value }), nil)
    case .writingBack:
      guard let newest else { preconditionFailure("a write-back needs a version") }
      let pending = try writeBack(read, operation, partition, newest, consistency)
      return (take(newest.isTombstone ? nil : newest.value), pending)
    case .asking, .undecidable:
      throw unavailable(read.participants, partition, operation.readRule, consistency, readOf: read.hash)
    }
  }

  /// Brings the newest version to every owner that answers; those that hold it already acknowledge at once.
  private func writeBack(
    _ read: SlowRead, _ operation: ReadOperation, _ partition: UnsafeMutablePointer<Partition>,
    _ newest: (tag: Tag, isTombstone: Bool, value: UnsafeRawBufferPointer), _ consistency: Consistency?
  ) throws(ClusterError) -> DurabilityWait? {
    let write = Write(
      kind: newest.isTombstone ? .tombstone : .value, hash: read.hash, tag: newest.tag, key: read.key,
      value: newest.value, checksum: kv_crc32c(0, newest.value.baseAddress, newest.value.count))
    var waiting = WriteOperation(tag: newest.tag, rule: operation.writeRule)
    var positions = InlineArray<14, LogPosition>(repeating: .start)
    var live = ParticipantSet()
    for i in 0..<read.participants.count {
      guard !operation.lost.contains(i), let replica = partition.pointee.replica(read.participants.ids[i]) else {
        _ = waiting.lose(i)
        continue
      }
      do throws(StorageError) {
        positions[i] = try replica.takeUnretainedValue().store.apply(
          write.kind, hash: write.hash, tag: write.tag, key: write.key, value: write.value,
          valueChecksum: write.checksum)
        live.insert(i)
        if isDurable(replica, positions[i]) { _ = waiting.acknowledge(i) }
      } catch {
        _ = waiting.lose(i)
      }
    }
    switch waiting.step {
    case .done: return nil
    case .waiting: return pending(waiting, partition, read.participants, live, positions)
    case .undecidable: throw unavailable(read.participants, partition, operation.writeRule, consistency)
    }
  }

  // MARK: - Refusing

  @inline(__always)
  static func checkKey(_ count: Int) throws(ClusterError) {
    guard count >= 1, count <= Limits.keyBytesMax else {
      throw .invalidArgument("a key has 1 to \(Limits.keyBytesMax) bytes, this one has \(count)")
    }
  }

  @inline(__always)
  static func checkValue(_ count: Int) throws(ClusterError) {
    guard count <= Limits.valueBytesMax else { throw Coordinator.tooLarge(count) }
  }

  private static func tooLarge(_ count: Int) -> ClusterError {
    .invalidArgument("a value has at most \(Limits.valueBytesMax >> 20) MiB, this one has \(count) bytes")
  }

  /// - Parameter hash: the key's, if it was to be read: then owners that answer may not know.
  @inline(never)
  private func unavailable(
    _ participants: PlacementView.Participants, _ partition: UnsafeMutablePointer<Partition>, _ rule: QuorumRule,
    _ consistency: Consistency?, readOf hash: UInt64? = nil
  ) -> ClusterError {
    var refusal = Refusal(
      needed: max(rule.needed, rule.nextNeeded), owners: participants.count, consistency: consistency, folder: folder)
    for i in 0..<participants.count {
      let id = participants.ids[i]
      let name = partition.pointee.view.takeUnretainedValue().name(of: id)
      guard let replica = partition.pointee.replica(id)?.takeUnretainedValue() else {
        refusal.missing.append((name, whyFailed(id)))
        continue
      }
      guard let hash else { continue }
      if replica.store.isSuspect {
        refusal.suspects.append(name)
      } else if !replica.store.damagedSegments(hash).isEmpty {
        refusal.damaged.append(name)
      }
    }
    if hash != nil { refusal.lost = partitions.lostRange(participants, partition) }
    return refusal.error
  }

  /// The disk is more than two seconds behind: writers wait until it has caught up, as the policy promises. In a simulation
  /// nobody can wait: there they are refused at once, and come again.
  @inline(never)
  func waitWhileOverdue() throws(ClusterError) {
    let deadlineNs = Clock.nowNs() + timeoutNs
    while isOverdue.load(ordering: .relaxed) {
      guard Clock.nowNs() < deadlineNs, !Clock.isVirtual else {
        throw .storage("a disk has not taken anything for seconds. Nothing was written; try again, or look at the disk")
      }
      Clock.sleep(ns: 1_000_000)
    }
  }
}
