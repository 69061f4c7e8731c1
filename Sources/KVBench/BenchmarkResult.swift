import Histogram
import KVCluster

/// What a run measured.
package struct BenchmarkResult: Sendable {
  package var plan: BenchmarkPlan
  package var fsync: FsyncPolicy
  /// Copies of each key.
  package var replicas: Int
  package var operations: Int
  package var elapsedNs: UInt64
  /// Nanoseconds, of one operation in ``BenchmarkPlan/latencySampling``.
  package var latencies: Histogram<UInt64>
  package var footprint: BenchmarkFootprint
  /// How long closing took, which puts everything on the disk; 0 until somebody has closed and said so.
  package var closeNs: UInt64 = 0
  /// Operations in each ``BenchmarkTimeline/windowNs``, if the plan asked for them.
  package var windows: [OperationCounters] = []

  /// Three digits exact up to a minute.
  static func emptyHistogram() -> Histogram<UInt64> {
    Histogram(highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
  }

  package var operationsPerSecond: Double { Double(operations) / (Double(elapsedNs) / 1e9) }

  package static let percentiles: [Double] = [50, 95, 99, 99.9]

  /// A few lines for people.
  package var table: String {
    let who = plan.usesTasks ? "\(plan.clients) tasks" : "\(plan.clients) threads"
    let latency = BenchmarkResult.percentiles.map { percentile in
      "p\(BenchmarkResult.text(percentile)) \(BenchmarkResult.duration(latencies.valueAtPercentile(percentile)))"
    }
    return """
      \(plan.workload.rawValue): \(plan.keys) keys of \(plan.keyBytes) bytes, values of \(plan.valueBytes) bytes, \
      \(who), fsync \(fsync.rawValue)
      \(operations) operations in \(elapsedNs / 1_000_000) ms: \(Int(operationsPerSecond)) ops/s
      latency (1 in \(plan.latencySampling) timed): \(latency.joined(separator: "  "))  \
      max \(BenchmarkResult.duration(latencies.max))
      \(footprint.line)

      """
  }

  /// The same for programs: one JSON object.
  package var json: String {
    let latency = BenchmarkResult.percentiles.map { percentile in
      "\"p\(BenchmarkResult.text(percentile))\": \(latencies.valueAtPercentile(percentile))"
    }
    return """
      {"workload": "\(plan.workload.rawValue)", "keys": \(plan.keys), "keyBytes": \(plan.keyBytes), \
      "valueBytes": \(plan.valueBytes), "threads": \(plan.threads), "clients": \(plan.clients), \
      "seed": \(plan.seed), "fsync": "\(fsync.rawValue)", "replicas": \(replicas), \
      "operations": \(operations), "elapsedNs": \(elapsedNs), "closeNs": \(closeNs), \
      "opsPerSecond": \(Int(operationsPerSecond)), "latencySampling": \(plan.latencySampling), \
      "latencyNs": {\(latency.joined(separator: ", ")), "max": \(latencies.max)}, \(footprint.jsonMembers)}

      """
  }

  /// The windows as comma-separated values: milliseconds at the window's end, reads, writes.
  package var timelineCSV: String {
    let stepMs = BenchmarkTimeline.windowNs / 1_000_000
    let rows = windows.enumerated().map {
      "\((UInt64($0.offset) + 1) * stepMs),\($0.element.reads),\($0.element.writes)\n"
    }
    return "ms,reads,writes\n" + rows.joined()
  }

  /// `99.9` for 99.9 and `50` for 50.
  private static func text(_ percentile: Double) -> String {
    percentile == percentile.rounded() ? String(Int(percentile)) : String(percentile)
  }

  /// With three digits, in the largest unit that leaves something before the point.
  static func duration(_ ns: UInt64) -> String {
    switch ns {
    case ..<1_000: "\(ns) ns"
    case ..<1_000_000: "\(rounded(Double(ns) / 1e3)) µs"
    case ..<1_000_000_000: "\(rounded(Double(ns) / 1e6)) ms"
    default: "\(rounded(Double(ns) / 1e9)) s"
    }
  }

  private static func rounded(_ value: Double) -> String {
    value >= 100 ? String(Int(value.rounded())) : String((value * 10).rounded() / 10)
  }
}
