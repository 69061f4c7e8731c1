import Commands
import Dashboard
import KVBench
import Synchronization
import Text

/// Benchmarks for the screen: a workload's run is asked for its snapshot, the plain `benchmark` reports its progress
/// and its end.
final class BenchmarkWatch: Sendable {
  private enum Run: Sendable {
    case measured
    case plain(BenchmarkStatus)
  }

  private let history: BenchmarkHistory
  /// The one that was heard of last.
  private let run = Mutex<Run?>(nil)

  init(_ history: BenchmarkHistory) { self.history = history }

  /// Takes a running command's progress. From any thread.
  func note(_ progress: CommandProgress) {
    switch progress {
    case .measurement: run.withLock { $0 = .measured }
    case .benchmark(let progress): run.withLock { $0 = .plain(Self.status(progress, before: $0)) }
    case .load, .backup: break
    }
  }

  /// The plain benchmark is over.
  func note(_ end: BenchmarkEnd) {
    run.withLock { run in
      guard case .plain(var status) = run, status.isRunning else { return }
      (status.isRunning, status.isMeasuring, status.atNs, status.lengthNs) = (false, false, MonotonicClock.nowNs(), nil)
      status.measuredEndNs = status.measuredEndNs ?? status.atNs
      (status.failures, status.error) = (end.failures, end.firstError)
      status.writesPerSecond = end.averages.map { Double($0.writesPerSecond) }
      status.readsPerSecond = end.averages?.readsPerSecond.map(Double.init)
      run = .plain(status)
    }
  }

  func status() -> BenchmarkStatus? {
    switch run.withLock({ $0 }) {
    case nil: return nil
    case .plain(var status):
      if status.isRunning { status.atNs = MonotonicClock.nowNs() }
      status.results = history.summaries.map(BenchmarkStatus.Result.init)
      return status
    case .measured: return history.snapshot.map { BenchmarkStatus($0, history.summaries) }
    }
  }

  private static func status(_ progress: BenchmarkProgress, before: Run?) -> BenchmarkStatus {
    let now = MonotonicClock.nowNs()
    var status = BenchmarkStatus(
      name: BenchmarkSubject.plain.words, phase: progress.phase.words.lowercased(), isRunning: true)
    (status.isListed, status.startedNs) = (false, now)
    if case .plain(let former) = before, former.isRunning {
      (status.startedNs, status.measuredEndNs) = (former.startedNs, former.measuredEndNs)
    }
    status.isMeasuring = progress.phase != .cleanUp
    if !status.isMeasuring { status.measuredEndNs = status.measuredEndNs ?? now }
    status.operations = progress.measured
    status.fraction = progress.fractionOfRun
    status.lengthNs = UInt64(PlainBenchmark.measuredLength / .nanoseconds(1))
    status.atNs = now
    return status
  }
}

extension BenchmarkStatus {
  init(_ snapshot: BenchmarkSnapshot, _ summaries: [BenchmarkSummary]) {
    let isRunning = snapshot.phase != .finished
    self.init(name: Self.name(snapshot.plan), phase: snapshot.phase.rawValue, isRunning: isRunning)
    fraction = snapshot.fractionOfRun
    leftNs = snapshot.phase == .measuring ? snapshot.leftNs : nil
    isMeasuring = snapshot.phase == .measuring
    operations = snapshot.counts.operations
    failures = snapshot.counts.failures
    startedNs = snapshot.startedNs
    // A run that is over does not age, and is no news.
    atNs = isRunning ? snapshot.atNs : startedNs + (snapshot.seconds.last?.endNs ?? 0)
    lengthNs = snapshot.plan.seconds > 0 ? UInt64(snapshot.plan.seconds * 1e9) : nil
    if snapshot.phase == .finished || snapshot.phase == .cleaningUp {
      measuredEndNs = startedNs + (snapshot.seconds.last?.endNs ?? 0)
    }
    results = summaries.map(Result.init)
    // Counted are the operations of a phase; when all is over that is deleting the keys.
    if snapshot.phase == .finished || snapshot.phase == .cleaningUp {
      operations = snapshot.seconds.reduce(0) { $0 + $1.counts.operations }
      failures = snapshot.seconds.reduce(0) { $0 + $1.counts.failures }
      let counts = snapshot.seconds.reduce(OperationCounts()) { $0 + $1.counts }
      let length = Double(measuredSpan.lengthNs) / 1e9
      func perSecond(_ count: Int) -> Double? { count > 0 && length > 0 ? Double(count) / length : nil }
      (readsPerSecond, writesPerSecond) =
        (perSecond(counts.reads + counts.modifies), perSecond(counts.writes + counts.modifies))
    }
  }

  fileprivate static func name(_ plan: BenchmarkPlan) -> String {
    let rate = plan.rate.map { ", \(Figures.short($0)) ops/s asked for" } ?? ""
    return "\(plan.workload.rawValue), \(Figures.count(plan.clients, "client"))\(rate)"
  }
}

extension BenchmarkStatus.Result {
  fileprivate init(_ summary: BenchmarkSummary) {
    self.init(
      name: BenchmarkStatus.name(summary.plan), operationsPerSecond: summary.operationsPerSecond,
      reads: summary.reads.map { LatencyHistory.Percentiles($0) },
      writes: summary.writes.map { LatencyHistory.Percentiles($0) }, failures: summary.failures)
  }
}

extension LatencyHistory.Percentiles {
  fileprivate init(_ figures: LatencyFigures) {
    self.init(p50: Double(figures.p50), p95: Double(figures.p95), p99: Double(figures.p99), p999: Double(figures.p999))
  }
}
