/// Completions at the cursor by the commands' grammar.
package struct Completion: Equatable, Sendable {
  /// Characters before the cursor that a candidate replaces.
  package var replacedCount: Int
  /// Candidates, best first.
  package var candidates: [String]
  /// The command's usage, shown behind the line.
  package var usage: String

  package init(replacedCount: Int = 0, candidates: [String] = [], usage: String = "") {
    self.replacedCount = replacedCount
    self.candidates = candidates
    self.usage = usage
  }
}

/// Finds completions: takes the line and the cursor's position in characters. Called on every change of the line.
package typealias Completer = @Sendable (_ line: String, _ cursor: Int) -> Completion
