/// A question before something is destroyed.
package enum ConfirmationOverlay {
  package static func draw(_ question: String, _ screen: Size, _ look: Look) -> Canvas {
    let width = Swift.min(screen.width, 64)
    let lines = question.wrapped(to: Swift.max(1, width - 4))
    let size = Size(width: width, height: Swift.min(screen.height, lines.count + 4))
    let inner = PanelFrame.inner(size)
    var content = Canvas(inner, background: look.style(.text))
    for (row, line) in lines.prefix(Swift.max(0, inner.height - 1)).enumerated() {
      content.write(line, column: 1, row: row, look.style(.text))
    }
    var column = content.write("y", column: 1, row: inner.height - 1, look.style(.keyName, .bold))
    column = content.write(" does it", column: column, row: inner.height - 1, look.style(.dim)) + 3
    column = content.write("any other key", column: column, row: inner.height - 1, look.style(.keyName, .bold))
    content.write(" leaves everything as it is", column: column, row: inner.height - 1, look.style(.dim))
    return PanelFrame.frame(content, title: "are you sure?", size: size, isFocused: true, look)
  }
}
