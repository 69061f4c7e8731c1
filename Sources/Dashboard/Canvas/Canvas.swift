import Text

/// A grid of cells that panels draw into; it knows no terminal.
///
/// A panel draws on a canvas of its own, from (0, 0), and the caller lays that canvas on a larger one. Anything
/// outside is clipped, so no panel checks where it is, and each can be tested by itself.
package struct Canvas: Equatable, Sendable {
  package let width: Int
  package let height: Int
  /// Row by row from the top; `cells[row * width + column]`.
  package private(set) var cells: [Cell]

  package init(_ size: Size, background: Style = Style()) {
    width = size.width
    height = size.height
    cells = Array(repeating: Cell(" ", background), count: width * height)
  }

  package var size: Size { Size(width: width, height: height) }

  /// The cell at a place that exists.
  package subscript(column: Int, row: Int) -> Cell {
    precondition(column >= 0 && column < width && row >= 0 && row < height, "no cell at column \(column), row \(row)")
    return cells[row * width + column]
  }

  /// Puts one scalar of one column; outside the canvas it does nothing.
  package mutating func put(_ scalar: Unicode.Scalar, column: Int, row: Int, _ style: Style) {
    guard column >= 0, column < width, row >= 0, row < height else { return }
    mendWideCharacter(at: column, row: row)
    cells[row * width + column] = Cell(scalar, style)
  }

  /// Writes text from `column` on and returns the column after it, clipped or not.
  ///
  /// Control characters show as `·`; marks are drawn over the character before them, as many as a cell holds.
  @discardableResult
  package mutating func write(_ text: String, column: Int, row: Int, _ style: Style) -> Int {
    var column = column
    for scalar in text.unicodeScalars {
      let shown = scalar.isControl ? "·" : scalar
      switch shown.columns {
      case 0: if scalar.isMark { addMark(scalar, before: column, row: row) }
      case 1: put(shown, column: column, row: row, style)
      default: putWide(shown, column: column, row: row, style)
      }
      column += shown.columns
    }
    return column
  }

  private mutating func addMark(_ mark: Unicode.Scalar, before column: Int, row: Int) {
    guard column > 0, column <= width, row >= 0, row < height else { return }
    var index = row * width + column - 1
    if cells[index].scalar == Cell.continuation, column > 1 { index -= 1 }
    cells[index].add(mark: mark)
  }

  /// Writes text so that it ends before `end`.
  package mutating func write(_ text: String, endingAt end: Int, row: Int, _ style: Style) {
    write(text, column: end - text.columns, row: row, style)
  }

  /// Fills a rectangle with one cell.
  package mutating func fill(_ rect: Rect, _ cell: Cell) {
    for row in Swift.max(0, rect.row)..<Swift.max(0, rect.row, Swift.min(height, rect.row + rect.height)) {
      for column in Swift.max(0, rect.column)..<Swift.max(0, rect.column, Swift.min(width, rect.column + rect.width)) {
        put(cell.scalar, column: column, row: row, cell.style)
      }
    }
  }

  /// Lays another canvas on this one, its top left at the given place.
  package mutating func draw(_ other: Canvas, column: Int, row: Int) {
    let first = Swift.max(0, -column)
    let last = Swift.min(other.width, width - column)
    guard first < last else { return }
    for sourceRow in Swift.max(0, -row)..<Swift.max(0, -row, Swift.min(other.height, height - row)) {
      mendWideCharacter(at: column + first, row: row + sourceRow)
      mendWideCharacter(at: column + last - 1, row: row + sourceRow)
      let source = sourceRow * other.width
      let target = (row + sourceRow) * width + column
      for offset in first..<last { cells[target + offset] = other.cells[source + offset] }
      trimWideCharacters(from: column + first, to: column + last, row: row + sourceRow)
    }
  }

  /// Lays another canvas of the same size on this one where it shows something.
  package mutating func drawOver(_ other: Canvas) {
    precondition(other.size == size, "a drawing of another size")
    for index in cells.indices where other.cells[index].scalar != " " { cells[index] = other.cells[index] }
  }

  /// Gives the cells that another canvas of the same size shows something in its style; what stands in them stays.
  package mutating func highlight(where other: Canvas) {
    precondition(other.size == size, "a highlight of another size")
    for index in cells.indices where other.cells[index].scalar != " " {
      if cells[index].scalar == " " { cells[index].scalar = other.cells[index].scalar }
      cells[index].style = other.cells[index].style
    }
  }

  /// Changes the style of every cell, for example to dim what lies under an overlay.
  package mutating func restyle(_ change: (Style) -> Style) {
    for index in cells.indices { cells[index].style = change(cells[index].style) }
  }

  /// Replaces what the C locale cannot write by what looks most like it, as words from events and answers may hold.
  package mutating func reduceToASCII() {
    for index in cells.indices {
      let scalar = cells[index].scalar
      guard scalar.value > 0x7E || cells[index].hasMarks else { continue }
      // A letter with an accent is not the letter.
      cells[index] = Cell(cells[index].hasMarks ? "?" : Self.lookalikes[scalar] ?? "?", cells[index].style)
      let next = index + 1
      if next < cells.count, cells[next].scalar == Cell.continuation { cells[next].scalar = " " }
    }
  }

  private static let lookalikes: [Unicode.Scalar: Unicode.Scalar] = [
    "“": "\"", "”": "\"", "„": "\"", "‘": "'", "’": "'", "–": "-", "—": "-", "−": "-", "…": "~", "→": ">", "←": "<",
    "µ": "u", "·": ".", "•": "-", "✓": "+", "✗": "x", "×": "x", "≤": "<", "≥": ">",
  ]

  /// The rows as text, without styles.
  package var lines: [String] {
    (0..<height).map { row in
      var line = String.UnicodeScalarView()
      for cell in cells[row * width..<(row + 1) * width] { line.append(contentsOf: cell.text) }
      return String(line)
    }
  }

  private mutating func putWide(_ scalar: Unicode.Scalar, column: Int, row: Int, _ style: Style) {
    // Half a character cannot be drawn: at the edge a blank stands for it.
    guard column >= 0, column + 1 < width else {
      put(" ", column: column, row: row, style)
      put(" ", column: column + 1, row: row, style)
      return
    }
    put(scalar, column: column, row: row, style)
    put(Cell.continuation, column: column + 1, row: row, style)
  }

  /// Blanks the other half of a wide character of which one half is about to be overwritten.
  private mutating func mendWideCharacter(at column: Int, row: Int) {
    let index = row * width + column
    if cells[index].scalar == Cell.continuation, column > 0 { blank(index - 1) }
    if column + 1 < width, cells[index + 1].scalar == Cell.continuation, cells[index].scalar != Cell.continuation {
      blank(index + 1)
    }
  }

  private mutating func blank(_ index: Int) { cells[index] = Cell(" ", cells[index].style) }

  /// Blanks halves of wide characters that a clipped drawing left at its edges.
  private mutating func trimWideCharacters(from first: Int, to end: Int, row: Int) {
    if cells[row * width + first].scalar == Cell.continuation { blank(row * width + first) }
    let last = row * width + end - 1
    if cells[last].scalar.columns == 2 { blank(last) }
  }
}
