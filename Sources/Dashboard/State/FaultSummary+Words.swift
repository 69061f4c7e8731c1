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
  ///   - advice: words for a step that ends it.
  func words(_ node: String, _ advice: CommandAdvice) -> String {
    func fault(_ words: String, _ end: Advice) -> String { words + (advice.advise(end).map { "; \($0)" } ?? "") }
    return switch self {
    case .paused: fault("holds still", .resume(node))
    case .cutOff: fault("cut from most of the others, or from half of them", .heal)
    case .slow(let ns): fault("messages take \(Figures.given(ns: ns)) longer", .heal)
    case .losing(let perMille): fault("\(Figures.given(perMille: perMille)) of its messages are lost", .heal)
    case .unheard(let others): "not heard by \(Figures.list(others)) for a second"
    }
  }
}
