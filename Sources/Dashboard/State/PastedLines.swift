/// Pasted command lines, run one after another as in a script: each waits for the answer of the one before.
package struct PastedLines: Equatable, Sendable {
  /// Oldest first.
  package private(set) var waiting: ArraySlice<String> = []
  /// The number of the line that was run last of them, until it is answered: texts do not tell two lines apart.
  package private(set) var running: Int?
  /// Lines that were added since none waited, and of these the ones whose turn has come.
  package private(set) var total = 0
  package private(set) var begun = 0

  private var bytesWaiting = 0

  package init() {}

  /// Bytes of lines that wait: far more than anyone pastes by hand, and no danger to the memory.
  package static let bytesMax = 256 << 20

  /// Whether a line that is typed now has its turn after these.
  package var isBusy: Bool { running != nil || !waiting.isEmpty }

  /// Returns whether there was room for it.
  package mutating func add(_ line: String) -> Bool {
    guard bytesWaiting + line.utf8.count <= Self.bytesMax else { return false }
    if !isBusy { (total, begun) = (0, 0) }
    waiting.append(line)
    bytesWaiting += line.utf8.count
    total += 1
    return true
  }

  /// The next line, if it is its turn.
  mutating func next() -> String? {
    guard running == nil, let line = waiting.popFirst() else { return nil }
    bytesWaiting -= line.utf8.count
    begun += 1
    return line
  }

  /// Ends the line that runs, and returns the next one.
  package mutating func nextInTurn() -> String? {
    running = nil
    guard let line = next() else { return nil }
    running = begun
    return line
  }

  mutating func begin(_ number: Int) { running = number }

  mutating func end(_ number: Int) {
    if running == number { running = nil }
  }

  /// Forgets the lines that wait; returns how many they were.
  package mutating func drop() -> Int {
    defer { (waiting, bytesWaiting) = ([], 0) }
    return waiting.count
  }
}

/// The lines of a paste: each that has an end, and what stands behind the last end.
///
/// A line ends with CR, LF or both. Nothing else ends one: Unicode's own line separators may stand in a value.
package struct PasteLines: Equatable, Sendable {
  package private(set) var whole: [String] = []
  package private(set) var rest = ""

  package init(_ text: String) {
    let bytes = text.utf8
    var start = bytes.startIndex
    var index = start
    while index < bytes.endIndex {
      let byte = bytes[index]
      let end = index
      index = bytes.index(after: index)
      guard byte == 0x0A || byte == 0x0D else { continue }
      if byte == 0x0D, index < bytes.endIndex, bytes[index] == 0x0A { index = bytes.index(after: index) }
      whole.append(String(text[start..<end]))
      start = index
    }
    rest = String(text[start...])
  }
}
