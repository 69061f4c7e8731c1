extension DashboardState {
  /// Shows how the tour stands; what it did since the last time goes into the events, as a reader's own commands do.
  /// - Returns: whether that is news.
  @discardableResult
  package mutating func apply(guide new: Guide) -> Bool {
    guard guide != new else { return false }
    let known = guide.map { $0.chapter == new.chapter && $0.lines.count <= new.lines.count ? $0.lines.count : 0 } ?? 0
    for line in new.lines.dropFirst(known) { note(line) }
    guide = new
    return true
  }

  private mutating func note(_ line: Guide.Line) {
    switch line.kind {
    case .command: echo(advice.read(line.text).line)
    case .answer(let isSuccess): append(LogLine(kind: .answer(isSuccess: isSuccess), atNs: seen.nowNs, text: line.text))
    case .figure, .claim: break
    }
  }

  /// Where the tour points, as a panel: the header has none of its own, and the ring beside it says the most.
  var guidedPanel: PanelKind? {
    switch guide?.spot {
    case .panel(let panel): panel
    case .header, .itself: .ring
    case nil: nil
    }
  }

  /// A key press while a tour is played.
  func handleGuided(_ key: Key) -> [Action] {
    switch key {
    case .right, .enter, .character("n"), .character("l"): [.guide(.next)]
    case .left, .backspace, .pageUp, .character("b"), .character("h"): [.guide(.back)]
    case .pageDown, .character("N"): [.guide(.skip)]
    case .character(" "), .character("a"), .character("p"): [.guide(.pause)]
    case .escape, .character("q"), .control("c"), .control("d"): [.guide(.quit)]
    default: []
    }
  }
}
