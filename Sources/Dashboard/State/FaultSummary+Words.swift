import ClusterModel
import Text

/// Words for a node's trouble: the same wherever it is told.
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

  /// Its meaning and how it ends, for the node's details.
  /// - Parameters:
  ///   - node: the node's name.
  ///   - features: the backend's; without link faults of its own no command ends these.
  func words(_ node: String, _ features: Set<Capabilities.Feature>) -> String {
    let hasCommands = features.contains(.linkFaults)
    func fault(_ words: String, ended end: String = "`heal` ends it") -> String {
      hasCommands ? "\(words); \(end)" : words
    }
    return switch self {
    case .paused: fault("holds still", ended: "`resume \(node)` lets it go on")
    case .cutOff: fault("cut from most of the others, or from half of them")
    case .slow(let ns): fault("messages take \(Figures.given(ns: ns)) longer")
    case .losing(let perMille): fault("\(Figures.given(perMille: perMille)) of its messages are lost")
    case .unheard(let others): "not heard by \(others.joined(separator: ", ")) for a second"
    }
  }
}
