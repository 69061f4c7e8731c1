extension DashboardState {
  /// Applies a key press and returns what the program has to do about it.
  package mutating func handle(_ key: Key) -> [Action] {
    switch key {
    case .control("l"): return [.redraw]
    case .control("z"): return [.suspend]
    case .function(1): toggle(.help)
    case .function(2): appearance.nextGlyphs()
    case .function(3):
      if case .themes(let picker) = overlay { return close(picker) }
      overlay = .themes(ThemePicker(former: appearance.themeIndex))
    case .function(4): return toggleMouse()
    case .mouse(let mouse, let column, let row): return handle(mouse, column: column, row: row)
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
    if key == .control("c") { return interrupt() }
    switch focus {
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
    if prompt.closeChoices() || prompt.closeSearch(keepsMatch: false) { return [] }
    if prompt.editor.isEmpty { return [.quit] }
    prompt.clear()
    return []
  }

  private mutating func toggleMouse() -> [Action] {
    appearance.isMouseOn.toggle()
    return [.useMouse(appearance.isMouseOn)]
  }
}

// MARK: - Overlays

extension DashboardState {
  mutating func toggle(_ other: Overlay) { overlay = overlay == other ? nil : other }

  private mutating func handle(_ key: Key, over overlay: Overlay) -> [Action] {
    if key == .control("c") {
      // An overlay is left as it was found, and leaving is what Ctrl-C means.
      if case .themes(let picker) = overlay { return close(picker) }
      self.overlay = nil
      return overlay == .help ? quit : []
    }
    switch overlay {
    case .help:
      if [.escape, .enter, .character("?"), .character("q"), .character(" ")].contains(key) { self.overlay = nil }
      return []
    case .themes(let picker): return handle(key, in: picker)
    case .page(let reader): handle(key, in: reader)
    case .confirmation(let line, _):
      self.overlay = nil
      guard key == .character("y") || key == .character("Y") else { return [] }
      begin(command: line)
      return [.run(line)]
    }
    return []
  }

  /// Leaves the program, or the tour first.
  private var quit: [Action] { [guide == nil ? .quit : .guide(.quit)] }

  private mutating func handle(_ key: Key, in reader: PageReader) {
    var reader = reader
    let room = Size(width: size.width, height: size.height - 2)
    let last = PageOverlay.scrollMax(reader.page, room, appearance.look)
    switch key {
    case .up, .character("k"): reader.firstRow -= 1
    case .down, .character("j"): reader.firstRow += 1
    case .pageUp: reader.firstRow -= room.height
    case .pageDown: reader.firstRow += room.height
    case .home, .character("g"): reader.firstRow = 0
    case .end, .character("G"): reader.firstRow = last
    case .escape, .enter, .character("q"), .character(" "):
      overlay = nil
      return
    default: break
    }
    reader.firstRow = Swift.max(0, Swift.min(last, reader.firstRow))
    overlay = .page(reader)
  }

  private mutating func handle(_ key: Key, in picker: ThemePicker) -> [Action] {
    let last = appearance.themes.count - 1
    switch key {
    case .up, .character("k"): appearance.themeIndex = Swift.max(0, appearance.themeIndex - 1)
    case .down, .character("j"): appearance.themeIndex = Swift.min(last, appearance.themeIndex + 1)
    case .home, .character("g"): appearance.themeIndex = 0
    case .end, .character("G"): appearance.themeIndex = last
    case .enter: overlay = nil
    case .escape, .character("q"): return close(picker)
    default: break
    }
    return []
  }

  private mutating func close(_ picker: ThemePicker) -> [Action] {
    appearance.themeIndex = picker.former
    overlay = nil
    return []
  }
}

// MARK: - The prompt

extension DashboardState {
  private mutating func handleInPrompt(_ key: Key) -> [Action] {
    if prompt.search != nil, key != .enter {
      if !prompt.search(key) { return handleInPrompt(key) }
      return []
    }
    switch key {
    case .enter: return submit()
    case .control("d") where prompt.editor.isEmpty: return [.quit]
    case .tab where prompt.editor.isEmpty:
      enterPanel(layout.visible.first)
    case .backTab where prompt.editor.isEmpty:
      enterPanel(layout.visible.last)
    case .escape:
      if prompt.closeChoices() { break }
      if prompt.lastAnswer != nil { prompt.lastAnswer = nil } else { _ = closeBenchmark() }
    case .pageUp: scrollEvents(by: eventsHeight)
    case .pageDown: scrollEvents(by: -eventsHeight)
    default: _ = prompt.handle(key)
    }
    return []
  }

  /// The one command that is about the screen, not the cluster.
  package static let describeCommand = "describe"

  private mutating func submit() -> [Action] {
    _ = prompt.closeSearch(keepsMatch: true)
    let line = prompt.submit()
    guard line.contains(where: { !$0.isWhitespace }) else { return [] }
    if line.filter({ !$0.isWhitespace }).lowercased() == Self.describeCommand {
      begin(command: line)
      apply(answer: CommandAnswer(lines: Description.lines(self), isSuccess: true))
      return []
    }
    if let question = advice.question(line) {
      overlay = .confirmation(line: line, question: question)
      return []
    }
    begin(command: line)
    return [.run(line)]
  }
}
