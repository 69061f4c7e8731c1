import ClusterModel
import Text

/// Reads and writes a second over time: reads grow upwards from the time axis, writes downwards.
///
/// One scale for both, from zero: which of the two is more can be seen without reading a figure, and the direction
/// tells them apart without colour.
package enum ThroughputPanel {
  package static func draw(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    var canvas = Canvas(size, background: look.style(.text))
    let figuresHeight = showsFigures(size) ? 1 : 0
    if figuresHeight > 0 { drawFigures(state, on: &canvas, look) }
    let rows = size.height - figuresHeight - 1
    guard rows >= 2, size.width >= 4 else { return canvas }
    let (upper, lower) = split(rows, state)
    // The same operations a row on both sides, or heights could not be compared across the axis.
    let perRow = Swift.max(state.seen.readAxis.top / Double(upper), state.seen.writeAxis.top / Double(lower))
    let rates = state.history.rates(last: look.glyphs.kind == .braille ? size.width * 2 : size.width)
    let reads = ColumnGraph(width: size.width, rows: upper, top: perRow * Double(upper), look: look)
    let writes = ColumnGraph(width: size.width, rows: lower, top: perRow * Double(lower), look: look)
    canvas.draw(reads.draw(rates.map(\.reads), look.theme.readGraph, upwards: true), column: 0, row: figuresHeight)
    let axis = figuresHeight + upper
    canvas.draw(writes.draw(rates.map(\.writes), look.theme.writeGraph, upwards: false), column: 0, row: axis + 1)
    TimeAxis.draw(state, row: axis, on: &canvas, look)
    return canvas
  }

  /// What stands at the right of the frame's upper edge: the figures themselves where they have no row of their own.
  static func note(_ state: DashboardState, _ size: Size, _ look: Look) -> String {
    let glyphs = look.glyphs
    if showsFigures(size) {
      let (reads, writes) = (Figures.short(state.seen.readAxis.top), Figures.short(state.seen.writeAxis.top))
      return "axis \(glyphs.reads) \(reads) \(glyphs.writes) \(writes)"
    }
    let (reads, writes) = figures(state, look)
    return "\(glyphs.reads)\(reads) \(glyphs.writes)\(writes) a second"
  }

  /// Reads and writes a second; a dash each where the backend does not count them.
  private static func figures(_ state: DashboardState, _ look: Look) -> (reads: String, writes: String) {
    guard state.status == nil || state.seen.rates != nil else {
      return (look.glyphs.dash.rightAligned(6), look.glyphs.dash.rightAligned(6))
    }
    let rates = state.seen.rates ?? (0, 0)
    return (Figures.short(rates.reads).rightAligned(6), Figures.short(rates.writes).rightAligned(6))
  }

  private static func showsFigures(_ size: Size) -> Bool { size.height >= 5 }

  /// The axis stands where both curves have room in proportion to their greatest values.
  private static func split(_ rows: Int, _ state: DashboardState) -> (upper: Int, lower: Int) {
    let part = state.seen.readAxis.top / (state.seen.readAxis.top + state.seen.writeAxis.top)
    let upper = Swift.min(rows - 1, Swift.max(1, Int((Double(rows) * part).rounded())))
    return (upper, rows - upper)
  }

  private static func drawFigures(_ state: DashboardState, on canvas: inout Canvas, _ look: Look) {
    let rates = figures(state, look)
    let reads = "\(look.glyphs.reads) \(rates.reads) reads/s"
    let writes = "\(look.glyphs.writes) \(rates.writes) writes/s"
    let readStyle = Style(look.theme.readGraph.end, on: look.theme[.background], [.bold])
    let writeStyle = Style(look.theme.writeGraph.end, on: look.theme[.background], [.bold])
    var column = canvas.write(reads, column: 1, row: 0, readStyle) + 3
    if column + writes.columns <= canvas.width { column = canvas.write(writes, column: column, row: 0, writeStyle) + 3 }
    let history = state.history.rates(last: canvas.width * 2)
    let peak = history.map { Swift.max($0.reads, $0.writes) }.max() ?? 0
    let text = "peak \(Figures.short(peak).rightAligned(6)) "
    if peak > 0, column + text.columns <= canvas.width {
      canvas.write(text, endingAt: canvas.width, row: 0, look.style(.dim))
    }
  }
}
