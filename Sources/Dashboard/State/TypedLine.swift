/// A command line, parsed once: every later question about it is answered from here.
package struct TypedLine: Sendable, Equatable, ExpressibleByStringLiteral {
  package var text: String
  /// What to ask before it is run; `nil` to run it at once.
  package var question: Question?
  /// The key it is about.
  package var key: ShownKey?
  /// What the face made of it, for the face alone.
  package var reading: (any Sendable)?

  package init(_ text: String, question: Question? = nil, key: ShownKey? = nil, reading: (any Sendable)? = nil) {
    (self.text, self.question, self.key, self.reading) = (text, question, key, reading)
  }

  package init(stringLiteral text: String) { self.init(text) }

  /// Lines of one text were read as the same.
  package static func == (a: TypedLine, b: TypedLine) -> Bool { a.text == b.text }
}
