extension DashboardState {
  /// Applies a key press and returns what the program has to do about it.
  package mutating func handle(_ key: Key) -> [Action] {
    switch key {
    case .control("l"): return [.redraw]
    case .control("z"): return [.suspend]
    case .function(1):
      isHelpShown.toggle()
      return []
    default: break
    }
    if isHelpShown { return handleInHelp(key) }
    if key == .control("c") { return interrupt() }
    switch focus {
    case .prompt: return handleInPrompt(key)
    case .panel(let panel): return handle(key, in: panel)
    }
  }

  private mutating func handleInHelp(_ key: Key) -> [Action] {
    switch key {
    case .escape, .enter, .character("?"), .character("q"), .character(" "): isHelpShown = false
    case .control("c"): return [.quit]
    default: break
    }
    return []
  }

  /// Ctrl-C clears what is typed; with nothing typed it quits at once.
  private mutating func interrupt() -> [Action] {
    if prompt.closeChoices() { return [] }
    if prompt.editor.isEmpty { return [.quit] }
    prompt.clear()
    return []
  }
}

// MARK: - The prompt

extension DashboardState {
  private mutating func handleInPrompt(_ key: Key) -> [Action] {
    switch key {
    case .enter: return submit()
    case .control("d") where prompt.editor.isEmpty: return [.quit]
    case .tab where prompt.editor.isEmpty:
      enterPanel(layout.visible.first)
    case .backTab where prompt.editor.isEmpty:
      enterPanel(layout.visible.last)
    case .escape:
      if !prompt.closeChoices() { prompt.lastAnswer = nil }
    case .pageUp: scrollEvents(by: eventsHeight)
    case .pageDown: scrollEvents(by: -eventsHeight)
    default: _ = prompt.handle(key)
    }
    return []
  }

  private mutating func submit() -> [Action] {
    let line = prompt.submit()
    guard line.contains(where: { !$0.isWhitespace }) else { return [] }
    prompt.runningCount += 1
    log.rowsBelow = 0
    echo(command: line)
    return [.run(line)]
  }
}

// MARK: - Panels

extension DashboardState {
  private mutating func handle(_ key: Key, in panel: PanelKind) -> [Action] {
    switch key {
    case .escape:
      if isZoomed { isZoomed = false } else { focus = .prompt }
    case .character("q"): focus = .prompt
    case .tab: moveFocus(by: 1)
    case .backTab: moveFocus(by: -1)
    case .enter, .character("z"): isZoomed.toggle()
    case .character("?"): isHelpShown = true
    case .control("d"): return [.quit]
    default: scroll(key, in: panel)
    }
    return []
  }

  private mutating func enterPanel(_ panel: PanelKind?) {
    if let panel { focus = .panel(panel) }
  }

  /// From the last panel on, Tab returns to the prompt. Zoomed, and where only one panel has room, it visits all.
  private mutating func moveFocus(by step: Int) {
    guard case .panel(let panel) = focus else { return }
    let visible = layout.visible
    let stops = visible.count > 1 ? visible : PanelKind.allCases
    let next = (stops.firstIndex(of: panel) ?? 0) + step
    if stops.indices.contains(next) {
      focus = .panel(stops[next])
    } else {
      focus = .prompt
      isZoomed = false
    }
  }

  private mutating func scroll(_ key: Key, in panel: PanelKind) {
    switch panel {
    case .events: scrollEvents(key)
    case .nodes: selectNode(key)
    case .ring, .throughput: break
    }
  }

  private mutating func scrollEvents(_ key: Key) {
    switch key {
    case .up, .character("k"): scrollEvents(by: 1)
    case .down, .character("j"): scrollEvents(by: -1)
    case .pageUp: scrollEvents(by: eventsHeight)
    case .pageDown: scrollEvents(by: -eventsHeight)
    case .home, .character("g"): scrollEventsToStart()
    case .end, .character("G"): scrollEventsToEnd()
    default: break
    }
  }

  private mutating func selectNode(_ key: Key) {
    let last = Swift.max(0, (status?.nodes.count ?? 0) - 1)
    let page = Swift.max(1, (layout.panels[.nodes]?.height ?? 4) - 3)
    switch key {
    case .up, .character("k"): selectedNode = Swift.max(0, selectedNode - 1)
    case .down, .character("j"): selectedNode = Swift.min(last, selectedNode + 1)
    case .pageUp: selectedNode = Swift.max(0, selectedNode - page)
    case .pageDown: selectedNode = Swift.min(last, selectedNode + page)
    case .home, .character("g"): selectedNode = 0
    case .end, .character("G"): selectedNode = last
    default: break
    }
  }
}
