/// The tour's strip: what it says above, the evidence below, newest last.
enum GuidePanel {
  static func draw(_ guide: Guide, _ size: Size, _ look: Look) -> Canvas {
    let inner = PanelFrame.inner(size)
    var content = Canvas(inner, background: look.style(.text))
    let width = Swift.max(1, inner.width - 2)
    // The evidence gets half of a low strip: what was said can be read before there is any.
    let said = guide.text.wrapped(to: width)
    let saidRows = Swift.min(said.count, guide.lines.isEmpty ? inner.height : Swift.max(1, (inner.height + 1) / 2))
    for (row, line) in said.prefix(saidRows).enumerated() {
      content.write(line, column: 1, row: row, look.style(.title))
    }
    let gap = inner.height - saidRows > 5 ? 1 : 0
    let rows = evidence(guide, width: width, rows: inner.height - saidRows - gap, look)
    for (index, row) in rows.enumerated() {
      content.write(row.sign, column: 1, row: saidRows + gap + index, row.signStyle)
      content.write(row.text, column: 3, row: saidRows + gap + index, row.style)
    }
    let title = "tour \(guide.chapter)/\(guide.chapterCount): \(guide.title)"
    return PanelFrame.frame(
      content, title: title.fitted(to: Swift.max(0, size.width - 8), ellipsis: look.glyphs.ellipsis),
      note: note(guide, room: size.width - title.columns - 12, look), size: size, isFocused: false, look)
  }

  private struct Row { var sign: String, text: String, signStyle: Style, style: Style }

  /// The last rows that fit.
  private static func evidence(_ guide: Guide, width: Int, rows: Int, _ look: Look) -> [Row] {
    var reversed: [Row] = []
    for line in guide.lines.reversed() where reversed.count < rows {
      let (sign, signStyle, style) = looks(line.kind, look)
      for (index, text) in line.text.wrapped(to: Swift.max(1, width - 2)).enumerated().reversed() {
        reversed.append(Row(sign: index == 0 ? sign : "", text: text, signStyle: signStyle, style: style))
      }
    }
    return reversed.prefix(Swift.max(0, rows)).reversed()
  }

  private static func looks(_ kind: Guide.Line.Kind, _ look: Look) -> (String, Style, Style) {
    switch kind {
    case .command: (">", look.style(.prompt, .bold), look.style(.prompt))
    case .answer(isSuccess: true): ("", look.style(.ok), look.style(.dim))
    case .answer(isSuccess: false): (look.glyphs.failure, look.style(.warn), look.style(.dim))
    case .figure: (look.glyphs.info, look.style(.info), look.style(.text))
    case .claim(holds: true): (look.glyphs.success, look.style(.ok, .bold), look.style(.ok))
    case .claim(holds: false): (look.glyphs.failure, look.style(.bad, [.bold, .reverse]), look.style(.bad, .bold))
    }
  }

  /// The kind of cluster, the number of claims that held, and whether it waits; from the end on, as far as there is room.
  private static func note(_ guide: Guide, room: Int, _ look: Look) -> String {
    let claims =
      "\(look.glyphs.success) \(guide.held)" + (guide.failed > 0 ? " \(look.glyphs.failure) \(guide.failed)" : "")
    let parts = [guide.note, guide.held + guide.failed > 0 ? claims : "", mode(guide, look)].filter { !$0.isEmpty }
    for first in parts.indices {
      let words = parts[first...].joined(separator: " \(look.glyphs.separator) ")
      if words.columns <= room { return words }
    }
    return ""
  }

  private static func mode(_ guide: Guide, _ look: Look) -> String {
    switch (guide.mode, guide.isAutomatic) {
    case (.over, _): "the end"
    case (.working, _): "working\(look.glyphs.ellipsis)"
    case (.reading, true): "\(look.glyphs.play) auto-play"
    case (.reading, false): "\(look.glyphs.pause) waits for you"
    }
  }
}
