/// Puts, gets and deletes: one operation from its call to its answer, whichever way it is carried.
///
/// Each begins (bounds, level, the start of its record for latencies and for a live verdict), is carried as far as it
/// goes without waiting, and ends at once in the usual case; an operation that waits for its quorum ends when its caller
/// has waited, as a task, as a thread or by a callback.
extension DataPath {
  /// An operation that waits for its quorum.
  struct Unfinished {
    let operation: ClientOperation
    let pending: PendingOperation
  }

  // MARK: - Writing

  // Inlined, since each call of an asynchronous function costs a frame.
  @inline(__always)
  func write(
    _ kind: ClientOperation.Kind, _ key: [UInt8], _ value: [UInt8], _ options: WriteOptions
  ) async throws(ClusterError) {
    let unfinished = try key.withBytes { key throws(ClusterError) in
      try value.withBytes { value throws(ClusterError) in try beginWrite(kind, key, value, options) }
    }
    if let unfinished { try finishWrite(unfinished, await unfinished.pending.wait()) }
  }

  @inline(__always)
  func writeBlocking(
    _ kind: ClientOperation.Kind, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer,
    _ options: WriteOptions
  ) throws(ClusterError) {
    if let unfinished = try beginWrite(kind, key, value, options) {
      try finishWrite(unfinished, unfinished.pending.waitBlocking())
    }
  }

  /// - Parameter drawn: a tag that the caller has drawn already.
  /// - Returns: `nil` if it has ended.
  @inline(__always)
  func beginWrite(
    _ kind: ClientOperation.Kind, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer,
    _ options: WriteOptions, drawn: Tag? = nil
  ) throws(ClusterError) -> Unfinished? {
    let operation = try begin(kind, key, value, options.consistency)
    do throws(ClusterError) {
      let tag = if let drawn { drawn } else { try drawTag() }
      let pending =
        if kind == .put, let expiry = options.expiry { try carry(operation, key, value, tag, expiry) } else {
          try carry(operation, key, value, tag)
        }
      if let pending { return Unfinished(operation: operation, pending: pending) }
    } catch {
      throw failed(operation, error)
    }
    end(operation)
    return nil
  }

  /// - Parameter payload: of the record.
  @inline(__always)
  private func carry(
    _ operation: ClientOperation, _ key: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, _ tag: Tag
  ) throws(ClusterError) -> PendingOperation? {
    links.isFaulty
      ? try beginByMessage(operation, key, payload, tag) : try direct.write(operation, key, payload, tag)
  }

  /// An operation that goes by message. What a batch has begun at its key comes first.
  @inline(never)
  func beginByMessage(
    _ operation: ClientOperation, _ key: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, _ tag: Tag
  ) throws(ClusterError) -> PendingOperation {
    let partition = partitions[Store.partition(of: operation.hash)]
    try partition.lock.pointee.withLock { () throws(ClusterError) in
      if partition.pointee.hasUnfinished { try direct.finishBatches(operation.hash, key, partition) }
    }
    return messages.begin(operation, key, payload, tag)
  }

  /// A put of a value that expires.
  @inline(never)
  func carry(
    _ operation: ClientOperation, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ tag: Tag,
    _ expiry: ExpiryTime
  ) throws(ClusterError) -> PendingOperation? {
    try value.behind(try clock.time(expiry)).withBytes { payload throws(ClusterError) in
      try carry(operation, key, payload, tag.asExpiring)
    }
  }

  func finishWrite(_ write: Unfinished, _ outcome: ClientOperation.Outcome) throws(ClusterError) {
    switch outcome {
    case .done: end(write.operation)
    case .undecided: throw undecided(write)
    case .found, .unmet: preconditionFailure("a write finds nothing, and is sent to all owners")
    }
  }

  /// The version of a new write. Waits while a disk lags too far behind.
  @inline(__always)
  private func drawTag() throws(ClusterError) -> Tag {
    if holdsWritersBack { try waitForDisks() }
    do { return try tags.draw() } catch { throw .storage(error.refusingWrite) }
  }

  /// Writers wait until a disk that is more than two seconds behind has caught up, as the policy promises.
  @inline(never)
  func waitForDisks() throws(ClusterError) {
    let deadlineNs = Clock.nowNs() + settings.timeoutNs
    while holdsWritersBack {
      guard Clock.nowNs() < deadlineNs else {
        throw .storage("a disk has not taken anything for seconds. Nothing was written; try again, or look at the disk")
      }
      Clock.sleep(ns: 1_000_000)
    }
  }

  // MARK: - Reading

  @inline(__always)
  func read(_ key: [UInt8], _ options: ReadOptions) async throws(ClusterError) -> [UInt8]? {
    let (value, unfinished) = try key.withBytes { key throws(ClusterError) in
      try beginRead(key, options) { Array($0) }
    }
    guard let unfinished else { return value }
    return try finishRead(unfinished, await unfinished.pending.wait(), value) { Array($0) }
  }

