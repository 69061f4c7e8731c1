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
    var header = HeaderPanel.draw(state, layout.header.size, look)
    if state.guide?.spot == .header {
      header.restyle { $0.background == look.theme[.background] ? $0.on(look.theme[.selectionBackground]).bold : $0 }
    }
    canvas.draw(header, column: layout.header.column, row: layout.header.row)
    for (kind, rect) in layout.panels {
      canvas.draw(Self.panel(kind, state, rect.size, look), column: rect.column, row: rect.row)
    }
    if !layout.warnings.isEmpty {
      canvas.draw(WarningPanel.draw(state, layout.warnings.size, look), column: 0, row: layout.warnings.row)
    }
    if !layout.change.isEmpty {
      canvas.draw(ChangePanel.draw(state, layout.change.size, look), column: 0, row: layout.change.row)
    }
    if let guide = state.guide, !layout.guide.isEmpty {
      canvas.draw(GuidePanel.draw(guide, layout.guide.size, look), column: 0, row: layout.guide.row)
    }
    if let playback = state.playback, !layout.guide.isEmpty {
      canvas.draw(PlaybackPanel.draw(playback, layout.guide.size, look), column: 0, row: layout.guide.row)
    }
    if !layout.detail.isEmpty {
      let detail = NodeDetail.panel(state, layout.detail.size, look)
      canvas.draw(detail, column: layout.detail.column, row: layout.detail.row)
    }
    if let overlay = state.overlay { Self.draw(overlay, state, over: &canvas, look) }
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
    var footer: [StyledWord] = []
    switch kind {
    case .ring:
      content = RingPanel.draw(state, inner, look)
      note = RingPanel.note(state)
    case .nodes:
      content = NodesPanel.draw(state, inner, look)
      note = NodesPanel.note(state, inner, look)
    case .throughput:
      content = ThroughputPanel.draw(state, inner, look)
      note = ThroughputPanel.note(state, inner, look)
      footer = ThroughputPanel.footer(state, inner, look)
    case .latency:
      content = LatencyPanel.draw(state, inner, look)
      note = LatencyPanel.note(state, inner, look)
      footer = LatencyPanel.footer(state, inner, look)
    case .benchmark:
      content = BenchmarkPanel.draw(state, inner, look)
      note = BenchmarkPanel.note(state, inner, look)
      footer = BenchmarkPanel.footer(state, inner, look)
    case .events:
      content = EventsPanel.draw(state, inner, look)
      note = EventsPanel.note(state, look)
    }
    return PanelFrame.frame(
      content, title: kind.rawValue, note: note, footer: footer, size: size, isFocused: state.focus == .panel(kind),
      isLit: state.guide?.spot == .panel(kind), look)
  }

  /// An overlay's box and where it stands, in the room above the prompt and the key line.
  static func box(of overlay: Overlay, _ state: DashboardState, _ look: Look) -> (canvas: Canvas, column: Int, row: Int)
  {
    let room = state.overlayRoom
    let box: Canvas
    switch overlay {
    case .help(let first): box = HelpOverlay.draw(room, look, reader: HelpOverlay.Reader(state), firstRow: first)
    case .themes: box = ThemesOverlay.draw(state, room, look)
    case .page(let reader): box = PageOverlay.draw(reader, room, look)
    case .confirmation(let asked): box = ConfirmationOverlay.draw(asked, room, look)
    case .menu(let menu):
      let place = NodeMenuOverlay.place(menu, room)
      return (NodeMenuOverlay.draw(menu, room, look), place.column, place.row)
    }
    let column = if case .themes = overlay { room.width - box.width } else { (room.width - box.width) / 2 }
    return (box, column, Swift.max(0, (room.height - box.height) / 2))
  }

  private static func draw(_ overlay: Overlay, _ state: DashboardState, over canvas: inout Canvas, _ look: Look) {
    switch overlay {
    // Themes are judged by the screen behind them, and a menu is about a row of it.
    case .themes, .menu: break
    case .help, .page, .confirmation: canvas.restyle(look.theme.faded)
    }
    let box = box(of: overlay, state, look)
    canvas.draw(box.canvas, column: box.column, row: box.row)
  }
}
