/// Cells as text with the escape sequences that colour it, for files, pipes and recordings.
package enum AnsiText {
  /// All rows, each with a new line behind it.
  package static func text(_ canvas: Canvas, depth: ColorDepth) -> String {
    (0..<canvas.height).map { row(canvas, $0, depth: depth) + "\n" }.joined()
  }

  /// One row, with the terminal's own look again at its end.
  package static func row(_ canvas: Canvas, _ row: Int, depth: ColorDepth) -> String {
    var text = ""
    var last: Style?
    for cell in canvas.cells[row * canvas.width..<(row + 1) * canvas.width] where cell.scalar != Cell.continuation {
      if cell.style != last {
        text += sequence(cell.style, depth)
        last = cell.style
      }
      text.unicodeScalars.append(contentsOf: cell.text)
    }
    return text + "\u{1b}[0m"
  }

  private static func sequence(_ style: Style, _ depth: ColorDepth) -> String {
    var codes = ["0"]
    let attributes: [(Attributes, String)] = [(.bold, "1"), (.dim, "2"), (.underline, "4"), (.reverse, "7")]
    for (attribute, code) in attributes where style.attributes.contains(attribute) { codes.append(code) }
    codes += color(depth.number(for: style.foreground), depth, isBackground: false)
    codes += color(depth.number(for: style.background), depth, isBackground: true)
    return "\u{1b}[\(codes.joined(separator: ";"))m"
  }

  private static func color(_ number: Int32, _ depth: ColorDepth, isBackground: Bool) -> [String] {
    let base: Int32 = isBackground ? 40 : 30
    switch number {
    case ..<0: return []
    case ..<8: return ["\(base + number)"]
    case ..<16: return ["\(base + 60 + number - 8)"]
    case _ where depth == .truecolor:
      return ["\(base + 8)", "2", "\(number >> 16 & 0xFF)", "\(number >> 8 & 0xFF)", "\(number & 0xFF)"]
    default: return ["\(base + 8)", "5", "\(number)"]
    }
  }
}
