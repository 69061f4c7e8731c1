import CKernels

/// A record on its way to replicas: what an operation writes, or a get writes back.
struct ReplicaWrite {
  let kind: RecordKind
  let hash: UInt64
  var tag: Tag
  let key: UnsafeRawBufferPointer
  /// The payload of the record.
  let value: UnsafeRawBufferPointer
  /// CRC-32C of the payload.
  let checksum: UInt32

  @inline(__always)
  init(_ kind: RecordKind, hash: UInt64, tag: Tag, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
    self.kind = kind
    self.hash = hash
    self.tag = tag
    self.key = key
    self.value = value
    checksum = kv_crc32c(0, value.baseAddress, value.count)
  }
}

/// The replica's side of every operation: what it does with a read, a write or a hint, whichever way it was asked.
///
/// Call with the partition's lock held. A write is applied in two halves, ``append(_:at:)`` and ``publish(_:_:at:_:)``,
/// so that whoever reaches several replicas by direct call can append at all of them before it publishes at any; or in
/// one, ``apply(_:at:)``, which spares the log a record that is older than what the replica holds. Planted mistakes are
/// decided when the service is made.
struct ReplicaService: Sendable {
  /// A version counts as held only once it is on the disk.
  private let holdsOnDisk: Bool
  private let acknowledgesOnDisk: Bool
  private let damagedIsAbsent: Bool

  init(_ policy: FsyncPolicy, _ mistake: PlantedMistake?) {
    holdsOnDisk = policy == .always
    acknowledgesOnDisk = policy == .always && mistake != .acknowledgesEarly
    damagedIsAbsent = mistake == .damagedIsAbsent
  }

  // MARK: - Writing

  /// Puts the record into the replica's log. `Unmanaged` spares a retain and a release a replica; it does not pass typed
  /// errors through, hence the result.
  @inline(__always)
  func append(_ write: ReplicaWrite, at replica: Unmanaged<Replica>) throws(StorageError) -> Location {
    try replica._withUnsafeGuaranteedRef { replica -> Result<Location, StorageError> in
      do throws(StorageError) {
        return .success(
          try replica.store.log.append(
            write.kind, tag: write.tag, key: write.key, value: write.value, valueChecksum: write.checksum))
      } catch {
        return .failure(error)
      }
    }.get()
  }

  /// Lets the replica's index point to a record just appended, unless it holds a newer version.
  /// - Parameter known: the version of the key that another replica held, and this one does.
  /// - Returns: what must be on the disk before the replica acknowledges.
  @inline(__always)
  func publish(
    _ location: Location, _ write: ReplicaWrite, at replica: Unmanaged<Replica>, _ known: inout Tag
  ) -> LogPosition {
    replica._withUnsafeGuaranteedRef {
      $0.store.publish(location, hash: write.hash, tag: write.tag, key: write.key, known: &known)
    }
  }

  /// Takes a write unless the replica holds it or a newer one.
  /// - Returns: what must be on the disk before the replica acknowledges.
  /// - Throws: why it cannot take it: it has no room, or its disk has failed.
  func apply(_ write: ReplicaWrite, at replica: Replica) throws(StorageError) -> LogPosition {
    try replica.store.apply(
      write.kind, hash: write.hash, tag: write.tag, key: write.key, value: write.value, valueChecksum: write.checksum)
  }

  /// Whether the replica acknowledges a write at once that it has applied.
  @inline(__always)
  func acknowledges(_ position: LogPosition, at replica: Unmanaged<Replica>) -> Bool {
    !acknowledgesOnDisk || replica._withUnsafeGuaranteedRef { $0.store.log.durable > position }
  }

  // MARK: - Reading

  /// What the replica knows of a key. The value stays valid while the partition's lock is held.
  @inline(__always)
  func read(_ hash: UInt64, _ key: UnsafeRawBufferPointer, at replica: Replica) -> Store.Answer {
    let answer = replica.store.read(hash, key)
    if case .damaged = answer { return answerDamaged(hash, replica) }
    return answer
  }

  /// Has the copy fetched again; of a node that may have lost records all copies are compared anyway.
  @inline(never)
  private func answerDamaged(_ hash: UInt64, _ replica: Replica) -> Store.Answer {
    if damagedIsAbsent { return .absent }
    if !replica.store.isSuspect { replica.noteDamage(hash) }
    return .damaged
  }

  /// Whether a version that the replica holds may be returned to a client.
  @inline(__always)
  func holds(_ position: LogPosition, at replica: Unmanaged<Replica>) -> Bool {
    !holdsOnDisk || replica._withUnsafeGuaranteedRef { $0.store.log.durable > position }
  }

  /// ``holds(_:at:)`` of a location in the index.
  @inline(__always)
  func holds(_ location: Location, _ hash: UInt64, at replica: Unmanaged<Replica>) -> Bool {
    !holdsOnDisk
      || replica._withUnsafeGuaranteedRef { $0.store.log.durable > $0.store.position(location, hash) }
  }

  // MARK: - Requests by message

  enum Response {
    case answer(Message.Body)
    /// The write is acknowledged once this is on the disk.
    case onceDurable(LogPosition)
    case none
  }

  /// Serves a request that came by message.
  func serve(
    _ request: Message, at replica: Replica, in partition: UnsafeMutablePointer<Partition>
  ) -> Response {
    request.key.withBytes { key in
      switch request.body {
      case .read:
        if partition.pointee.hasTwins, partition.pointee.twins.contains(request.hash) { return .answer(.unknown) }
        return .answer(version(request.hash, key, at: replica))
      case .write(let kind, let tag, let value):
        let position = value.withBytes { value in
          try? apply(ReplicaWrite(kind, hash: request.hash, tag: tag, key: key, value: value), at: replica)
        }
        guard let position else { return .none }
        return acknowledges(position, at: .passUnretained(replica)) ? .answer(.written) : .onceDurable(position)
      case .hint(let target, let tag):
        partition.pointee.keepHint(for: target, request.hash, key, tag, at: replica)
        return .none
      case .version, .unknown, .written: preconditionFailure("an answer was sent to a replica")
      }
    }
  }

  private func version(_ hash: UInt64, _ key: UnsafeRawBufferPointer, at replica: Replica) -> Message.Body {
    switch read(hash, key, at: replica) {
    case .absent: .version(kind: .tombstone, tag: .none, value: [], isDurable: true)
    case .damaged: .unknown
    case .found(let tag, let position, let isTombstone, let body):
      if let payload = tag.isRMW ? replica.store.stamp(hash, tag)?.payload(body) : Array(body) {
        .version(
          kind: isTombstone ? .tombstone : .value, tag: tag, value: payload,
          isDurable: holds(position, at: .passUnretained(replica)))
      } else {
        .unknown
      }
    }
  }
}
