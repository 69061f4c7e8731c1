import ClusterModel
import Text

/// The benchmark that runs: how far it is, how fast, how long its operations take; then what it measured.
///
/// The graph is the run from its first second to its last, not the last minutes: its end is known, so it fills up from
/// the left as the bar above it does.
package enum BenchmarkPanel {
  package static func draw(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    var canvas = Canvas(size, background: look.style(.text))
    guard let run = state.benchmark else {
      canvas.write(
        "none yet: try `benchmark ycsb-a`".fitted(to: size.width - 1, ellipsis: look.glyphs.ellipsis), column: 1,
        row: 0, look.style(.dim))
      return canvas
    }
    drawProgress(run, on: &canvas, look)
    var row = 1
    var speedsEnd = size.width
    for line in BenchmarkFigures(run, state.seen, width: size.width, look).rows(width: size.width)
    where row < size.height {
      let end = drawFigures(line, row: row, on: &canvas, look)
      if row == 1 { speedsEnd = end }
      row += 1
    }
    for line in run.words where !run.isRunning && row < size.height {
      canvas.write(
        line.fitted(to: size.width - 2, ellipsis: look.glyphs.ellipsis), column: 1, row: row, look.style(.text))
      row += 1
    }
    let results = state.isZoomed ? resultRows(run, width: size.width, room: (size.height - row) / 2) : []
    let rows = row..<Swift.max(row, size.height - results.count)
    if let axis = drawGraph(run, state, rows: rows, on: &canvas, look) {
      let length = Figures.duration(seconds: (Double(axis.lengthNs) / 1e9).rounded())
      let scale = "axis \(Figures.short(axis.top)) ops/s, \(length)"
      if speedsEnd + scale.columns < size.width {
        canvas.write(scale, endingAt: size.width - 1, row: 1, look.style(.dim))
      }
    }
    for (offset, line) in results.enumerated() {
      let style = look.style(offset == 0 ? .dim : .text)
      canvas.write(line, column: 1, row: size.height - results.count + offset, style)
    }
    return canvas
  }

  /// What stands at the right of the frame's upper edge.
  static func note(_ state: DashboardState) -> String { state.benchmark?.name ?? "" }

  // MARK: How far

  private static func drawProgress(_ run: BenchmarkStatus, on canvas: inout Canvas, _ look: Look) {
    let phase = run.isRunning ? run.phase : "finished"
    var column = canvas.write(phase, column: 1, row: 0, look.style(run.isRunning ? .info : .ok, .bold)) + 2
    guard run.isRunning else {
      let unit = canvas.width < 50 ? "ops" : "operations"
      let done = "\(Figures.short(run.operations)) \(unit) in \(seconds(run))"
      if run.operations > 0, run.startedNs > 0 {
        canvas.write(
          done.fitted(to: canvas.width - column - 1, ellipsis: look.glyphs.ellipsis), column: column, row: 0,
          look.style(.text))
      }
      return
    }
    guard let fraction = run.fraction else {
      canvas.write("\(Figures.short(run.operations)) operations", column: column, row: 0, look.style(.dim))
      return
    }
    let left = run.leftNs.map { "\(Figures.duration(seconds: (Double($0) / 1e9).rounded(.up))) left" } ?? ""
    // As wide as it gets, so that the bar keeps its end.
    let figures = Figures.percent(fraction).rightAligned(6) + left.rightAligned(12)
    let end = canvas.width - figures.columns - 1
    column = Swift.min(Swift.max(column, 15), Swift.max(column, end - 8))
    if end - column >= 4 {
      Meter.drawProgress(
        fraction, column: column, row: 0, width: end - column, color: look.theme[.info], on: &canvas, look)
      canvas.write(figures, column: end, row: 0, look.style(.text))
    } else {
      canvas.write(Figures.percent(fraction), endingAt: canvas.width - 1, row: 0, look.style(.text))
    }
  }

  private static func seconds(_ run: BenchmarkStatus) -> String {
    let ns = run.seconds.last?.endNs ?? (run.atNs - Swift.min(run.atNs, run.startedNs))
    return "\(Figures.decimal(Double(ns) / 1e9, places: 1)) s"
  }

  private static func drawFigures(
    _ figures: [BenchmarkFigures.Figure], row: Int, on canvas: inout Canvas, _ look: Look
  ) -> Int {
    var column = 1
    for figure in figures {
      if !figure.label.isEmpty { column = canvas.write(figure.label, column: column, row: row, look.style(.dim)) + 1 }
      let style = figure.color.map { Style($0, on: look.theme[.background], [.bold]) } ?? look.style(figure.key)
      column = canvas.write(figure.text, column: column, row: row, style) + 3
    }
    return column
  }

  // MARK: How fast over time

  /// Returns how far its axes go; `nil` if there was no room for a graph.
  private static func drawGraph(
    _ run: BenchmarkStatus, _ state: DashboardState, rows: Range<Int>, on canvas: inout Canvas, _ look: Look
  ) -> (top: Double, lengthNs: UInt64)? {
    guard rows.count >= 3, run.startedNs > 0, canvas.width >= 12 else { return nil }
    let (points, lengthNs) = BenchmarkCurve.points(run, state.history)
    let top = AxisScale.roundUp(points.map(\.rate).max() ?? 0)
    let width = canvas.width - 2
    let graph = ColumnGraph(width: width, rows: rows.count - 1, top: top, look: look)
    let count = look.glyphs.kind == .braille ? width * 2 : width
    let values = BenchmarkCurve.spread(points, over: lengthNs, count: count)
    canvas.draw(graph.draw(values, look.theme.readGraph, upwards: true), column: 1, row: rows.lowerBound)
    var axis = Canvas(Size(width: width, height: 1), background: look.style(.text))
    TimeAxis.draw("0", state.history.marks, from: run.startedNs, lengthNs: lengthNs, row: 0, on: &axis, look)
    canvas.draw(axis, column: 1, row: rows.upperBound - 1)
    return (top, lengthNs)
  }

  // MARK: Earlier runs

  /// A heading and the last runs, newest last.
  private static func resultRows(_ run: BenchmarkStatus, width: Int, room: Int) -> [String] {
    guard !run.results.isEmpty, room >= 2 else { return [] }
    let nameWidth = Swift.min(run.results.map(\.name.columns).max() ?? 0, Swift.max(8, width - 44))
    func line(_ name: String, _ figures: [String]) -> String {
      name.leftAligned(nameWidth) + figures.map { $0.rightAligned(10) }.joined()
    }
    let shown = run.results.suffix(room - 1)
    return [line("runs so far", ["ops/s", "p50", "p99", "p99.9"])]
      + shown.map { result in
        let times = result.latency.map { [$0.p50, $0.p99, $0.p999].map { Figures.time(ns: $0) } } ?? ["", "", ""]
        return line(result.name, [Figures.short(result.operationsPerSecond)] + times)
      }
  }
}

