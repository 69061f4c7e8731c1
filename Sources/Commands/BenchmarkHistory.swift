import KVBench
import Synchronization

/// The benchmarks of one cluster at the prompt: at most one at a time, and what the last few measured.
package final class BenchmarkHistory: Sendable {
  private struct State {
    var running: Running?
    var latest: (@Sendable () -> BenchmarkSnapshot)?
    var summaries: [BenchmarkSummary] = []
    var averages: BenchmarkAverages?
  }

  private struct Running {
    var subject: BenchmarkSubject
    var stop: @Sendable () -> Void
  }

  /// Runs that ``summaries`` remembers: what fits a panel.
  package static let summariesMax = 8

  private let state = Mutex(State())

  /// How the benchmark that runs stands, or the last one that ran; `nil` before the first. For a panel: may be asked as
  /// often as a screen is drawn.
  package var snapshot: BenchmarkSnapshot? { state.withLock { $0.latest }.map { $0() } }

  /// The last few runs, oldest first.
  package var summaries: [BenchmarkSummary] { state.withLock { $0.summaries } }

  /// Rates of the last plain `benchmark`.
  package var averages: BenchmarkAverages? { state.withLock { $0.averages } }

  /// Results so far.
  var results: BenchmarkResults { state.withLock { BenchmarkResults(averages: $0.averages, runs: $0.summaries) } }

  /// Begins a benchmark, which is then the one that runs until ``end(_:)``.
  /// - Returns: the one that runs already, or `nil` if the caller's has begun.
  func begin(
    _ subject: BenchmarkSubject, snapshot: (@Sendable () -> BenchmarkSnapshot)? = nil,
    stop: @escaping @Sendable () -> Void
  ) -> BenchmarkSubject? {
    state.withLock { state in
      if let running = state.running { return running.subject }
      state.running = Running(subject: subject, stop: stop)
      if let snapshot { state.latest = snapshot }
      return nil
    }
  }

  func end(_ summary: BenchmarkSummary? = nil) {
    state.withLock { state in
      state.running = nil
      guard let summary else { return }
      state.summaries.append(summary)
      if state.summaries.count > Self.summariesMax { state.summaries.removeFirst() }
    }
  }

  func end(averages: BenchmarkAverages?) {
    state.withLock { state in
      state.running = nil
      state.averages = averages ?? state.averages
    }
  }

  /// Ends the one that runs.
  /// - Returns: what it measured, or `nil` if none runs.
  func stop() -> BenchmarkSubject? {
    guard let running = state.withLock({ $0.running }) else { return nil }
    running.stop()
    return running.subject
  }
}

/// What a benchmark measures.
package enum BenchmarkSubject: Sendable, Equatable {
  /// The original's writes, then reads.
  case plain
  case workload(BenchmarkPlan)
}

/// The main figures of one run.
package struct BenchmarkSummary: Sendable, Equatable {
  package var plan: BenchmarkPlan
  package var operationsPerSecond: Double
  package var latency: LatencyFigures?
  /// Latencies of reads alone: reads take microseconds where writes wait for a disk.
  package var reads: LatencyFigures?
  /// Updates, inserts, and reads that are followed by a write.
  package var writes: LatencyFigures?
  package var failures: Int

  init(_ result: BenchmarkResult) {
    plan = result.plan
    operationsPerSecond = result.operationsPerSecond
    latency = LatencyFigures(result.latencies)
    failures = result.counts.failures
    reads = LatencyFigures(result.latencySet.reads)
    var changing = result.latencySet.writes
    changing.add(result.latencySet.modifies)
    writes = LatencyFigures(changing)
  }
}
