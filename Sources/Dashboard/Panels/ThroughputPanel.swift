import KVCluster

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
    let perRow = Swift.max(state.readAxis.top / Double(upper), state.writeAxis.top / Double(lower))
    let rates = state.history.rates(last: look.glyphs.kind == .braille ? size.width * 2 : size.width)
    let reads = ThroughputGraph(width: size.width, rows: upper, top: perRow * Double(upper), look: look)
    let writes = ThroughputGraph(width: size.width, rows: lower, top: perRow * Double(lower), look: look)
    canvas.draw(reads.draw(rates.map(\.reads), look.theme.readGraph, upwards: true), column: 0, row: figuresHeight)
    let axis = figuresHeight + upper
    canvas.draw(writes.draw(rates.map(\.writes), look.theme.writeGraph, upwards: false), column: 0, row: axis + 1)
    drawAxis(state, row: axis, on: &canvas, look)
    return canvas
  }

  /// What stands at the right of the frame's upper edge: the figures themselves where they have no row of their own.
  static func note(_ state: DashboardState, _ size: Size, _ look: Look) -> String {
    let glyphs = look.glyphs
    if showsFigures(size) {
      let (reads, writes) = (Figures.count(state.readAxis.top), Figures.count(state.writeAxis.top))
      return "axis \(glyphs.reads) \(reads) \(glyphs.writes) \(writes)"
    }
    let rates = state.rates
    let reads = Figures.count(rates.reads).rightAligned(6)
    let writes = Figures.count(rates.writes).rightAligned(6)
    return "\(glyphs.reads)\(reads) \(glyphs.writes)\(writes) a second"
  }

  private static func showsFigures(_ size: Size) -> Bool { size.height >= 5 }

  /// The axis stands where both curves have room in proportion to their greatest values.
  private static func split(_ rows: Int, _ state: DashboardState) -> (upper: Int, lower: Int) {
    let part = state.readAxis.top / (state.readAxis.top + state.writeAxis.top)
    let upper = Swift.min(rows - 1, Swift.max(1, Int((Double(rows) * part).rounded())))
    return (upper, rows - upper)
  }

  private static func drawFigures(_ state: DashboardState, on canvas: inout Canvas, _ look: Look) {
    let rates = state.rates
    let reads = "\(look.glyphs.reads) \(Figures.count(rates.reads).rightAligned(6)) reads/s"
    let writes = "\(look.glyphs.writes) \(Figures.count(rates.writes).rightAligned(6)) writes/s"
    let readStyle = Style(look.theme.readGraph.end, on: look.theme[.background], [.bold])
    let writeStyle = Style(look.theme.writeGraph.end, on: look.theme[.background], [.bold])
    var column = canvas.write(reads, column: 1, row: 0, readStyle) + 3
    if column + writes.columns <= canvas.width { column = canvas.write(writes, column: column, row: 0, writeStyle) + 3 }
    let history = state.history.rates(last: canvas.width * 2)
    let peak = history.map { Swift.max($0.reads, $0.writes) }.max() ?? 0
    let text = "peak \(Figures.count(peak).rightAligned(6)) "
    if peak > 0, column + text.columns <= canvas.width {
      canvas.write(text, endingAt: canvas.width, row: 0, look.style(.dim))
    }
  }

  private static func drawAxis(_ state: DashboardState, row: Int, on canvas: inout Canvas, _ look: Look) {
    for column in 0..<canvas.width { canvas.put(look.glyphs.axis, column: column, row: row, look.style(.border)) }
    let perCell = look.glyphs.kind == .braille ? 2 : 1
    let span = Double(canvas.width * perCell) * Double(ThroughputHistory.bucketNs) / 1e9
    canvas.write("-\(Figures.duration(seconds: span))", column: 0, row: row, look.style(.dim))
    drawMarks(state, row: row, perCell: perCell, on: &canvas, look)
  }

  /// From the newest back: each with its node's name at its right, or at its left, or alone, as there is room.
  private static func drawMarks(
    _ state: DashboardState, row: Int, perCell: Int, on canvas: inout Canvas, _ look: Look
  ) {
    let marks = state.history.marks.reversed().compactMap { mark in
      state.history.age(ofNs: mark.atNs).map { (mark: mark, column: canvas.width - 1 - $0 / perCell) }
    }.filter { $0.column >= 0 }
    // The rightmost column that has no label yet.
    var free = canvas.width
    for (index, (mark, column)) in marks.enumerated() where column < free {
      guard let sign = look.glyphs.mark(mark.kind) else { continue }
      let style = look.style(markKey(mark.kind), .bold)
      let older = index + 1 < marks.count ? marks[index + 1].column : -1
      let name = mark.node.columns
      if column + 1 + name <= free {
        canvas.write(sign + mark.node, column: column, row: row, style)
        free = column - 1
      } else if column - name > older + 1 {
        canvas.write(mark.node + sign, endingAt: column + 1, row: row, style)
        free = column - name - 1
      } else {
        canvas.write(sign, column: column, row: row, style)
        free = column
      }
    }
  }

  private static func markKey(_ kind: ClusterEvent.Kind) -> ThemeKey {
    switch kind {
    case .join, .restart: .ok
    case .kill: .bad
    case .leave: .warn
    case .cluster, .recovery, .hints, .storage: .graphMark
    }
  }
}

