import KVCluster
import Synchronization
import Text

/// Carries out a plan against a cluster: loads, warms up, measures, and cleans up if asked to.
package final class BenchmarkRunner: Sendable {
  package let plan: BenchmarkPlan
  private let cluster: Cluster
  private let generator: LoadGenerator<Cluster>
  private let stage = Mutex(Stage())

  /// Where the run is.
  private struct Stage {
    var phase = BenchmarkSnapshot.Phase.waiting
    /// When this phase began.
    var phaseNs: UInt64 = 0
    /// When measuring began, and is to end.
    var startedNs: UInt64 = 0
    /// The same moment as the cluster's uptime counts.
    var startedUptimeNs: UInt64 = 0
    var deadlineNs = UInt64.max
    /// The cluster's last event before.
    var eventSequence: UInt64 = 0
    var timeline: BenchmarkTimeline?
    /// Once measuring is over.
    var seconds: [BenchmarkSecond] = []
    var marks: [BenchmarkMark] = []
  }

  /// Of the operations of one caller, one in so many is timed: two readings of the clock cost 56 ns, an eighth of a get.
  /// See ``BenchmarkPlan/latencySampling``.
  package static let sampling = 16

  /// Gets of a warm-up: enough to turn a default cache over several times, and a second or two of time.
  package static let warmOperationsMax = 1_000_000

  package init(_ plan: BenchmarkPlan, _ cluster: Cluster) {
    var plan = plan
    // Here and not in the plan: it does not know the policy of the cluster it will meet.
    if plan.sampling == nil, plan.workload.mix.reads < 100, cluster.status().fsync == .always { plan.sampling = 1 }
    self.plan = plan
    self.cluster = cluster
    generator = LoadGenerator(plan, cluster)
  }

  /// Operations of this phase finished so far, counted in steps of `LoadGenerator.batch`.
  package var operationsDone: Int { generator.tally.counts.operations }

  /// Ends the run soon; what was measured so far is its result.
  package func stop() { generator.stop() }

  /// Loads what the workload needs, warms up if the plan says so, then measures.
  /// - Parameter onStart: called when that is over and measuring begins.
  /// - Throws: the first error any caller met, unless the plan tolerates failures.
  package func run(onStart: () -> Void = {}) async throws -> BenchmarkResult {
    precondition(plan.workload != .open, "a runner has one cluster, and `open` opens several: use BenchmarkReopening")
    let memoryAtStart = ProcessMemory.now()
    if plan.workload.loads { try await load() }
    try await warmUp()
    let timeline = begin()
    onStart()
    let startedNs = stage.withLock { $0.startedNs }
    let round = measuredRound(startedNs)
    await generator.run(round)
    await round.schedule?.waitUntilEnd { generator.isStopping }
    let endNs = Clock.nowNs()
    let record = timeline.finish(endNs: endNs)
    let marks = marks()
    stage.withLock {
      $0.timeline = nil
      ($0.phase, $0.seconds, $0.marks) = (.finished, record.seconds, marks)
    }
    if let failure = generator.failure, !plan.toleratesFailures { throw failure }
    return result(record, marks, elapsedNs: endNs - startedNs, unsent: round.schedule?.unsent ?? 0, memoryAtStart)
  }

  /// What is loaded before anything is measured, and how much that is on the disk; `nil` if nothing is.
  package var loadAnnouncement: String? {
    guard plan.workload.loads else { return nil }
    let status = cluster.status()
    let copies = status.effectiveQuorum?.replicas ?? 1
    let most = plan.valueSizes.most
    let bytes = Double(plan.keys) * Double(plan.names.byteCount + most) * Double(copies)
    let size = bytes < 1e15 ? Figures.bytes(bytes) : "more than any disk"
    return
      "loading \(Figures.count(plan.keys, "key")) with values of \(plan.valueSizes.words), \(copies) of each: at most \(size)"
  }

  /// Deletes the keys that the run made.
  /// - Returns: whether all are gone.
  package func clear() async -> Bool {
    enter(.cleaningUp)
    defer { stage.withLock { $0.phase = .finished } }
    return await generator.clear()
  }

  /// Puts every key once.
  func load() async throws {
    enter(.loading)
    try await generator.load()
  }

  private func measuredRound(_ startedNs: UInt64) -> LoadGenerator<Cluster>.Round {
    var round = LoadGenerator<Cluster>.Round(
      mix: plan.workload.mix, operations: plan.seconds == 0 ? plan.operations : nil,
      deadlineNs: plan.seconds == 0 ? .max : startedNs + UInt64(plan.seconds * 1e9), seed: plan.seed)
    if let rate = plan.rate {
      round.schedule = OpenSchedule(
        rate: rate, startNs: startedNs, operations: round.operations, deadlineNs: round.deadlineNs)
    }
    return round
  }

  /// Other keys than the ones that are measured, which would otherwise come in the very order they are cached in.
  private func warmUp() async throws {
    let seed = plan.seed &+ 104_729
    let mix = plan.workload.mix
    if plan.warms, mix.reads > 0 {
      enter(.warmingUp)
      let count = min(plan.keys, BenchmarkRunner.warmOperationsMax)
      await generator.run(.init(mix: OperationMix(reads: 100), operations: count, deadlineNs: .max, seed: seed))
    }
    if plan.warmUpSeconds > 0 {
      enter(.warmingUp)
      let deadlineNs = Clock.nowNs() + UInt64(plan.warmUpSeconds * 1e9)
      await generator.run(.init(mix: mix, operations: nil, deadlineNs: deadlineNs, seed: seed &+ 1))
    }
    if let failure = generator.failure, !plan.toleratesFailures { throw failure }
  }

  private func enter(_ phase: BenchmarkSnapshot.Phase) {
    generator.tally.reset()
    stage.withLock { ($0.phase, $0.phaseNs) = (phase, Clock.nowNs()) }
  }

  /// Forgets what the warm-up recorded, and begins to watch.
  private func begin() -> BenchmarkTimeline {
    enter(.measuring)
    var (forgotten, spare) = (LatencySet(), LatencySet())
    generator.lanes.take(into: &forgotten, &spare)
    let sequence = cluster.events(after: 0).last?.sequence ?? 0
    return stage.withLock { stage in
      stage.startedUptimeNs = cluster.status().uptimeNs
      stage.startedNs = Clock.nowNs()
      stage.eventSequence = sequence
      stage.deadlineNs = plan.seconds == 0 ? .max : stage.startedNs + UInt64(plan.seconds * 1e9)
      let timeline = BenchmarkTimeline(generator.tally, generator.lanes, startedNs: stage.startedNs) {
        [cluster] in
        cluster.status().nodes.map {
          NodeOperations(node: $0.name, operations: $0.operations?.total ?? 0)
        }
      }
      stage.timeline = timeline
      return timeline
    }
  }

  private func marks() -> [BenchmarkMark] {
    let (sequence, startedNs) = stage.withLock { ($0.eventSequence, $0.startedUptimeNs) }
    return cluster.events(after: sequence).compactMap { BenchmarkMark($0, startedNs: startedNs) }
  }

  private func result(
    _ record: BenchmarkTimeline.Record, _ marks: [BenchmarkMark], elapsedNs: UInt64, unsent: Int,
    _ memoryAtStart: ProcessMemory
  ) -> BenchmarkResult {
    let status = cluster.status()
    let counts = generator.tally.counts
    return BenchmarkResult(
      plan: plan, fsync: status.fsync, replicas: status.effectiveQuorum?.replicas,
      operations: counts.operations, elapsedNs: elapsedNs, latencies: record.latencies.all,
      footprint: BenchmarkFootprint(status, memoryAtStart: memoryAtStart), counts: counts,
      latencySet: record.latencies, windows: record.windows, seconds: record.seconds, marks: marks, unsent: unsent,
      firstFailure: generator.failure)
  }

  // MARK: - Watching

  /// How the run stands now. Costs microseconds; may be called from any thread as often as a screen is drawn.
  package func snapshot() -> BenchmarkSnapshot {
    let stage = stage.withLock { $0 }
    let (now, counts) = (Clock.nowNs(), generator.tally.counts)
    let isMeasuring = stage.phase == .measuring
    let fraction = fraction(stage, counts, now)
    let elapsedNs = Double(now - min(now, stage.phaseNs))
    return BenchmarkSnapshot(
      plan: plan, phase: stage.phase, atNs: now, startedNs: stage.startedNs, counts: counts, fraction: fraction,
      leftNs: fraction.flatMap { $0 > 0.01 ? UInt64(elapsedNs * (1 - $0) / $0) : nil },
      seconds: stage.timeline?.seconds(last: BenchmarkSnapshot.secondsMax)
        ?? stage.seconds.suffix(BenchmarkSnapshot.secondsMax),
      marks: isMeasuring ? marks() : stage.marks)
  }

  private func fraction(_ stage: Stage, _ counts: OperationCounts, _ now: UInt64) -> Double? {
    let done = Double(counts.operations)
    switch stage.phase {
    case .waiting, .warmingUp: return nil
    case .finished: return 1
    case .loading: return min(1, done / Double(plan.keys))
    case .cleaningUp: return min(1, done / Double(generator.inserts.end))
    case .measuring:
      if stage.deadlineNs == .max { return min(1, done / Double(plan.operations)) }
      return min(1, Double(now - stage.startedNs) / Double(stage.deadlineNs - stage.startedNs))
    }
  }
}
