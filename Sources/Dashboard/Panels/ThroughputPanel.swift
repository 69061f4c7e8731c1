import ClusterModel
import Text

/// Reads and writes a second over time: reads grow upwards from the time axis, writes downwards.
///
/// Each has a scale of its own, labelled at its edge: a tenth as many writes as reads would be a line of dots to the
/// reads' scale.
package enum ThroughputPanel {
  package static func draw(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    var canvas = Canvas(size, background: look.style(.text))
    let figuresHeight = showsFigures(size) ? 1 : 0
    if figuresHeight > 0 { drawFigures(state, on: &canvas, look) }
    let area = Rect(column: 0, row: figuresHeight, width: size.width, height: size.height - figuresHeight)
    guard area.height >= 3, size.width >= 4, let view = View(state, size, look) else { return canvas }
    let graph = MirrorGraph(
      reads: .init(values: view.reads, top: view.tops.reads, gradient: look.theme.readGraph),
      writes: .init(values: view.writes, top: view.tops.writes, gradient: look.theme.writeGraph),
      axis: TimeAxis(span: view.span, originNs: view.seenEndNs, countsUp: false, marks: state.seen.causes.marks),
      look: look, label: { "\(Figures.shortest($0))/s" })
    graph.draw(on: &canvas, area)
    return canvas
  }

  /// The span of the graph at a size.
  private struct View {
    let span: GraphSpan
    let seenEndNs: UInt64
    let reads: [Double?]
    let writes: [Double?]
    let tops: (reads: Double, writes: Double)

    init?(_ state: DashboardState, _ size: Size, _ look: Look) {
      guard let seen = state.history.span else { return nil }
      span = state.graphView.span(seen)
      seenEndNs = seen.endNs
      let width = size.width - MirrorGraph.gutter(width: size.width)
      let rates = state.history.rates(over: span, count: ColumnGraph.valueCount(width: width, look))
      (reads, writes) = (rates.map { $0?.reads }, rates.map { $0?.writes })
      tops =
        state.graphView.isChosen
        ? (AxisScale.roundUp(max(of: reads)), AxisScale.roundUp(max(of: writes)))
        : (state.seen.readAxis.top, state.seen.writeAxis.top)
    }

    var maxima: (reads: Double, writes: Double) { (max(of: reads), max(of: writes)) }
  }

  private static func max(of values: [Double?]) -> Double { values.reduce(0) { Swift.max($0, $1 ?? 0) } }

  /// Text at the right of the frame's upper edge: the scales, or the figures where they have no row of their own.
  static func note(_ state: DashboardState, _ size: Size, _ look: Look) -> String {
    let glyphs = look.glyphs
    guard showsFigures(size) else {
      let (reads, writes) = (rate(state.seen.rates?.reads, look), rate(state.seen.rates?.writes, look))
      return "\(glyphs.reads)\(reads) \(glyphs.writes)\(writes) a second"
    }
    guard let view = View(state, size, look) else { return "" }
    let (most, tops) = (view.maxima, view.tops)
    let reads = ScaleWords.words(top: tops.reads, most: most.reads) { Figures.shortest($0) }
    let writes = ScaleWords.words(top: tops.writes, most: most.writes) { Figures.shortest($0) }
    return "\(glyphs.reads) \(reads) \(glyphs.writes) \(writes)"
  }

  static func footer(_ state: DashboardState, _ size: Size, _ look: Look) -> [StyledWord] {
    guard let seen = state.history.span else { return [] }
    return CauseLegend.words(state.seen.causes.marks, state.graphView.span(seen), width: size.width, look)
  }

  private static func rate(_ rate: Double?, _ look: Look) -> String {
    (rate.map { Figures.short($0) } ?? look.glyphs.dash).rightAligned(6)
  }

  /// `  1.23 k reads/s`, as wide for one as for several; a dash where the rate is not known.
  static func figure(_ rate: Double?, _ noun: String, _ look: Look) -> String {
    "\(self.rate(rate, look)) \(Figures.word(rate?.rounded() == 1 ? 1 : 0, "\(noun)/s ", "\(noun)s/s"))"
  }

  private static func showsFigures(_ size: Size) -> Bool { size.height >= 5 }

  private static func drawFigures(_ state: DashboardState, on canvas: inout Canvas, _ look: Look) {
    let reads = "\(look.glyphs.reads) \(figure(state.seen.rates?.reads, "read", look))"
    let writes = "\(look.glyphs.writes) \(figure(state.seen.rates?.writes, "write", look))"
    let readStyle = Style(look.theme.readGraph.end, on: look.theme[.background], [.bold])
    let writeStyle = Style(look.theme.writeGraph.end, on: look.theme[.background], [.bold])
    var column = canvas.write(reads, column: 1, row: 0, readStyle) + 3
    if column + writes.columns <= canvas.width { column = canvas.write(writes, column: column, row: 0, writeStyle) + 3 }
    let rest = GraphWords.scrolled(state.graphView, state.history.span)
    if !rest.isEmpty {
      if column + rest.columns < canvas.width {
        canvas.write("\(rest) ", endingAt: canvas.width, row: 0, look.style(.warn))
      }
      return
    }
    guard let view = View(state, canvas.size, look) else { return }
    let (most, glyphs) = (view.maxima, look.glyphs)
    let text =
      "peak \(glyphs.reads)\(Figures.short(most.reads).rightAligned(6)) \(glyphs.writes)\(Figures.short(most.writes).rightAligned(6)) "
    if most.reads + most.writes > 0, column + text.columns <= canvas.width {
      canvas.write(text, endingAt: canvas.width, row: 0, look.style(.dim))
    }
  }
}

/// A graph's scale in words: `0–20 ms`, and how much more there was than it shows.
enum ScaleWords {
  static func words(top: Double, most: Double, _ figure: (Double) -> String) -> String {
    "0–\(figure(top))" + (most > top ? " (max \(figure(most)))" : "")
  }
}

/// Words for a graph's span that a reader has changed.
enum GraphWords {
  static func scrolled(_ view: GraphView, _ seen: GraphSpan?) -> String {
    guard view.isScrolledBack, let seen else { return "" }
    let back = Double(seen.endNs - view.span(seen).endNs) / 1e9
    return "\(Figures.duration(seconds: back)) back"
  }
}
