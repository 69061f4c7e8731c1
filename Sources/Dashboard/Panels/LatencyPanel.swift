import ClusterModel
import Text

/// How long operations take: reads upwards from the time axis, writes downwards, to the same scale from zero.
///
/// A column is filled to the time that 99 of 100 did not exceed; its brighter part is the median. The figures are those
/// of the last second in which anything was done.
package enum LatencyPanel {
  package static func draw(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    var canvas = Canvas(size, background: look.style(.text))
    let figures = size.height >= 2 ? 2 : size.height
    let rows: [(name: String, history: LatencyHistory, color: Color)] = [
      ("\(look.glyphs.reads) reads ", state.seen.readLatency, look.theme.readGraph.end),
      ("\(look.glyphs.writes) writes", state.seen.writeLatency, look.theme.writeGraph.end),
    ]
    for (row, line) in rows.prefix(figures).enumerated() {
      drawFigures(line.name, line.history.recent, line.color, isTour: state.guide != nil, row: row, on: &canvas, look)
    }
    drawGraphs(state, from: figures, on: &canvas, look)
    return canvas
  }

  /// What stands at the right of the frame's upper edge.
  static func note(_ state: DashboardState, _ size: Size, _ look: Look) -> String {
    guard state.seen.readLatency.recent != nil || state.seen.writeLatency.recent != nil else { return "" }
    guard size.height >= 5 else { return "" }
    let axis = "axis \(Figures.time(ns: state.seen.latencyAxis.top))"
    let seconds =
      shown(state.seen.readLatency, width: size.width, look) + shown(state.seen.writeLatency, width: size.width, look)
    let most = seconds.compactMap { $0?.p99 }.max() ?? 0
    // A second that took a thousand times as long would leave nothing to see of the others: it is cut off, and told.
    return most > state.seen.latencyAxis.top ? "\(axis), cut off: up to \(Figures.time(ns: most))" : axis
  }

  /// The seconds that a graph of a width shows.
  private static func shown(
    _ history: LatencyHistory, width: Int, _ look: Look
  ) -> ArraySlice<LatencyHistory.Percentiles?> {
    history.seconds.suffix(((look.glyphs.kind == .braille ? width * 2 : width) + 1) / 2)
  }

  private static func drawFigures(
    _ name: String, _ percentiles: LatencyHistory.Percentiles?, _ color: Color, isTour: Bool, row: Int,
    on canvas: inout Canvas, _ look: Look
  ) {
    var column = canvas.write(name, column: 1, row: row, Style(color, on: look.theme[.background], [.bold])) + 2
    guard let percentiles else {
      let short = "none in the last seconds", long = "\(short); try `benchmark`"
      // A tour has no prompt.
      let words = !isTour && column + long.columns < canvas.width ? long : short
      canvas.write(
        words.fitted(to: canvas.width - column, ellipsis: look.glyphs.ellipsis), column: column, row: row,
        look.style(.dim))
      return
    }
    let figures = [
      ("p50", percentiles.p50), ("p99", percentiles.p99), ("p95", percentiles.p95), ("p99.9", percentiles.p999),
    ]
    // The median and the tail matter most; in reading order they stand as their figures grow.
    let room = Swift.max(0, (canvas.width - column) / figureWidth)
    for (label, ns) in figures.prefix(room).sorted(by: { ($0.1, $0.0) < ($1.1, $1.0) }) {
      let end = canvas.write(label, column: column, row: row, look.style(.dim))
      canvas.write(Figures.time(ns: ns).rightAligned(8), column: end, row: row, look.style(.text))
      column += figureWidth
    }
  }

  private static let figureWidth = 15

  private static func drawGraphs(_ state: DashboardState, from first: Int, on canvas: inout Canvas, _ look: Look) {
    let rows = canvas.height - first - 1
    guard rows >= 2, canvas.width >= 4 else { return }
    let upper = (rows + 1) / 2
    let top = state.seen.latencyAxis.top
    let axis = first + upper
    let reads = graph(state.seen.readLatency, rows: upper, top: top, look.theme.readGraph, upwards: true, canvas, look)
    canvas.draw(reads, column: 0, row: first)
    let writes = graph(
      state.seen.writeLatency, rows: rows - upper, top: top, look.theme.writeGraph, upwards: false, canvas, look)
    canvas.draw(writes, column: 0, row: axis + 1)
    TimeAxis.draw(state, row: axis, on: &canvas, look)
  }

  private static func graph(
    _ history: LatencyHistory, rows: Int, top: Double, _ gradient: Gradient, upwards: Bool, _ canvas: Canvas,
    _ look: Look
  ) -> Canvas {
    let width = canvas.width
    let count = look.glyphs.kind == .braille ? width * 2 : width
    // The axis is that of throughput, two buckets a second: what stands above each other happened together.
    let seconds = shown(history, width: width, look)
    func values(_ percentile: (LatencyHistory.Percentiles) -> Double) -> [Double] {
      Array(seconds.flatMap { second in Array(repeating: second.map(percentile) ?? 0, count: 2) }.suffix(count))
    }
    let graph = ColumnGraph(width: width, rows: rows, top: top, look: look)
    var tail = graph.draw(values(\.p99), gradient.flat(at: 0.2), upwards: upwards)
    // A cell has one colour: where the median ends inside one, the whole cell is its.
    tail.highlight(where: graph.draw(values(\.p50), gradient.flat(at: 1), upwards: upwards))
    return tail
  }
}
