/// Command lines typed before, oldest first, and where ↑ and ↓ are in them.
package struct CommandHistory: Equatable, Sendable {
  package private(set) var lines: [String] = []
  /// The line shown; `nil` while a new one is typed.
  private var position: Int?
  /// The line that was being typed when ↑ was first pressed.
  private var draft = ""

  /// As many as bash keeps.
  package static let linesMax = 500
  /// A longer line was pasted, and is pasted again rather than recalled; 500 of any length would fill the memory.
  package static let lineBytesMax = 16 << 10

  package init(_ lines: [String] = []) {
    self.lines = Array(lines.filter { !$0.isEmpty && $0.utf8.count <= Self.lineBytesMax }.suffix(Self.linesMax))
  }

  /// Adds a line, unless it is blank, very long, or the same as the last one.
  package mutating func add(_ line: String) {
    guard line.utf8.count <= Self.lineBytesMax, line.contains(where: { !$0.isWhitespace }),
      // By bytes: `é` in one character and in two are two keys.
      lines.last.map({ !$0.utf8.elementsEqual(line.utf8) }) ?? true
    else { return }
    lines.append(line)
    if lines.count > Self.linesMax { lines.removeFirst() }
  }

  /// The line before the one shown, or `nil` at the oldest.
  package mutating func older(than line: String) -> String? {
    let next = (position ?? lines.count) - 1
    guard next >= 0 else { return nil }
    if position == nil { draft = line }
    position = next
    return lines[next]
  }

  /// The line after the one shown, at last the one that was being typed; `nil` if that is shown already.
  package mutating func newer() -> String? {
    guard let position else { return nil }
    if position + 1 < lines.count {
      self.position = position + 1
      return lines[position + 1]
    }
    self.position = nil
    return draft
  }

  /// Forgets the place: the next ↑ begins at the newest line.
  package mutating func leave() {
    position = nil
    draft = ""
  }
}
