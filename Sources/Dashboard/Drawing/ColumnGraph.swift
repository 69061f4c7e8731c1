/// One curve, filled to its zero.
struct ColumnGraph {
  let width: Int
  let rows: Int
  /// The value at the axis' end; higher ones are cut off there, and a sign says so.
  let top: Double
  let look: Look

  /// Values that a graph of a width has room for: two dots a cell in braille.
  static func valueCount(width: Int, _ look: Look) -> Int {
    Swift.max(0, look.glyphs.kind == .braille ? width * 2 : width)
  }

  /// - Parameters:
  ///   - values: as many as ``valueCount(width:_:)``; `nil` where nothing is known.
  ///   - former: an earlier curve, of which an outline stands behind this one.
  func draw(_ values: [Double?], former: [Double?] = [], _ gradient: Gradient, upwards: Bool) -> Canvas {
    var canvas = Canvas(Size(width: width, height: rows), background: look.style(.text))
    drawFormer(former, upwards: upwards, on: &canvas)
    switch look.glyphs.kind {
    case .braille: drawDots(values, gradient, upwards: upwards, on: &canvas)
    case .blocks, .ascii: drawColumns(values, gradient, upwards: upwards, on: &canvas)
    }
    markCutOff(values, upwards: upwards, on: &canvas)
    return canvas
  }

  private func markCutOff(_ values: [Double?], upwards: Bool, on canvas: inout Canvas) {
    let perCell = look.glyphs.kind == .braille ? 2 : 1
    for (index, value) in values.enumerated() {
      guard let value, value > top else { continue }
      canvas.put(
        upwards ? look.glyphs.beyondUp : look.glyphs.beyondDown, column: index / perCell, row: upwards ? 0 : rows - 1,
        look.style(.graphMark, .bold))
    }
  }

  private func height(of value: Double?, units: Int) -> Int {
    guard let value, value > 0, top > 0 else { return 0 }
    // Anything above nothing shows.
    return Swift.max(1, Swift.min(units, Int((value / top * Double(units)).rounded())))
  }

  private func style(_ gradient: Gradient, row: Int, upwards: Bool) -> Style {
    let distance = upwards ? rows - 1 - row : row
    return Style(gradient.color(at: Double(distance) / Double(Swift.max(1, rows - 1))), on: look.theme[.background])
  }

  private func drawDots(_ values: [Double?], _ gradient: Gradient, upwards: Bool, on canvas: inout Canvas) {
    var grid = DotGrid(columns: width, rows: rows)
    for (x, value) in values.enumerated() {
      for dot in 0..<height(of: value, units: grid.dotHeight) { grid.set(x, upwards ? grid.dotHeight - 1 - dot : dot) }
    }
    put(grid, on: &canvas) { style(gradient, row: $0, upwards: upwards) }
  }

  private func put(_ grid: DotGrid, on canvas: inout Canvas, _ style: (Int) -> Style) {
    for row in 0..<rows {
      let style = style(row)
      for column in 0..<width {
        if let pattern = grid.pattern(column: column, row: row) { canvas.put(pattern, column: column, row: row, style) }
      }
    }
  }

  private func drawFormer(_ values: [Double?], upwards: Bool, on canvas: inout Canvas) {
    let style = look.style(.ghost)
    guard look.glyphs.kind == .braille else {
      for (column, value) in values.enumerated() {
        let height = height(of: value, units: rows)
        guard height > 0 else { continue }
        canvas.put(look.glyphs.meterEmpty, column: column, row: upwards ? rows - height : height - 1, style)
      }
      return
    }
    var grid = DotGrid(columns: width, rows: rows)
    for (x, value) in values.enumerated() {
      let height = height(of: value, units: grid.dotHeight)
      if height > 0 { grid.set(x, upwards ? grid.dotHeight - height : height - 1) }
    }
    put(grid, on: &canvas) { _ in style }
  }

  private func drawColumns(_ values: [Double?], _ gradient: Gradient, upwards: Bool, on canvas: inout Canvas) {
    let parts: [Unicode.Scalar] = look.glyphs.isASCII ? look.glyphs.asciiLevels : look.glyphs.columnsUp
    for (column, value) in values.enumerated() {
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
