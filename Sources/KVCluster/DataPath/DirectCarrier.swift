import Synchronization

/// Carries operations over healthy links: every message is a direct call on the caller's thread.
///
/// A put takes one lock, the partition's, and under it touches three replicas without a queue, a task or an allocation.
/// What must wait for a disk leaves the lock first. Decisions are those of ``WriteOperation`` and ``ReadOperation``,
/// what replicas do is in ``ReplicaService``.
package final class DirectCarrier: Sendable {
  let partitions: PartitionTable
  /// Looked at only to say why owners do not answer.
  let links: Links
  let service: ReplicaService
  let tags: TagSource
  let visibility: Visibility
  /// For people who are told to look at it.
  let folder: String
  let failure: @Sendable (_ id: UInt16) -> Refusal.Failure?
  /// Planted mistakes: looked at only where an owner does not answer, or a tombstone was purged meanwhile.
  private let hintsCountAsAcks: Bool
  private let keepsPurgedTag: Bool
  let keepsBallot: Bool
  let updatesAfresh: Bool
  let answersUnsettled: Bool

  init(
    _ partitions: PartitionTable, _ links: Links, _ tags: TagSource, _ visibility: Visibility,
    _ service: ReplicaService, _ settings: DataPath.Settings
  ) {
    self.partitions = partitions
    self.links = links
    self.tags = tags
    self.visibility = visibility
    self.service = service
    folder = settings.folder
    failure = settings.failure
    hintsCountAsAcks = settings.mistake == .hintCountsAsAck
    keepsPurgedTag = settings.mistake == .keepsPurgedTag
    keepsBallot = settings.mistake == .keepsBallot
    updatesAfresh = settings.mistake == .updatesAfresh
    answersUnsettled = settings.mistake == .answersUnsettled
  }

  // MARK: - Writing

  /// Applies a put or delete at all owners that answer.
  /// - Returns: what to wait for before it may be acknowledged, or `nil` if it may be now.
  @inline(__always)
  func write(
    _ operation: ClientOperation, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ tag: Tag
  ) throws(ClusterError) -> PendingOperation? {
    let kind = operation.kind == .delete ? RecordKind.tombstone : .value
    let write = ReplicaWrite(kind, hash: operation.hash, tag: tag, key: key, value: value)
    let partition = partitions[Store.partition(of: operation.hash)]
    return try partition.lock.pointee.withLock { () throws(ClusterError) in
      if partition.pointee.hasUnfinished { try finishBatches(operation.hash, key, partition) }
      if tag <= partition.pointee.purged { return try applyAnew(write, operation.consistency, partition) }
      return try apply(write, operation.consistency, partition)
    }
  }

  /// A tombstone that is newer than this write was purged between the draw of its tag and now: it could not be told any
  /// more that it comes first, so it comes later. Nobody has seen its first tag.
  @inline(never)
  private func applyAnew(
    _ write: ReplicaWrite, _ consistency: Consistency?, _ partition: UnsafeMutablePointer<Partition>
  ) throws(ClusterError) -> PendingOperation? {
    var write = write
    if !keepsPurgedTag {
      do { write.tag = try tags.draw().renewing(write.tag) } catch { throw .storage(error.refusingWrite) }
    }
    return try apply(write, consistency, partition)
  }

  @inline(__always)
  private func apply(
    _ write: ReplicaWrite, _ consistency: Consistency?, _ partition: UnsafeMutablePointer<Partition>
  ) throws(ClusterError) -> PendingOperation? {
    let (participants, rule) = partition.pointee.view._withUnsafeGuaranteedRef { view in
      let participants = view.participants(ofSlot: Ring.slot(of: write.hash))
      return (participants, view.writeRule(participants, consistency))
    }
    var live = ParticipantSet()
    for i in 0..<participants.count {
      guard let replica = partition.pointee.replica(participants.ids[i]) else { continue }
      live.insert(i)
      replica._withUnsafeGuaranteedRef { $0.store.prefetch(write.hash) }
    }
    guard rule.isMet(by: live) || hintsCountAsAcks && !live.isEmpty else {
      throw unavailable(participants, partition, rule, consistency)
    }
    partition.pointee.operations.writes &+= 1
    var operation = WriteOperation(tag: write.tag, rule: rule)
    // First into all logs, then into all indexes: while the records are written, the indexes' memory arrives, and while
    // the later ones are, the record that the key has now.
    var locations = InlineArray<14, Location>(repeating: .none)
    let failure = append(write, partition, participants, &live, &locations, &operation)
    var positions = InlineArray<14, LogPosition>(repeating: .start)
    var known = Tag.none
    for i in 0..<participants.count where live.contains(i) {
      let replica = partition.pointee.replica(participants.ids[i]).unsafelyUnwrapped
      positions[i] = service.publish(locations[i], write, at: replica, &known)
      if service.acknowledges(positions[i], at: replica) { _ = operation.acknowledge(i) }
    }
    if live.count < participants.count { miss(write, partition, participants, live, &operation) }
    switch operation.step {
    case .done: return nil
    case .waiting: return wait(operation, partition, participants, live, positions)
    case .undecidable: throw undecidable(participants, partition, live, failure)
    }
  }

  /// The first half of a write, at all owners in `live`; takes those out that fail, and returns the last failure.
  @inline(__always)
  private func append(
    _ write: ReplicaWrite, _ partition: UnsafeMutablePointer<Partition>, _ participants: PlacementView.Participants,
    _ live: inout ParticipantSet, _ locations: inout InlineArray<14, Location>, _ operation: inout WriteOperation
  ) -> StorageError? {
    var failure: StorageError?
    var isFirst = true
    for i in 0..<participants.count where live.contains(i) {
      let replica = partition.pointee.replica(participants.ids[i]).unsafelyUnwrapped
      do throws(StorageError) {
        locations[i] = try service.append(write, at: replica)
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
    return failure
  }

  /// Gives up owners that have not taken the write; the first one that has keeps a hint for each.
  @inline(never)
  func miss(
    _ write: ReplicaWrite, _ partition: UnsafeMutablePointer<Partition>, _ participants: PlacementView.Participants,
    _ live: ParticipantSet, _ operation: inout WriteOperation
  ) {
    let holder = (0..<participants.count).first(where: live.contains).flatMap { first in
      partition.pointee.replica(participants.ids[first])?.takeUnretainedValue()
    }
    for i in 0..<participants.count where !live.contains(i) {
      if let holder {
        partition.pointee.keepHint(for: participants.ids[i], write.hash, write.key, write.tag, at: holder)
        if hintsCountAsAcks { _ = operation.acknowledge(i) }
      }
      _ = operation.lose(i)
    }
  }

  /// Registers an operation, to which all owners but the live ones are lost, with the logs it waits for. A log among the
  /// first that are enough, in the order of the nodes' ids, is waited for at once; the others sync a little later and for
  /// more writers together.
  func wait(
    _ operation: WriteOperation, _ partition: UnsafeMutablePointer<Partition>,
    _ participants: PlacementView.Participants, _ live: ParticipantSet, _ positions: InlineArray<14, LogPosition>
  ) -> PendingOperation {
    let pending = PendingOperation(operation)
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
        $0.commit.register(pending, participant: i, position: positions[i], isUrgent: chosen.contains(i))
      }
    }
    return pending
  }
}
