import CTerminal
import Dashboard
import Glibc

/// The terminal of standard input and output, over ncurses.
///
/// A class, because it is one thing that many methods change, and not `Sendable`: it stays on the thread that made it.
package final class CursesTerminal: Terminal {
  package let depth: ColorDepth
  package let isUTF8: Bool
  package let isConsole: Bool
  package let marksPastes: Bool
  package let background: Color?
  package let keySequences: [[UInt8]: Key]
  package var waker: @Sendable () -> Void { { ct_wake() } }

  /// Where signals and wakes arrive, as bytes.
  private let wakeups: Int32
  private var shown: Canvas?
  private var shownCursor: Picture.Cursor?
  private var batch: [ct_cell] = []

  /// What a terminal needs to hear after a crash: end of a synchronized update, bracketed paste and mouse off, colours and line
  /// drawing off, cursor and wrapping on, scroll region whole, cursor keys and keypad normal, main screen.
  private static let undo =
    "\u{1b}[?2026l\u{1b}[?2004l\u{1b}[?1000l\u{1b}[?1006l\u{1b}[0m\u{1b}(B\u{1b}[?25h\u{1b}[?7h\u{1b}[r\u{1b}[?1l\u{1b}>\u{1b}[?1049l"

  /// Takes the terminal of standard input and output.
  package static func take() throws(ScreenError) -> any Terminal { try CursesTerminal() }

  private init() throws(ScreenError) {
    guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else {
      throw ScreenError(description: "the dashboard needs a terminal; standard input or output is none")
    }
    isUTF8 = ct_set_locale() != 0
    let environment = TerminalEnvironment()
    isConsole = environment.term == "linux"
    marksPastes = environment.isXtermLike
    background = environment.background
    guard ct_guard_install(STDOUT_FILENO, Self.undo, Self.undo.utf8.count) == 0 else {
      throw ScreenError(description: "the terminal's settings cannot be read")
    }
    try Self.open(environment)
    depth = environment.depth(colorCount: Int(ct_color_count()))
    _ = ct_capture_stderr()
    ct_use_extensions(environment.isXtermLike ? 1 : 0)
    keySequences = Self.sequences()
    if environment.isXtermLike { Self.askForBackground() }
    let signals = [SIGWINCH, SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT]
    wakeups = ct_signal_pipe(signals, Int32(signals.count))
  }

  /// Asks what the background is. A terminal that knows answers within the input, one that does not is silent: nothing
  /// waits for it.
  private static func askForBackground() {
    let question = Array("\u{1b}]11;?\u{07}".utf8)
    _ = write(STDOUT_FILENO, question, question.count)
  }

  package func useMouse(_ isOurs: Bool) { ct_use_mouse(isOurs ? 1 : 0) }

  /// Gives the terminal back and writes what was said on stderr meanwhile.
  package func close() {
    ct_close()
    ct_release_stderr()
    ct_signal_close()
  }

  private static func open(_ environment: TerminalEnvironment) throws(ScreenError) {
    let term = environment.term
    let result =
      environment.hasExactColors
      ? ct_open(DirectColorTerminfo.name, DirectColorTerminfo.entry) : ct_open(term, nil)
    switch result {
    case CT_OPENED: return
    case CT_NO_CURSOR_MOVEMENT:
      throw ScreenError(
        description: "TERM=\(term) cannot move its cursor, which the dashboard needs; line mode works everywhere")
    default:
      throw ScreenError(
        description: term.isEmpty
          ? "TERM is not set; say which terminal this is, for example TERM=xterm-256color"
          : "TERM=\(term) is unknown on this machine; TERM=xterm-256color fits most terminals")
    }
  }

  package var size: Size { Size(width: Int(ct_width()), height: Int(ct_height())) }

  package func adoptSize() -> Bool {
    let hasChanged = ct_adopt_size() != 0
    if hasChanged { shown = nil }
    return hasChanged
  }

  package func repaint() {
    ct_repaint()
    shown = nil
  }

  package func suspend() {
    ct_suspend()
    shown = nil
  }

  package func resume() {
    ct_resume()
    shown = nil
  }
}

// MARK: - Showing

extension CursesTerminal {
  package func present(_ picture: Picture) {
    let canvas = picture.canvas
    let previous = shown?.size == canvas.size ? shown : nil
    if let previous, previous == canvas, shownCursor == picture.cursor { return }
    for row in 0..<min(canvas.height, Int(ct_height())) { drawRow(row, of: canvas, previous) }
    if ct_lost_colors() != 0 {
      for row in 0..<min(canvas.height, Int(ct_height())) { drawRow(row, of: canvas, nil) }
    }
    shown = canvas
    shownCursor = picture.cursor
    ct_present(Int32(picture.cursor?.column ?? -1), Int32(picture.cursor?.row ?? 0))
  }

