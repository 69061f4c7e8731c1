import Text

/// What keeps a node from being one like the others, in words: the same wherever it is told.
extension FaultSummary.Trouble {
  /// In the six columns that a table always has for it; the faults' row has the figures.
  var word: String {
    switch self {
    case .paused: "paused"
    case .cutOff: "cut"
    case .slow: "slow"
    case .losing: "lossy"
    case .unheard: "silent"
    }
  }

  func sign(_ glyphs: Glyphs) -> String {
    switch self {
    case .paused: glyphs.pause
    case .cutOff: String(Character(glyphs.dead))
    case .slow, .losing, .unheard: glyphs.warning
    }
  }

  /// What it means and how it ends, for the node's details.
  func words(_ node: String) -> String {
    switch self {
    case .paused: "holds still; `resume \(node)` lets it go on"
    case .cutOff: "cut from most of the others, or from half of them; `heal` ends it"
    case .slow(let ns): "messages take \(Figures.given(ns: ns)) longer; `heal` ends it"
    case .losing(let perMille): "\(Figures.given(perMille: perMille)) of its messages are lost; `heal` ends it"
    case .unheard(let others): "not heard by \(others.joined(separator: ", ")) for a second"
    }
  }
}
