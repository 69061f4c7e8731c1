import Text

/// How lines become commands: typed, pasted, or confirmed.
extension DashboardState {
  /// The one command that is about the screen, not the cluster.
  package static let describeCommand = "describe"

  mutating func submit() -> [Action] {
    _ = prompt.closeSearch(keepsMatch: true)
    let line = prompt.submit()
    guard line.contains(where: { !$0.isWhitespace }) else { return [] }
    guard pasted.isBusy else { return run(line) }
    wait(line)
    return []
  }

  /// Takes a paste: each line that ends in it is a command, the rest stays at the prompt.
  mutating func paste(_ lines: PasteLines) {
    var refused = 0
    for (index, line) in lines.whole.enumerated() {
      // Text typed before the paste belongs to its first line.
      let command = index == 0 ? prompt.submit(inserting: line) : line
      if index > 0 { prompt.editor.history.add(line) }
      if command.contains(where: { !$0.isWhitespace }), !pasted.add(command) { refused += 1 }
    }
    if refused > 0 {
      warn(
        "not run: \(Figures.count(refused, "pasted line")), because \(Figures.bytes(PastedLines.bytesMax)) of them wait already; "
          + "`load FILE` stores many keys")
    }
    guard !lines.rest.isEmpty else { return }
    if prompt.editor.hasRoom(for: lines.rest) {
      _ = prompt.handle(.paste(lines.rest))
    } else {
      warn(
        "not taken: a pasted line of \(Figures.bytes(lines.rest.utf8.count)) without its end is too long to be edited")
    }
  }

  private mutating func wait(_ line: String) {
    if pasted.add(line) { return }
    warn("not run, because \(Figures.bytes(PastedLines.bytesMax)) of lines wait already: \(line.prefix(64))")
  }

  /// Runs the pasted line whose turn it is. What is read or asked comes first.
  mutating func runNextPasted() -> [Action] {
    while overlay == nil, guide == nil, let line = pasted.next() {
      let actions = run(line)
      for case .run(let line) in actions { pasted.begin(line.number) }
      if !actions.isEmpty { return actions }
    }
    return []
  }

  mutating func run(_ line: String) -> [Action] {
    if line.filter({ !$0.isWhitespace }).lowercased() == Self.describeCommand {
      begin(TypedLine(line))
      show(CommandAnswer(lines: Description.lines(self).map { .init($0) }, isSuccess: true))
      return []
    }
    return run(advice.read(line))
  }

  /// Runs a line that was read, or asks first.
  mutating func run(_ advised: AdvisedLine) -> [Action] {
    if let question = advised.question {
      overlay = .confirmation(Confirmation(line: advised.line, question: question))
      return []
    }
    return [.run(begin(advised.line))]
  }

  /// A question is answered by y, n, Enter or Esc. What else is typed was meant for the prompt: it answers nothing, and
  /// the box says that it was not taken.
  mutating func handle(_ key: Key, _ asked: Confirmation) -> [Action] {
    switch key {
    case .character("y"), .character("Y"):
      overlay = nil
      let line = begin(asked.question.confirmed)
      if pasted.isBusy, pasted.running == nil { pasted.begin(line.number) }
      return [.run(line)]
    case .character("n"), .character("N"), .escape, .enter, .control("c"): decline(asked)
    case .character: insist(on: asked)
    default: break
    }
    return []
  }

  mutating func insist(on asked: Confirmation) {
    var asked = asked
    asked.isInsisting = true
    overlay = .confirmation(asked)
  }

  private mutating func decline(_ asked: Confirmation) {
    overlay = nil
    let dropped = pasted.drop()
    let rest =
      switch dropped {
      case 0: ""
      case 1: "; nor was the line pasted after it"
      default: "; nor were the \(Figures.count(dropped)) lines pasted after it"
      }
    say("not done: \(asked.line.text)\(rest)")
  }

  /// Gives up the pasted lines that wait; returns whether there were any.
  mutating func dropPasted() -> Bool {
    let count = pasted.drop()
    if count > 0 { say("not done: \(Figures.count(count, "pasted line"))") }
    return count > 0
  }
}
