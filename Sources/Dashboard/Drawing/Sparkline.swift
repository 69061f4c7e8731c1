/// A curve in one row of cells, the newest value at the right.
enum Sparkline {
  static func draw(
    _ values: [Double?], top: Double, column: Int, row: Int, width: Int, on canvas: inout Canvas, _ look: Look
  ) {
    let levels = look.glyphs.isASCII ? look.glyphs.asciiLevels : look.glyphs.columnsUp
    let shown = values.suffix(Swift.max(0, width))
    for (index, value) in shown.enumerated() {
      guard let value, top > 0 else { continue }
      let part = Swift.min(1, Swift.max(0, value / top))
      let level = Swift.min(levels.count - 1, Int(part * Double(levels.count)))
      let style = Style(look.theme.meter.color(at: part), on: look.theme[.background])
      canvas.put(levels[level], column: column + width - shown.count + index, row: row, style)
    }
  }

  /// Parts of a whole as a thin line, two values a cell in braille: at 100 % a filled curve would be a slab.
  static func drawLine(_ values: [Double?], column: Int, row: Int, width: Int, on canvas: inout Canvas, _ look: Look) {
    let perCell = look.glyphs.kind == .braille ? 2 : 1
    let shown = Array(values.suffix(Swift.max(0, width * perCell)))
    let style = look.style(.meterStart)
    guard look.glyphs.kind == .braille else {
      for (index, value) in shown.enumerated() {
        guard let value else { continue }
        let levels = look.glyphs.lineLevels
        let level = levels[Swift.min(levels.count - 1, Int(value * Double(levels.count)))]
        canvas.put(level, column: column + width - shown.count + index, row: row, style)
      }
      return
    }
    var grid = DotGrid(columns: width, rows: 1)
    for (index, value) in shown.enumerated() {
      guard let value else { continue }
      grid.set(grid.dotWidth - shown.count + index, 3 - Swift.min(3, Int(value * 4)))
    }
    for cell in 0..<width {
      if let pattern = grid.pattern(column: cell, row: 0) {
        canvas.put(pattern, column: column + cell, row: row, style)
      }
    }
  }
}
