import KVCluster
import Synchronization
import Testing

@testable import KVBench

/// A store that answers at once, but for one moment at which it answers nobody for a while.
private final class StallingTarget: BenchmarkTarget {
  private let stallNs: UInt64
  private let stallAt: Int
  private let calls = Atomic(0)
  private let gate = Mutex(())

  init(stallAt: Int, stallNs: UInt64) {
    (self.stallAt, self.stallNs) = (stallAt, stallNs)
  }

  private func answer() {
    gate.withLock { _ in
      if calls.wrappingAdd(1, ordering: .relaxed).newValue == stallAt { Clock.sleep(ns: stallNs) }
    }
  }

  func putBlocking(
    _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ options: WriteOptions
  ) throws(ClusterError) { answer() }
  func getBlocking(
    _ key: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer, _ options: ReadOptions
  ) throws(ClusterError) -> Int? {
    answer()
    return 0
  }
  func put(_ key: [UInt8], _ value: [UInt8], _ options: WriteOptions) async throws(ClusterError) { answer() }
  func get(_ key: [UInt8], _ options: ReadOptions) async throws(ClusterError) -> [UInt8]? {
    answer()
    return []
  }
  func replaceBlocking(_ key: UnsafeRawBufferPointer, _ value: [UInt8]) throws(ClusterError) -> Bool {
    answer()
    return true
  }
  func replace(_ key: [UInt8], _ value: [UInt8]) async throws(ClusterError) -> Bool {
    answer()
    return true
  }
  func delete(_ key: [UInt8], _ options: WriteOptions) async throws(ClusterError) -> Bool { true }
}

@Suite struct OpenLoopTests {
  private static let stallNs: UInt64 = 200_000_000

  @Test("A schedule ends with the interval of its last operation, at the latest at its deadline, whatever the figures")
  func endsWithItsIntervals() {
    func length(_ rate: Double, _ operations: Int?, deadlineNs: UInt64) -> UInt64 {
      OpenSchedule(rate: rate, startNs: 1_000, operations: operations, deadlineNs: deadlineNs).endNs - 1_000
    }
    #expect(length(0.5, nil, deadlineNs: 500_001_000) == 500_000_000)
    #expect(length(0.5, 1, deadlineNs: .max) == 2_000_000_000)
    #expect(length(100, 200, deadlineNs: .max) == 2_000_000_000)
    #expect(length(0.1, .max, deadlineNs: .max) > 0)
  }

  /// Latencies of 2,000 operations with a stall at the thousandth.
  private func latencies(rate: Double?, clients: Int, threads: Int) async -> LatencyHistogram {
    var plan = BenchmarkPlan(workload: .fill, keys: 100, threads: threads, clients: clients)
    plan.rate = rate
    plan.sampling = 1
    let generator = LoadGenerator(plan, StallingTarget(stallAt: 1_000, stallNs: Self.stallNs))
    var round = LoadGenerator<StallingTarget>.Round(
      mix: plan.workload.mix, operations: 2_000, deadlineNs: .max, seed: 1)
    if let rate {
      round.schedule = OpenSchedule(rate: rate, startNs: Clock.nowNs(), operations: 2_000, deadlineNs: .max)
    }
    await generator.run(round)
    var (set, spare) = (LatencySet(), LatencySet())
    generator.lanes.take(into: &set, &spare)
    #expect(set.all.totalCount == 2_000)
    #expect(generator.tally.counts == OperationCounts(writes: 2_000))
    return set.all
  }

  @Test(
    "A stall of 200 ms is in the latencies of an open loop, and all but hidden in those of a closed one",
    arguments: [(1, 1), (3, 1), (3, 3)])
  func showsStalls(clients: Int, threads: Int) async {
    let open = await latencies(rate: 2_000, clients: clients, threads: threads)
    // 400 operations were due while it lasted, and waited for 0 to 200 ms: a fifth of all.
    #expect(open.valueAtPercentile(99.9) > 180_000_000)
    #expect(open.valueAtPercentile(99) > 150_000_000)
    #expect(open.valueAtPercentile(90) > 50_000_000)
    let closed = await latencies(rate: nil, clients: clients, threads: threads)
    #expect(closed.max > 190_000_000)
    #expect(closed.valueAtPercentile(99) < 100_000_000)
    // Of 2,000 operations no more were slow than there are callers.
    #expect(closed.count(within: 150_000_000...LatencyHistogram.longestNs) <= UInt64(clients))
  }

  @Test("An open loop sends at its rate, not as fast as it can", arguments: [(1, 1), (8, 1)])
  func keepsTheRate(clients: Int, threads: Int) async {
    var plan = BenchmarkPlan(workload: .read, keys: 100, threads: threads, clients: clients)
    plan.rate = 1_000
    let generator = LoadGenerator(plan, StallingTarget(stallAt: 0, stallNs: 0))
    let startedNs = Clock.nowNs()
    var round = LoadGenerator<StallingTarget>.Round(
      mix: plan.workload.mix, operations: nil, deadlineNs: startedNs + 500_000_000, seed: 1)
    let schedule = OpenSchedule(
      rate: 1_000, startNs: startedNs, operations: nil, deadlineNs: startedNs + 500_000_000)
    round.schedule = schedule
    await generator.run(round)
    #expect(generator.tally.counts.reads == 500)
    #expect(schedule.unsent == 0)
    #expect(Clock.nowNs() - startedNs >= 499_000_000)
  }

  @Test("A rate nobody can carry ends, and says what was never sent")
  func endsWhenBehind() {
    let now = Clock.nowNs()
    let late = OpenSchedule(rate: 1_000, startNs: now - 60_000_000_000, operations: 10, deadlineNs: .max)
    #expect(late.next() == nil)
    #expect(late.unsent == 10)
    let early = OpenSchedule(rate: 1_000, startNs: now, operations: 3, deadlineNs: .max)
    #expect([early.next(), early.next(), early.next()] == [now, now + 1_000_000, now + 2_000_000])
    #expect(early.next() == nil)
    #expect(early.unsent == 0)
  }

  @Test("Callers that wait for a far moment end soon when the run is stopped", arguments: [(2, 2), (8, 1)])
  func stopsWhileWaiting(clients: Int, threads: Int) async {
    var plan = BenchmarkPlan(workload: .fill, keys: 100, threads: threads, clients: clients)
    plan.rate = 0.1
    let generator = LoadGenerator(plan, StallingTarget(stallAt: 0, stallNs: 0))
    let startedNs = Clock.nowNs()
    var round = LoadGenerator<StallingTarget>.Round(
      mix: plan.workload.mix, operations: 1_000, deadlineNs: .max, seed: 1)
    round.schedule = OpenSchedule(rate: 0.1, startNs: startedNs, operations: 1_000, deadlineNs: .max)
    Task {
      try? await Task.sleep(for: .milliseconds(100))
      generator.stop()
    }
    await generator.run(round)
    #expect(Clock.nowNs() - startedNs < 5_000_000_000)
  }
}
