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
}
