import Synchronization
import Text

/// Operations on several keys that are all or nothing.
extension DataPath {
  /// What a batch has told, for a caller that waits for it elsewhere.
  private final class BatchAnswer<R: Sendable>: Sendable {
    struct State {
      var result: R?
      /// Its keys' slots in the tap, if they are watched.
      var records: [Int] = []
    }
    let state = Mutex(State())
  }

  private struct BegunBatch<R: Sendable>: Sendable {
    let job: Batches.Job
    let answer: BatchAnswer<R>
    let startedNs: UInt64
    let ended: PendingOperation
  }

  /// Lets `transform` decide what becomes of several keys, in one step for all of them: nobody sees a part of it, and no crash
  /// leaves one.
  /// - Parameters:
  ///   - keys: each once.
  ///   - readsValues: false if `transform` needs no values.
  ///   - transform: gets the keys in their order, while locks are held, and returns what becomes of each and what to tell;
  ///     perhaps more than once, at most once with effect. It must not call the cluster. If it throws nothing is done.
  package func update<R: Sendable>(
    all keys: [[UInt8]], readsValues: Bool = true,
    _ transform: @escaping @Sendable ([FoundKey]) throws(ClusterError) -> (changes: [Change], result: R)
  ) async throws(ClusterError) -> R {
    let begun = try beginBatch(keys, readsValues, transform)
    return try finishBatch(begun, await begun.ended.wait())
  }

  /// ``update(all:readsValues:_:)`` on the calling thread.
  func updateBlocking<R: Sendable>(
    all keys: [[UInt8]], readsValues: Bool = true,
    _ transform: @escaping @Sendable ([FoundKey]) throws(ClusterError) -> (changes: [Change], result: R)
  ) throws(ClusterError) -> R {
    let begun = try beginBatch(keys, readsValues, transform)
    return try finishBatch(begun, begun.ended.waitBlocking())
  }

  /// ``update(all:readsValues:_:)`` whose end is told to `completion`, once, perhaps before this returns.
  /// - Throws: nothing was done.
  package func submitUpdate<R: Sendable>(
    all keys: [[UInt8]],
    _ transform: @escaping @Sendable ([FoundKey]) throws(ClusterError) -> (changes: [Change], result: R),
    completion: @escaping @Sendable (Result<R, ClusterError>) -> Void
  ) throws(ClusterError) {
    let begun = try beginBatch(keys, true, transform)
    begun.ended.onDecision { [self] outcome in
      completion(Result { () throws(ClusterError) in try finishBatch(begun, outcome) })
    }
  }

  private func beginBatch<R: Sendable>(
    _ keys: [[UInt8]], _ readsValues: Bool,
    _ transform: @escaping @Sendable ([FoundKey]) throws(ClusterError) -> (changes: [Change], result: R)
  ) throws(ClusterError) -> BegunBatch<R> {
    try checkServing()
    try Batches.check(keys)
    if holdsWritersBack { try waitForDisks() }
    let answer = BatchAnswer<R>()
    let startedNs = writeLatencies.start()
    let isWatched = keys.contains { tap.watches($0.withUnsafeBytes(Ring.hash)) }
    let job = Batches.Job(keys, readsValues: readsValues || isWatched) { [tap] found throws(ClusterError) in
      let (changes, result) = try transform(found)
      try Batches.check(changes)
      let records = isWatched ? DataPath.record(changes, of: keys, found, in: tap) : []
      // A try before this one has changed nothing.
      let earlier = answer.state.withLock { state in
        defer { state = BatchAnswer<R>.State(result: result, records: records) }
        return state.records
      }
      for record in earlier { tap.end(record, .failed) }
      return changes
    }
    let ended: PendingOperation
    if links.isFaulty {
      ended = messages.exchange(job.hashes) { [batches] owners in batches.attempt(job, with: owners) }
    } else {
      batches.begin(job)
      ended = job.ended
    }
    return BegunBatch(job: job, answer: answer, startedNs: startedNs, ended: ended)
  }

  /// Whether writes of a batch are on too few owners.
  package var hasUnfinishedBatches: Bool { batches.hasUnfinished }

  /// Writes of batches that were done after the batch.
  package var batchesFinished: Int { partitions.unfinished.finished }

  /// To the live verdict a batch is a read-modify-write of each of its keys.
  private static func record(
    _ changes: [Change], of keys: [[UInt8]], _ found: [FoundKey], in tap: OperationTap
  ) -> [Int] {
    var records: [Int] = []
    for (i, change) in changes.enumerated() where tap.watches(keys[i].withUnsafeBytes(Ring.hash)) {
      let slot = keys[i].withUnsafeBytes { key -> Int? in
        guard let value = found[i].value else { return record(change, of: key, found: nil, in: tap) }
        return value.withUnsafeBytes { record(change, of: key, found: $0, in: tap) }
      }
      if let slot { records.append(slot) }
    }
    return records
  }

  private func finishBatch<R>(
    _ begun: BegunBatch<R>, _ outcome: ClientOperation.Outcome
  ) throws(ClusterError) -> R {
    writeLatencies.finish(begun.startedNs)
    let state = begun.answer.state.withLock { $0 }
    let observed: ObservedOperation.Outcome
    switch outcome {
    case .done: observed = .done
    case .undecided: observed = .unknown
    case .unmet, .found: observed = .failed
    }
    for record in state.records { tap.end(record, observed) }
    if outcome == .done, let result = state.result { return result }
    if let error = begun.job.error { throw error }
    guard outcome == .undecided else { throw .notServing("the cluster is closed") }
    throw .indeterminate(
      .init(
        """
        too few owners of the batch's keys confirmed in time that it is on their disks. Read the keys to find out whether it has \
        taken effect; it has as a whole or not at all
        """))
  }
}

extension Batches {
  static func check(_ keys: [[UInt8]]) throws(ClusterError) {
    guard !keys.isEmpty, keys.count <= Limits.batchKeysMax else {
      throw .invalidArgument(
        "a batch has 1 to \(Figures.count(Limits.batchKeysMax, "key")), this one has \(Figures.count(keys.count))")
    }
    for key in keys { try ClientOperation.check(keyBytes: key.count, valueBytes: 0) }
    guard Set(keys).count == keys.count else { throw .invalidArgument("a batch names each key once") }
  }

  static func check(_ changes: [Change]) throws(ClusterError) {
    var byteCount = 0
    for case .put(let value, _) in changes { byteCount += value.count }
    guard byteCount <= Limits.batchBytesMax else {
      throw .invalidArgument(
        .init(
          "the values of a batch have at most \(Figures.given(bytes: Limits.batchBytesMax)) together, these have "
            + Figures.count(byteCount, "byte")))
    }
  }
}

extension FoundKey {
  /// - Parameter copies: whether the value's bytes are wanted.
  init(_ found: Found, _ stamp: Stamp?, copies: Bool) {
    self.init(
      value: copies ? found.value.map { Array($0) } : nil, exists: found.value != nil, expiry: found.expiry,
      version: stamp?.tag.rawValue ?? 0)
  }
}
