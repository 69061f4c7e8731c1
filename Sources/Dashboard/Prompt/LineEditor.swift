/// The line at the prompt, edited as with readline.
///
/// Positions count characters as people see them, so that no key splits one.
package struct LineEditor: Equatable, Sendable {
  package private(set) var characters: [Character] = []
  /// From 0 to `characters.count`.
  package private(set) var cursor = 0
  package var history = CommandHistory()
  /// Text of the last kill, for C-y.
  private var killed: [Character] = []

  /// 16 MiB of memory; a longer line can be run from a paste, but not edited.
  package static let charactersMax = 1 << 20

  package init() {}

  package var text: String { String(characters) }
  package var isEmpty: Bool { characters.isEmpty }
  package var isCursorAtEnd: Bool { cursor == characters.count }

  /// Replaces the line, with the cursor at its end.
  package mutating func set(_ text: String) {
    characters = Array(text.prefix(Self.charactersMax))
    cursor = characters.count
  }

  /// Whether so much more can be edited.
  package func hasRoom(for text: String) -> Bool {
    text.utf8.count <= Self.charactersMax - characters.count || text.count <= Self.charactersMax - characters.count
  }

  /// The line with `text` at the cursor, however long that is.
  package func text(inserting text: String) -> String {
    String(characters[..<cursor]) + text + String(characters[cursor...])
  }

  /// Inserts at the cursor what has room; see ``hasRoom(for:)``. Nothing else is changed: a tab stays one.
  package mutating func insert(_ text: String) {
    guard hasRoom(for: text), !text.isEmpty else { return }
    // A combining mark joins the character before it, as the parts of an emoji do that arrive one by one.
    let start = Swift.max(0, cursor - 1)
    let joined = Array(String(characters[start..<cursor]) + text)
    characters.replaceSubrange(start..<cursor, with: joined)
    cursor = start + joined.count
  }

  /// Puts `text` in the place of the `count` characters before the cursor.
  package mutating func replace(last count: Int, with text: String) {
    let start = cursor - Swift.min(cursor, Swift.max(0, count))
    characters.removeSubrange(start..<cursor)
    cursor = start
    insert(text)
  }

  /// Takes the line, adds it to the history and empties the editor.
  package mutating func submit() -> String {
    let line = text
    history.add(line)
    clear()
    return line
  }

  package mutating func clear() {
    characters = []
    cursor = 0
    history.leave()
  }

  /// Applies an editing key; returns whether it was one.
  package mutating func edit(_ key: Key) -> Bool {
    switch key {
    case .character(let character): insert(String(character))
    case .paste(let text): insert(text)
    case .left, .control("b"): cursor = Swift.max(0, cursor - 1)
    case .right, .control("f"): cursor = Swift.min(characters.count, cursor + 1)
    case .home, .control("a"): cursor = 0
    case .end, .control("e"): cursor = characters.count
    case .alt("b"), .wordLeft: cursor = wordStart
    case .alt("f"), .wordRight: cursor = wordEnd
    case .backspace: remove(Swift.max(0, cursor - 1)..<cursor)
    case .delete, .control("d"): remove(cursor..<Swift.min(characters.count, cursor + 1))
    case .control("k"): kill(cursor..<characters.count)
    case .control("u"): kill(0..<cursor)
    case .control("w"): kill(blankDelimitedWordStart..<cursor)
    case .alt("d"): kill(cursor..<wordEnd)
    case .control("y"): insert(String(killed))
    case .up, .control("p"): recall(history.older(than: text))
    case .down, .control("n"): recall(history.newer())
    default: return false
    }
    return true
  }

  private mutating func recall(_ line: String?) {
    if let line { set(line) }
  }

  private mutating func remove(_ range: Range<Int>) {
    characters.removeSubrange(range)
    cursor = range.lowerBound
  }

  private mutating func kill(_ range: Range<Int>) {
    // An empty kill keeps what can be yanked.
    if !range.isEmpty { killed = Array(characters[range]) }
    remove(range)
  }

  private static func isWord(_ character: Character) -> Bool { character.isLetter || character.isNumber }

  private var wordStart: Int {
    var at = cursor
    while at > 0, !Self.isWord(characters[at - 1]) { at -= 1 }
    while at > 0, Self.isWord(characters[at - 1]) { at -= 1 }
    return at
  }

  private var wordEnd: Int {
    var at = cursor
    while at < characters.count, !Self.isWord(characters[at]) { at += 1 }
    while at < characters.count, Self.isWord(characters[at]) { at += 1 }
    return at
  }

  /// C-w goes back to a blank, as in a shell, so that one press takes a whole key or path.
  private var blankDelimitedWordStart: Int {
    var at = cursor
    while at > 0, characters[at - 1] == " " { at -= 1 }
    while at > 0, characters[at - 1] != " " { at -= 1 }
    return at
  }
}
