import ClusterModel
import Text

/// Events of the cluster, commands and answers, newest last.
package enum EventsPanel {
  package static func draw(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    var canvas = Canvas(size, background: look.style(.text))
    let rows = visibleRows(state, size)
    if rows.isEmpty { drawEmpty(state, on: &canvas, look) }
    // Few lines stand at the top, as in a terminal that has just been opened.
    for (row, entry) in rows.enumerated() { draw(entry, row: row, state, on: &canvas, look) }
    return canvas
  }

  static func note(_ state: DashboardState, _ look: Look) -> String {
    var parts: [String] = []
    if state.filter.choice != .all { parts.append("only \(state.filter.choice.rawValue); f changes it") }
    if state.filter.isTyping || !state.filter.text.isEmpty {
      parts.append("/\(state.filter.text)\(state.filter.isTyping ? "_" : "")")
    }
    if state.log.rowsBelow > 0 { parts.append("\(state.log.rowsBelow) more below") }
    return parts.joined(separator: " \(look.glyphs.separator) ")
  }

  private static func drawEmpty(_ state: DashboardState, on canvas: inout Canvas, _ look: Look) {
    guard state.status != nil else { return }
    let words = state.filter.isActive ? "no line fits the filter; f changes it" : "nothing has happened yet"
    canvas.write(
      words.fitted(to: canvas.width - 2, ellipsis: look.glyphs.ellipsis), column: 2, row: 0, look.style(.dim))
  }

  /// Rows a line takes at a width.
  static func rowCount(of line: LogLine, width: Int) -> Int {
    Swift.max(1, line.text.wrapped(to: room(width)).count)
  }

  /// A row of the screen: a line of the log, or the continuation of one.
  private struct Entry { var line: LogLine, text: String, isFirst: Bool }

  /// From the newest line back, until the panel is full: the log's length costs nothing.
  private static func visibleRows(_ state: DashboardState, _ size: Size) -> [Entry] {
    let wanted = size.height + state.log.rowsBelow
    var reversed: [Entry] = []
    for line in state.log.lines.reversed() where reversed.count < wanted && state.filter.matches(line) {
      let texts = line.text.wrapped(to: room(size.width))
      for (index, text) in texts.enumerated().reversed() {
        reversed.append(Entry(line: line, text: text, isFirst: index == 0))
      }
    }
    return reversed.dropFirst(state.log.rowsBelow).prefix(size.height).reversed()
  }

  /// Columns before the text: the time, where it does not crowd out the words, and the sign.
  private static func indent(_ width: Int) -> Int { showsTime(width) ? 11 : 2 }
  /// Columns of the text: words do not touch the frame.
  private static func room(_ width: Int) -> Int { width - indent(width) - (showsTime(width) ? 1 : 0) }
  private static func showsTime(_ width: Int) -> Bool { width >= 44 }

  private static func draw(
    _ entry: Entry, row: Int, _ state: DashboardState, on canvas: inout Canvas, _ look: Look
  ) {
    let indent = indent(canvas.width)
    if entry.isFirst {
      if showsTime(canvas.width) {
        let time = state.seen.secondsSinceOpening(atNs: entry.line.atNs).map { Figures.clock(seconds: $0) } ?? ""
        canvas.write(time.rightAligned(8), column: 0, row: row, look.style(.dim))
      }
      canvas.write(sign(entry.line.kind, look.glyphs), column: indent - 2, row: row, signStyle(entry.line.kind, look))
    }
    canvas.write(entry.text, column: indent, row: row, textStyle(entry.line.kind, look))
  }

  private static func sign(_ kind: LogLine.Kind, _ glyphs: Glyphs) -> String {
    switch kind {
    case .event(let severity): glyphs.severity(severity)
    case .command: ">"
    case .answer(let isSuccess): isSuccess ? glyphs.success : glyphs.failure
    }
  }

  private static func signStyle(_ kind: LogLine.Kind, _ look: Look) -> Style {
    switch kind {
    case .event(.info): look.style(.info, .bold)
    case .event(.success), .answer(isSuccess: true): look.style(.ok, .bold)
    case .event(.warning): look.style(.warn, .bold)
    case .event(.failure), .answer(isSuccess: false): look.style(.bad, .bold)
    case .command: look.style(.prompt, .bold)
    }
  }

  private static func textStyle(_ kind: LogLine.Kind, _ look: Look) -> Style {
    switch kind {
    case .event(.info), .event(.success): look.style(.text)
    case .event(.warning): look.style(.warn)
    case .event(.failure), .answer(isSuccess: false): look.style(.bad)
    case .command: look.style(.prompt)
    case .answer(isSuccess: true): look.style(.title)
    }
  }
}
