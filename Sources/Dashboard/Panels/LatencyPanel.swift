import ClusterModel
import Text

/// How long operations take: figures of the last second in which anything was done, then all of them over time, reads above
/// the axis and writes below it.
///
/// As a heat map on a logarithmic scale, or as curves: filled to the time that 99 of 100 did not exceed, the brighter part
/// is the median.
package enum LatencyPanel {
  package static func draw(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    var canvas = Canvas(size, background: look.style(.text))
    let isShort = size.height < shortHeight && size.width >= shortWidth
    let figures = isShort ? 1 : size.height >= 2 ? 2 : size.height
    let rows: [(name: String, history: LatencyHistory, color: Color)] = [
      ("\(look.glyphs.reads) reads ", state.seen.readLatency, look.theme.readGraph.end),
      ("\(look.glyphs.writes) writes", state.seen.writeLatency, look.theme.writeGraph.end),
    ]
    for (row, line) in rows.prefix(isShort ? 0 : figures).enumerated() {
      drawFigures(
        line.name, line.history.recent, line.color, noneWords: noneWords(state, look), row: row, on: &canvas, look)
    }
    if isShort { drawShortFigures(state.seen, isMeasured: isMeasured(state), on: &canvas, look) }
    let area = Rect(column: 0, row: figures, width: size.width, height: size.height - figures)
    guard area.height >= 3, size.width >= 4, let seen = state.history.span else { return canvas }
    let span = state.graphView.span(seen)
    let axis = TimeAxis(span: span, originNs: seen.endNs, countsUp: false, marks: state.seen.causes.marks)
    if state.showsLatencyLines {
      drawLines(state, span, axis, in: area, on: &canvas, look)
    } else {
      drawMaps(state, span, axis, in: area, on: &canvas, look)
    }
    return canvas
  }

  /// Text at the right of the frame's upper edge.
  static func note(_ state: DashboardState, _ size: Size, _ look: Look) -> String {
    guard size.height >= 5, let seen = state.history.span,
      state.seen.readLatency.recent != nil || state.seen.writeLatency.recent != nil
    else { return "" }
    // Another engine's times are its own: the way there and back is no part of them.
    let place = state.status?.engine == nil ? "" : "inside the server  "
    guard state.showsLatencyLines else {
      return "\(place)\(look.glyphs.medianLine) p50 \(look.glyphs.tailLine) p99, brighter: more"
    }
    let span = state.graphView.span(seen)
    let tops = tops(state, span)
    func words(_ history: LatencyHistory, _ top: Double) -> String {
      ScaleWords.words(top: top, most: most(history, span)) { Figures.time(ns: $0) }
    }
    let (reads, writes) = (words(state.seen.readLatency, tops.reads), words(state.seen.writeLatency, tops.writes))
    return "\(place)p50 in p99  \(look.glyphs.reads) \(reads) \(look.glyphs.writes) \(writes)"
  }

  static func footer(_ state: DashboardState, _ size: Size, _ look: Look) -> [StyledWord] {
    size.height >= 5 ? ThroughputPanel.footer(state, size, look) : []
  }

  /// A backend may not measure latencies; before the first status nobody knows.
  private static func isMeasured(_ state: DashboardState) -> Bool { state.status?.latencies != nil }

  /// Texts for the case that nothing was measured lately, the longest first.
  private static func noneWords(_ state: DashboardState, _ look: Look) -> [String] {
    guard isMeasured(state) else { return [look.glyphs.dash] }
    let words = "none in the last seconds"
    // A tour has no prompt.
    return state.guide == nil ? ["\(words); try `benchmark`", words] : [words]
  }

  private static func drawFigures(
    _ name: String, _ percentiles: LatencyHistory.Percentiles?, _ color: Color, noneWords: [String], row: Int,
    on canvas: inout Canvas, _ look: Look
  ) {
    let column = canvas.write(name, column: 1, row: row, Style(color, on: look.theme[.background], [.bold])) + 2
    guard let percentiles else {
      let words = noneWords.first { column + $0.columns < canvas.width } ?? noneWords.last ?? ""
      canvas.write(
        words.fitted(to: canvas.width - column, ellipsis: look.glyphs.ellipsis), column: column, row: row,
        look.style(.dim))
      return
    }
    PercentileWords.draw(percentiles, column: column, row: row, on: &canvas, look)
  }

  /// Fewer rows than this have one for figures, where it is wide enough for both kinds.
  private static let shortHeight = 11
  private static let shortWidth = 64

  private static func drawShortFigures(
    _ seen: Observations, isMeasured: Bool, on canvas: inout Canvas, _ look: Look
  ) {
    let kinds = [
      (look.glyphs.reads, seen.readLatency, look.theme.readGraph.end),
      (look.glyphs.writes, seen.writeLatency, look.theme.writeGraph.end),
    ]
    for (index, (sign, history, color)) in kinds.enumerated() {
      var column = 1 + index * (canvas.width / 2)
      column = canvas.write(sign, column: column, row: 0, Style(color, on: look.theme[.background], [.bold])) + 1
      guard let recent = history.recent else {
        canvas.write(
          isMeasured ? "none in the last seconds" : look.glyphs.dash, column: column, row: 0, look.style(.dim))
        continue
      }
      for (label, ns) in [("p50", recent.p50), ("p99", recent.p99)] {
        column = canvas.write(label, column: column, row: 0, look.style(.dim))
        column = canvas.write(Figures.time(ns: ns).rightAligned(8), column: column, row: 0, look.style(.text)) + 2
      }
    }
  }

  // MARK: Heat maps

  private static func drawMaps(
    _ state: DashboardState, _ span: GraphSpan, _ axis: TimeAxis, in area: Rect, on canvas: inout Canvas, _ look: Look
  ) {
    let gutter = MirrorGraph.gutter(width: area.width)
    let upper = MirrorGraph.upperRows(area.height)
    let (column, width) = (area.column + gutter, area.width - gutter)
    let maps = [
      (state.seen.readLatency, look.theme.readGraph, area.row, upper),
      (state.seen.writeLatency, look.theme.writeGraph, area.row + upper + 1, area.height - upper - 1),
    ]
    for (history, gradient, row, height) in maps {
      HeatMap(history: history, span: span, look: look, gradient: gradient).draw(
        on: &canvas, Rect(column: column, row: row, width: width, height: height), gutter: gutter, isFlipped: false)
    }
    axis.draw(column: column, row: area.row + upper, width: width, on: &canvas, look)
  }

  // MARK: Curves

  private static func drawLines(
    _ state: DashboardState, _ span: GraphSpan, _ axis: TimeAxis, in area: Rect, on canvas: inout Canvas, _ look: Look
  ) {
    let width = area.width - MirrorGraph.gutter(width: area.width)
    let count = ColumnGraph.valueCount(width: width, look)
    let tops = tops(state, span)
    func half(_ history: LatencyHistory, _ top: Double, _ gradient: Gradient) -> MirrorGraph.Half {
      let points = points(history, span, count: count)
      return .init(
        values: points.map { $0?.p99 }, inner: points.map { $0?.p50 }, top: top, gradient: gradient.flat(at: 0.2),
        innerGradient: gradient.flat(at: 1))
    }
    MirrorGraph(
      reads: half(state.seen.readLatency, tops.reads, look.theme.readGraph),
      writes: half(state.seen.writeLatency, tops.writes, look.theme.writeGraph), axis: axis, look: look,
      label: { Figures.time(ns: $0) }
    ).draw(on: &canvas, area)
  }

  /// Percentiles of a second at least: of fewer operations a tail is noise.
  private static func points(_ history: LatencyHistory, _ span: GraphSpan, count: Int) -> [LatencyHistory.Percentiles?]
  {
    let secondNs: UInt64 = 1_000_000_000
    let parts = Swift.max(1, Swift.min(count, Int(span.lengthNs / secondNs)))
    let found = (0..<parts).map { history.percentiles(span.part($0, of: parts)) }
    return (0..<count).map { found[$0 * parts / Swift.max(1, count)] }
  }

  private static func most(_ history: LatencyHistory, _ span: GraphSpan) -> Double {
    points(history, span, count: 120).reduce(0) { Swift.max($0, $1?.p99 ?? 0) }
  }

  private static func tops(_ state: DashboardState, _ span: GraphSpan) -> (reads: Double, writes: Double) {
    let (reads, writes) = (state.seen.readLatencyAxis.top, state.seen.writeLatencyAxis.top)
    guard state.graphView.isChosen else { return (reads, writes) }
    return (
      AxisScale.roundUp(most(state.seen.readLatency, span), minimum: 1_000),
      AxisScale.roundUp(most(state.seen.writeLatency, span), minimum: 1_000)
    )
  }
}

/// Percentiles in a row: `p50 12.3 µs   p99 1.20 ms`.
enum PercentileWords {
  static let figureWidth = 15

  /// Draws as many percentiles as fit, in ascending order. Where room is short, p50 and p99 are kept before the others.
  static func draw(
    _ percentiles: LatencyHistory.Percentiles, column: Int, row: Int, on canvas: inout Canvas, _ look: Look
  ) {
    let figures = [
      (0, "p50", percentiles.p50), (2, "p99", percentiles.p99), (1, "p95", percentiles.p95),
      (3, "p99.9", percentiles.p999),
    ]
    var column = column
    let room = Swift.max(0, (canvas.width - column + 2) / figureWidth)
    for (_, label, ns) in figures.prefix(room).sorted(by: { $0.0 < $1.0 }) {
      let end = canvas.write(label, column: column, row: row, look.style(.dim))
      canvas.write(Figures.time(ns: ns).rightAligned(8), column: end, row: row, look.style(.text))
      column += figureWidth
    }
  }
}
