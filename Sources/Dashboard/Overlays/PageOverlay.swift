/// Something to read over the dimmed, living screen: an idea, what this cluster shows of it, and a question.
package struct Page: Equatable, Sendable {
  package struct Figure: Equatable, Sendable {
    package var label: String
    package var value: String

    package init(label: String, value: String) {
      self.label = label
      self.value = value
    }
  }

  package var title: String
  package var paragraphs: [String]
  package var figures: [Figure]
  /// The next question and a hint; empty in a list.
  package var question: String
  package var hint: String

  package init(title: String, paragraphs: [String], figures: [Figure], question: String, hint: String) {
    self.title = title
    self.paragraphs = paragraphs
    self.figures = figures
    self.question = question
    self.hint = hint
  }
}

/// A page and where its reader is.
package struct PageReader: Equatable, Sendable {
  package var page: Page
  /// Rows above the first that is shown.
  package var firstRow = 0

  package init(_ page: Page) { self.page = page }
}

/// Draws a page in a box as large as its words need and the screen has.
package enum PageOverlay {
  private static let widthMax = 84

  package static func draw(_ reader: PageReader, _ screen: Size, _ look: Look) -> Canvas {
    let width = Swift.min(screen.width, widthMax)
    let rows = rows(reader.page, width: width - 4, look)
    let size = Size(width: width, height: Swift.min(screen.height, rows.count + 2))
    let inner = PanelFrame.inner(size)
    var content = Canvas(inner, background: look.style(.text))
    let first = Swift.max(0, Swift.min(reader.firstRow, rows.count - inner.height))
    for (index, row) in rows.dropFirst(first).prefix(inner.height).enumerated() {
      var column = 1
      for word in row { column = content.write(word.text, column: column, row: index, word.style) }
    }
    let below = rows.count - inner.height - first
    let note = below > 0 ? "\(below) more below" : "Esc closes"
    return PanelFrame.frame(content, title: reader.page.title, note: note, size: size, isFocused: true, look)
  }

  /// Rows that a reader can go down before the last one shows.
  static func scrollMax(_ page: Page, _ screen: Size, _ look: Look) -> Int {
    let rows = rows(page, width: Swift.min(screen.width, widthMax) - 4, look).count
    let shown = PanelFrame.inner(Size(width: screen.width, height: Swift.min(screen.height, rows + 2))).height
    return Swift.max(0, rows - shown)
  }

  private struct Word { var text: String, style: Style }

  private static func rows(_ page: Page, width: Int, _ look: Look) -> [[Word]] {
    let width = Swift.max(1, width)
    func plain(_ text: String, _ style: Style) -> [[Word]] {
      text.wrapped(to: width).map { [Word(text: $0, style: style)] }
    }
    var rows = page.paragraphs.flatMap { plain($0, look.style(.text)) }
    if !page.figures.isEmpty { rows.append([]) }
    let labelWidth = Swift.min(width / 2, page.figures.map(\.label.columns).max() ?? 0)
    for figure in page.figures {
      let label = figure.label.leftAligned(labelWidth + 2, ellipsis: look.glyphs.ellipsis)
      for (index, part) in figure.value.wrapped(to: Swift.max(1, width - labelWidth - 2)).enumerated() {
        let lead = index == 0 ? label : String(repeating: " ", count: labelWidth + 2)
        rows.append([Word(text: lead, style: look.style(.keyName, .bold)), Word(text: part, style: look.style(.title))])
      }
    }
    guard !page.question.isEmpty else { return rows }
    rows += [[]] + [[Word(text: "ASKED NEXT", style: look.style(.accent, .bold))]]
    rows += plain(page.question, look.style(.text)) + plain("Hint: \(page.hint)", look.style(.dim))
    return rows
  }
}
