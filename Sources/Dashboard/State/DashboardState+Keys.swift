import Text

extension DashboardState {
  /// Applies a key press and returns what the program has to do about it.
  package mutating func handle(_ key: Key) -> [Action] {
    let actions = react(to: key)
    // An overlay may have closed, and then it is the next pasted line's turn.
    return actions + runNextPasted()
  }

  private mutating func react(to key: Key) -> [Action] {
    switch key {
    case .control("l"): return [.redraw]
    case .control("z"): return [.suspend]
    case .function(1): toggleHelp()
    case .function(2):
      appearance.nextGlyphs()
      toast("glyphs: \(appearance.glyphs.rawValue)")
    case .function(3):
      if case .themes(let picker) = overlay { return close(picker) }
      overlay = .themes(ThemePicker(former: appearance.themeIndex))
    case .function(4): return toggleMouse()
    case .mouse(let mouse, let column, let row): return handle(mouse, column: column, row: row)
    case .background(let color): _ = appearance.adopt(background: color)
    case .paste(let text): take(pasted: text)
    default:
      if let overlay { return handle(key, over: overlay) }
      return guide == nil ? handleInFocus(key) : handleGuided(key)
    }
    return []
  }

  private mutating func handleInFocus(_ key: Key) -> [Action] {
    if filter.isTyping, key != .control("c") {
      filter.type(key)
      scrollEventsToEnd()
      return []
    }
    if nodeFilter.isTyping, key != .control("c") {
      nodeFilter.type(key)
      selectedNode = 0
      return []
    }
    if key == .control("c") { return playback == nil ? interrupt() : [.playback(.quit)] }
    switch focus {
    case .prompt where playback != nil: return handleInPlayback(key)
    case .prompt: return handleInPrompt(key)
    case .panel(let panel): return handle(key, in: panel)
    }
  }

  /// Ctrl-C gives up what is being typed; with nothing typed it quits at once.
  private mutating func interrupt() -> [Action] {
    if filter.isTyping {
      filter.type(.escape)
      return []
    }
    if nodeFilter.isTyping {
      nodeFilter.type(.escape)
      return []
    }
    if prompt.closeSearch(keepsMatch: false) { return [] }
    if prompt.editor.isEmpty { return dropPasted() ? [] : [.quit] }
    prompt.clear()
    return []
  }

  private mutating func toggleMouse() -> [Action] {
    appearance.isMouseOn.toggle()
    toast(appearance.isMouseOn ? "the mouse is the dashboard's" : "the mouse is the terminal's: it selects text")
    return [.useMouse(appearance.isMouseOn)]
  }
}

// MARK: - Overlays

extension DashboardState {
  mutating func toggleHelp() { overlay = isHelpShown ? nil : .help(firstRow: 0) }

  private mutating func handle(_ key: Key, over overlay: Overlay) -> [Action] {
    if key == .control("c") {
      // An overlay is left as it was found, and leaving is what Ctrl-C means.
      if case .themes(let picker) = overlay { return close(picker) }
      if case .confirmation(let asked) = overlay { return handle(key, asked) }
      self.overlay = nil
      if case .help = overlay { return quit }
      return []
    }
    if isMeantForPrompt(key, over: overlay) {
      self.overlay = nil
      leavePanels()
      return handleInFocus(key)
    }
    switch overlay {
    case .help(let first): handle(key, inHelp: first)
    case .themes(let picker): return handle(key, in: picker)
    case .page(let reader): handle(key, in: reader)
    case .confirmation(let asked): return handle(key, asked)
    case .menu(let menu): return handle(key, in: menu)
    }
    return []
  }

  /// Text typed over a page belongs to the prompt: half of a command would be lost otherwise.
  private func isMeantForPrompt(_ key: Key, over overlay: Overlay) -> Bool {
    guard guide == nil, playback == nil else { return false }
    switch overlay {
    case .help, .page: break
    case .themes, .confirmation, .menu: return false
    }
    switch key {
    // Keys that close it.
    case .character(let character): return ![" ", "?", "q"].contains(character)
    default: return false
    }
  }

