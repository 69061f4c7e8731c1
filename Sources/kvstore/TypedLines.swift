import CTerminal
import Commands
import Dashboard
import Glibc
import KVCluster

/// Lines typed at line mode's prompt, edited, completed and remembered as at the dashboard's.
///
/// The terminal is raw only while a line is typed: commands run, print and are interrupted as anywhere. Where the cursor
/// cannot be moved (`TERM=dumb`), the terminal's own editing does. (A library such as linenoise was rejected: editor,
/// history and completion are here already, for the dashboard; all that it would add is the raw mode.)
///
/// Not `Sendable`: one task reads.
final class TypedLines {
  private let input: LineReader
  private let printer: Printer
  private let label: String
  private let history = HistoryFile()
  private let keys = RecentKeys()
  private var prompt: LinePrompt
  private var decoder = KeyDecoder()

  /// What the terminal must hear when it is given back: bracketed paste and colours off.
  private static let undo = "\u{1b}[?2004l\u{1b}[0m"

  /// `nil` where lines cannot be edited.
  init?(_ input: LineReader, _ printer: Printer, label: String, _ cluster: Cluster) {
    let term = getenv("TERM").map { String(cString: $0) } ?? ""
    guard term != "", term != "dumb" else { return nil }
    guard ct_guard_install(STDIN_FILENO, Self.undo, Self.undo.utf8.count) == 0 else { return nil }
    (self.input, self.printer, self.label) = (input, printer, label)
    let lines = history.load()
    prompt = LinePrompt(label: label, history: lines) { [keys] line, cursor in
      var found = completion(of: line, cursor: cursor, cluster.status().nodes, keys)
      // A word of the dashboard's alone.
      found.candidates.removeAll { $0 == DashboardState.describeCommand }
      return found
    }
    for line in lines { note(line) }
  }

  /// The next line; `nil` at the end of the input.
  ///
  /// - Throws: as ``LineReader/next()``.
  func next() async throws -> LineReader.Line? {
    takeTerminal()
    defer { ct_guard_restore() }
    draw()
    while true {
      let bytes = try await input.nextBytes()
      guard !bytes.isEmpty else { return nil }
      for (key, end) in keysIn(bytes) {
        guard let event = prompt.take(key) else { continue }
        switch event {
        case .line(let line):
          input.putBack(bytes[end...])
          return .bytes(submit(line))
        case .end: return nil
        // As if the terminal had said so; what comes of it is a cancelled task.
        case .interrupt: kill(getpid(), SIGINT)
        case .suspend: suspend()
        case .clearScreen: printer.print(raw: "\u{1b}[H\u{1b}[2J")
        }
      }
      draw()
    }
  }

  /// Returns when the history is saved.
  func finish() { history.finish() }

  /// The keys, each with the place behind its last byte. Characters that arrive together are one insertion.
  private func keysIn(_ bytes: [UInt8]) -> [(key: Key, end: Int)] {
    var keys: [(key: Key, end: Int)] = []
    for (place, byte) in bytes.enumerated() {
      for key in decoder.take(byte) {
        if case .character(let character) = key, case .paste(let text)? = keys.last?.key {
          keys[keys.count - 1] = (.paste(text + String(character)), place + 1)
        } else if case .character(let next) = key, case .character(let first)? = keys.last?.key {
          keys[keys.count - 1] = (.paste(String(first) + String(next)), place + 1)
        } else {
          keys.append((key, place + 1))
        }
      }
    }
    return keys
  }

  private func submit(_ line: String) -> [UInt8] {
    printer.print(raw: LinePrompt.farewell(label: label, line: line))
    note(line)
    history.save(prompt.history)
    return Array(line.utf8)
  }

  /// The keys of commands are what Tab offers for the next.
  private func note(_ line: String) {
    if let key = key(of: line) { keys.note(key) }
  }

  private func draw() { printer.print(raw: prompt.picture(columns: columns)) }

  private var columns: Int {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  // MARK: - The terminal

  private func takeTerminal() {
    // How it is to be given back may have been changed since the last line.
    _ = ct_guard_install(STDIN_FILENO, Self.undo, Self.undo.utf8.count)
    var settings = termios()
    guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return }
    settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG | IEXTEN)
    settings.c_iflag &= ~tcflag_t(IXON)
    ct_guard_arm(1)
    tcsetattr(STDIN_FILENO, TCSANOW, &settings)
    printer.print(raw: "\u{1b}[?2004h")
  }

  /// Stops as Ctrl-Z does, until the shell goes on with us.
  private func suspend() {
    ct_guard_restore()
    printer.print(raw: "\r\n")
    raise(SIGTSTP)
    takeTerminal()
  }
}
