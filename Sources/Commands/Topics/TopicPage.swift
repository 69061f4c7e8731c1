/// One topic explained: what it is, what this cluster shows of it now, and the question that comes next.
package struct TopicPage: Sendable, Equatable {
  /// Something measured or counted on this cluster.
  package struct Figure: Sendable, Equatable {
    package var label: String
    package var value: String

    package init(_ label: String, _ value: String) {
      self.label = label
      self.value = value
    }
  }

  package var title: String
  package var paragraphs: [String]
  package var figures: [Figure]
  /// The interviewer's next question; empty in a list.
  package var question = ""
  /// Where the answer lies.
  package var hint = ""

  /// As wide as a line may be where nobody says how wide the screen is.
  package static let lineWidth = 80

  /// The whole as lines of text.
  package func lines(width: Int) -> [String] {
    let labelWidth = figures.map(\.label.count).max() ?? 0
    var lines = paragraphs.flatMap { WordWrap.lines($0, width: width) }
    if !figures.isEmpty { lines.append("") }
    for figure in figures {
      let label = figure.label + String(repeating: " ", count: labelWidth - figure.label.count)
      for (number, part) in WordWrap.lines(figure.value, width: width - labelWidth - 4).enumerated() {
        lines.append("  \(number == 0 ? label : String(repeating: " ", count: labelWidth))  \(part)")
      }
    }
    guard !question.isEmpty else { return lines }
    lines.append("")
    lines += WordWrap.lines("Asked next: \(question)", width: width)
    return lines + WordWrap.lines("Hint: \(hint)", width: width)
  }
}

/// Text in lines, broken between words.
package enum WordWrap {
  package static func lines(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = String(word)
      } else {
        line += line.isEmpty ? String(word) : " \(word)"
      }
    }
    return lines + [line]
  }
}
