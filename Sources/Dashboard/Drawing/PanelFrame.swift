/// The border of a panel, with its title set into the upper edge and a note at its right end.
enum PanelFrame {
  /// Smaller than this, a border would cost more than it says: the content takes its place.
  static func isWorthwhile(_ size: Size) -> Bool { size.width >= 12 && size.height >= 4 }

  /// The room inside the border.
  static func inner(_ size: Size) -> Size {
    isWorthwhile(size) ? Size(width: size.width - 2, height: size.height - 2) : size
  }

  /// Puts the border around `content`, which has the size ``inner(_:)``.
  /// - Parameters:
  ///   - footer: words on the lower edge; what has no room there is left out.
  ///   - isLit: a tour points at it.
  static func frame(
    _ content: Canvas, title: String, note: String = "", footer: [StyledWord] = [], size: Size, isFocused: Bool,
    isLit: Bool = false, _ look: Look
  ) -> Canvas {
    guard isWorthwhile(size) else { return content }
    var canvas = Canvas(size, background: look.style(.text))
    let edge = look.style(isFocused || isLit ? .borderFocus : .border, isFocused || isLit ? .bold : [])
    drawBorder(on: &canvas, edge, look.glyphs, isHeavy: isLit)
    let titleStyle = look.style(isFocused || isLit ? .accent : .title, isLit ? [.bold, .reverse] : .bold)
    // A frame says by a word too, not only by its colour, that it has the keys.
    let mark = look.glyphs.isASCII ? "<" : "◂"
    let shown = isLit ? " look here: \(title) " : isFocused ? "\(title) \(mark)" : title
    let end = label(shown, column: 2, on: &canvas, edge, titleStyle, look.glyphs)
    let noteColumn = size.width - note.columns - 4
    if !note.isEmpty, noteColumn > end {
      label(note, column: noteColumn, on: &canvas, edge, look.style(.dim), look.glyphs)
    }
    canvas.draw(content, column: 1, row: 1)
    var column = 2
    for word in footer {
      guard column + word.text.columns <= size.width - 2 else { break }
      column = canvas.write(word.text, column: column, row: size.height - 1, word.style)
    }
    return canvas
  }

  private static func drawBorder(on canvas: inout Canvas, _ style: Style, _ glyphs: Glyphs, isHeavy: Bool) {
    let (right, bottom) = (canvas.width - 1, canvas.height - 1)
    let horizontal = isHeavy ? glyphs.heavyHorizontal : glyphs.horizontal
    let vertical = isHeavy ? glyphs.heavyVertical : glyphs.vertical
    let corners = isHeavy ? glyphs.heavyCorners : glyphs.corners
    for column in 1..<right {
      canvas.put(horizontal, column: column, row: 0, style)
      canvas.put(horizontal, column: column, row: bottom, style)
    }
    for row in 1..<bottom {
      canvas.put(vertical, column: 0, row: row, style)
      canvas.put(vertical, column: right, row: row, style)
    }
    let places = [(0, 0), (right, 0), (0, bottom), (right, bottom)]
    for (corner, place) in zip(corners, places) { canvas.put(corner, column: place.0, row: place.1, style) }
  }

  @discardableResult
  private static func label(
    _ text: String, column: Int, on canvas: inout Canvas, _ edge: Style, _ style: Style, _ glyphs: Glyphs
  ) -> Int {
    canvas.put(glyphs.titleLeft, column: column, row: 0, edge)
    let end = canvas.write(text, column: column + 1, row: 0, style)
    canvas.put(glyphs.titleRight, column: end, row: 0, edge)
    return end + 1
  }
}
