/// Which lines of the events panel are shown.
package struct EventFilter: Equatable, Sendable {
  /// Kinds of lines; `f` goes on to the next.
  package enum Choice: String, CaseIterable, Sendable {
    case all, cluster, warnings, commands
  }

  package internal(set) var choice = Choice.all
  /// Text that a line must contain, in any case.
  package internal(set) var text = ""
  /// Whether keys go to the text.
  package internal(set) var isTyping = false

  package init() {}

  package var isActive: Bool { choice != .all || !text.isEmpty || isTyping }

  func matches(_ line: LogLine) -> Bool {
    let isWanted: Bool
    switch (choice, line.kind) {
    case (.all, _), (.cluster, .event): isWanted = true
    case (.warnings, .event(let severity)): isWanted = severity == .warning || severity == .failure
    case (.warnings, .answer(let isSuccess)): isWanted = !isSuccess
    case (.commands, .command), (.commands, .answer): isWanted = true
    case (.cluster, _), (.warnings, .command), (.commands, .event): isWanted = false
    }
    return isWanted && (text.isEmpty || line.text.lowercased().contains(text.lowercased()))
  }

  mutating func next() {
    let all = Choice.allCases
    choice = all[((all.firstIndex(of: choice) ?? 0) + 1) % all.count]
  }

  /// Takes a key while the text is typed.
  mutating func type(_ key: Key) {
    switch key {
    case .character(let character): text.append(character)
    case .paste(let pasted): text += pasted.prefix(Self.textMax)
    case .backspace: text = String(text.dropLast())
    case .control("u"): text = ""
    case .enter: isTyping = false
    case .escape:
      text = ""
      isTyping = false
    default: break
    }
    text = String(text.prefix(Self.textMax))
  }

  /// As much as a panel's edge can show.
  private static let textMax = 40
}
