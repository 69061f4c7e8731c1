import Text

/// The prompt of line mode: the dashboard's editor, history and completion on a single line of a terminal that scrolls.
///
/// Pure: keys in, events and text for the terminal out. The line that is edited takes one row, and scrolls sideways where
/// it is longer, so that it never has to be known where it wraps; candidates stand in the row below.
package struct LinePrompt: Sendable {
  package enum Event: Equatable, Sendable {
    /// Enter: the line to run.
    case line(String)
    /// A paste with ends of lines: the lines to run, one after another. What stands behind the last end is edited.
    case pasted([String])
    /// A line of `byteCount` bytes without an end was pasted, which is too long to be edited.
    case refused(byteCount: Int)
    /// Ctrl-D on an empty line.
    case end
    /// Ctrl-C on an empty line; on another it empties the line.
    case interrupt
    /// Ctrl-Z.
    case suspend
    /// Ctrl-L.
    case clearScreen
  }

  private let label: String
  private var prompt: Prompt
  /// The first character that is shown.
  private var first = 0

  package init(label: String, history: [String], completer: @escaping Completer) {
    self.label = label
    prompt = Prompt(completer: completer)
    prompt.editor.history = CommandHistory(history)
  }

  /// Lines typed so far, those of earlier sessions among them, oldest first.
  package var history: [String] { prompt.editor.history.lines }

  /// Applies a key.
  package mutating func take(_ key: Key) -> Event? {
    if prompt.search != nil, key != .enter, prompt.search(key) { return nil }
    switch key {
    case .enter:
      _ = prompt.closeSearch(keepsMatch: true)
      first = 0
      return .line(prompt.submit())
    case .control("d") where prompt.editor.isEmpty: return .end
    case .control("c"):
      guard !prompt.editor.isEmpty else { return .interrupt }
      prompt.clear()
    case .control("z"): return .suspend
    case .control("l"): return .clearScreen
    case .paste(let text): return paste(text)
    case .escape, .control("g"): _ = prompt.closeChoices()
    default: _ = prompt.handle(key)
    }
    return nil
  }

  private mutating func paste(_ text: String) -> Event? {
    let lines = PasteLines(text)
    var whole = lines.whole
    if let first = whole.first {
      // Text typed before the paste belongs to its first line.
      whole[0] = prompt.submit(inserting: first)
      for line in whole.dropFirst() { prompt.editor.history.add(line) }
      self.first = 0
    }
    let hasRoom = prompt.editor.hasRoom(for: lines.rest)
    if hasRoom, !lines.rest.isEmpty { _ = prompt.handle(.paste(lines.rest)) }
    if whole.isEmpty { return hasRoom ? nil : .refused(byteCount: lines.rest.utf8.count) }
    return .pasted(whole)
  }

  // MARK: - On the terminal

  /// Text that redraws the line over the old one, wherever on its row the cursor is.
  package mutating func picture(columns: Int) -> String {
    if let search = prompt.search {
      let text = "(search '\(search.text)') \(prompt.searchMatch ?? "")"
      return "\r\u{1b}[J" + Self.shown(text).fitted(to: max(1, columns - 1), ellipsis: "…")
    }
    let room = max(4, columns - label.columns - 1)
    scroll(into: room)
    let characters = prompt.editor.characters
    let visible = Self.shown(String(characters[first...].prefix(room))).cut(to: room)
    let ghost = Self.shown(prompt.ghost).cut(to: room - visible.columns)
    let before = Self.shown(String(characters[first..<prompt.editor.cursor])).columns
    var text = "\r\u{1b}[J\(label)\(visible)"
    if !ghost.isEmpty { text += "\u{1b}[2m\(ghost)\u{1b}[0m" }
    if let choices = prompt.choices {
      text += "\r\n" + Self.list(choices, columns: columns) + "\u{1b}[A"
    }
    return text + "\r\u{1b}[\(label.columns + before)C"
  }

  /// Text that leaves a submitted line on the screen, as much of it as a screen holds, and the cursor below.
  package static func farewell(label: String, line: String) -> String {
    "\r\u{1b}[J\(label)\(shown(line.prefix(echoedMax)))\(line.utf8.count > echoedMax ? "… (\(Figures.count(line.utf8.count, "byte")))" : "")\r\n"
  }

  /// Characters of a line that are shown once it is run.
  private static let echoedMax = 2_048

  /// Moves the window so that the cursor is in it.
  private mutating func scroll(into room: Int) {
    let cursor = prompt.editor.cursor
    // Each character takes a column at least, but for those that are shown as none.
    first = min(max(first, cursor - 2 * room), cursor)
    while Self.shown(String(prompt.editor.characters[first..<cursor])).columns >= room { first += max(1, room / 3) }
    first = min(first, cursor)
  }

  private static func list(_ choices: Prompt.Choices, columns: Int) -> String {
    let words = choices.candidates.enumerated().map { $0 == choices.selected ? "[\($1)]" : " \($1) " }
    return shown(words.joined(separator: " ")).fitted(to: max(1, columns - 1), ellipsis: "…")
  }

  /// Characters that would act on the terminal are shown as dots.
  private static func shown(_ text: some StringProtocol) -> String {
    guard text.unicodeScalars.contains(where: \.isControl) else { return String(text) }
    return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.isControl ? "·" : $0 }))
  }
}

extension String {
  /// As many of its characters as fit.
  fileprivate func cut(to columns: Int) -> String {
    var left = columns
    return String(
      prefix {
        left -= String($0).columns
        return left >= 0
      })
  }
}
