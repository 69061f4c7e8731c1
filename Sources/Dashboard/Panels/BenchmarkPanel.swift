import ClusterModel
import Text

/// The benchmark that runs: how far it is, how fast, how long its operations take; then what it measured.
///
/// The graph is the run from its first moment on, reads above the axis and writes below it, each to a scale of its own, with
/// the run before it as an outline.
package enum BenchmarkPanel {
  package static func draw(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    var canvas = Canvas(size, background: look.style(.text))
    guard let run = state.benchmark else {
      canvas.write(
        "none yet: try `benchmark`".fitted(to: size.width - 1, ellipsis: look.glyphs.ellipsis), column: 1,
        row: 0, look.style(.dim))
      return canvas
    }
    drawProgress(run, on: &canvas, look)
    var row = 1
    if size.height < figuresHeight {
      // The frame has the rates.
    } else if run.isEmpty {
      let words = "no write succeeded" + (run.error.map { ": \($0.description)" } ?? "")
      for line in words.wrapped(to: size.width - 2) where row < size.height {
        canvas.write(line, column: 1, row: row, look.style(.text))
        row += 1
      }
    } else if size.height < shortHeight {
      drawShortFigures(run, state.seen, on: &canvas, look)
      row = 2
    } else {
      for kind in BenchmarkKind.all where row < size.height {
        drawFigures(kind, run, state.seen, row: row, on: &canvas, look)
        row += 1
      }
    }
    let results = state.isZoomed ? BenchmarkRuns.rows(run, width: size.width, room: (size.height - row) / 2) : []
    drawGraph(
      run, state, in: Rect(column: 0, row: row, width: size.width, height: size.height - row - results.count),
      on: &canvas, look)
    for (offset, line) in results.enumerated() {
      let style = look.style(offset == 0 ? .dim : .text)
      canvas.write(line, column: 1, row: size.height - results.count + offset, style)
    }
    return canvas
  }

  /// Text at the right of the frame's upper edge.
  static func note(_ state: DashboardState, _ size: Size, _ look: Look) -> String {
    guard let run = state.benchmark else { return "" }
    guard size.height < figuresHeight else { return run.name }
    let rates = BenchmarkKind.all.map { kind in
      let figure = kind.figures(run, state.seen).rate.map { Figures.short($0) } ?? look.glyphs.dash
      return "\(kind.isReads ? look.glyphs.reads : look.glyphs.writes)\(figure.rightAligned(6))/s"
    }
    return rates.joined(separator: " ")
  }

  static func footer(_ state: DashboardState, _ size: Size, _ look: Look) -> [StyledWord] {
    guard let run = state.benchmark, run.startedNs > 0 else { return [] }
    var words = CauseLegend.words(state.seen.causes.marks, span(run, state), width: size.width - 20, look)
    if state.seen.benchmarkTimes.former != nil {
      let dots = look.glyphs.kind == .braille ? "⠉⠒" : String(Character(look.glyphs.meterEmpty))
      words.insert(StyledWord(" \(dots) run before ", look.style(.dim)), at: 0)
    }
    return words
  }

  // MARK: How far

  private static func drawProgress(_ run: BenchmarkStatus, on canvas: inout Canvas, _ look: Look) {
    let phase = run.isRunning ? run.phase : "finished"
    var column = canvas.write(phase, column: 1, row: 0, look.style(run.isRunning ? .info : .ok, .bold)) + 2
    let failed = run.failures > 0 ? "\(Figures.short(run.failures)) failed" : ""
    if !failed.isEmpty { column = canvas.write(failed, column: column, row: 0, look.style(.bad, .bold)) + 2 }
    guard run.isRunning else {
      let unit = canvas.width < 50 ? "ops" : Figures.word(run.operations, "operation", "operations")
      var done = "\(Figures.short(run.operations)) \(unit) in \(Figures.time(ns: run.measuredSpan.lengthNs))"
      if let ratio = run.ratioToFormer {
        done += "  \(look.glyphs.times)\(Figures.decimal(ratio, places: 2)) the run before"
      }
      if run.operations > 0, run.startedNs > 0 {
        canvas.write(
          done.fitted(to: canvas.width - column - 1, ellipsis: look.glyphs.ellipsis), column: column, row: 0,
          look.style(.text))
      }
      return
    }
    guard let fraction = run.fraction else {
      canvas.write(
        "\(Figures.short(run.operations)) \(Figures.word(run.operations, "operation", "operations"))", column: column,
        row: 0, look.style(.dim))
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

  // MARK: How fast, and how long operations take

  /// Fewer rows than this have one for the figures, and three for the graph; fewer than that have none for figures.
  private static let shortHeight = 6
  private static let figuresHeight = 5

  private static func drawShortFigures(
    _ run: BenchmarkStatus, _ seen: Observations, on canvas: inout Canvas, _ look: Look
  ) {
    for (index, kind) in BenchmarkKind.all.enumerated() {
      let (rate, times) = kind.figures(run, seen)
      let sign = kind.isReads ? look.glyphs.reads : look.glyphs.writes
      let gradient = kind.isReads ? look.theme.readGraph : look.theme.writeGraph
      let figure = (rate.map { Figures.short($0) } ?? look.glyphs.dash).rightAligned(6)
      let style = Style(gradient.end, on: look.theme[.background], [.bold])
      let start = 1 + index * (canvas.width / 2)
      let column = canvas.write("\(sign)\(figure)/s", column: start, row: 1, style) + 1
      let tail = times.map { "p99\(Figures.time(ns: $0.p99).rightAligned(8))" } ?? ""
      if column + tail.columns <= start + canvas.width / 2 {
        canvas.write(tail, column: column, row: 1, look.style(.text))
      }
    }
  }

  private static func drawFigures(
    _ kind: BenchmarkKind, _ run: BenchmarkStatus, _ seen: Observations, row: Int, on canvas: inout Canvas, _ look: Look
  ) {
    let (rate, times) = kind.figures(run, seen)
    let gradient = kind.isReads ? look.theme.readGraph : look.theme.writeGraph
    let sign = kind.isReads ? look.glyphs.reads : look.glyphs.writes
    let figure =
      canvas.width < 50
      ? "\((rate.map { Figures.short($0) } ?? look.glyphs.dash).rightAligned(6))/s"
      : ThroughputPanel.figure(rate, kind.isReads ? "read" : "write", look) + (kind.isReads ? " " : "")
    let style = Style(gradient.end, on: look.theme[.background], [.bold])
    let column = canvas.write("\(sign) \(figure)", column: 1, row: row, style) + 2
    if let times { PercentileWords.draw(times, column: column, row: row, on: &canvas, look) }
  }

  // MARK: How fast over time

  static func span(_ run: BenchmarkStatus, _ state: DashboardState) -> GraphSpan {
    let lengthNs = run.isRunning && run.measuredEndNs == nil ? run.lengthNs : run.measuredSpan.lengthNs
    return state.benchmarkView.span(ofRun: run.measuredSpan, lengthNs: lengthNs)
  }

  private static func drawGraph(
    _ run: BenchmarkStatus, _ state: DashboardState, in area: Rect, on canvas: inout Canvas, _ look: Look
  ) {
    guard area.height >= 3, run.startedNs > 0, area.width >= 12 else { return }
    let span = span(run, state)
    let width = area.width - MirrorGraph.gutter(width: area.width)
    let count = ColumnGraph.valueCount(width: width, look)
    let rates = BenchmarkCurve.rates(run, state.history, over: span, count: count)
    let former = state.seen.benchmarkTimes.former?.rates(over: span, startedNs: run.startedNs, count: count) ?? []
    func half(_ value: KeyPath<ThroughputHistory.Bucket, Double>, _ gradient: Gradient) -> MirrorGraph.Half {
      let (now, before) = (rates.map { $0?[keyPath: value] }, former.map { $0?[keyPath: value] })
      let most = (now + before).reduce(0) { Swift.max($0, $1 ?? 0) }
      return .init(values: now, former: before, top: AxisScale.roundUp(most), gradient: gradient)
    }
    MirrorGraph(
      reads: half(\.reads, look.theme.readGraph), writes: half(\.writes, look.theme.writeGraph),
      axis: TimeAxis(span: span, originNs: run.startedNs, countsUp: true, marks: state.seen.causes.marks), look: look,
      label: { "\(Figures.shortest($0))/s" }
    ).draw(on: &canvas, area)
  }
}

/// Reads or writes of a run.
struct BenchmarkKind {
  let isReads: Bool

  static let all = [BenchmarkKind(isReads: true), BenchmarkKind(isReads: false)]

  /// While it runs those of the last second, then those of all of it; `nil` where there were none.
  func figures(_ run: BenchmarkStatus, _ seen: Observations) -> (rate: Double?, times: LatencyHistory.Percentiles?) {
    if run.isRunning {
      let rate = isReads ? seen.rates?.reads : seen.rates?.writes
      return (rate, (isReads ? seen.readLatency : seen.writeLatency).recent)
    }
    let measured = isReads ? seen.benchmarkTimes.reads : seen.benchmarkTimes.writes
    let result = run.isListed ? run.results.last : nil
    return (
      isReads ? run.readsPerSecond : run.writesPerSecond, (isReads ? result?.reads : result?.writes) ?? measured
    )
  }
}

/// The run as a curve.
enum BenchmarkCurve {
  /// Reads and writes a second in `count` equal parts of a span; `nil` where the run has not been.
  static func rates(
    _ run: BenchmarkStatus, _ history: ThroughputHistory, over span: GraphSpan, count: Int
  ) -> [ThroughputHistory.Bucket?] {
    let measured = run.measuredSpan
    return history.rates(over: span, count: count).enumerated().map { part, rates in
      let at = span.part(part, of: count)
      return at.endNs > measured.startNs && at.startNs < measured.endNs ? rates : nil
    }
  }
}

/// The last runs as a table.
enum BenchmarkRuns {
  /// A heading and the runs, newest last.
  static func rows(_ run: BenchmarkStatus, width: Int, room: Int) -> [String] {
    guard !run.results.isEmpty, room >= 2 else { return [] }
    let titles = ["ops/s", "read p50", "p99", "write p50", "p99"]
    let nameWidth = Swift.min(run.results.map(\.name.columns).max() ?? 0, Swift.max(8, width - 11 * titles.count - 2))
    func line(_ name: String, _ figures: [String]) -> String {
      name.leftAligned(nameWidth) + figures.map { $0.rightAligned(11) }.joined()
    }
    func times(_ percentiles: LatencyHistory.Percentiles?) -> [String] {
      [percentiles?.p50, percentiles?.p99].map { $0.map { Figures.time(ns: $0) } ?? Figures.unknown }
    }
    return [line("runs so far", titles)]
      + run.results.suffix(room - 1).map { result in
        line(result.name, [Figures.short(result.operationsPerSecond)] + times(result.reads) + times(result.writes))
      }
  }
}
