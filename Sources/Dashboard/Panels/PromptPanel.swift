import Text

/// The prompt's line: what is typed, what would complete it, its usage, and at the right what became of the last one.
package enum PromptPanel {
  static let label = "kvstore> "

  package static func draw(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    var canvas = Canvas(size, background: look.style(.text))
    if let travelled = state.travelled {
      drawTime(travelled.place, travelled.marks, on: &canvas, look)
      return canvas
    }
    let isFocused = state.focus == .prompt
    if isFocused, let search = state.prompt.search {
      let label = "search: "
      var column = canvas.write(label, column: 0, row: 0, look.style(.prompt, .bold))
      column = canvas.write(search.text, column: column, row: 0, look.style(.title))
      let found = state.prompt.searchMatch ?? (search.text.isEmpty ? "" : "no line has it")
      let room = Swift.max(0, size.width - column - 3)
      canvas.write(
        found.fitted(to: room, ellipsis: look.glyphs.ellipsis), column: column + 3, row: 0,
        look.style(state.prompt.searchMatch == nil ? .dim : .text))
      return canvas
    }
    canvas.write(label, column: 0, row: 0, look.style(isFocused ? .prompt : .dim, .bold))
    let room = Swift.max(0, size.width - label.columns)
    let (text, _) = window(state.prompt.editor, room: room)
    var column = canvas.write(text, column: label.columns, row: 0, look.style(.title))
    column = canvas.write(state.prompt.ghost, column: column, row: 0, look.style(.ghost))
    drawNote(state, after: column, on: &canvas, look)
    return canvas
  }

  /// Where a reader has gone back to, between the oldest moment that is kept and the one that was frozen.
  private static func drawTime(_ place: Double, _ marks: [Double], on canvas: inout Canvas, _ look: Look) {
    let start = canvas.write("time ", column: 1, row: 0, look.style(.dim))
    let width = canvas.width - start - 1
    guard width > 1 else { return }
    func column(_ place: Double) -> Int { start + Swift.max(0, Swift.min(width - 1, Int(place * Double(width)))) }
    Meter.drawLine(place, column: start, row: 0, width: width, color: look.theme[.accent], on: &canvas, look)
    for mark in marks { canvas.put(look.glyphs.axisMark, column: column(mark), row: 0, look.style(.warn, .bold)) }
    canvas.put(look.glyphs.cursorMark, column: column(place), row: 0, look.style(.title, [.bold, .reverse]))
  }

  /// The cursor's column, when the prompt has the keys.
  package static func cursorColumn(_ state: DashboardState, width: Int) -> Int? {
    guard state.focus == .prompt, state.overlay == nil, state.guide == nil, state.playback == nil, width > 0 else {
      return nil
    }
    if let search = state.prompt.search { return Swift.min(width - 1, "search: ".columns + search.text.columns) }
    let (_, cursor) = window(state.prompt.editor, room: Swift.max(0, width - label.columns))
    return Swift.min(width - 1, label.columns + cursor)
  }

  /// The part of a long line that is shown, and the cursor's column in it.
  ///
  /// - Complexity: O(`room`), however long the line is.
  private static func window(_ editor: LineEditor, room: Int) -> (text: String, cursor: Int) {
    var start = editor.cursor
    var before = 0
    while start > 0 {
      let width = shown(editor.characters[start - 1]).columns
      // The cursor needs a column too.
      guard before + width <= Swift.max(0, room - 1) else { break }
      before += width
      start -= 1
    }
    let text = editor.characters[start...].prefix(room).map(shown).joined()
    return (text.fitted(to: room, ellipsis: ""), before)
  }

  /// A character as it stands in a cell or two.
  private static func shown(_ character: Character) -> String {
    let scalars = character.unicodeScalars
    return scalars.contains(where: \.isControl) ? "·" : String(character)
  }

  private static func drawNote(_ state: DashboardState, after column: Int, on canvas: inout Canvas, _ look: Look) {
    let (text, key) = note(state, look.glyphs)
    let room = canvas.width - column - 3
    guard !text.isEmpty, room >= 8 else { return }
    canvas.write(
      text.fitted(to: room, ellipsis: look.glyphs.ellipsis) + " ", endingAt: canvas.width, row: 0, look.style(key))
  }

  private static func note(_ state: DashboardState, _ glyphs: Glyphs) -> (String, ThemeKey) {
    let prompt = state.prompt
    if let toast = state.toast, toast.isShown(nowNs: state.seen.nowNs) { return (toast.text, .info) }
    if state.bytesReceived > 0 { return ("receiving a paste: \(Figures.bytes(state.bytesReceived))", .info) }
    if let place = pastedPlace(state), prompt.editor.isEmpty { return (place, .info) }
    if !prompt.editor.isEmpty { return (prompt.completion.usage, .dim) }
    if prompt.runningCount > 0 {
      // Its panel says the rest.
      let isInPanel = state.benchmark?.isRunning == true && state.layout.panels[.benchmark] != nil
      if isInPanel, prompt.runningCount == 1 { return ("`benchmark stop` ends it", .dim) }
      return (prompt.progress.isEmpty ? "working\(glyphs.ellipsis)" : prompt.progress, .info)
    }
    guard let answer = prompt.lastAnswer, let first = answer.lines.first else { return ("", .dim) }
    let rest = answer.lines.count - 1
    let more = rest > 0 ? " (+\(Figures.count(rest, "line")))" : ""
    let sign = first.isSuccess.map { "\($0 ? glyphs.success : glyphs.failure) " } ?? ""
    return (sign + first.text + more, answer.isSuccess ? .ok : .bad)
  }

  /// How far a paste of several lines is.
  private static func pastedPlace(_ state: DashboardState) -> String? {
    guard !state.pasted.waiting.isEmpty else { return nil }
    let progress = state.prompt.progress.isEmpty ? "" : "\(state.prompt.progress); "
    return
      "\(progress)pasted line \(Figures.count(state.pasted.begun)) of \(Figures.count(state.pasted.total)); Ctrl-C stops"
  }
}
