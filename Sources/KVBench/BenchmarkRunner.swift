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
  package static let sampling = 16

  package init(_ plan: BenchmarkPlan, _ cluster: Cluster) {
    self.plan = plan
    self.cluster = cluster
  }

  /// Operations finished so far, for whoever shows progress. Counted in steps of ``batch``.
  package var operationsDone: Int { reads.load(ordering: .relaxed) + writes.load(ordering: .relaxed) }

  /// Ends the run soon.
  package func stop() { isStopped.store(true, ordering: .relaxed) }

  /// Loads what the workload needs, then measures.
  /// - Parameter onStart: called when loading is over and measuring begins.
  /// - Throws: the first error any caller met.
  package func run(onStart: () -> Void = {}) async throws -> BenchmarkResult {
    if plan.workload != .fill { try await load() }
    writes.store(0, ordering: .relaxed)
    let timeline = plan.recordsTimeline ? BenchmarkTimeline { [self] in count } : nil
    onStart()
    let startedNs = Clock.nowNs()
    let parts = plan.clients <= plan.threads ? runThreads() : await runTasks()
    let elapsedNs = Clock.nowNs() - startedNs
    if let failure = failure.withLock({ $0 }) { throw failure }
    var latencies = BenchmarkResult.emptyHistogram()
    for part in parts { latencies.add(part.latencies) }
    return BenchmarkResult(
      plan: plan, fsync: cluster.status().fsync, operations: parts.reduce(0) { $0 + $1.operations },
      elapsedNs: elapsedNs, latencies: latencies, windows: timeline?.finish() ?? [])
  }

  private var count: OperationCounters {
    OperationCounters(
      reads: UInt64(reads.load(ordering: .relaxed)), writes: UInt64(writes.load(ordering: .relaxed)))
  }

  /// Whether operation `i` of a caller reads.
  @inline(__always)
  private func isRead(_ i: Int) -> Bool {
    switch plan.workload {
    case .fill: false
    case .read: true
    case .mixed: i & 1 == 0
    }
  }

  private func add(_ operations: Int) {
    switch plan.workload {
    case .fill: writes.wrappingAdd(operations, ordering: .relaxed)
    case .read: reads.wrappingAdd(operations, ordering: .relaxed)
    case .mixed:
      reads.wrappingAdd((operations + 1) / 2, ordering: .relaxed)
      writes.wrappingAdd(operations / 2, ordering: .relaxed)
    }
  }

  /// What one caller did.
  private struct Part: Sendable {
    var operations = 0
    var latencies = BenchmarkResult.emptyHistogram()
  }

  /// Operations a caller does between looks at the clock and the stop flag.
  private static let batch = 256

  /// The quota of caller `index`: an even part of the operations, or no bound when time is.
  private func quota(_ index: Int) -> Int {
    guard plan.seconds == 0 else { return .max }
    return plan.keys / plan.clients + (index < plan.keys % plan.clients ? 1 : 0)
  }

  private func deadlineNs() -> UInt64 {
    plan.seconds == 0 ? .max : Clock.nowNs() + UInt64(plan.seconds * 1e9)
  }

  // MARK: - Threads

  private func runThreads() -> [Part] {
    let results = Mutex<[Part]>([])
    let deadline = deadlineNs()
    let threads = (0..<plan.clients).map { index in
      BackgroundThread("bench \(index)") { [self] in
        let part = work(index, deadline)
        results.withLock { $0.append(part) }
      }
    }
    for thread in threads { thread.join() }
    return results.withLock { $0 }
  }

  private func work(_ index: Int, _ deadline: UInt64) -> Part {
    var part = Part()
    var random = BenchmarkRandom(seed: plan.seed &+ UInt64(index) &* 7_919)
    var keyBytes = [UInt8](repeating: 0, count: plan.keyBytes)
    var valueBytes = [UInt8](repeating: UInt8(ascii: "x"), count: plan.valueBytes)
    keyBytes.withUnsafeMutableBytes { key in
      valueBytes.withUnsafeMutableBytes { value in
        loop(&part, quota(index), deadline) { i throws(ClusterError) in
          BenchmarkKeys.write(random.next(below: UInt64(plan.keys)), into: key)
          try operation(UnsafeRawBufferPointer(key), value, isRead: isRead(i))
        }
      }
    }
    return part
  }

  /// Does operations until the quota, the deadline, a stop or an error.
  @inline(__always)
  private func loop(_ part: inout Part, _ quota: Int, _ deadline: UInt64, _ body: (Int) throws(ClusterError) -> Void) {
    var left = quota
    let sampling = plan.recordsTimeline ? 1 : BenchmarkRunner.sampling
    while left > 0, !isStopped.load(ordering: .relaxed), Clock.nowNs() < deadline {
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
      left -= count
      part.operations += count
      add(count)
    }
  }

  @inline(__always)
  private func operation(
    _ key: UnsafeRawBufferPointer, _ value: UnsafeMutableRawBufferPointer, isRead: Bool
  ) throws(ClusterError) {
    guard isRead else { return try cluster.putBlocking(key, UnsafeRawBufferPointer(value)) }
    if try cluster.getBlocking(key, into: value) == nil {
      throw .storage("key \(String(decoding: key, as: UTF8.self)) was loaded and is not there")
    }
  }

  private func fail(_ error: ClusterError) {
    failure.withLock { $0 = $0 ?? error }
    stop()
  }

  // MARK: - Tasks

  private func runTasks() async -> [Part] {
    let deadline = deadlineNs()
    return await withTaskGroup(of: Part.self) { group in
      for index in 0..<plan.clients {
        group.addTask { [self] in await workAsync(index, deadline) }
      }
      var parts: [Part] = []
      for await part in group { parts.append(part) }
      return parts
    }
  }

  /// Each operation is timed: it waits for a disk, two readings of the clock are nothing beside that.
  private func workAsync(_ index: Int, _ deadline: UInt64) async -> Part {
    var part = Part()
    var random = BenchmarkRandom(seed: plan.seed &+ UInt64(index) &* 7_919)
    let value = [UInt8](repeating: UInt8(ascii: "x"), count: plan.valueBytes)
    var key = [UInt8](repeating: 0, count: plan.keyBytes)
    var left = quota(index)
    while left > 0, !isStopped.load(ordering: .relaxed) {
      let startedNs = Clock.nowNs()
      if startedNs >= deadline { break }
      let number = random.next(below: UInt64(plan.keys))
      key.withUnsafeMutableBytes { BenchmarkKeys.write(number, into: $0) }
      do throws(ClusterError) {
        if isRead(part.operations) {
          _ = try await cluster.get(key)
          reads.wrappingAdd(1, ordering: .relaxed)
        } else {
          try await cluster.put(key, value)
          writes.wrappingAdd(1, ordering: .relaxed)
        }
      } catch {
        fail(error)
        break
      }
      part.latencies.record(max(1, Clock.nowNs() - startedNs))
      part.operations += 1
      left -= 1
    }
    return part
  }

  // MARK: - Loading

  /// Puts every key once, in order, from as many tasks as make group commit worth while.
  private func load() async throws {
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
