import CTerminal
import Dashboard
import Glibc

/// The terminal while it is ours: shows pictures, reads keys, and is given back at the end.
///
/// A class, because it is one thing that many methods change, and not `Sendable`: it stays on the thread that made it.
final class Terminal {
  /// The colours that are shown and the glyphs that can be written.
  let depth: ColorDepth
  let isUTF8: Bool
  /// Whether it is the Linux console, whose fonts have no braille.
  let isConsole: Bool
  /// Whether it says where a paste begins and ends.
  let marksPastes: Bool

  private var shown: Canvas?
  private var shownCursor: Picture.Cursor?
  private var batch: [ct_cell] = []

  /// What a terminal needs to hear after a crash: end of a synchronized update, bracketed paste and mouse off, colours and line
  /// drawing off, cursor and wrapping on, scroll region whole, cursor keys and keypad normal, main screen.
  private static let undo =
    "\u{1b}[?2026l\u{1b}[?2004l\u{1b}[?1000l\u{1b}[?1006l\u{1b}[0m\u{1b}(B\u{1b}[?25h\u{1b}[?7h\u{1b}[r\u{1b}[?1l\u{1b}>\u{1b}[?1049l"

  /// Takes the terminal.
  init() throws(ScreenError) {
    guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else {
      throw ScreenError(description: "the dashboard needs a terminal; standard input or output is none")
    }
    isUTF8 = ct_set_locale() != 0
    let environment = TerminalEnvironment()
    isConsole = environment.term == "linux"
    marksPastes = environment.isXtermLike
    guard ct_guard_install(STDOUT_FILENO, Self.undo, Self.undo.utf8.count) == 0 else {
      throw ScreenError(description: "the terminal's settings cannot be read")
    }
    try Self.open(environment)
    depth = environment.depth(colorCount: Int(ct_color_count()))
    _ = ct_capture_stderr()
    ct_use_extensions(environment.isXtermLike ? 1 : 0)
  }

  /// Takes the mouse, or leaves it to the terminal.
  func useMouse(_ isOurs: Bool) { ct_use_mouse(isOurs ? 1 : 0) }

  /// Gives the terminal back and writes what was said on stderr meanwhile.
  func close() {
    ct_close()
    ct_release_stderr()
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

  var size: Size { Size(width: Int(ct_width()), height: Int(ct_height())) }

  /// Takes over the window's size; returns whether it had changed.
  func adoptSize() -> Bool {
    let hasChanged = ct_adopt_size() != 0
    if hasChanged { shown = nil }
    return hasChanged
  }

  /// Sends every cell again with the next picture.
  func repaint() {
    ct_repaint()
    shown = nil
  }

  /// Stops as Ctrl-Z does; returns when the shell continues the program.
  func suspend() {
    ct_suspend()
    shown = nil
  }

  /// Takes the terminal again after a stop from outside.
  func resume() {
    ct_resume()
    shown = nil
  }
}

// MARK: - Showing

extension Terminal {
  /// Shows a picture: sends what differs from the last one, or nothing.
  func present(_ picture: Picture) {
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
