import Synchronization

/// All-or-nothing operations on several keys.
///
/// *Isolation*: the locks of all partitions with keys of the batch are held, in the order of their numbers, from the first
/// look to the last write; each key is a read-modify-write of its own meanwhile.
///
/// *Atomicity*: what a batch writes is in the journal (``BatchJournal``), durably, before its first record is in any log. From
/// then on it is decided. Where a crash, or disks that are full, leave some of its writes on too few owners, these are
/// ``UnfinishedWrites``: a key that has one is neither read nor written before it is done. So nobody ever sees half of a
/// batch, and who cannot be told the whole is refused.
///
/// Of each write only the value and its place are kept, and doing it again is harmless: who finds that version of the key, or a
/// newer one, has nothing to do. But of a key that was deleted since nothing may be left to find. So a tombstone is not
/// purged while the journal names its key.
///
/// Batches that meet wait for one sync of the journal together. A batch that writes one key, or whose folder goes with the
/// program, needs none.
final class Batches: Sendable {
  /// One batch, and the caller that waits for it.
  final class Job: Sendable {
    let keys: [[UInt8]]
    let hashes: [UInt64]
    let readsValues: Bool
    private let transform: @Sendable ([FoundKey]) throws(ClusterError) -> [Change]
    let ended = PendingOperation()
    private let failure = Mutex<ClusterError?>(nil)

    /// - Parameter transform: gets the keys in their order while locks are held, and says what becomes of each; perhaps more
    ///   than once, and at most once with effect.
    init(
      _ keys: [[UInt8]], readsValues: Bool,
      _ transform: @escaping @Sendable ([FoundKey]) throws(ClusterError) -> [Change]
    ) {
      self.keys = keys
      hashes = keys.map { $0.withUnsafeBytes(Ring.hash) }
      self.readsValues = readsValues
      self.transform = transform
    }

    var error: ClusterError? { failure.withLock { $0 } }

    func decide(_ found: [FoundKey]) throws(ClusterError) -> [Change] {
      let changes = try transform(found)
      precondition(changes.count == keys.count, "a batch says of each key what becomes of it")
      return changes
    }

    fileprivate func fail(_ error: ClusterError) {
      failure.withLock { $0 = error }
      ended.decide(Self.outcome(of: error))
    }

    /// How a try that may be made again has ended.
    fileprivate func note(_ error: ClusterError?) { failure.withLock { $0 = error } }

    fileprivate static func outcome(of error: ClusterError) -> ClientOperation.Outcome {
      if case .indeterminate = error { .undecided } else { .unmet }
    }
  }

  private struct State {
    var queue: [Job] = []
    var isRunning = false
  }

  /// What the journal says.
  struct Journaled {
    /// What must be in it.
    var writes: [BatchedWrite] = []
    /// Hashes of all writes that the file may name: it was replaced, or was to be and nobody knows whether it is.
    var filed: Set<UInt64> = []

    var byteCount: Int { writes.reduce(0) { $0 + $1.byteCount } }
  }

  /// More than this is not written again with each batch: the logs are synced first.
  static let journalBytesMax = 256 << 10
  private static let groupMax = 64

  let partitions: PartitionTable
  let direct: DirectCarrier
  let messages: MessageCarrier
  let links: Links
  /// `nil` if the folder goes with the program.
  let journal: BatchJournal?
  let policy: FsyncPolicy
  /// Wrong. Only for the mistake of this name.
  let isForgetful: Bool
  private let executor: any Executor
  private let queue = Mutex(State())
  /// Held by who writes the journal. Locks of partitions are taken with it held, never the other way round.
  let journaling = Lock()
  /// Changed with `journaling` held.
  let journaled = Mutex(Journaled())
  /// Hashes of writes that are being finished by message.
  let finishing = Mutex<Set<UInt64>>([])

  init(
    _ direct: DirectCarrier, _ messages: MessageCarrier, _ settings: DataPath.Settings, _ executor: any Executor
  ) {
    (self.direct, self.messages, journal, policy) = (direct, messages, settings.journal, settings.policy)
    isForgetful = settings.mistake == .halvesBatches
    (partitions, links, self.executor) = (direct.partitions, direct.links, executor)
  }

  static let unfinished = ClusterError.notServing(
    "a batch that was begun before is not at all owners of the key yet; try again in a moment")

  // MARK: - Carrying out

  /// Whether a batch may block its thread for the journal.
  func mayBlock(keys: Int) -> Bool { journal != nil && keys > 1 }