/// The run as a curve.
enum BenchmarkCurve {
  struct Point { var endNs: UInt64, rate: Double }

  /// Operations a second by second of the run, or by half second where it keeps none itself; and how long all of it is.
  static func points(_ run: BenchmarkStatus, _ history: ThroughputHistory) -> (points: [Point], lengthNs: UInt64) {
    let passedNs = run.atNs - Swift.min(run.atNs, run.startedNs)
    guard run.seconds.isEmpty else {
      let points = run.seconds.map { Point(endNs: $0.endNs, rate: $0.readsPerSecond + $0.writesPerSecond) }
      return (points, Swift.max(run.lengthNs ?? 0, run.seconds.last?.endNs ?? 0, run.isRunning ? passedNs : 0, 1))
    }
    let buckets = Int(passedNs / ThroughputHistory.bucketNs)
    let skipped = history.age(ofNs: run.atNs) ?? 0
    let rates = history.rates(last: buckets + skipped).dropLast(skipped)
    let points = rates.enumerated().map { index, bucket in
      Point(endNs: UInt64(index + 1) * ThroughputHistory.bucketNs, rate: bucket.reads + bucket.writes)
    }
    return (points, Swift.max(run.lengthNs ?? 0, passedNs, 1))
  }

  /// A value for each of `count` equal parts of the run; 0 where it has not been yet.
  static func spread(_ points: [Point], over lengthNs: UInt64, count: Int) -> [Double] {
    var values = Array(repeating: 0.0, count: Swift.max(0, count))
    var at = 0
    for part in values.indices {
      let middle = (Double(part) + 0.5) / Double(count) * Double(lengthNs)
      while at < points.count, Double(points[at].endNs) < middle { at += 1 }
      guard at < points.count else { break }
      values[part] = points[at].rate
    }
    return values
  }
}

