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

  private let completer: Completer

  package struct Choices: Equatable, Sendable {
    package var candidates: [String]
    package var selected: Int?
  }

  package init(completer: @escaping Completer) { self.completer = completer }

  /// What → at the end of the line would add, shown dim.
  package var ghost: String {
    guard editor.isCursorAtEnd, !editor.isEmpty, choices == nil, let best = completion.candidates.first else {
      return ""
    }
    let typed = String(editor.characters.suffix(completion.replacedCount))
    return best.hasPrefix(typed) ? String(best.dropFirst(typed.count)) : ""
  }

  /// Applies a key that changes the line; returns whether it did.
  package mutating func handle(_ key: Key) -> Bool {
    switch key {
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

  /// Takes the line to run it.
  package mutating func submit() -> String {
    let line = editor.submit()
    refresh()
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
    completion = editor.isEmpty ? Completion() : completer(editor.text, editor.cursor)
  }

  private mutating func complete(forwards: Bool) {
    if let open = choices { return choose(in: open, forwards: forwards) }
    completion = completer(editor.text, editor.cursor)
    let candidates = completion.candidates
    guard let first = candidates.first else { return }
    let replaced = completion.replacedCount
    if candidates.count == 1 {
      editor.replace(last: replaced, with: first + (first.hasSuffix(" ") ? "" : " "))
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

/// What a command said when it was done.
package struct CommandAnswer: Equatable, Sendable {
  /// Lines as line mode prints them.
  package var lines: [String]
  package var isSuccess: Bool
  /// Whether the command was one that ends the program.
  package var endsProgram: Bool

  package init(lines: [String], isSuccess: Bool, endsProgram: Bool = false) {
    self.lines = lines
    self.isSuccess = isSuccess
    self.endsProgram = endsProgram
  }
}