  /// Hands each run of changed cells over in one call.
  private func drawRow(_ row: Int, of canvas: Canvas, _ previous: Canvas?) {
    let start = row * canvas.width
    let width = min(canvas.width, Int(ct_width()))
    func isChanged(_ column: Int) -> Bool {
      guard let previous else { return true }
      return previous.cells[start + column] != canvas.cells[start + column]
    }
    var column = 0
    while column < width {
      guard isChanged(column) else {
        column += 1
        continue
      }
      // The right half of a wide character is drawn with its left half.
      var first = column
      while first > 0, canvas.cells[start + first].scalar == Cell.continuation { first -= 1 }
      while column < width, isChanged(column) { column += 1 }
      send(canvas.cells[start + first..<start + column], row: row, column: first)
    }
  }

  private func send(_ cells: ArraySlice<Cell>, row: Int, column: Int) {
    batch.removeAll(keepingCapacity: true)
    for cell in cells where cell.scalar != Cell.continuation {
      batch.append(
        ct_cell(
          scalar: cell.scalar.value, marks: (cell.mark(0), cell.mark(1), cell.mark(2), cell.mark(3)),
          foreground: depth.number(for: cell.style.foreground),
          background: depth.number(for: cell.style.background), attributes: cell.style.attributes.rawValue,
          columns: UInt8(cell.scalar.columns)))
    }
    ct_draw(Int32(row), Int32(column), batch, Int32(batch.count))
  }
}

// MARK: - What comes in

extension CursesTerminal {
  /// Read before the screen is drawn again.
  private static let roundBytesMax = 1 << 20

  package var nowNs: UInt64 { MonotonicClock.nowNs() }

  /// Sleeps in `poll`: for keys, and for the pipe through which signals and answers arrive.
  package func wait(untilNs: UInt64) -> [TerminalEvent] {
    let now = nowNs
    let waitMs = untilNs > now ? Int32(clamping: (untilNs - now + 999_999) / 1_000_000) : 0
    var sources = [
      pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
      pollfd(fd: wakeups, events: Int16(POLLIN), revents: 0),
    ]
    guard poll(&sources, 2, waitMs) > 0 else { return [] }
    var events: [TerminalEvent] = []
    if sources[1].revents != 0 { events += signals() }
    if sources[0].revents & Int16(POLLIN) != 0 { events += input() }
    let gone = Int16(POLLHUP | POLLERR | POLLNVAL)
    if sources[0].revents & gone != 0 { events.append(.gone) }
    return events
  }

  private func signals() -> [TerminalEvent] {
    var numbers = [UInt8](repeating: 0, count: 64)
    let count = read(wakeups, &numbers, numbers.count)
    return numbers.prefix(max(0, count)).map { number in
      switch Int32(number) {
      case 0: return .woken
      case SIGWINCH: return .resized
      case SIGTSTP: return .stopAsked
      case SIGCONT: return .continued
      case let signal:
        ct_signal_taken()
        return .endAsked(signal: signal)
      }
    }
  }

  /// Typed bytes, in the pieces that were read.
  private func input() -> [TerminalEvent] {
    var events: [TerminalEvent] = []
    var count = 0
    repeat {
      guard let bytes = Self.readBytes() else { return events }
      guard !bytes.isEmpty else { return events.isEmpty ? [.gone] : events }
      events.append(.bytes(bytes))
      count += bytes.count
    } while count < Self.roundBytesMax && Self.isReadable
    return events
  }

  /// None at the end of the input; `nil` if another reader of the terminal was quicker.
  private static func readBytes() -> [UInt8]? {
    var isTaken = false
    let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
      var got: Int
      repeat { got = Glibc.read(STDIN_FILENO, buffer.baseAddress, buffer.count) } while got < 0 && errno == EINTR
      isTaken = got < 0 && errno == EAGAIN
      count = max(0, got)
    }
    return isTaken ? nil : bytes
  }

  private static var isReadable: Bool {
    var source = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    return poll(&source, 1, 0) > 0 && source.revents & Int16(POLLIN) != 0
  }

  private static func sequences() -> [[UInt8]: Key] {
    var known: [[UInt8]: Key] = [:]
    for (capability, key) in capabilities {
      guard let sequence = ct_key_sequence(capability) else { continue }
      known[Array(UnsafeBufferPointer(start: sequence, count: strlen(sequence))).map(UInt8.init(bitPattern:))] = key
    }
    return known
  }

  /// Keys by their names in terminfo.
  private static let capabilities: [(String, Key)] =
    [
      ("kcuu1", .up), ("kcud1", .down), ("kcub1", .left), ("kcuf1", .right), ("khome", .home), ("kend", .end),
      ("kpp", .pageUp), ("knp", .pageDown), ("kdch1", .delete), ("kbs", .backspace), ("kent", .enter),
      ("kcbt", .backTab),
    ] + (1...12).map { ("kf\($0)", .function($0)) }
}
