import ClusterModel

/// A command line, parsed once: every later question about it is answered from here.
package struct TypedLine: Sendable, Equatable, ExpressibleByStringLiteral {
  package var text: String
  /// The key it is about.
  package var key: ShownKey?
  /// The face's own value for the line, its parsed command: handed back with the line, and never looked at here.
  package var reading: (any Sendable)?
  /// Counts the lines that a screen has run, from 1: an answer names its line by it. 0 before the line is run.
  package internal(set) var number = 0

  package init(_ text: String, key: ShownKey? = nil, reading: (any Sendable)? = nil) {
    (self.text, self.key, self.reading) = (text, key, reading)
  }

  package init(stringLiteral text: String) { self.init(text) }

  /// Lines of one text were read as the same.
  package static func == (a: TypedLine, b: TypedLine) -> Bool { a.text == b.text }
}

/// A line that was read, and what to ask before it is run.
package struct AdvisedLine: Sendable, Equatable, ExpressibleByStringLiteral {
  package var line: TypedLine
  /// `nil`: it is run at once.
  package var question: Question?

  package init(_ line: TypedLine, question: Question? = nil) { (self.line, self.question) = (line, question) }

  package init(stringLiteral text: String) { self.init(TypedLine(text)) }
}

/// A command that a key or a click gives, without a line being typed.
package enum ChosenCommand: Sendable, Equatable {
  case order(AdminCommand)
  /// Ends the benchmark that runs.
  case stopBenchmark
}

/// A question before a line is run.
package struct Question: Equatable, Sendable {
  package var text: String
  /// The line that is run after a yes.
  package var confirmed: TypedLine

  package init(_ text: String, confirmed: TypedLine) { (self.text, self.confirmed) = (text, confirmed) }
}