  /// Begins a batch; its end is told by ``Job/ended``.
  func begin(_ job: Job) {
    guard mayBlock(keys: job.keys.count) else { return carryOutAndEnd([job]) }
    let isFirst = queue.withLock { state in
      state.queue.append(job)
      defer { state.isRunning = true }
      return !state.isRunning
    }
    if isFirst { executor.run("batches", run) }
  }

  @Sendable private func run() {
    while let jobs = nextGroup() { journaling.withLock { carryOutAndEnd(jobs) } }
  }

  private func carryOutAndEnd(_ jobs: [Job]) {
    for (job, result) in zip(jobs, carryOut(jobs)) {
      switch result {
      case .success(let waiting):
        if waiting.isEmpty { job.ended.decide(.done) } else { end(job, after: waiting) }
      case .failure(let error): job.fail(error)
      }
    }
  }

  /// Batches from the front of the queue that have no key in common.
  private func nextGroup() -> [Job]? {
    queue.withLock { state in
      var hashes: Set<UInt64> = []
      var count = 0
      for job in state.queue.prefix(Self.groupMax) {
        guard hashes.isDisjoint(with: job.hashes) else { break }
        hashes.formUnion(job.hashes)
        count += 1
      }
      guard count > 0 else {
        state.isRunning = false
        return nil
      }
      defer { state.queue.removeFirst(count) }
      return Array(state.queue.prefix(count))
    }
  }

  /// Carries out a batch with the owners that have answered, while links are faulty. Call from an exchange.
  func attempt(_ job: Job, with owners: [[UInt16]]) -> MessageCarrier.Attempted {
    let result =
      mayBlock(keys: job.keys.count)
      ? journaling.withLock { carryOut([job], among: owners)[0] } : carryOut([job], among: owners)[0]
    switch result {
    case .success(let waiting):
      job.note(nil)
      if waiting.isEmpty { return .ended(.done) }
      end(job, after: waiting)
      return .waits(job.ended)
    case .failure(let error):
      job.note(error)
      return switch error {
      case .unavailable, .notServing: .tooFew
      default: .ended(Job.outcome(of: error))
      }
    }
  }

  /// What to wait for until a batch may be answered.
  private typealias Waiting = [(write: BatchedWrite?, pending: PendingOperation)]

  /// One after the other, all under one hold of the locks of their partitions.
  private func carryOut(_ jobs: [Job], among owners: [[UInt16]]? = nil) -> [Result<Waiting, ClusterError>] {
    if mayBlock(keys: jobs[0].keys.count) { makeRoom() }
    let numbers = Set(jobs.flatMap { $0.hashes.map(Store.partition) }).sorted()
    for number in numbers { partitions[number].lock.pointee.lock() }
    defer { for number in numbers { partitions[number].lock.pointee.unlock() } }
    var prepared = jobs.map { job in
      Result { () throws(ClusterError) in try direct.prepare(job, among: owners) }
    }
    let writes = prepared.flatMap { ((try? $0.get()) ?? []).compactMap(\.write) }
    do throws(ClusterError) {
      try journal(writes)
    } catch {
      prepared = prepared.map { result in
        result.flatMap { keys in keys.contains { $0.write != nil } ? .failure(error) : result }
      }
    }
    return prepared.map { result in result.flatMap(apply) }
  }

  private func apply(_ keys: [DirectCarrier.BatchedKey]) -> Result<Waiting, ClusterError> {
    var waiting: Waiting = []
    var failure: ClusterError?
    for key in keys {
      do throws(ClusterError) {
        if let pending = try direct.apply(key) { waiting.append((key.write, pending)) }
      } catch {
        failure = error
      }
    }
    guard let failure else { return .success(waiting) }
    // Of one key all is said; of several, what was begun will be done.
    if keys.count == 1 { return .failure(failure) }
    for key in keys { if let write = key.write { partitions.unfinished.add(write, partitions[key.partition]) } }
    return .failure(
      .indeterminate(
        .init(
          "too few owners took a part of the batch (\(failure)). The rest of it is done before its keys are read again")
      ))
  }

  /// Ends a batch once all disks have what it waits for.
  private func end(_ job: Job, after waiting: Waiting) {
    let left = Mutex((count: waiting.count, isDone: true))
    for (write, pending) in waiting {
      pending.onDecision { [self] outcome in
        if outcome != .done, let write, job.keys.count > 1 {
          let partition = partitions[Store.partition(of: write.hash)]
          partition.lock.pointee.withLock { partitions.unfinished.add(write, partition) }
        }
        let isDone = left.withLock { left -> Bool? in
          left.count -= 1
          left.isDone = left.isDone && outcome == .done
          return left.count == 0 ? left.isDone : nil
        }
        if let isDone { job.ended.decide(isDone ? .done : .undecided) }
      }
    }
  }
}