/// One curve, filled to its zero.
private struct ThroughputGraph {
  let width: Int
  let rows: Int
  /// The value at the axis' end; higher ones are cut off there.
  let top: Double
  let look: Look

  func draw(_ values: [Double], _ gradient: Gradient, upwards: Bool) -> Canvas {
    var canvas = Canvas(Size(width: width, height: rows), background: look.style(.text))
    switch look.glyphs.kind {
    case .braille: drawDots(values, gradient, upwards: upwards, on: &canvas)
    case .blocks, .ascii: drawColumns(values, gradient, upwards: upwards, on: &canvas)
    }
    return canvas
  }

  private func height(of value: Double, units: Int) -> Int {
    guard value > 0, top > 0 else { return 0 }
    // Anything above nothing shows.
    return Swift.max(1, Swift.min(units, Int((value / top * Double(units)).rounded())))
  }

  private func style(_ gradient: Gradient, row: Int, upwards: Bool) -> Style {
    let distance = upwards ? rows - 1 - row : row
    return Style(gradient.color(at: Double(distance) / Double(Swift.max(1, rows - 1))), on: look.theme[.background])
  }

  private func drawDots(_ values: [Double], _ gradient: Gradient, upwards: Bool, on canvas: inout Canvas) {
    var grid = DotGrid(columns: width, rows: rows)
    for (index, value) in values.enumerated() {
      let x = grid.dotWidth - values.count + index
      for dot in 0..<height(of: value, units: grid.dotHeight) { grid.set(x, upwards ? grid.dotHeight - 1 - dot : dot) }
    }
    for row in 0..<rows {
      let style = style(gradient, row: row, upwards: upwards)
      for column in 0..<width {
        if let pattern = grid.pattern(column: column, row: row) { canvas.put(pattern, column: column, row: row, style) }
      }
    }
  }

  private func drawColumns(_ values: [Double], _ gradient: Gradient, upwards: Bool, on canvas: inout Canvas) {
    let parts: [Unicode.Scalar] = look.glyphs.isASCII ? look.glyphs.asciiLevels : look.glyphs.columnsUp
    for (index, value) in values.enumerated() {
      let column = width - values.count + index
      let filled = height(of: value, units: rows * parts.count)
      for row in 0..<rows {
        let below = (upwards ? rows - 1 - row : row) * parts.count
        guard filled > below else { continue }
        let part = Swift.min(parts.count, filled - below)
        canvas.put(
          scalar(part, of: parts, upwards: upwards), column: column, row: row,
          style(gradient, row: row, upwards: upwards))
      }
    }
  }

  /// Fonts have eighths only from below: hanging columns are whole, half, or not there.
  private func scalar(_ part: Int, of parts: [Unicode.Scalar], upwards: Bool) -> Unicode.Scalar {
    if upwards || look.glyphs.isASCII { return parts[part - 1] }
    return part * 2 > parts.count ? look.glyphs.progressFull : look.glyphs.upperHalf
  }
}
