/// The prompt: its line, what completes it, and what became of the last command.
package struct Prompt: Sendable {
  package var editor = LineEditor()
  package private(set) var completion = Completion()
  /// Candidates shown in the bottom line after Tab, and the one chosen by pressing it again.
  package private(set) var choices: Choices?
  /// Commands that have not answered yet.
  package var runningCount = 0
  /// How far a long command is, in its own words; empty when none says so.
  package var progress = ""
  /// The last answer, shown beside the prompt until something is typed.
  package var lastAnswer: CommandAnswer?

  /// The last key completed a word and put a blank behind it.
  private var hasCompletedBlank = false

  /// The search through the history, while it goes on.
  package private(set) var search: Search?

  private let completer: Completer

  /// Characters of a line that is completed as it is typed: what is longer was pasted, and asking takes its length.
  private static let completedMax = 4_096

  /// Text that Ctrl-R looks for, and how many of the matching lines are passed over.
  package struct Search: Equatable, Sendable {
    package var text = ""
    package var skipped = 0
  }

  package struct Choices: Equatable, Sendable {
    package var candidates: [String]
    package var selected: Int?
  }

  package init(completer: @escaping Completer) { self.completer = completer }

  /// Text that → at the end of the line would add, shown dim.
  package var ghost: String {
    guard editor.isCursorAtEnd, !editor.isEmpty, choices == nil, let best = completion.candidates.first else {
      return ""
    }
    let typed = String(editor.characters.suffix(completion.replacedCount))
    return best.hasPrefix(typed) ? String(best.dropFirst(typed.count)) : ""
  }

  /// Applies a key that changes the line; returns whether it did.
  package mutating func handle(_ key: Key) -> Bool {
    defer { hasCompletedBlank = key == .tab && hasCompletedBlank }
    switch key {
    // A blank that is typed behind a completed word is there already.
    case .character(" ") where hasCompletedBlank: return true
    case .control("r"):
      search = Search()
      return true
    case .tab:
      complete(forwards: true)
      return true
    case .backTab:
      complete(forwards: false)
      return true
    case .right, .end, .control("e"), .control("f"):
      if !ghost.isEmpty {
        editor.insert(ghost)
        refresh()
        return true
      }
    default: break
    }
    guard editor.edit(key) else { return false }
    refresh()
    return true
  }

  // MARK: Searching the history

  /// The newest line that contains the text searched for, behind the matches already skipped.
  package var searchMatch: String? {
    guard let search, !search.text.isEmpty else { return nil }
    let found = editor.history.lines.reversed().lazy.filter { $0.contains(search.text) }
    return Array(found.prefix(search.skipped + 1)).last
  }

  /// Takes a key while searching; `false` if it ended the search and is still to be applied to the line found.
  package mutating func search(_ key: Key) -> Bool {
    guard var search else { return false }
    switch key {
    case .character(let character): search = Search(text: search.text + String(character))
    case .paste(let text): search = Search(text: search.text + text.filter { !$0.isNewline })
    case .backspace: search = Search(text: String(search.text.dropLast()))
    case .control("r"), .up: if hasMatch(after: search) { search.skipped += 1 }
    case .control("s"), .down: search.skipped = Swift.max(0, search.skipped - 1)
    case .escape, .control("g"): return closeSearch(keepsMatch: false)
    case .tab, .left, .right, .home, .end:
      _ = closeSearch(keepsMatch: true)
      return true
    default:
      _ = closeSearch(keepsMatch: true)
      return false
    }
    self.search = search
    return true
  }

  private func hasMatch(after search: Search) -> Bool {
    editor.history.lines.count { $0.contains(search.text) } > search.skipped + 1
  }

  /// Ends the search, with the line found at the prompt or the one that was there before; whether there was one.
  package mutating func closeSearch(keepsMatch: Bool) -> Bool {
    guard search != nil else { return false }
    if keepsMatch, let match = searchMatch { editor.set(match) }
    search = nil
    refresh()
    return true
  }

  /// Takes the line to run it.
  package mutating func submit() -> String {
    let line = editor.submit()
    refresh()
    return line
  }

  /// Takes the line with `text` at the cursor to run it, however long it is.
  package mutating func submit(inserting text: String) -> String {
    let line = editor.text(inserting: text)
    editor.history.add(line)
    clear()
    return line
  }

  package mutating func clear() {
    editor.clear()
    refresh()
  }

  /// Closes the list of candidates; returns whether it was open.
  package mutating func closeChoices() -> Bool {
    defer { choices = nil }
    return choices != nil
  }

  private mutating func refresh() {
    lastAnswer = nil
    choices = nil
    let isCompleted = !editor.isEmpty && editor.characters.count <= Self.completedMax
    completion = isCompleted ? completer(editor.text, editor.cursor) : Completion()
  }

  private mutating func complete(forwards: Bool) {
    if let open = choices { return choose(in: open, forwards: forwards) }
    guard editor.characters.count <= Self.completedMax else { return }
    completion = completer(editor.text, editor.cursor)
    let candidates = completion.candidates
    guard let first = candidates.first else { return }
    let replaced = completion.replacedCount
    if candidates.count == 1 {
      editor.replace(last: replaced, with: first + (first.hasSuffix(" ") ? "" : " "))
      hasCompletedBlank = true
      return refresh()
    }
    let shared = Self.sharedPrefix(candidates)
    if shared.count > replaced {
      editor.replace(last: replaced, with: shared)
      completion = completer(editor.text, editor.cursor)
    }
    choices = Choices(candidates: candidates, selected: nil)
  }

  private mutating func choose(in open: Choices, forwards: Bool) {
    let count = open.candidates.count
    let next: Int
    if let selected = open.selected {
      next = (selected + (forwards ? 1 : count - 1)) % count
      editor.replace(last: open.candidates[selected].count, with: open.candidates[next])
    } else {
      next = forwards ? 0 : count - 1
      editor.replace(last: completion.replacedCount, with: open.candidates[next])
    }
    choices = Choices(candidates: open.candidates, selected: next)
  }

  private static func sharedPrefix(_ candidates: [String]) -> String {
    candidates.dropFirst().reduce(candidates.first ?? "") { shared, candidate in
      String(zip(shared, candidate).prefix { $0 == $1 }.map(\.0))
    }
  }
}

/// Answer of a command.
package struct CommandAnswer: Equatable, Sendable {
  /// One line of an answer, without the sign that stands before it.
  package struct Line: Equatable, Sendable, ExpressibleByStringLiteral {
    package var text: String
    /// Whether the sign says so; `nil` for a line without a sign.
    package var isSuccess: Bool?

    package init(_ text: String, isSuccess: Bool? = nil) { (self.text, self.isSuccess) = (text, isSuccess) }

    package init(stringLiteral text: String) { self.init(text) }
  }

  package var lines: [Line]
  package var isSuccess: Bool
  /// Whether the command was one that ends the program.
  package var endsProgram: Bool
  /// A page over the panels, instead of lines among the events.
  package var page: Page?
  /// The number of the line that it answers, so that the next pasted line knows its turn.
  package var number = 0

  package init(lines: [Line], isSuccess: Bool, endsProgram: Bool = false, page: Page? = nil) {
    self.page = page
    self.lines = lines
    self.isSuccess = isSuccess
    self.endsProgram = endsProgram
  }
}
