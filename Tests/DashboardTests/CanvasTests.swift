import Dashboard
import Testing
import Text

@Suite struct CanvasTests {
  @Test func `text outside the canvas is clipped`() {
    var canvas = Canvas(Size(width: 4, height: 2))
    canvas.write("abcdef", column: -2, row: 0, Style())
    canvas.write("xyz", column: 2, row: 1, Style())
    canvas.write("lost", column: 0, row: 2, Style())
    #expect(canvas.lines == ["cdef", "  xy"])
  }

  @Test func `a wide character takes two columns`() {
    var canvas = Canvas(Size(width: 6, height: 1))
    #expect(canvas.write("a东🙂b", column: 0, row: 0, Style()) == 6)
    #expect(canvas[1, 0].scalar == "东" && canvas[2, 0].scalar == Cell.continuation)
    #expect(canvas.lines == ["a东🙂b"])
  }

  @Test func `half a wide character is a blank`() {
    var canvas = Canvas(Size(width: 4, height: 2))
    canvas.write("abc东", column: 0, row: 0, Style())
    canvas.write("东京", column: 0, row: 1, Style())
    canvas.write("x", column: 1, row: 1, Style())
    canvas.write("y", column: 2, row: 1, Style())
    #expect(canvas.lines == ["abc ", " xy "])
  }

  @Test func `drawing over half a wide character leaves no half behind`() {
    var below = Canvas(Size(width: 6, height: 1))
    below.write("东京都", column: 0, row: 0, Style())
    var above = Canvas(Size(width: 2, height: 1))
    above.write("ab", column: 0, row: 0, Style())
    below.draw(above, column: 1, row: 0)
    #expect(below.lines == [" ab 都"])
    var wide = Canvas(Size(width: 4, height: 1))
    wide.write("东京", column: 0, row: 0, Style())
    var target = Canvas(Size(width: 3, height: 1))
    target.draw(wide, column: 0, row: 0)
    #expect(target.lines == ["东 "])
  }

  @Test func `control characters show as a dot and marks are drawn over the character before them`() {
    var canvas = Canvas(Size(width: 6, height: 1))
    canvas.write("a\u{1b}[e\u{301}\u{202E}", column: 0, row: 0, Style())
    #expect(canvas.lines.map { Array($0.unicodeScalars) } == [Array("a·[e\u{301}· ".unicodeScalars)])
    #expect(AnsiText.text(canvas, depth: .mono).contains("e\u{301}") && SvgPicture.text(canvas).contains("e\u{301}"))
    canvas.reduceToASCII()
    #expect(canvas.lines == ["a.[?. "])
  }

  @Test func `a cell holds as many marks as ncurses draws, and loses them with its character`() {
    var canvas = Canvas(Size(width: 8, height: 1))
    canvas.write("नमस्ते", column: 0, row: 0, Style())
    #expect(canvas.lines == ["नमस्ते    "])
    canvas.write("e" + String(repeating: "\u{301}", count: 9), column: 0, row: 0, Style())
    #expect(canvas[0, 0].text.count == 1 + Cell.marksMax)
    canvas.write("x", column: 0, row: 0, Style())
    #expect(!canvas[0, 0].hasMarks)
    // A mark of nothing, and one beyond the edge, are drawn nowhere.
    canvas.write("\u{301}", column: 0, row: 0, Style())
    canvas.write("abcdefghi\u{301}", column: 0, row: 0, Style())
    #expect(canvas.lines == ["abcdefgh"])
  }

  @Test func `cutting a string ends it with an ellipsis`() {
    #expect("abcdef".fitted(to: 4, ellipsis: "…") == "abc…")
    #expect("东京都".fitted(to: 5, ellipsis: "…") == "东京…")
    #expect("东京都".fitted(to: 4, ellipsis: "…") == "东…")
    #expect("abc".fitted(to: 0, ellipsis: "…") == "")
  }

  @Test(arguments: [
    ("one two three", 8, ["one two", "three"]), ("abcdefgh", 3, ["abc", "def", "gh"]), ("", 5, [""]),
    ("a  b", 10, ["a  b"]), ("东京都", 3, ["东", "京", "都"]),
  ])
  func `text wraps at blanks where there are any`(text: String, width: Int, lines: [String]) {
    #expect(text.wrapped(to: width) == lines)
  }

  @Test func `no line of wrapped text is wider than asked`() {
    let text = "put 东京 a-very-long-word-without-any-blank x  y 🙂🙂🙂 ends"
    for width in 1...40 { #expect(text.wrapped(to: width).allSatisfy { $0.columns <= width }) }
  }

  @Test func `dots become braille patterns`() {
    var grid = DotGrid(columns: 1, rows: 1)
    grid.set(0, 0)
    grid.set(1, 3)
    grid.set(9, 9)
    #expect(grid.pattern(column: 0, row: 0) == "⢁")
  }
}
