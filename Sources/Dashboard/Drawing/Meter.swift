/// A bar that shows a part of a whole in a row of cells.
enum Meter {
  /// Cells that are full or empty, coloured along a gradient: for comparing rows of a table.
  static func draw(_ fraction: Double, column: Int, row: Int, width: Int, on canvas: inout Canvas, _ look: Look) {
    let filled = fullCells(fraction, width: width)
    for cell in 0..<Swift.max(0, width) {
      if cell < filled {
        let color = look.theme.meter.color(at: Double(cell) / Double(Swift.max(1, width - 1)))
        canvas.put(look.glyphs.meterFull, column: column + cell, row: row, Style(color, on: look.theme[.background]))
      } else {
        canvas.put(look.glyphs.meterEmpty, column: column + cell, row: row, look.style(.meterEmpty))
      }
    }
  }

  /// A solid bar, exact to an eighth of a cell: for progress.
  static func drawProgress(
    _ fraction: Double, column: Int, row: Int, width: Int, color: Color, on canvas: inout Canvas, _ look: Look
  ) {
    let parts = look.glyphs.progressParts
    let steps = parts.count + 1
    let units = Int((clamped(fraction) * Double(width * steps)).rounded(.down))
    let style = Style(color, on: look.theme[.background])
    for cell in 0..<Swift.max(0, width) {
      let inCell = units - cell * steps
      switch inCell {
      case steps...: canvas.put(look.glyphs.progressFull, column: column + cell, row: row, style)
      case 1...: canvas.put(parts[inCell - 1], column: column + cell, row: row, style)
      default: canvas.put(look.glyphs.progressEmpty, column: column + cell, row: row, look.style(.meterEmpty))
      }
    }
  }

  /// A thin bar: rows of them below each other stay apart.
  static func drawLine(
    _ fraction: Double, column: Int, row: Int, width: Int, color: Color, on canvas: inout Canvas, _ look: Look
  ) {
    let filled = Int((clamped(fraction) * Double(Swift.max(0, width))).rounded(.down))
    for cell in 0..<Swift.max(0, width) {
      let style = cell < filled ? Style(color, on: look.theme[.background]) : look.style(.meterEmpty)
      canvas.put(
        cell < filled ? look.glyphs.lineFull : look.glyphs.lineEmpty, column: column + cell, row: row, style)
    }
  }

  /// Nothing shows as nothing, anything as at least one cell.
  private static func fullCells(_ fraction: Double, width: Int) -> Int {
    let cells = Int((clamped(fraction) * Double(width)).rounded())
    return fraction > 0 ? Swift.max(1, cells) : 0
  }

  private static func clamped(_ fraction: Double) -> Double {
    fraction.isFinite ? Swift.min(1, Swift.max(0, fraction)) : 0
  }
}