/// A run's figures, in rows that fit a width.
struct BenchmarkFigures {
  struct Figure {
    var label: String
    var text: String
    var color: Color?
    var key = ThemeKey.text

    var columns: Int { (label.isEmpty ? 0 : label.columns + 1) + text.columns + 3 }
  }

  private var speeds: [Figure] = []
  private var times: [Figure] = []

  /// - Parameter width: in little of it the arrows stand for reads and writes, as on the graph beside.
  init(_ run: BenchmarkStatus, _ seen: Observations, width: Int, _ look: Look) {
    if run.isRunning { addNow(run, seen, isShort: width < 50, look) } else { addResult(run, look) }
    if run.failures > 0 {
      speeds.append(Figure(label: "failed", text: Figures.short(run.failures), key: .bad))
    }
  }

  private mutating func addNow(_ run: BenchmarkStatus, _ seen: Observations, isShort: Bool, _ look: Look) {
    let last = run.seconds.last
    let reads = last?.readsPerSecond ?? seen.rates?.reads, writes = last?.writesPerSecond ?? seen.rates?.writes
    func figure(_ rate: Double?) -> String { (rate.map { Figures.short($0) } ?? look.glyphs.dash).rightAligned(6) }
    speeds = [
      Figure(
        label: "", text: "\(look.glyphs.reads) \(figure(reads))\(isShort ? "/s" : " reads/s")",
        color: look.theme.readGraph.end),
      Figure(
        label: "",
        text: "\(look.glyphs.writes) \(figure(writes))\(isShort ? "/s" : " writes/s")",
        color: look.theme.writeGraph.end),
    ]
    addTimes(last?.latency ?? (reads ?? 0 > writes ?? 0 ? seen.readLatency : seen.writeLatency).recent)
  }

  /// The whole run, and how it compares with the one before it of the same name.
  private mutating func addResult(_ run: BenchmarkStatus, _ look: Look) {
    guard run.words.isEmpty, let result = run.results.last else { return }
    speeds = [
      Figure(label: "", text: "\(Figures.short(result.operationsPerSecond)) ops/s", color: look.theme.readGraph.end)
    ]
    if let former = run.results.dropLast().last(where: { $0.name == result.name }), former.operationsPerSecond > 0 {
      let ratio = Figures.decimal(result.operationsPerSecond / former.operationsPerSecond, places: 2)
      speeds.append(Figure(label: "the run before", text: "\(look.glyphs.times)\(ratio)"))
    }
    addTimes(result.latency)
  }

  private mutating func addTimes(_ latency: LatencyHistory.Percentiles?) {
    guard let latency else { return }
    let all = [("p50", latency.p50), ("p95", latency.p95), ("p99", latency.p99), ("p99.9", latency.p999)]
    times = all.map { Figure(label: $0.0, text: Figures.time(ns: $0.1).rightAligned(7)) }
  }

  /// Speeds in a row of their own, times in one or two; what does not fit a row goes on in the next.
  func rows(width: Int) -> [[Figure]] {
    [speeds, times].flatMap { figures -> [[Figure]] in
      var rows: [[Figure]] = []
      var room = 0
      // Two rows of two are read as a table, three and one are not; the median and the tail matter most.
      let isWhole = figures.reduce(0) { $0 + $1.columns } <= width + 2
      let ordered = isWhole || figures.count != 4 ? figures : [0, 2, 1, 3].map { figures[$0] }
      for (index, figure) in ordered.enumerated() {
        if rows.isEmpty || room < figure.columns - 3 || (!isWhole && figures.count == 4 && index % 2 == 0) {
          rows.append([])
          room = width - 1
        }
        rows[rows.count - 1].append(figure)
        room -= figure.columns
      }
      return rows
    }
  }
}
