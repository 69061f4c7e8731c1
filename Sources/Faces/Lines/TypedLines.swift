import ClusterModel
import Commands
import Dashboard
import Text

/// Lines typed at line mode's prompt, edited, completed and remembered as at the dashboard's.
///
/// The terminal is ours from the first prompt to the end: a command that runs finds it without echo, so that what is typed
/// or pasted meanwhile is kept as it is (in its own line editing a terminal drops what is beyond 4,095 bytes), and with
/// the keys that send signals. Only a command that reads standard input gets it as it was. Where the cursor cannot be
/// moved (`TERM=dumb`), the terminal's own editing does. (A library such as linenoise was rejected: editor, history and
/// completion are here already, for the dashboard; all that it would add is the raw mode.)
///
/// Not `Sendable`: one task reads.
final class TypedLines {
  private let input: LineReader
  private let printer: Printer
  private let terminal: any LineTerminal
  private let label: String
  private let pasted: PasteQueue
  private let history: HistoryFile
  private let keys = RecentKeys()
  private var prompt: LinePrompt
  private var decoder = KeyDecoder()
  /// When it was last said how much of a paste has come.
  private var receivingShownNs: UInt64 = 0

  private static let receivingPauseNs: UInt64 = 100_000_000

  init(
    _ input: LineReader, _ printer: Printer, _ terminal: any LineTerminal, label: String, _ pasted: PasteQueue,
    _ backend: any ClusterBackend, history: HistoryFile
  ) {
    (self.input, self.printer, self.terminal, self.label) = (input, printer, terminal, label)
    (self.pasted, self.history) = (pasted, history)
    let lines = history.load()
    prompt = LinePrompt(label: label, history: lines) { [keys] line, cursor in
      var found = completion(of: line, cursor: cursor, backend.status().nodes, keys, backend.capabilities)
      // A word of the dashboard's alone.
      found.candidates.removeAll { $0 == DashboardState.describeCommand }
      return found
    }
    for line in lines { note(ReadLine(typed: line)) }
  }

  /// The next line; `nil` at the end of the input.
  ///
  /// - Throws: as ``LineReader/next()``.
  func next() async throws -> SessionLine? {
    if let line = nextPasted() { return .read(submit(line)) }
    takeTerminal(for: .editing)
    draw()
    while true {
      let bytes = try await input.nextBytes()
      guard !bytes.isEmpty else { return nil }
      // A paste that lost its end would take every key for text: a lone Ctrl-C is none.
      let keys = decoder.pastedCount != nil && bytes == [3] ? decoder.endPaste() : []
      for key in keys { if let line = take(key) { return line.line } }
      var typed = ""
      for (place, byte) in bytes.enumerated() {
        for key in decoder.take(byte) {
          // Characters that arrive together are one insertion.
          if case .character(let character) = key {
            typed.append(character)
            continue
          }
          insert(&typed)
          guard let line = take(key) else { continue }
          input.putBack(bytes[(place + 1)...])
          return line.line
        }
      }
      insert(&typed)
      if let count = decoder.pastedCount { showReceiving(count) } else { draw() }
    }
  }

  /// Gives the terminal back, says which lines were not run, and saves the history.
  func finish() {
    terminal.giveBack()
    _ = pasted.stop()
    tellDropped()
    history.finish()
  }

  /// Effect of a key on the session's input.
  private enum Outcome {
    case line(ReadLine)
    case end

    var line: SessionLine? { if case .line(let line) = self { .read(line) } else { nil } }
  }

  private func insert(_ typed: inout String) {
    if !typed.isEmpty { _ = take(typed.count == 1 ? .character(typed.removeFirst()) : .paste(typed)) }
    typed = ""
  }

  private func take(_ key: Key) -> Outcome? {
    guard let event = prompt.take(key) else { return nil }
    switch event {
    case .line(let line): return .line(submit(line))
    case .pasted(let lines):
      pasted.add(lines)
      return nextPasted().map { .line(submit($0)) }
    case .refused(let count):
      printer.print(
        .answer(Answer(.failure, "Not taken: a pasted line of \(count) bytes without its end is too long to be edited"))
      )
    case .end: return .end
    // As if the terminal had said so; what comes of it is a cancelled task.
    case .interrupt: terminal.interrupt()
    case .suspend: suspend()
    case .clearScreen: printer.print(raw: "\u{1b}[H\u{1b}[2J")
    }
    return nil
  }

  private func nextPasted() -> String? {
    tellDropped()
    return pasted.next()
  }

  private func tellDropped() {
    let count = pasted.takeDropped()
    guard count > 0 else { return }
    printer.print(.answer(Answer(.failure, "Not done: \(Figures.count(count, "pasted line"))")))
  }

  /// Leaves the line on the screen and makes the terminal ready for the command.
  private func submit(_ line: String) -> ReadLine {
    let place = pasted.place.map { "\(Figures.count($0.number)) of \(Figures.count($0.count))" }
    printer.print(raw: LinePrompt.farewell(label: place.map { "(\($0)) \(label)" } ?? label, line: line))
    let read = ReadLine(typed: line)
    note(read)
    history.save(prompt.history)
    if read.value?.readsInput == true {
      terminal.giveBack()
    } else {
      takeTerminal(for: .command)
    }
    return read
  }

  /// The keys of commands are what Tab offers for the next.
  private func note(_ line: ReadLine) {
    if let key = line.value?.key { keys.note(key) }
  }

  private func draw() { printer.print(raw: prompt.picture(columns: terminal.columns)) }

  private func showReceiving(_ count: Int) {
    let now = terminal.nowNs
    guard now > receivingShownNs + Self.receivingPauseNs else { return }
    receivingShownNs = now
    printer.print(raw: "\r\u{1b}[J\(label)receiving a paste: \(Figures.bytes(count))")
  }

  // MARK: - The terminal

  private func takeTerminal(for use: LineTerminalUse) {
    if terminal.take(for: use) { printer.print(raw: "\u{1b}[?2004h") }
  }

  /// Stops as Ctrl-Z does, until the shell goes on with us.
  private func suspend() {
    terminal.giveBack()
    printer.print(raw: "\r\n")
    terminal.suspend()
    takeTerminal(for: .editing)
  }
}
