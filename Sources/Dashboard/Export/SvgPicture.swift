/// Cells as an SVG picture, in which half-blocks are rectangles, so that no font comes between two of them.
package enum SvgPicture {
  private static let cellWidth = 9
  private static let cellHeight = 18
  /// Colours of a terminal without a theme of its own.
  private static let ink = "#d0d4de"
  private static let paper = "#101218"

  package static func text(_ canvas: Canvas) -> String {
    let (width, height) = (canvas.width * cellWidth, canvas.height * cellHeight)
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(width) \(height)\" width=\"\(width)\" height=\"\(height)\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"\(paper)\"/>",
      "<g font-family=\"'DejaVu Sans Mono','Menlo','Consolas',monospace\" font-size=\"15\" xml:space=\"preserve\">",
    ]
    for row in 0..<canvas.height { lines += self.row(canvas, row) }
    return (lines + ["</g>", "</svg>", ""]).joined(separator: "\n")
  }

  private static func row(_ canvas: Canvas, _ row: Int) -> [String] {
    var lines: [String] = []
    var column = 0
    while column < canvas.width {
      let cell = canvas[column, row]
      var end = column + 1
      // Cells of one look are one rectangle and one text; a half-block is no text.
      while end < canvas.width, canvas[end, row].style == cell.style,
        isBlock(canvas[end, row].scalar) == isBlock(cell.scalar),
        !isBlock(cell.scalar) || canvas[end, row].scalar == cell.scalar
      {
        end += 1
      }
      lines += run(canvas, row, column..<end)
      column = end
    }
    return lines
  }

  private static func run(_ canvas: Canvas, _ row: Int, _ columns: Range<Int>) -> [String] {
    let cell = canvas[columns.lowerBound, row]
    let isReversed = cell.style.attributes.contains(.reverse)
    let front = hex(cell.style.foreground) ?? ink
    let back = hex(cell.style.background)
    let (color, ground) = isReversed ? (back ?? paper, front) : (front, back)
    let (x, y, width) = (columns.lowerBound * cellWidth, row * cellHeight, columns.count * cellWidth)
    var lines: [String] = []
    if let ground { lines.append(rectangle(x, y, width, cellHeight, ground)) }
    let half = cellHeight / 2
    switch cell.scalar {
    case "▀": return lines + [rectangle(x, y, width, half, color)]
    case "▄": return lines + [rectangle(x, y + half, width, half, color)]
    case "█": return lines + [rectangle(x, y, width, cellHeight, color)]
    default: break
    }
    let scalars = columns.flatMap { canvas[$0, row].text }
    guard scalars.contains(where: { $0 != " " }) else { return lines }
    var text = ""
    for scalar in scalars { text += escaped(scalar) }
    let weight = cell.style.attributes.contains(.bold) ? " font-weight=\"bold\"" : ""
    let opacity = cell.style.attributes.contains(.dim) ? " opacity=\"0.6\"" : ""
    lines.append(
      "<text x=\"\(x)\" y=\"\(y + cellHeight * 3 / 4)\" textLength=\"\(width)\" lengthAdjust=\"spacingAndGlyphs\" "
        + "fill=\"\(color)\"\(weight)\(opacity)>\(text)</text>")
    return lines
  }

  private static func isBlock(_ scalar: Unicode.Scalar) -> Bool { ["▀", "▄", "█"].contains(scalar) }

  private static func rectangle(_ x: Int, _ y: Int, _ width: Int, _ height: Int, _ color: String) -> String {
    "<rect x=\"\(x)\" y=\"\(y)\" width=\"\(width)\" height=\"\(height)\" fill=\"\(color)\"/>"
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "&": "&amp;"
    case "<": "&lt;"
    case ">": "&gt;"
    default: String(Character(scalar))
    }
  }

  private static func hex(_ color: Color) -> String? {
    guard let (red, green, blue) = color.shown else { return nil }
    let digits = String(red << 16 | green << 8 | blue, radix: 16)
    return "#" + String(repeating: "0", count: 6 - digits.count) + digits
  }
}
