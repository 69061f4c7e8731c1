/// Pasted command lines, run one after another as in a script: each waits for the answer of the one before.
package struct PastedLines: Equatable, Sendable {
  /// Oldest first.
  package private(set) var waiting: [String] = []
  /// The command that was run last of them, until it has answered.
  package private(set) var running: String?

  /// More than anyone pastes by hand; `load` stores the lines of a file.
  static let linesMax = 1_000

  /// Whether a line that is typed now has its turn after these.
  var isBusy: Bool { running != nil || !waiting.isEmpty }

  /// Returns whether there was room for it.
  mutating func add(_ line: String) -> Bool {
    guard waiting.count < Self.linesMax else { return false }
    waiting.append(line)
    return true
  }

  /// The next line, if it is its turn.
  mutating func next() -> String? {
    running == nil && !waiting.isEmpty ? waiting.removeFirst() : nil
  }

  mutating func begin(_ command: String) { running = command }

  mutating func end(_ command: String) {
    if running == command { running = nil }
  }

  /// Forgets the lines that wait; returns how many they were.
  mutating func drop() -> Int {
    defer { waiting = [] }
    return waiting.count
  }
}