  /// - Parameter take: gets the value, perhaps while a lock is held.
  @inline(__always)
  func readBlocking<R>(
    _ key: UnsafeRawBufferPointer, _ options: ReadOptions, _ take: (UnsafeRawBufferPointer) -> R
  ) throws(ClusterError) -> R? {
    let (result, unfinished) = try beginRead(key, options, take)
    guard let unfinished else { return result }
    return try finishRead(unfinished, unfinished.pending.waitBlocking(), result, take)
  }

  /// - Returns: what `take` made of the value; it counts once `unfinished` has ended, if there is that.
  @inline(__always)
  func beginRead<R>(
    _ key: UnsafeRawBufferPointer, _ options: ReadOptions, _ take: (UnsafeRawBufferPointer) -> R
  ) throws(ClusterError) -> (result: R?, unfinished: Unfinished?) {
    let operation = try begin(.get, key, UnsafeRawBufferPointer(start: nil, count: 0), options.consistency)
    let (result, pending): (R?, PendingOperation?)
    do throws(ClusterError) {
      if links.isFaulty {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        (result, pending) = (nil, try beginByMessage(operation, key, nothing, .none))
      } else if operation.record == nil {
        (result, pending) = try direct.read(operation, key) { $0.map(take) }
      } else {
        (result, pending) = try readRecorded(operation, key, take)
      }
    } catch {
      throw failed(operation, error)
    }
    if let pending { return (result, Unfinished(operation: operation, pending: pending)) }
    end(operation)
    return (result, nil)
  }

  // Apart: a closure that knows the data path costs every other read a retain and a release.
  @inline(never)
  func readRecorded<R>(
    _ operation: ClientOperation, _ key: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> R
  ) throws(ClusterError) -> (R?, PendingOperation?) {
    try direct.read(operation, key) { value in
      note(operation, found: value)
      return value.map(take)
    }
  }

  /// - Parameter result: what was taken when it began.
  func finishRead<R>(
    _ read: Unfinished, _ outcome: ClientOperation.Outcome, _ result: R?, _ take: (UnsafeRawBufferPointer) -> R
  ) throws(ClusterError) -> R? {
    switch outcome {
    case .done:
      end(read.operation)
      return result
    case .found(let value):
      defer { end(read.operation) }
      guard let value else { return nil }
      return value.withBytes { value in
        note(read.operation, found: value)
        return take(value)
      }
    case .undecided: throw undecided(read)
    case .unmet: preconditionFailure("a get ends undecided where too few answer")
    }
  }

  // MARK: - In a simulation

  /// The tag of a write that is submitted later: its thread was held up in between.
  package func drawEarly() throws(ClusterError) -> Tag { try drawTag() }

  /// An operation whose end is told to `completion`, once, perhaps before this returns.
  /// - Parameter drawn: a write's tag, if it has been drawn already.
  /// - Throws: nothing was done.
  package func submit(
    _ call: ClientOperation.Call, _ key: [UInt8], _ consistency: Consistency?, drawn: Tag? = nil,
    completion: @escaping @Sendable (ClientOperation.Outcome) -> Void
  ) throws(ClusterError) {
    let (result, unfinished) = try key.withBytes { key throws(ClusterError) in try begin(call, key, consistency, drawn)
    }
    guard let unfinished else { return completion(result) }
    unfinished.pending.onDecision { [self] outcome in
      do throws(ClusterError) {
        if case .get = call {
          let value = if case .found(let value) = result { value } else { nil as [UInt8]? }
          completion(.found(try finishRead(unfinished, outcome, value) { Array($0) }))
        } else {
          try finishWrite(unfinished, outcome)
          completion(.done)
        }
      } catch {
        completion(.undecided)
      }
    }
  }

  private func begin(
    _ call: ClientOperation.Call, _ key: UnsafeRawBufferPointer, _ consistency: Consistency?, _ drawn: Tag?
  ) throws(ClusterError) -> (ClientOperation.Outcome, Unfinished?) {
    let options = WriteOptions(consistency: consistency)
    switch call {
    case .update: preconditionFailure("an update is submitted as one")
    case .get:
      let (value, unfinished) = try beginRead(key, ReadOptions(consistency: consistency)) { Array($0) }
      return (.found(value), unfinished)
    case .put(let value, let expiry):
      let options = WriteOptions(consistency: consistency, expiry: expiry)
      let write = try value.withBytes { value throws(ClusterError) in
        try beginWrite(.put, key, value, options, drawn: drawn)
      }
      return (.done, write)
    case .delete:
      return (
        .done, try beginWrite(.delete, key, UnsafeRawBufferPointer(start: nil, count: 0), options, drawn: drawn)
      )
    }
  }
}
