/// The whole screen as a grid of cells, and where the cursor stands in it.
///
/// A pure function of the state: the same state, size and look give the same cells, whatever the terminal.
package struct Picture: Equatable, Sendable {
  package let canvas: Canvas
  /// Column and row of the cursor; `nil` hides it.
  package let cursor: Cursor?

  package struct Cursor: Equatable, Sendable {
    package var column: Int
    package var row: Int
  }

  /// Draws the state at its size.
  /// - Complexity: O(cells of the screen).
  package init(_ state: DashboardState, _ look: Look) {
    var canvas = Canvas(state.size, background: look.style(.text))
    let layout = state.layout
    canvas.draw(HeaderPanel.draw(state, layout.header.size, look), column: layout.header.column, row: layout.header.row)
    for (kind, rect) in layout.panels {
      canvas.draw(Self.panel(kind, state, rect.size, look), column: rect.column, row: rect.row)
    }
    if !layout.change.isEmpty {
      canvas.draw(ChangePanel.draw(state, layout.change.size, look), column: 0, row: layout.change.row)
    }
    if state.isHelpShown { Self.drawHelp(over: &canvas, look) }
    canvas.draw(PromptPanel.draw(state, layout.prompt.size, look), column: 0, row: layout.prompt.row)
    canvas.draw(KeyLine.draw(state, layout.keys.size, look), column: 0, row: layout.keys.row)
    if look.glyphs.isASCII { canvas.reduceToASCII() }
    self.canvas = canvas
    cursor = PromptPanel.cursorColumn(state, width: state.size.width).map {
      Cursor(column: $0, row: layout.prompt.row)
    }
  }

  /// A panel with its frame.
  package static func panel(_ kind: PanelKind, _ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    let inner = PanelFrame.inner(size)
    let content: Canvas
    var note = ""
    switch kind {
    case .ring:
      content = RingPanel.draw(state, inner, look)
      note = RingPanel.note(state)
    case .nodes:
      content = NodesPanel.draw(state, inner, look)
      note = NodesPanel.note(state, inner)
    case .throughput:
      content = ThroughputPanel.draw(state, inner, look)
      note = ThroughputPanel.note(state, inner, look)
    case .events:
      content = EventsPanel.draw(state, inner, look)
      note = EventsPanel.note(state)
    }
    return PanelFrame.frame(
      content, title: kind.rawValue, note: note, size: size, isFocused: state.focus == .panel(kind), look)
  }

  private static func drawHelp(over canvas: inout Canvas, _ look: Look) {
    canvas.restyle { Style(look.theme[.ghost], on: look.theme[.background], $0.attributes.union(.dim)) }
    // The prompt and the key line stay free.
    let room = Size(width: canvas.width, height: canvas.height - 2)
    let help = HelpOverlay.draw(room, look)
    canvas.draw(help, column: (room.width - help.width) / 2, row: Swift.max(0, (room.height - help.height) / 2))
  }
}
