import Histogram
import KVCluster

/// The result for programs.
extension BenchmarkResult {
  /// One JSON object on one line, so that several runs make a file of lines.
  package var json: String {
    """
    {"workload": "\(plan.workload.rawValue)", "keys": \(plan.keys), "keyBytes": \(plan.names.byteCount), \
    "valueBytes": \(plan.valueSizes.most), "valueSizes": "\(plan.valueSizes.text)", \
    "distribution": "\(plan.distribution.rawValue)", "threads": \(plan.threads), "clients": \(plan.clients), \
    "rate": \(plan.rate.map(BenchmarkResult.number) ?? "null"), "seed": \(plan.seed), "fsync": \(fsync.map { "\"\($0.rawValue)\"" } ?? "null"), \
    "replicas": \(replicas.map(String.init) ?? "null"), "operations": \(operations), "failures": \(counts.failures), "unsent": \(unsent), \
    "elapsedNs": \(elapsedNs), "closeNs": \(closeNs), "opsPerSecond": \(BenchmarkResult.plainRate(operationsPerSecond)), \
    "latencySampling": \(plan.latencySampling), "latencyNs": \(latencyJSON(latencies)), \
    "kinds": {\(kinds.map(kindJSON).joined(separator: ", "))}, \
    "seconds": [\(seconds.map(secondJSON).joined(separator: ", "))], \
    "nodes": {\(nodes.map { "\(BenchmarkResult.quoted($0.node)): \($0.operations)" }.joined(separator: ", "))}, \
    "marks": [\(marks.map(markJSON).joined(separator: ", "))], \(footprint.jsonMembers)}

    """
  }

  /// `null` if nothing was timed: 0 would be a figure.
  private func latencyJSON(_ latencies: LatencyHistogram) -> String {
    guard latencies.totalCount > 0 else { return "null" }
    let members = BenchmarkResult.percentiles.map { percentile in
      "\"p\(BenchmarkResult.number(percentile))\": \(latencies.valueAtPercentile(percentile))"
    }
    return "{\(members.joined(separator: ", ")), \"max\": \(latencies.max)}"
  }

  private func kindJSON(_ kind: (name: String, operations: Int, latencies: LatencyHistogram)) -> String {
    "\"\(kind.name)\": {\"operations\": \(kind.operations), \"latencyNs\": \(latencyJSON(kind.latencies))}"
  }

  private func secondJSON(_ second: BenchmarkSecond) -> String {
    let latency = second.latency.map {
      "{\"p50\": \($0.p50), \"p95\": \($0.p95), \"p99\": \($0.p99), \"p99.9\": \($0.p999), \"max\": \($0.max)}"
    }
    return """
      {"startNs": \(second.startNs), "endNs": \(second.endNs), "reads": \(second.counts.reads), \
      "writes": \(second.counts.writes), "modifies": \(second.counts.modifies), \
      "failures": \(second.counts.failures), "latencyNs": \(latency ?? "null")}
      """
  }

  private func markJSON(_ mark: BenchmarkMark) -> String {
    "{\"atNs\": \(mark.atNs), \"kind\": \"\(mark.kind.rawValue)\", \"text\": \(BenchmarkResult.quoted(mark.text))}"
  }

  /// As a JSON string.
  static func quoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar in
      switch scalar {
      case "\"", "\\": "\\\(scalar)"
      case "\u{0}"..<" ":
        "\\u00\(String(scalar.value, radix: 16).count == 1 ? "0" : "")\(String(scalar.value, radix: 16))"
      default: String(scalar)
      }
    }
    return "\"\(escaped.joined())\""
  }

  /// The windows as comma-separated values: milliseconds at the window's end, reads, writes.
  package var timelineCSV: String {
    let stepMs = BenchmarkTimeline.windowNs / 1_000_000
    let rows = windows.enumerated().map {
      "\((UInt64($0.offset) + 1) * stepMs),\($0.element.reads),\($0.element.writes)\n"
    }
    return "ms,reads,writes\n" + rows.joined()
  }

  /// The seconds as comma-separated values: when each ended, its operations, and its latencies in nanoseconds.
  package var secondsCSV: String {
    let rows = seconds.map { second in
      let counts = second.counts
      let latency = second.latency.map { "\($0.p50),\($0.p95),\($0.p99),\($0.p999),\($0.max)" } ?? ",,,,"
      let end = (Double(second.endNs) / 1e6).rounded() / 1e3
      return "\(end),\(counts.reads),\(counts.writes),\(counts.modifies),\(counts.failures),\(latency)\n"
    }
    return "end_s,reads,writes,modifies,failures,p50_ns,p95_ns,p99_ns,p99.9_ns,max_ns\n" + rows.joined()
  }
}
