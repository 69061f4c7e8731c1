import CKernels
import KVCluster
import Synchronization

/// Callers that work on a target: all of them do one round at the same time, then the next.
///
/// A class of the target's type, so that calls of a cluster are direct ones; the tests put something else in its place.
final class LoadGenerator<Target: BenchmarkTarget>: Sendable {
  let plan: BenchmarkPlan
  let target: Target
  let tally = OperationTally()
  let lanes: LatencyLanes
  let inserts: InsertSequence
  private let chooser: KeyChooser
  private let isStopped = Atomic<Bool>(false)
  private let firstFailure = Mutex<ClusterError?>(nil)

  /// Operations a caller that is not waiting for a disk does between looks at the clock and the stop flag, and between
  /// counting: a fifth of a millisecond.
  static var batch: Int { 256 }

  /// After a failure a caller waits, so that a cluster without a quorum is not asked a million times.
  static var pauseNs: UInt64 { 20_000_000 }

  init(_ plan: BenchmarkPlan, _ target: Target) {
    self.plan = plan
    self.target = target
    lanes = LatencyLanes(callers: plan.clients)
    inserts = InsertSequence(first: UInt64(plan.keys))
    chooser = KeyChooser(plan.distribution, keys: plan.keys)
  }

  func stop() { isStopped.store(true, ordering: .relaxed) }

  @inline(__always)
  var isStopping: Bool { isStopped.load(ordering: .relaxed) }

  /// The first error any caller met.
  var failure: ClusterError? { firstFailure.withLock { $0 } }

  /// What all callers do.
  struct Round: Sendable {
    let mix: OperationMix
    /// Of all callers together, or no bound but the deadline.
    let operations: Int?
    let deadlineNs: UInt64
    let seed: UInt64
    /// The moments of an open loop.
    var schedule: OpenSchedule?

    /// An even part of the operations.
    func quota(_ index: Int, of callers: Int) -> Int {
      guard let operations else { return .max }
      return operations / callers + (index < operations % callers ? 1 : 0)
    }
  }

  /// Returns when all callers are done: by quota, deadline, stop or error.
  func run(_ round: Round) async {
    if plan.usesTasks {
      await runTasks(round)
    } else {
      runThreads(round)
    }
  }

  func stream(_ index: Int, _ round: Round) -> OperationStream {
    OperationStream(
      round.mix, chooser.forCaller(index, of: plan.clients), plan.valueSizes,
      seed: round.seed &+ UInt64(index) &* 7_919)
  }

  func sampler(_ index: Int, _ round: Round) -> LatencySampler {
    LatencySampler(every: plan.latencySampling, seed: round.seed &+ UInt64(index) &* 15_485_863 ^ 0x7469_6d65)
  }

  /// Where a caller's puts are numbered from: far from those of the others, and of other rounds.
  static func firstPut(_ index: Int, _ round: Round) -> UInt64 { round.seed << 48 &+ UInt64(index) << 40 }

  /// Whether to go on after a failure.
  @inline(never)
  func goesOn(after error: ClusterError) -> Bool {
    firstFailure.withLock { $0 = $0 ?? error }
    if !plan.toleratesFailures { stop() }
    return plan.toleratesFailures
  }

  @inline(never)
  static func missing(_ key: some Sequence<UInt8>) -> ClusterError {
    .storage("key \(String(decoding: Array(key), as: UTF8.self)) was loaded and is not there")
  }
}

// MARK: - Threads

extension LoadGenerator {
  private func runThreads(_ round: Round) {
    let threads = (0..<plan.clients).map { index in
      BackgroundThread("bench \(index)") { [self] in
        var caller = ThreadCaller(self, index, round)
        if let schedule = round.schedule {
          caller.runOpen(schedule)
        } else {
          caller.runClosed(quota: round.quota(index, of: plan.clients), deadlineNs: round.deadlineNs)
        }
        caller.free()
      }
    }
    for thread in threads { thread.join() }
  }
}

/// One caller that is a thread: its operations, and the memory that their keys and values are in.
private struct ThreadCaller<Target: BenchmarkTarget> {
  private let generator: LoadGenerator<Target>
  private let index: Int
  private var stream: OperationStream
  private let writer: KeyWriter
  private let key: UnsafeMutableRawBufferPointer
  private let value: UnsafeMutableRawBufferPointer
  /// No two puts write the same: a stale answer could not be told from a right one.
  private var putNumber: UInt64
  private var sampler: LatencySampler
  private var counts = OperationCounts()

