extension DashboardState {
  /// Shows how the playback stands, and takes in what was seen on the way there.
  /// - Parameters:
  ///   - new: how it stands.
  ///   - frames: what was seen since the last call, oldest first; of a new run everything.
  /// - Returns: whether that is news.
  @discardableResult
  package mutating func apply(playback new: Playback, _ frames: [Playback.Frame]) -> Bool {
    if let playback, playback.run != new.run { forgetSeen() }
    guard playback != new || !frames.isEmpty else { return false }
    playback = new
    for frame in frames {
      for event in frame.events { apply(event: event) }
      apply(status: frame.status, nowNs: frame.nowNs)
    }
    return true
  }

  /// A key press while a playback has the keys.
  func handlePlayback(_ key: Key) -> [Action] {
    switch key {
    case .character(" "), .enter: [.playback(.playOrPause)]
    case .right, .character("l"): [.playback(.step(1))]
    case .left, .character("h"), .backspace: [.playback(.step(-1))]
    case .character("+"), .character("="), .up: [.playback(.faster)]
    case .character("-"), .down: [.playback(.slower)]
    case .character("o"): [.playback(.answer(1))]
    case .character("O"): [.playback(.answer(-1))]
    case .character("f"): [.playback(.mark(1))]
    case .character("F"): [.playback(.mark(-1))]
    case .character("v"): [.playback(.violation)]
    case .pageDown: [.playback(.move(parts: 1))]
    case .pageUp: [.playback(.move(parts: -1))]
    case .home, .character("g"): [.playback(.seek(0))]
    case .end, .character("G"): [.playback(.seek(1))]
    case .character("q"), .escape, .control("c"), .control("d"): [.playback(.quit)]
    default: []
    }
  }

  /// A press on the scrubber goes there.
  func pressPlayback(column: Int, row: Int, _ strip: Rect) -> [Action] {
    PlaybackPanel.fraction(column: column - strip.column, row: row - strip.row, strip.size).map {
      [.playback(.seek($0))]
    } ?? []
  }
}
