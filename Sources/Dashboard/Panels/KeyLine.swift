/// The bottom line: the keys that work now, or what Tab can choose from. A click on a key presses it.
package enum KeyLine {
  package static func draw(_ state: DashboardState, _ size: Size, _ look: Look) -> Canvas {
    var canvas = Canvas(size, background: look.style(.text))
    if state.overlay == nil, state.focus == .prompt, let choices = state.prompt.choices {
      drawChoices(choices, on: &canvas, look)
      return canvas
    }
    // Beside a prompt a toast stands there.
    if state.layout.prompt.height == 0, let toast = state.toast, toast.isShown(nowNs: state.seen.nowNs) {
      canvas.write(
        toast.text.fitted(to: Swift.max(0, size.width - 1), ellipsis: look.glyphs.ellipsis), column: 1, row: 0,
        look.style(.info))
      return canvas
    }
    for placed in place(hints(state, look.glyphs), width: size.width) {
      let end = canvas.write(placed.hint.key, column: placed.column, row: 0, look.style(.keyName, .bold))
      canvas.write(" \(placed.hint.meaning)", column: end, row: 0, look.style(.dim))
    }
    return canvas
  }

  /// The key that a column of the line names.
  static func key(at column: Int, _ state: DashboardState) -> Key? {
    if state.overlay == nil, state.focus == .prompt, state.prompt.choices != nil { return .tab }
    return place(hints(state, state.appearance.look.glyphs), width: state.size.width).first {
      column >= $0.column && column < $0.column + $0.hint.columns
    }?.hint.press
  }

  private struct Hint {
    var key: String
    var meaning: String
    /// Key that a click on it presses; `nil` if it names more than one.
    var press: Key?

    init(_ key: String, _ meaning: String, _ press: Key? = nil) {
      self.key = key
      self.meaning = meaning
      self.press = press
    }

    var columns: Int { key.columns + 1 + meaning.columns }
  }

  private static func place(_ hints: [Hint], width: Int) -> [(column: Int, hint: Hint)] {
    var column = 1
    var placed: [(Int, Hint)] = []
    for hint in hints {
      guard column + hint.columns <= width else { break }
      placed.append((column, hint))
      column += hint.columns + 3
    }
    return placed
  }

  private static func hints(_ state: DashboardState, _ glyphs: Glyphs) -> [Hint] {
    let arrows = glyphs.isASCII ? "Up/Down" : "↑↓"
    switch state.overlay {
    case .help: return [Hint(arrows, "scroll"), Hint("Esc", "close help", .escape)]
    case .themes: return [Hint(arrows, "try"), Hint("Enter", "keep", .enter), Hint("Esc", "as before", .escape)]
    case .page: return [Hint(arrows, "scroll"), Hint("Esc", "close", .escape)]
    case .confirmation: return [Hint("y", "do it", .character("y")), Hint("n", "leave it", .character("n"))]
    case .menu: return [Hint(arrows, "choose"), Hint("Enter", "do it", .enter), Hint("Esc", "close", .escape)]
    case nil: break
    }
    if let guide = state.guide { return guideHints(guide, glyphs) }
    if state.nodeFilter.isTyping {
      return [Hint("Enter", "keep the filter", .enter), Hint("Esc", "all nodes", .escape)]
    }
    if state.filter.isTyping { return [Hint("Enter", "keep the filter", .enter), Hint("Esc", "all lines", .escape)] }
    switch state.focus {
    case .prompt where state.playback != nil: return playbackHints(state, glyphs)
    case .prompt: return promptHints(state, arrows)
    case .panel(let panel):
      let word = state.playback.map { $0.isPlaying ? "pause" : "play" } ?? (state.isFrozen ? "go on" : "freeze")
      let freeze = Hint("Space", word, .character(" "))
      let zoom = Hint("z", state.isZoomed ? "smaller" : "zoom", .character("z"))
      let escape =
        state.isZoomed
        ? "back"
        : panel == .events && state.filter.isActive ? "all lines" : state.playback == nil ? "prompt" : "leave the panel"
      if state.isFrozen, state.playback == nil {
        return [
          Hint(glyphs.isASCII ? "left right" : "←→", "back and forth in time"), Hint("PgUp PgDn", "10 s"),
          Hint("Home End", "oldest, newest"), freeze, zoom, Hint("Tab", "next", .tab), Hint("Esc", escape, .escape),
        ]
      }
      return moves(panel, state, arrows, glyphs) + [Hint("Tab", "next", .tab), zoom, freeze]
        + [Hint("Esc", escape, .escape), Hint("?", "help", .character("?"))]
    }
  }

  private static func guideHints(_ guide: Guide, _ glyphs: Glyphs) -> [Hint] {
    let back = Hint(glyphs.isASCII ? "b" : "←", "back", .left)
    let quit = Hint("q", guide.mode == .over ? "leave" : "leave the tour", .character("q"))
    if guide.mode == .over { return [back, quit] }
    return [
      Hint(glyphs.isASCII ? "n" : "→", "next", .right), back,
      Hint("Space", guide.isAutomatic ? "pause" : "auto-play", .character(" ")),
      Hint("PgDn", "next chapter", .pageDown),
      quit, Hint("F1", "help", .function(1)),
    ]
  }

  private static func playbackHints(_ state: DashboardState, _ glyphs: Glyphs) -> [Hint] {
    let isPlaying = state.playback?.isPlaying ?? false
    let hasViolation = state.playback?.marks.contains { $0.kind == .violation } ?? false
    let hasAnswers = state.playback?.strip == .bars
    return [
      Hint("Space", isPlaying ? "pause" : "play", .character(" ")),
      Hint(glyphs.isASCII ? "left right" : "←→", "step"), Hint("+ -", "speed"),
      Hint("f F", hasAnswers ? "fault" : "event"),
    ] + (hasAnswers ? [Hint("o O", "answer")] : []) + (hasViolation ? [Hint("v", "violation", .character("v"))] : [])
      + [
        Hint("Tab", "panels", .tab), Hint("q", "leave", .character("q")), Hint("F1", "help", .function(1)),
      ]
  }

  private static func promptHints(_ state: DashboardState, _ arrows: String) -> [Hint] {
    if state.prompt.search != nil {
      return [
        Hint("Ctrl-R", "older", .control("r")), Hint("Enter", "run", .enter), Hint("Tab", "edit", .tab),
        Hint("Esc", "give up", .escape),
      ]
    }
    let help = Hint("F1", "help", .function(1))
    if !state.prompt.editor.isEmpty {
      return [
        Hint("Enter", "run", .enter), Hint("Tab", "complete", .tab), Hint(arrows, "history"),
        Hint("Ctrl-C", "clear", .control("c")), help,
      ]
    }
    let isOver = state.benchmark?.isRunning == false && state.prompt.lastAnswer == nil
    let close = isOver ? [Hint("Esc", "close benchmark", .escape)] : []
    let fold =
      !isOver && state.canFoldViolation && state.prompt.lastAnswer == nil
      ? [Hint("Esc", "fold the warning", .escape)] : []
    return close + fold + [
      Hint("Tab", "panels", .tab), Hint(arrows, "history"), help, Hint("F2", "glyphs", .function(2)),
      Hint("F3", "themes", .function(3)),
      Hint("F4", "mouse \(state.appearance.isMouseOn ? "off" : "on")", .function(4)),
      Hint("Ctrl-C", "quit", .control("c")),
    ]
  }

  private static func moves(
    _ panel: PanelKind, _ state: DashboardState, _ arrows: String, _ glyphs: Glyphs
  ) -> [Hint] {
    let graph = [Hint("+ -", "time"), Hint(glyphs.isASCII ? "left right" : "←→", "back and forth")]
    return switch panel {
    case .events:
      [Hint(arrows, "scroll"), Hint("/", "find", .character("/")), Hint("f", "filter", .character("f"))]
    case .nodes:
      [
        Hint(arrows, "select"), Hint("s", "sort", .character("s")), Hint("r", "reverse", .character("r")),
        Hint("/", "find", .character("/")),
      ]
    case .ring:
      [
        Hint(glyphs.isASCII ? "arrows" : "←↑↓→", "inspect ranges"),
        Hint("r", state.showsHeat ? "owners" : "heat", .character("r")),
      ]
    case .benchmark:
      graph + [Hint("x", state.benchmark?.isRunning == true ? "stop it" : "close", .character("x"))]
    case .throughput: graph
    case .latency: [Hint("l", state.showsLatencyLines ? "heat map" : "lines", .character("l"))] + graph
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
