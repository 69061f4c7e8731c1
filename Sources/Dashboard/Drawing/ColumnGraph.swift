/// One curve, filled to its zero.
struct ColumnGraph {
  let width: Int
  let rows: Int
  /// The value at the axis' end; higher ones are cut off there, and a sign says so.
  let top: Double
  let look: Look

  func draw(_ values: [Double], _ gradient: Gradient, upwards: Bool) -> Canvas {
    var canvas = Canvas(Size(width: width, height: rows), background: look.style(.text))
    switch look.glyphs.kind {
    case .braille: drawDots(values, gradient, upwards: upwards, on: &canvas)
    case .blocks, .ascii: drawColumns(values, gradient, upwards: upwards, on: &canvas)
    }
    markCutOff(values, upwards: upwards, on: &canvas)
    return canvas
  }

  private func markCutOff(_ values: [Double], upwards: Bool, on canvas: inout Canvas) {
    let perCell = look.glyphs.kind == .braille ? 2 : 1
    for (index, value) in values.enumerated() where value > top {
      let column = (width * perCell - values.count + index) / perCell
      canvas.put(
        upwards ? look.glyphs.beyondUp : look.glyphs.beyondDown, column: column, row: upwards ? 0 : rows - 1,
        look.style(.graphMark, .bold))
    }
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
