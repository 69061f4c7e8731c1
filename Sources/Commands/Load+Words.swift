import Text

/// The words of `load`.
extension LoadProgress {
  /// Plain digits: scripts read it to know what was stored.
  package var text: String {
    let failed = linesFailed == 0 ? "" : ", \(linesFailed) not stored"
    return "Stored \(linesStored) \(Figures.word(linesStored, "line", "lines"))\(failed), \(linesPerSecond) lines/sec"
  }
}

extension LoadLine {
  static func notStored(_ number: Int, _ reason: String) -> Answer { Answer(.failure, "Line \(number): \(reason)") }
}

extension LoadLine.Fault {
  var words: String {
    switch self {
    case .noTab: "no tab between key and value"
    case .emptyKey: "the key is empty"
    case .keyTooLong(let byteCount, let allowed):
      "the key has \(Figures.count(byteCount, "byte")), \(Figures.count(allowed)) are allowed"
    case .valueTooLong(let allowed): "the value has more than \(Figures.given(bytes: allowed))"
    }
  }
}
