/// A question before something that no other command takes back.
package enum ConfirmationOverlay {
  package static func draw(_ asked: Confirmation, _ screen: Size, _ look: Look) -> Canvas {
    let width = Swift.min(screen.width, 64)
    let lines = asked.question.text.wrapped(to: Swift.max(1, width - 4))
    let size = Size(width: width, height: Swift.min(screen.height, lines.count + 4))
    let inner = PanelFrame.inner(size)
    var content = Canvas(inner, background: look.style(.text))
    for (row, line) in lines.prefix(Swift.max(0, inner.height - 1)).enumerated() {
      content.write(line, column: 1, row: row, look.style(.text))
    }
    if asked.isInsisting, inner.height >= lines.count + 2 {
      content.write("y or n first: what was typed is not taken", column: 1, row: inner.height - 2, look.style(.warn))
    }
    var column = 1
    for (key, meaning) in [("y", "does it"), ("n Esc Enter", "leave everything as it is")] {
      column = content.write(key, column: column, row: inner.height - 1, look.style(.keyName, .bold))
      column = content.write(" \(meaning)", column: column, row: inner.height - 1, look.style(.dim)) + 3
    }
    return PanelFrame.frame(content, title: "are you sure?", size: size, isFocused: true, look)
  }
}
