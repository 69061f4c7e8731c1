import ClusterModel

/// A benchmark's run by the cluster's own counters, beside the run's own report: how long its reads and
/// writes took, each kind alone, and how the run before it went.
///
/// A percentile of both kinds together would be that of neither: reads take microseconds, and writes wait for a disk.
package struct BenchmarkTimes: Equatable, Sendable {
  /// A run's curve, from its start.
  package struct Former: Equatable, Sendable {
    package var name: String
    package var rates: [ThroughputHistory.Bucket?]
    package var lengthNs: UInt64
  }

  package private(set) var reads: LatencyHistory.Percentiles?
  package private(set) var writes: LatencyHistory.Percentiles?
  package private(set) var former: Former?
  /// The run that is followed, and what had been counted when its measuring began.
  private var startedNs: UInt64 = 0
  private var before: OperationLatencies?
  private var isMeasuring = false

  package init() {}

  /// A longer run is kept by its end: as much as a graph shows.
  private static let formerNs: UInt64 = 120_000_000_000

  mutating func follow(_ run: BenchmarkStatus?, _ latencies: OperationLatencies?) {
    isMeasuring = run?.isMeasuring ?? false
    guard let run, run.startedNs > 0, run.startedNs != startedNs else { return }
    (startedNs, before, reads, writes) = (run.startedNs, latencies ?? OperationLatencies(), nil, nil)
  }

  mutating func add(_ latencies: OperationLatencies, _ run: BenchmarkStatus?) {
    guard isMeasuring, let before else { return }
    reads = LatencyHistory.Percentiles(latencies.reads.since(before.reads))
    writes = LatencyHistory.Percentiles(latencies.writes.since(before.writes))
  }

  /// Keeps the curve of a run, for the next to be compared with.
  mutating func keep(_ run: BenchmarkStatus, _ history: ThroughputHistory) {
    let span = run.measuredSpan
    guard span.lengthNs > 0 else { return }
    let shown = GraphSpan(
      startNs: Swift.max(span.startNs, span.endNs - Swift.min(span.endNs, Self.formerNs)), endNs: span.endNs)
    former = Former(
      name: run.name, rates: history.rates(over: shown, count: Int(shown.lengthNs / ThroughputHistory.bucketNs)),
      lengthNs: shown.lengthNs)
  }
}

extension BenchmarkTimes.Former {
  /// Its rates where a span of a run shows them, in `count` parts.
  func rates(over shown: GraphSpan, startedNs: UInt64, count: Int) -> [ThroughputHistory.Bucket?] {
    (0..<count).map { part in
      let at = shown.part(part, of: count)
      let middle = at.startNs + at.lengthNs / 2
      guard middle >= startedNs, lengthNs > 0 else { return nil }
      let index = Int((middle - startedNs) / ThroughputHistory.bucketNs)
      return rates.indices.contains(index) ? rates[index] : nil
    }
  }
}
