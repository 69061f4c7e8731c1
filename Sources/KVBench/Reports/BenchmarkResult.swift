import Histogram
import KVCluster
import Text

/// What a run measured.
package struct BenchmarkResult: Sendable {
  package var plan: BenchmarkPlan
  package var fsync: FsyncPolicy?
  /// Copies of each key.
  package var replicas: Int?
  /// Those that succeeded.
  package var operations: Int
  package var elapsedNs: UInt64
  /// Nanoseconds, of one operation in ``BenchmarkPlan/latencySampling``, all kinds together.
  package var latencies: LatencyHistogram
  package var footprint: BenchmarkFootprint
  /// How long closing took, which puts everything on the disk; 0 until somebody has closed and said so.
  package var closeNs: UInt64 = 0
  package var counts = OperationCounts()
  /// The same latencies by kind.
  package var latencySet = LatencySet()
  /// Operations in each `BenchmarkTimeline.windowNs`.
  package var windows: [OperationCounters] = []
  package var seconds: [BenchmarkSecond] = []
  package var marks: [BenchmarkMark] = []
  /// Operations of an open loop that were due and never sent, because the callers were too far behind.
  package var unsent = 0
  package var firstFailure: ClusterError?

  package var operationsPerSecond: Double { Double(operations) / (Double(max(1, elapsedNs)) / 1e9) }

  package static let percentiles: [Double] = [50, 95, 99, 99.9]

  /// Operations a second in the slowest, the middle and the fastest whole second; `nil` with fewer than two of them.
  package var spread: (min: Double, median: Double, max: Double)? {
    let rates = wholeSeconds.map(\.operationsPerSecond).sorted()
    return rates.count < 2 ? nil : (rates[0], rates[rates.count / 2], rates[rates.count - 1])
  }

  /// All seconds but those that were cut short, which have no rate to compare.
  var wholeSeconds: [BenchmarkSecond] { seconds.filter { $0.endNs - min($0.endNs, $0.startNs) >= 900_000_000 } }

  /// Requests the nodes served as replicas while it was measured, by the order in which they came up.
  package var nodes: [NodeOperations] {
    var sums: [NodeOperations] = []
    for second in seconds {
      for node in second.nodes {
        if let place = sums.firstIndex(where: { $0.node == node.node }) {
          sums[place].operations += node.operations
        } else {
          sums.append(node)
        }
      }
    }
    return sums
  }

  /// The kinds that occurred, with how many there were.
  package var kinds: [(name: String, operations: Int, latencies: LatencyHistogram)] {
    let all = [
      ("read", counts.reads, latencySet.reads), ("write", counts.writes, latencySet.writes),
      ("read-modify-write", counts.modifies, latencySet.modifies),
    ]
    return all.filter { $0.1 > 0 }
  }
}

// MARK: - For people

extension BenchmarkResult {
  /// The lines as one text.
  package var table: String { lines.joined(separator: "\n") + "\n" }

  /// A few lines for people.
  package var lines: [String] {
    var lines = [headline, rateLine]
    if kinds.count > 1 { lines += kinds.map(kindLine) }
    lines.append("latency (\(timed)): \(latencyText(latencies))")
    if unsent > 0 {
      lines.append(
        "\(Figures.count(unsent, "operation")) \(Figures.word(unsent, "was", "were")) due and never sent: the rate asked for is beyond what was carried"
      )
    }
    if counts.failures > 0 {
      lines.append(
        "\(Figures.count(counts.failures, "operation")) failed, the first with: \(firstFailure.map { "\($0)" } ?? "?")")
    }
    lines += marks.map { "at \(Figures.time(ns: $0.atNs)): \($0.text)" }
    return lines + [footprint.line]
  }

  /// What was run.
  package var headline: String {
    let who = Figures.count(plan.clients, plan.usesTasks ? "task" : "thread")
    let loop = plan.rate.map { "open loop at \(Figures.rate($0)) ops/s" } ?? "closed loop"
    return """
      \(plan.workload.rawValue): \(Figures.count(plan.keys, "key")) of \(Figures.count(plan.names.byteCount, "byte")), \(plan.distribution.rawValue), \
      values of \(plan.valueSizes.words), \(who), \(loop)\(fsync.map { ", fsync \($0.rawValue)" } ?? "")
      """
  }

  private var rateLine: String {
    let rate =
      "\(Figures.count(operations, "operation")) in \(Figures.time(ns: elapsedNs)): \(Figures.rate(operationsPerSecond)) ops/s"
    guard let spread else { return rate }
    let parts = [("min", spread.min), ("median", spread.median), ("max", spread.max)]
    return "\(rate) (by second: \(parts.map { "\($0) \(Figures.rate($1))" }.joined(separator: ", ")))"
  }

  /// What part of the operations the latencies are of.
  package var timed: String {
    switch plan.latencySampling {
    case 0: "not timed"
    case 1: plan.rate == nil ? "all timed" : "all timed, from the moment each was due"
    case let every:
      plan.rate == nil
        ? "1 in \(Figures.count(every)) timed" : "1 in \(Figures.count(every)) timed, from the moment each was due"
    }
  }

  private func kindLine(_ kind: (name: String, operations: Int, latencies: LatencyHistogram)) -> String {
    let rate = Figures.rate(Double(kind.operations) / (Double(max(1, elapsedNs)) / 1e9))
    return
      "  \(kind.name): \(Figures.count(kind.operations, "operation")), \(rate) ops/s: \(latencyText(kind.latencies))"
  }

  func latencyText(_ latencies: LatencyHistogram) -> String {
    guard latencies.totalCount > 0 else { return "none" }
    let parts = BenchmarkResult.percentiles.map { percentile in
      "p\(BenchmarkResult.number(percentile)) \(Figures.time(ns: latencies.valueAtPercentile(percentile)))"
    }
    return "\(parts.joined(separator: "  "))  max \(Figures.time(ns: latencies.max))"
  }

  /// `99.9` for 99.9 and `50` for 50.
  package static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
  }

  /// Operations a second for programs to read: whole ones, and tenths where there are few; `null` for what is no figure.
  static func plainRate(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "null" }
    return abs(value) >= 100 ? String(Int(value.rounded())) : number((value * 10).rounded() / 10)
  }
}