  init(_ generator: LoadGenerator<Target>, _ index: Int, _ round: LoadGenerator<Target>.Round) {
    let plan = generator.plan
    self.generator = generator
    self.index = index
    stream = generator.stream(index, round)
    writer = plan.names.writer
    key = .allocate(byteCount: plan.names.byteCount, alignment: 8)
    key.copyBytes(from: plan.names.template())
    value = .allocate(byteCount: plan.valueSizes.most, alignment: 8)
    value.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: "x"))
    putNumber = LoadGenerator<Target>.firstPut(index, round)
    sampler = generator.sampler(index, round)
  }

  func free() {
    key.deallocate()
    value.deallocate()
  }

  /// What an operation needs of the generator, held for the whole run: taken from there for each operation, it would be
  /// retained and released for each, and by all threads at the same place.
  private struct Tools {
    let target: Target
    let lanes: LatencyLanes
    let inserts: InsertSequence

    init(_ generator: LoadGenerator<Target>) {
      (target, lanes, inserts) = (generator.target, generator.lanes, generator.inserts)
    }
  }

  mutating func runClosed(quota: Int, deadlineNs: UInt64) {
    let tools = Tools(generator)
    var left = quota
    while left > 0, !generator.isStopping, Clock.nowNs() < deadlineNs {
      let count = min(left, LoadGenerator<Target>.batch)
      left -= count
      guard runBatch(count, tools) else { break }
      flush()
    }
    flush()
  }

  /// Returns whether to go on.
  @inline(__always)
  private mutating func runBatch(_ count: Int, _ tools: Tools) -> Bool {
    for _ in 0..<count {
      guard runOne(sampler.next() ? Clock.nowNs() : 0, tools) else { return false }
    }
    return true
  }

  /// - Parameter startedNs: from when latency counts, 0 not to time it.
  @inline(__always)
  private mutating func runOne(_ startedNs: UInt64, _ tools: Tools) -> Bool {
    let (kind, number) = stream.next(tools.inserts)
    writer.write(number, into: key)
    do throws(ClusterError) {
      try perform(kind, tools.target)
    } catch {
      return fail(kind, number, error)
    }
    if startedNs != 0 { tools.lanes.record(index, kind, Clock.nowNs() &- startedNs) }
    if kind == .insert { tools.inserts.acknowledge(number) }
    counts.count(kind)
    return true
  }

  @inline(__always)
  private mutating func perform(_ kind: OperationKind, _ target: Target) throws(ClusterError) {
    let key = UnsafeRawBufferPointer(key)
    if kind == .read {
      if try target.getBlocking(key, into: value, ReadOptions()) == nil { throw LoadGenerator<Target>.missing(key) }
      return
    }
    putNumber &+= 1
    if value.count >= 8 { value.storeBytes(of: putNumber, as: UInt64.self) }
    let value = UnsafeRawBufferPointer(rebasing: value[..<stream.nextValueBytes()])
    if kind == .modify {
      guard try target.replaceBlocking(key, Array(value)) else { throw LoadGenerator<Target>.missing(key) }
    } else {
      try target.putBlocking(key, value, WriteOptions())
    }
  }

  @inline(never)
  private mutating func fail(_ kind: OperationKind, _ number: UInt64, _ error: ClusterError) -> Bool {
    counts.failures += 1
    stream.failed(kind, number)
    guard generator.goesOn(after: error) else { return false }
    Clock.sleep(ns: LoadGenerator<Target>.pauseNs)
    return true
  }

  private mutating func flush() {
    generator.tally.add(counts)
    counts = OperationCounts()
  }

  /// Each operation at its moment, or as soon after it as this caller can.
  mutating func runOpen(_ schedule: OpenSchedule) {
    kv_wake_precisely()
    let tools = Tools(generator)
    while let dueNs = schedule.next(), Pacing.wait(untilNs: dueNs, isStopped: { generator.isStopping }) {
      let goesOn = runOne(sampler.next() ? dueNs : 0, tools)
      flush()
      if !goesOn { return }
    }
  }
}