  /// A paste with a whole line holds commands. Whichever list, page, search or filter has the keys is closed for it.
  /// Where commands cannot be taken, it is told how many lines were not.
  private mutating func take(pasted text: String) {
    let lines = PasteLines(text)
    let refusal = "not taken: \(Figures.count(lines.whole.count + (lines.rest.isEmpty ? 0 : 1), "pasted line"))"
    if guide != nil || playback != nil { return toast(refusal) }
    if case .confirmation(let asked) = overlay {
      insist(on: asked)
      return warn("\(refusal), because a question was open")
    }
    if case .themes(let picker) = overlay { close(picker) }
    overlay = nil
    if lines.whole.isEmpty, filter.isTyping || nodeFilter.isTyping || prompt.search != nil {
      _ = handleInFocus(.paste(text))
      return
    }
    filter.isTyping = false
    nodeFilter.isTyping = false
    _ = prompt.closeSearch(keepsMatch: false)
    leavePanels()
    paste(lines)
  }

  /// Leaves the program, or the tour first.
  private var quit: [Action] { [guide != nil ? .guide(.quit) : playback != nil ? .playback(.quit) : .quit] }

  /// Where overlays have room: above the prompt and the key line.
  var overlayRoom: Size { Size(width: size.width, height: size.height - 2) }

  private mutating func handle(_ key: Key, inHelp first: Int) {
    if key == .character("?") { return overlay = nil }
    let last = HelpOverlay.scrollMax(overlayRoom, appearance.look, reader: HelpOverlay.Reader(self))
    overlay = scrolled(first, by: key, last: last).map { .help(firstRow: $0) }
  }

  private mutating func handle(_ key: Key, in reader: PageReader) {
    let last = PageOverlay.scrollMax(reader.page, overlayRoom, appearance.look)
    overlay = scrolled(reader.firstRow, by: key, last: last).map { first in
      var reader = reader
      reader.firstRow = first
      return .page(reader)
    }
  }

  /// The first row after a key; `nil` if the key closes what is read.
  private func scrolled(_ first: Int, by key: Key, last: Int) -> Int? {
    let row: Int
    switch key {
    case .up, .character("k"): row = first - 1
    case .down, .character("j"): row = first + 1
    case .pageUp: row = first - overlayRoom.height
    case .pageDown: row = first + overlayRoom.height
    case .home: row = 0
    case .end: row = last
    case .escape, .enter, .character("q"), .character(" "), .character("?"): return nil
    default: row = first
    }
    return Swift.max(0, Swift.min(last, row))
  }

  private mutating func handle(_ key: Key, in picker: ThemePicker) -> [Action] {
    let last = appearance.themes.count - 1
    switch key {
    case .up, .character("k"): appearance.themeIndex = Swift.max(0, appearance.themeIndex - 1)
    case .down, .character("j"): appearance.themeIndex = Swift.min(last, appearance.themeIndex + 1)
    case .home, .character("g"): appearance.themeIndex = 0
    case .end, .character("G"): appearance.themeIndex = last
    case .enter:
      overlay = nil
      appearance.isThemeChosen = true
      return appearance.themeIndex == picker.former ? [] : [.keepTheme(appearance.theme.name)]
    case .escape, .character("q"): return close(picker)
    default: break
    }
    return []
  }

  @discardableResult
  private mutating func close(_ picker: ThemePicker) -> [Action] {
    appearance.themeIndex = picker.former
    overlay = nil
    return []
  }
}

// MARK: - The prompt

extension DashboardState {
  private mutating func handleInPlayback(_ key: Key) -> [Action] {
    switch key {
    case .tab: enterPanel(panelStops.first)
    case .backTab: enterPanel(panelStops.last)
    case .character("?"): toggleHelp()
    default: return handlePlayback(key)
    }
    return []
  }

  private mutating func handleInPrompt(_ key: Key) -> [Action] {
    if prompt.search != nil, key != .enter {
      if !prompt.search(key) { return handleInPrompt(key) }
      return []
    }
    switch key {
    case .enter: return submit()
    case .control("d") where prompt.editor.isEmpty: return [.quit]
    case .tab where prompt.editor.isEmpty:
      enterPanel(panelStops.first)
    case .backTab where prompt.editor.isEmpty:
      enterPanel(panelStops.last)
    case .escape:
      if prompt.closeChoices() { break }
      if prompt.lastAnswer != nil { prompt.lastAnswer = nil } else if !closeBenchmark() { foldViolation() }
    case .pageUp: scrollEvents(by: eventsHeight)
    case .pageDown: scrollEvents(by: -eventsHeight)
    default: _ = prompt.handle(key)
    }
    return []
  }
}
