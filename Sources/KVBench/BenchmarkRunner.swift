import Glibc
import Histogram
import KVCluster
import Synchronization

/// Carries out a plan against a cluster: closed loop, each caller sends its next operation when it has the answer.
package final class BenchmarkRunner: Sendable {
  package let plan: BenchmarkPlan
  private let cluster: Cluster
  private let reads = Atomic<Int>(0)
  private let writes = Atomic<Int>(0)
  private let isStopped = Atomic<Bool>(false)
  private let failure = Mutex<ClusterError?>(nil)

  /// Of the operations of one caller, every so many are timed: two readings of the clock cost 56 ns, an eighth of a get.
  /// See ``BenchmarkPlan/latencySampling``.
  package static let sampling = 16

  /// Gets of a warm-up: enough to turn a default cache over several times, and a second or two of time.
  package static let warmOperationsMax = 1_000_000

  package init(_ plan: BenchmarkPlan, _ cluster: Cluster) {
    self.plan = plan
    self.cluster = cluster
  }

  /// Operations finished so far, for whoever shows progress. Counted in steps of ``batch``.
  package var operationsDone: Int { reads.load(ordering: .relaxed) + writes.load(ordering: .relaxed) }

  /// Ends the run soon.
  package func stop() { isStopped.store(true, ordering: .relaxed) }

  /// Loads what the workload needs, warms the cache if the plan says so, then measures.
  /// - Parameter onStart: called when that is over and measuring begins.
  /// - Throws: the first error any caller met.
  package func run(onStart: () -> Void = {}) async throws -> BenchmarkResult {
    precondition(plan.workload != .open, "a runner has one cluster, and `open` opens several: use BenchmarkReopening")
    let memoryAtStart = ProcessMemory.now()
    if plan.workload.loads { try await load() }
    if plan.warms { try await warm() }
    writes.store(0, ordering: .relaxed)
    reads.store(0, ordering: .relaxed)
    let timeline = plan.recordsTimeline ? BenchmarkTimeline { [self] in count } : nil
    onStart()
    let startedNs = Clock.nowNs()
    let parts = await run(
      Round(
        workload: plan.workload, operations: plan.seconds == 0 ? plan.keys : nil,
        deadlineNs: plan.seconds == 0 ? .max : startedNs + UInt64(plan.seconds * 1e9), seed: plan.seed))
    let elapsedNs = Clock.nowNs() - startedNs
    if let failure = failure.withLock({ $0 }) { throw failure }
    var latencies = BenchmarkResult.emptyHistogram()
    for part in parts { latencies.add(part.latencies) }
    let status = cluster.status()
    return BenchmarkResult(
      plan: plan, fsync: status.fsync, replicas: status.quorum.effective(nodes: status.nodes.count).replicas,
      operations: parts.reduce(0) { $0 + $1.operations }, elapsedNs: elapsedNs, latencies: latencies,
      footprint: BenchmarkFootprint(status, memoryAtStart: memoryAtStart), windows: timeline?.finish() ?? [])
  }

  /// Other keys than the ones that are measured, which would otherwise come in the very order they are cached in.
  private func warm() async throws {
    guard plan.workload == .read || plan.workload == .readArray || plan.workload == .mixed else { return }
    _ = await run(
      Round(
        workload: plan.workload == .mixed ? .read : plan.workload,
        operations: min(plan.keys, BenchmarkRunner.warmOperationsMax), deadlineNs: .max, seed: plan.seed &+ 104_729))
    if let failure = failure.withLock({ $0 }) { throw failure }
  }

  private var count: OperationCounters {
    OperationCounters(
      reads: UInt64(reads.load(ordering: .relaxed)), writes: UInt64(writes.load(ordering: .relaxed)))
  }

  /// What all callers do at the same time: the warm-up, and then what is measured.
  private struct Round: Sendable {
    let workload: BenchmarkPlan.Workload
    /// Of all callers together, or no bound but the deadline.
    let operations: Int?
    let deadlineNs: UInt64
    let seed: UInt64

    /// An even part of the operations.
    func quota(_ index: Int, of callers: Int) -> Int {
      guard let operations else { return .max }
      return operations / callers + (index < operations % callers ? 1 : 0)
    }

    func random(_ index: Int) -> BenchmarkRandom { BenchmarkRandom(seed: seed &+ UInt64(index) &* 7_919) }

    /// Whether operation `i` of a caller reads.
    @inline(__always)
    func isRead(_ i: Int) -> Bool {
      switch workload {
      case .fill, .overwrite, .open: false
      case .read, .readArray: true
      case .mixed: i & 1 == 0
      }
    }
  }

  /// Counts `count` operations of a caller that had done `first` before.
  private func add(_ count: Int, from first: Int, _ round: Round) {
    let readCount =
      switch round.workload {
      case .fill, .overwrite, .open: 0
      case .read, .readArray: count
      case .mixed: (count + 1 - first & 1) / 2
      }
    if readCount > 0 { reads.wrappingAdd(readCount, ordering: .relaxed) }
    if readCount < count { writes.wrappingAdd(count - readCount, ordering: .relaxed) }
  }

  /// What one caller did.
  private struct Part: Sendable {
    var operations = 0
    var latencies = BenchmarkResult.emptyHistogram()
  }

  /// Operations a caller that is not waiting for a disk does between looks at the clock and the stop flag; even, so that
  /// `mixed` begins each batch with a get.
  private static let batch = 256

  private func run(_ round: Round) async -> [Part] { plan.usesTasks ? await runTasks(round) : runThreads(round) }

  // MARK: - Threads

  private func runThreads(_ round: Round) -> [Part] {
    let results = Mutex<[Part]>([])
    let threads = (0..<plan.clients).map { index in
      BackgroundThread("bench \(index)") { [self] in
        let part = work(index, round)
        results.withLock { $0.append(part) }
      }
    }
    for thread in threads { thread.join() }
    return results.withLock { $0 }
  }

  private func work(_ index: Int, _ round: Round) -> Part {
    var part = Part()
    var random = round.random(index)
    var keyBytes = [UInt8](repeating: 0, count: plan.keyBytes)
    var valueBytes = [UInt8](repeating: UInt8(ascii: "x"), count: plan.valueBytes)
    var number = UInt64(index) << 24
    keyBytes.withUnsafeMutableBytes { key in
      valueBytes.withUnsafeMutableBytes { value in
        loop(&part, index, round) { i throws(ClusterError) in
          BenchmarkKeys.write(random.next(below: UInt64(plan.keys)), into: key)
          // No two puts write the same: a stale answer could not be told from a right one.
          number &+= 1
          if value.count >= 8 { value.storeBytes(of: BenchmarkRunner.letters(number), as: UInt64.self) }
          try operation(UnsafeRawBufferPointer(key), value, isRead: round.isRead(i))
        }
      }
    }
    return part
  }

  /// Does operations until the quota, the deadline, a stop or an error.
  @inline(__always)
  private func loop(_ part: inout Part, _ index: Int, _ round: Round, _ body: (Int) throws(ClusterError) -> Void) {
    var left = round.quota(index, of: plan.clients)
    let sampling = plan.latencySampling
    while left > 0, !isStopped.load(ordering: .relaxed), Clock.nowNs() < round.deadlineNs {
      let count = min(left, BenchmarkRunner.batch)
      do throws(ClusterError) {
        for i in 0..<count {
          let startedNs = i % sampling == 0 ? Clock.nowNs() : 0
          try body(i)
          if startedNs != 0 { part.latencies.record(max(1, Clock.nowNs() - startedNs)) }
        }
      } catch {
        return fail(error)
      }
      add(count, from: part.operations, round)
      left -= count
      part.operations += count
    }
  }

  @inline(__always)
  private func operation(
    _ key: UnsafeRawBufferPointer, _ value: UnsafeMutableRawBufferPointer, isRead: Bool
  ) throws(ClusterError) {
    guard isRead else { return try cluster.putBlocking(key, UnsafeRawBufferPointer(value)) }
    if try cluster.getBlocking(key, into: value) == nil { throw BenchmarkRunner.missing(key) }
  }

  /// The low 32 bits as eight letters, four bits each; a nanosecond, where digits would take a dozen.
  @inline(__always)
  private static func letters(_ number: UInt64) -> UInt64 {
    var spread = number & 0xffff_ffff
    spread = (spread | spread << 16) & 0x0000_ffff_0000_ffff
    spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff
    spread = (spread | spread << 4) & 0x0f0f_0f0f_0f0f_0f0f
    return spread + 0x6161_6161_6161_6161
  }

  @inline(never)
  private static func missing(_ key: some Sequence<UInt8>) -> ClusterError {
    .storage("key \(String(decoding: Array(key), as: UTF8.self)) was loaded and is not there")
  }

  private func fail(_ error: ClusterError) {
    failure.withLock { $0 = $0 ?? error }
    stop()
  }

  // MARK: - Tasks

  private func runTasks(_ round: Round) async -> [Part] {
    await withTaskGroup(of: Part.self) { group in
      for index in 0..<plan.clients {
        group.addTask { [self] in await workAsync(index, round) }
      }
      var parts: [Part] = []
      for await part in group { parts.append(part) }
      return parts
    }
  }

  private func workAsync(_ index: Int, _ round: Round) async -> Part {
    var part = Part()
    var random = round.random(index)
    var value = [UInt8](repeating: UInt8(ascii: "x"), count: plan.valueBytes)
    var key = [UInt8](repeating: 0, count: plan.keyBytes)
    var putNumber = UInt64(index) << 24
    var left = round.quota(index, of: plan.clients)
    let sampling = plan.latencySampling
    // Who times every operation looks at the deadline before each.
    let batch = sampling == 1 ? 1 : BenchmarkRunner.batch
    while left > 0, !isStopped.load(ordering: .relaxed), Clock.nowNs() < round.deadlineNs {
      let count = min(left, batch)
      do throws(ClusterError) {
        for i in 0..<count {
          let number = random.next(below: UInt64(plan.keys))
          key.withUnsafeMutableBytes { BenchmarkKeys.write(number, into: $0) }
          let startedNs = i % sampling == 0 ? Clock.nowNs() : 0
          if round.isRead(part.operations + i) {
            guard try await cluster.get(key) != nil else { throw BenchmarkRunner.missing(key) }
          } else {
            putNumber &+= 1
            if value.count >= 8 {
              value.withUnsafeMutableBytes { $0.storeBytes(of: BenchmarkRunner.letters(putNumber), as: UInt64.self) }
            }
            try await cluster.put(key, value)
          }
          if startedNs != 0 { part.latencies.record(max(1, Clock.nowNs() - startedNs)) }
        }
      } catch {
        fail(error)
        break
      }
      add(count, from: part.operations, round)
      left -= count
      part.operations += count
    }
    return part
  }

  // MARK: - Loading

  /// Puts every key once, in order, from as many tasks as make group commit worth while.
  func load() async throws {
    let loaders = 64
    await withTaskGroup(of: Void.self) { group in
      for index in 0..<loaders {
        group.addTask { [self] in await load(stride(from: index, to: plan.keys, by: loaders)) }
      }
    }
    if let failure = failure.withLock({ $0 }) { throw failure }
  }

  private func load(_ numbers: StrideTo<Int>) async {
    let value = [UInt8](repeating: UInt8(ascii: "x"), count: plan.valueBytes)
    var key = [UInt8](repeating: 0, count: plan.keyBytes)
    for number in numbers where !isStopped.load(ordering: .relaxed) {
      key.withUnsafeMutableBytes { BenchmarkKeys.write(UInt64(number), into: $0) }
      do throws(ClusterError) {
        try await cluster.put(key, value)
      } catch {
        return fail(error)
      }
      writes.wrappingAdd(1, ordering: .relaxed)
      // A put that has no disk to wait for does not suspend: let others have the thread now and then.
      if number % 1_024 == 0 { await Task.yield() }
    }
  }
}
