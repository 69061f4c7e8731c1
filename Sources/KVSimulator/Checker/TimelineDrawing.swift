/// A ``Timeline`` as a scalable picture (SVG 1.1): one file without references, legible on light and on dark paper.
///
/// One row an operation, as in the text: a bar from its invocation to its return, which fades out if it never returned.
/// Reads and writes differ in colour; the answer that nothing explains is red. Several timelines stand under one another.
package enum TimelineDrawing {
  /// One timeline with what is said above it.
  package struct Section: Sendable {
    package var title: String
    package var violation: Violation

    package init(title: String, violation: Violation) {
      self.title = title
      self.violation = violation
    }
  }

  // Lengths in pixels of an unscaled picture; a monospaced character of 13 pixels is 7.8 wide in all common fonts.
  private static let margin = 24.0
  private static let rowHeight = 26.0
  private static let barHeight = 14.0
  private static let characterWidth = 7.85
  private static let barsWidth = 520.0

  private static let style = """
    svg{--paper:#ffffff;--ink:#1f2328;--dim:#656d76;--line:#d8dee4;--read:#0969da;--write:#1a7f37;--wrong:#cf222e}
    @media (prefers-color-scheme:dark){svg{--paper:#0d1117;--ink:#e6edf3;--dim:#8d96a0;--line:#30363d;--read:#58a6ff;\
    --write:#3fb950;--wrong:#ff7b72}}
    text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}

    """

  package static func svg(_ sections: [Section]) -> String {
    var body = ""
    var top = margin
    var width = 0.0
    for section in sections {
      let drawn = draw(section, top: top)
      body += drawn.text
      top += drawn.height + margin
      width = max(width, drawn.width)
    }
    let (w, h) = (number(width + 2 * margin), number(top))
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(w)" height="\(h)" viewBox="0 0 \(w) \(h)">
      <style>
      \(style)</style>
      <defs>
      \(gradient("read", light: "#0969da"))
      \(gradient("write", light: "#1a7f37"))
      </defs>
      <rect width="100%" height="100%" fill="#ffffff" style="fill:var(--paper)"/>
      \(body)</svg>

      """
  }

  /// For bars without an end.
  private static func gradient(_ name: String, light: String) -> String {
    let stop = { (offset: Int, opacity: Int) in
      """
      <stop offset="\(offset)%" stop-color="\(light)" stop-opacity="\(opacity)" style="stop-color:var(--\(name))"/>
      """
    }
    return "<linearGradient id=\"\(name)-open\">\(stop(55, 1))\(stop(100, 0))</linearGradient>"
  }

  private static func draw(_ section: Section, top: Double) -> (text: String, width: Double, height: Double) {
    let timeline = Timeline(section.violation)
    let labelWidth = Double(timeline.rows.map(\.label.count).max() ?? 0) * characterWidth
    let barsLeft = margin + labelWidth + 20
    let step = min(72, max(4, barsWidth / Double(max(1, timeline.columnCount))))
    let right = barsLeft + step * Double(max(1, timeline.columnCount)) + 12
    let sentence = section.violation.sentence
    var text = label(section.title, x: margin, y: top + 14, color: "ink", weight: "bold")
    text += label(sentence, x: margin, y: top + 36, color: "dim")
    let rowsTop = top + 52
    for (index, row) in timeline.rows.enumerated() {
      let y = rowsTop + Double(index) * rowHeight
      if index > 0 { text += line(from: margin, to: right, y: y) }
      text += label(
        row.label, x: margin, y: y + 17.5, color: row.isDecisive ? "wrong" : "ink",
        weight: row.isDecisive ? "bold" : "normal")
      let start = barsLeft + step * Double(row.firstColumn)
      let end = row.lastColumn.map { barsLeft + step * Double($0) } ?? right
      text += bar(row, from: start, to: end, y: y + (rowHeight - barHeight) / 2)
    }
    let rowsBottom = rowsTop + Double(timeline.rows.count) * rowHeight
    text += timeArrow(from: barsLeft, to: right, y: rowsBottom + 10)
    let widest = max(right - margin, Double(max(sentence.count, section.title.count)) * characterWidth)
    return (text, widest, rowsBottom + 28 - top)
  }

  private static func bar(_ row: Timeline.Row, from start: Double, to end: Double, y: Double) -> String {
    let color = row.isDecisive ? "wrong" : row.isRead ? "read" : "write"
    let fill = row.lastColumn == nil ? "fill=\"url(#\(color)-open)\"" : paint(color)
    // What begins and ends at one moment is still to be seen.
    let width = max(6, end - start)
    return """
      <rect x="\(number(start))" y="\(number(y))" width="\(number(width))" height="\(number(barHeight))" rx="3" \(fill)/>

      """
  }

  private static func timeArrow(from start: Double, to end: Double, y: Double) -> String {
    let (x, left, high, low) = (number(end), number(end - 6), number(y - 3.5), number(y + 3.5))
    return """
      <path d="M\(number(start)) \(number(y))H\(x)M\(left) \(high)L\(x) \(number(y))L\(left) \(low)" fill="none" \
      stroke="#656d76" style="stroke:var(--dim)"/>
      \(label("time", x: start, y: y + 16, color: "dim"))
      """
  }

  private static func line(from start: Double, to end: Double, y: Double) -> String {
    """
    <path d="M\(number(start)) \(number(y))H\(number(end))" stroke="#d8dee4" style="stroke:var(--line)"/>

    """
  }

  private static func label(
    _ text: String, x: Double, y: Double, color: String, weight: String = "normal"
  ) -> String {
    """
    <text x="\(number(x))" y="\(number(y))" font-weight="\(weight)" xml:space="preserve" \(paint(color))>\(escaped(text))</text>

    """
  }

  /// The light colour for programs that know no variables, and the variable for those that do.
  private static func paint(_ color: String) -> String {
    let light = ["ink": "#1f2328", "dim": "#656d76", "read": "#0969da", "write": "#1a7f37", "wrong": "#cf222e"]
    return "fill=\"\(light[color]!)\" style=\"fill:var(--\(color))\""
  }

  private static func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
  }

  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "&": escaped += "&amp;"
      // Names of files may hold what XML cannot.
      case "\u{0}"..<" ", "\u{7f}"..<"\u{a0}", "\u{fffe}"..."\u{ffff}": escaped += "\u{fffd}"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
