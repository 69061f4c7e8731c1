extension DashboardState {
  /// Rows a turn of the wheel scrolls, as most terminals have it.
  private static let rowsPerTurn = 3

  /// A press or a turn of the wheel at a cell of the screen.
  mutating func handle(_ mouse: Mouse, column: Int, row: Int) -> [Action] {
    let layout = layout
    if layout.keys.contains(column: column, row: row) {
      guard mouse == .press, let key = KeyLine.key(at: column, self) else { return [] }
      return handle(key)
    }
    if let overlay { return handle(mouse, over: overlay, column: column, row: row) }
    if guide != nil { return [] }
    if playback != nil, layout.guide.contains(column: column, row: row) {
      return mouse == .press ? pressPlayback(column: column, row: row, layout.guide) : []
    }
    if layout.prompt.contains(column: column, row: row) {
      if mouse == .press { leavePanels() }
      return []
    }
    guard let (panel, rect) = layout.panels.first(where: { $0.value.contains(column: column, row: row) }) else {
      return []
    }
    switch mouse {
    case .rightPress where playback != nil: break
    case .rightPress: openMenu(column: column, row: row)
    case .press: press(panel, rect, column: column - rect.column, row: row - rect.row)
    case .wheelUp: turnWheel(.up, panel)
    case .wheelDown: turnWheel(.down, panel)
    }
    return []
  }

  private mutating func handle(_ mouse: Mouse, over overlay: Overlay, column: Int, row: Int) -> [Action] {
    switch (overlay, mouse) {
    case (.themes, .wheelUp): return handle(.up)
    case (.themes, .wheelDown): return handle(.down)
    case (.themes, .press):
      guard let index = ThemesOverlay.theme(at: column, row, self) else { return handle(.escape) }
      if index == appearance.themeIndex { return handle(.enter) }
      appearance.themeIndex = index
    case (.help, .press), (.page, .press): self.overlay = nil
    case (.menu(let menu), .press):
      guard let item = NodeMenuOverlay.item(at: column, row, menu, overlayRoom) else {
        self.overlay = nil
        return []
      }
      return choose(item, of: menu)
    case (.menu, .rightPress):
      self.overlay = nil
      openMenu(column: column, row: row)
    case (.menu(let menu), .wheelUp): return handle(.up, in: menu)
    case (.menu(let menu), .wheelDown): return handle(.down, in: menu)
    case (_, .rightPress): break
    case (.page, .wheelUp), (.help, .wheelUp): return handle(.up)
    case (.page, .wheelDown), (.help, .wheelDown): return handle(.down)
    case (.confirmation, _): break
    }
    return []
  }

  /// The first press gives a panel the keys; one on its title then zooms it.
  private mutating func press(_ panel: PanelKind, _ rect: Rect, column: Int, row: Int) {
    let hadFocus = focus == .panel(panel)
    focus = .panel(panel)
    if row == 0, hadFocus, PanelFrame.isWorthwhile(rect.size) {
      toggleZoom(of: panel)
      return
    }
    let edge = PanelFrame.isWorthwhile(rect.size) ? 1 : 0
    let inner = PanelFrame.inner(rect.size)
    switch panel {
    case .nodes:
      if row == edge, let criterion = NodesPanel.criterion(at: column - edge, self, inner) {
        nodeOrder.choose(criterion)
        toast("nodes by \(criterion.word)\(nodeOrder.isReversed ? ", reversed" : "")")
      }
      if let index = NodesPanel.node(atRow: row - edge, self, inner) { selectedNode = index }
    case .ring:
      if let slot = RingPanel.slot(at: column - edge, row - edge, self, inner) { ringCursor = slot }
    case .throughput, .latency, .benchmark, .events: break
    }
  }

  private mutating func turnWheel(_ key: Key, _ panel: PanelKind) {
    switch panel {
    case .events: scrollEvents(by: key == .up ? Self.rowsPerTurn : -Self.rowsPerTurn)
    case .nodes, .ring: _ = handle(key, in: panel)
    case .throughput, .latency, .benchmark: moveInGraph(key == .up ? .character("+") : .character("-"), panel)
    }
  }
}
