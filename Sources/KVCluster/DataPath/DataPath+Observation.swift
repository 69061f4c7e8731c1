/// What every operation goes through at its beginning and its end, whichever way it is carried.
extension DataPath {
  /// Refuses what is out of bounds, and begins the record of the operation.
  @inline(__always)
  func begin(
    _ kind: ClientOperation.Kind, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer,
    _ consistency: Consistency?
  ) throws(ClusterError) -> ClientOperation {
    try checkServing()
    try ClientOperation.check(keyBytes: key.count, valueBytes: value.count)
    let hash = Ring.hash(key)
    var operation = ClientOperation(kind, hash: hash, consistency, startedNs: startTiming(kind))
    if tap.watches(hash) { operation.record = beginRecord(operation, key, value) }
    return operation
  }

  /// The operation has done what was asked.
  @inline(__always)
  func end(_ operation: ClientOperation) {
    finishTiming(operation)
    if operation.record != nil { endRecord(operation) }
  }

  /// The operation has thrown.
  @inline(never)
  func failed(_ operation: ClientOperation, _ error: ClusterError) -> ClusterError {
    finishTiming(operation)
    tap.end(operation.record, DataPath.outcome(of: error))
    return error
  }

  /// Whether an operation that threw may have an effect.
  package static func outcome(of error: ClusterError) -> ObservedOperation.Outcome {
    switch error {
    case .invalidArgument, .unavailable, .refused, .dataFolder, .notServing, .unsupported: .failed
    case .indeterminate, .storage: .unknown
    }
  }

  // Each in two branches: a recorder that is chosen first costs a retain and a release.

  @inline(__always)
  private func startTiming(_ kind: ClientOperation.Kind) -> UInt64 {
    if kind == .expiry { return 0 }
    return kind == .get ? readLatencies.start() : writeLatencies.start()
  }

  @inline(__always)
  private func finishTiming(_ operation: ClientOperation) {
    if operation.kind == .get {
      readLatencies.finish(operation.startedNs)
    } else {
      writeLatencies.finish(operation.startedNs)
    }
  }

  // MARK: - Records of watched keys

  // Apart, and never inlined, so that all other keys pay for no more than the question.
  //
  // What the live verdict makes of levels: a caller that asks for less than the cluster's own quorums has not been
  // promised what it judges. A get from fewer owners is not recorded at all. A write to fewer is recorded as one of unknown
  // outcome, which may take effect at any time or never: nothing that others then read is held against them, and a value
  // from nowhere still is. Levels that wait for as many owners as the default, or more, overlap with it and are judged.

  @inline(never)
  private func beginRecord(
    _ operation: ClientOperation, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
  ) -> Int? {
    // What a read-modify-write writes is known when it is carried out.
    if operation.kind == .update || operation.kind == .expiry || operation.kind == .get && !isJudged(operation) {
      return nil
    }
    return tap.begin(operation.kind, key, operation.kind == .put ? ObservedValue(value) : .absent)
  }

  @inline(never)
  private func endRecord(_ operation: ClientOperation) {
    tap.end(operation.record, operation.kind == .get || isJudged(operation) ? .done : .unknown)
  }

  /// A get has found a value, or none. Call before its end.
  @inline(__always)
  func note(_ operation: ClientOperation, found value: UnsafeRawBufferPointer?) {
    if let record = operation.record, let value { tap.note(record, found: ObservedValue(value)) }
  }

  private func isJudged(_ operation: ClientOperation) -> Bool {
    guard let consistency = operation.consistency else { return true }
    let quorum = partitions.viewInForce.quorum
    return consistency.count(of: quorum.replicas) >= (operation.kind == .get ? quorum.read : quorum.write)
  }

  // MARK: - Undecided operations

  /// The operation's quorum did not answer in time.
  func undecided(_ unfinished: Unfinished) -> ClusterError {
    let operation = unfinished.operation
    if operation.kind == .get, let refusal = partitions.lastingRefusal(of: operation.hash, folder: settings.folder) {
      return failed(operation, refusal)
    }
    let level = operation.consistency.words
    let silence = direct.silence(ofOwnersOf: operation.hash)
    let lack =
      unfinished.pending.waitsForDisks
      ? "too few owners confirmed in time that it is on their disks" : "too few owners answered in time"
    let (reason, advice) = ("\(lack)\(level)\(silence.words)", silence.advice)
    guard operation.kind == .get else { return failed(operation, .undecidedWrite(reason, advice: advice)) }
    var detail = ClusterError.Detail("\(reason). Nothing can be said of the key")
    detail.advice = advice
    return failed(operation, .indeterminate(detail))
  }
}
