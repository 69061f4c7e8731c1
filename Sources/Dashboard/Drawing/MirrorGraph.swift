/// Two curves on one axis of time: reads grow upwards from it, writes downwards, each to a scale of its own.
///
/// Both halves have a fixed height, so the time axis between them never moves. One curve points up and the other down, so
/// the two differ without colour. Each label at the left edge has a faint gridline.
struct MirrorGraph {
  struct Half {
    var values: [Double?]
    /// An earlier curve behind it.
    var former: [Double?] = []
    /// A second, lower curve of the same, drawn brighter: the median in front of the tail.
    var inner: [Double?] = []
    var top: Double
    var gradient: Gradient
    /// The inner curve's.
    var innerGradient: Gradient?
  }

  let reads: Half
  let writes: Half
  let axis: TimeAxis
  let look: Look
  /// A scale's value as its label says it.
  let label: (Double) -> String

  /// Columns of the labels at the left; none where they would cost a fifth of the curve.
  static func gutter(width: Int) -> Int { width >= 36 ? 9 : 0 }

  /// Rows of the upper half; the lower one has the rest but for the axis.
  static func upperRows(_ rows: Int) -> Int { rows / 2 }

  func draw(on canvas: inout Canvas, _ area: Rect) {
    guard area.height >= 3, area.width >= 4 else { return }
    let gutter = Self.gutter(width: area.width)
    let upper = Self.upperRows(area.height)
    let plot = Rect(
      column: area.column + gutter, row: area.row, width: area.width - gutter, height: area.height)
    draw(
      reads, in: Rect(column: plot.column, row: plot.row, width: plot.width, height: upper), upwards: true, on: &canvas)
    draw(
      writes,
      in: Rect(column: plot.column, row: plot.row + upper + 1, width: plot.width, height: area.height - upper - 1),
      upwards: false, on: &canvas)
    axis.draw(column: plot.column, row: plot.row + upper, width: plot.width, on: &canvas, look)
  }

  private func draw(_ half: Half, in area: Rect, upwards: Bool, on canvas: inout Canvas) {
    guard area.height > 0 else { return }
    let graph = ColumnGraph(width: area.width, rows: area.height, top: half.top, look: look)
    var curve = Canvas(area.size, background: look.style(.text))
    for line in Self.lines(rows: area.height) {
      let row = upwards ? area.height - 1 - line.row : line.row
      GridLine.draw(row: row, on: &curve, look)
      guard area.column > 7 else { continue }
      canvas.write(
        label(half.top * line.part), endingAt: area.column - 1, row: area.row + row, look.style(.dim))
    }
    var drawn = graph.draw(half.values, former: half.former, half.gradient, upwards: upwards)
    // A cell has one colour: where the inner curve ends inside one, the whole cell is its.
    if let inner = half.innerGradient { drawn.highlight(where: graph.draw(half.inner, inner, upwards: upwards)) }
    curve.drawOver(drawn)
    canvas.draw(curve, column: area.column, row: area.row)
  }

  /// Rows that have a label, counted from the axis, and the part of the scale that their far edge stands for.
  static func lines(rows: Int) -> [(row: Int, part: Double)] {
    let parts: [Double] = rows >= 10 ? [1, 0.75, 0.5, 0.25] : rows >= 4 ? [1, 0.5] : [1]
    return parts.map { (Swift.min(rows - 1, Int((Double(rows) * $0).rounded()) - 1), $0) }
  }
}

/// A faint line behind a graph.
enum GridLine {
  static func draw(row: Int, on canvas: inout Canvas, _ look: Look) {
    let style = look.style(.border)
    for column in 0..<canvas.width where !look.glyphs.isASCII || column % 4 == 0 {
      canvas.put(look.glyphs.gridLine, column: column, row: row, style)
    }
  }
}
