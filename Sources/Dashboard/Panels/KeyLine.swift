/// The bottom line: the keys that work now, or what Tab can choose from.
package enum KeyLine {
  package static func draw(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    var canvas = Canvas(size, background: look.style(.text))
    if state.focus == .prompt, let choices = state.prompt.choices {
      drawChoices(choices, on: &canvas, look)
    } else {
      drawKeys(keys(state, look.glyphs), on: &canvas, look)
    }
    return canvas
  }

  private typealias Hint = (key: String, meaning: String)

  private static func keys(_ state: DashboardState, _ glyphs: Glyphs) -> [Hint] {
    if state.isHelpShown { return [("Esc", "close help")] }
    let arrows = glyphs.isASCII ? "Up/Down" : "↑↓"
    switch state.focus {
    case .prompt where state.prompt.editor.isEmpty:
      return [("Tab", "panels"), (arrows, "history"), ("PgUp", "older events"), ("F1", "help"), ("Ctrl-C", "quit")]
    case .prompt:
      return [("Enter", "run"), ("Tab", "complete"), (arrows, "history"), ("Ctrl-C", "clear"), ("F1", "help")]
    case .panel(let panel):
      let ends: [Hint] = state.isZoomed ? [("z", "smaller")] : [("z", "zoom"), ("Esc", "prompt")]
      return moves(panel, arrows) + [("Tab", "next panel")] + ends + [("?", "help")]
    }
  }

  private static func moves(_ panel: PanelKind, _ arrows: String) -> [Hint] {
    switch panel {
    case .events: [(arrows, "scroll"), ("g/G", "oldest/newest")]
    case .nodes: [(arrows, "select")]
    case .ring, .throughput: []
    }
  }

  private static func drawKeys(_ hints: [Hint], on canvas: inout Canvas, _ look: Look) {
    var column = 1
    for hint in hints {
      guard column + hint.key.columns + 1 + hint.meaning.columns <= canvas.width else { return }
      column = canvas.write(hint.key, column: column, row: 0, look.style(.keyName, .bold))
      column = canvas.write(" \(hint.meaning)", column: column, row: 0, look.style(.dim)) + 3
    }
  }

  private static func drawChoices(_ choices: Prompt.Choices, on canvas: inout Canvas, _ look: Look) {
    var column = 1
    // The chosen one is always in sight: what stands before it makes room.
    let first = Swift.max(0, (choices.selected ?? 0) - 3)
    for (index, candidate) in choices.candidates.enumerated().dropFirst(first) {
      guard column + candidate.columns <= canvas.width else {
        canvas.write(look.glyphs.ellipsis, endingAt: canvas.width, row: 0, look.style(.dim))
        return
      }
      let isSelected = index == choices.selected
      let style = isSelected ? look.style(.accent, [.bold, .reverse]) : look.style(.text)
      column = canvas.write(candidate, column: column, row: 0, style) + 2
    }
  }
}
