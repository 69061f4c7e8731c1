import Histogram
import Text

/// A run as one page that needs nothing else: no script, no font, no server.
package struct HTMLReport {
  private let result: BenchmarkResult

  package init(_ result: BenchmarkResult) {
    self.result = result
  }

  package var page: String {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
    <meta name="color-scheme" content="light dark"><title>kvstore bench: \(result.plan.workload.rawValue)</title>
    <style>\(HTMLReport.style)</style></head><body><main>
    <h1>kvstore bench: \(result.plan.workload.rawValue)</h1>
    <p>\(HTML.escaped(result.headline))\(result.replicas.map { "; \($0) copies of each key" } ?? "").</p>
    \(tiles)\(charts.map(\.svg).joined())\(markList)\(kindTable)\(method)</main></body></html>

    """
  }

  // MARK: - Figures

  private var tiles: String {
    var tiles = [("operations a second", Figures.rate(result.operationsPerSecond), spreadText)]
    if let latency = LatencyFigures(result.latencies) {
      tiles += [
        ("median latency", Figures.time(ns: latency.p50), "p95 \(Figures.time(ns: latency.p95))"),
        ("p99", Figures.time(ns: latency.p99), "p99.9 \(Figures.time(ns: latency.p999))"),
        (
          "longest", Figures.time(ns: latency.max),
          "of \(Figures.count(Int(result.latencies.totalCount)))"
        ),
      ]
    }
    if result.counts.failures > 0 {
      let first = result.firstFailure.map { "\($0)" } ?? ""
      tiles.append(("failed", Figures.count(result.counts.failures), first))
    }
    let cells = tiles.map {
      "<div><span>\($0.0)</span><b>\(HTML.escaped($0.1))</b><small>\(HTML.escaped($0.2))</small></div>"
    }
    return "<section class=\"tiles\">\(cells.joined())</section>\n"
  }

  private var spreadText: String {
    guard let spread = result.spread else { return "in \(Figures.time(ns: result.elapsedNs))" }
    return "\(Figures.rate(spread.min)) to \(Figures.rate(spread.max)) by second"
  }

  private var markList: String {
    guard !result.marks.isEmpty else { return "" }
    let items = result.marks.map {
      "<li>at \(Figures.time(ns: $0.atNs)): \(HTML.escaped($0.text))</li>"
    }
    return "<h2>What happened</h2>\n<ol class=\"marks\">\(items.joined())</ol>\n"
  }

  private var kindTable: String {
    let heads = BenchmarkResult.percentiles.map { "<th>p\(BenchmarkResult.number($0))</th>" }.joined()
    let rows = ([("all", result.operations, result.latencies)] + result.kinds).map { name, operations, latencies in
      let cells = BenchmarkResult.percentiles.map { Figures.time(ns: latencies.valueAtPercentile($0)) }
      let rate = Figures.rate(Double(operations) / (Double(result.elapsedNs) / 1e9))
      let all = [Figures.count(operations), rate] + cells + [Figures.time(ns: latencies.max)]
      return "<tr><th>\(name)</th>\(all.map { "<td>\($0)</td>" }.joined())</tr>"
    }
    return """
      <h2>By kind</h2>
      <div class="wide"><table><tr><th></th><th>operations</th><th>a second</th>\(heads)<th>max</th></tr>\(rows.joined())</table></div>

      """
  }

  private var method: String {
    let loop =
      result.plan.rate == nil
      ? "Closed loop: a caller sends its next operation when it has the answer, so what would have come during a stall is "
        + "not sent and not in the percentiles."
      : "Open loop: each operation is due at a moment of its own, and its latency counts from there, so a stall is in the "
        + "percentiles with all that waited for it."
    let unsent =
      result.unsent > 0
      ? " \(Figures.count(result.unsent, "operation")) \(Figures.word(result.unsent, "was", "were")) due and never sent."
      : ""
    return """
      <h2>How it was measured</h2><p>\(loop)\(unsent) Latencies: \(result.timed); HdrHistogram, three digits. \
      \(HTML.escaped(result.footprint.line)). Seed \(result.plan.seed).</p>

      """
  }

  // MARK: - Charts

  private var charts: [Chart] {
    [throughput, latencies, percentiles, nodes].compactMap { $0 }.filter { $0.series.contains { !$0.points.isEmpty } }
  }

  private var seconds: [BenchmarkSecond] { Array(result.wholeSeconds) }

  private func time(_ second: BenchmarkSecond) -> Double { Double(second.endNs) / 1e9 }

  private var timeScale: ChartScale { .exactly(0, Double(result.seconds.last?.endNs ?? 1) / 1e9) }

  private var markTimes: [Double] { result.marks.map { Double($0.atNs) / 1e9 }.filter { $0 <= timeScale.high } }

  private var throughput: Chart {
    let curves: [(name: String, value: (BenchmarkSecond) -> Double)] = [
      ("reads a second", \.readsPerSecond), ("writes a second", \.writesPerSecond),
      ("failures a second", { Double($0.counts.failures) }),
    ]
    let series = curves.enumerated().map { index, curve in
      Chart.Series(name: curve.name, color: index, points: seconds.map { (time($0), curve.value($0)) })
    }.filter { $0.points.contains { $0.y > 0 } }
    let top = series.flatMap { $0.points.map(\.y) }.max() ?? 1
    return Chart(
      title: "Throughput", series: series, x: timeScale, y: .fromZero(to: top), xText: HTMLReport.second,
      yText: Figures.rate, xName: "seconds", marks: markTimes)
  }

  private var latencies: Chart {
    let curves: [(String, KeyPath<LatencyFigures, UInt64>)] = [
      ("p50", \.p50), ("p95", \.p95), ("p99", \.p99), ("p99.9", \.p999),
    ]
    let series = curves.enumerated().map { index, curve in
      let points = seconds.compactMap { second in
        second.latency.map { (time(second), Double($0[keyPath: curve.1])) }
      }
      return Chart.Series(name: curve.0, color: index, points: points)
    }
    return Chart(
      title: "Latency", series: series, x: timeScale, y: .powers(series.flatMap { $0.points.map(\.y) }),
      xText: HTMLReport.second, yText: Figures.time(ns:), xName: "seconds", marks: markTimes)
  }

  /// Latency over percentile, stretched so that each nine gets as much room: x is 1 / (1 − percentile).
  private var percentiles: Chart {
    let all = result.kinds.count == 1 ? result.kinds : result.kinds + [("all", result.operations, result.latencies)]
    let series = all.enumerated().map { index, kind in
      Chart.Series(name: kind.name, color: index, points: HTMLReport.curve(kind.latencies))
    }
    let furthest = series.flatMap { $0.points.map(\.x) }.max() ?? 10
    return Chart(
      title: "Latency by percentile", series: series, x: .powers(upTo: furthest),
      y: .powers(series.flatMap { $0.points.map(\.y) }), xText: HTMLReport.percentile, yText: Figures.time(ns:),
      xName: "percentile")
  }

  /// Ten points for each nine, as far as ten latencies lie beyond.
  private static func curve(_ latencies: LatencyHistogram) -> [(x: Double, y: Double)] {
    var points: [(x: Double, y: Double)] = []
    var beyond = 1.0
    while beyond * Double(latencies.totalCount) >= 10 {
      points.append((1 / beyond, Double(latencies.valueAtPercentile(100 * (1 - beyond)))))
      beyond /= 1.258_925_411_794_167_2  // the tenth root of ten
    }
    return points
  }

  private var nodes: Chart? {
    let sums = result.nodes
    let total = sums.reduce(0) { $0 + Double($1.operations) }
    guard total > 0, sums.count <= HTMLReport.nodesMax else { return nil }
    let series = sums.enumerated().map { index, node in
      let share = (Double(node.operations) / total * 1_000).rounded() / 10
      let points = seconds.map { second in
        let operations = second.nodes.first { $0.node == node.node }?.operations ?? 0
        return (time(second), Double(operations) * 1e9 / Double(second.endNs - second.startNs))
      }
      return Chart.Series(
        name: "\(node.node) \(Figures.number(share, placesMax: 1)) %", color: index % HTMLReport.colors, points: points)
    }
    let tops = seconds.indices.map { place in series.reduce(0) { $0 + $1.points[place].y } }
    return Chart(
      title: "Requests each node serves as a replica, a second", series: series, x: timeScale,
      y: .fromZero(to: tops.max() ?? 1), xText: HTMLReport.second, yText: Figures.rate, xName: "seconds",
      marks: markTimes, isStacked: true)
  }

  /// More have no room in a legend.
  private static let nodesMax = 24
  private static let colors = 8

  // MARK: - Words

  static func second(_ value: Double) -> String { Figures.number(value, placesMax: 2) }

  /// What 1 / (1 − percentile) stands for.
  static func percentile(_ value: Double) -> String {
    let nines = Int(value.rounded())
    return nines <= 1
      ? "0"
      : nines == 10 ? "90" : "99\(nines > 100 ? "." : "")\(String(repeating: "9", count: String(nines).count - 3))"
  }
}
