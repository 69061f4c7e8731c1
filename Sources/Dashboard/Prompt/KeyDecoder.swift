import Text

/// Decodes a terminal's bytes into keys, one byte at a time, so that bytes behind an Enter stay unread for the next reader.
/// Pure, and the same in every locale: bytes that are no UTF-8 become characters as in `ByteText`.
///
/// Sequences are those that all terminals in use have in common (ECMA-48, xterm), and those that the caller knows from
/// terminfo. The decoder has no clock: after an Esc the caller waits a moment and calls ``flush()`` if
/// nothing came; without that an Esc is recognised at the next key, as in readline. (ncurses' own reading was rejected: it decodes by the locale,
/// loses what follows a byte that is none of it, and takes one system call a byte.)
package struct KeyDecoder: Sendable {
  /// A sequence so far, from its Esc on; empty outside of one.
  private var sequence: [UInt8] = []
  /// The first bytes of a character.
  private var character: [UInt8] = []
  /// Bytes of the paste so far.
  private var paste: [UInt8]?

  /// Sequences of this terminal's own, and all beginnings of them.
  private let known: [[UInt8]: Key]
  private let beginnings: Set<[UInt8]>

  /// A sequence that is longer was none.
  private static let sequenceBytesMax = 32
  private static let pasteEnd = Array("\u{1b}[201~".utf8)
  /// A longer paste arrives in pieces, so that the first of its lines can be run before the last has come.
  package static let pieceBytesMax = 64 << 20

  /// - Parameter known: keys by the sequence that the terminal sends for them; each begins with Esc.
  package init(known: [[UInt8]: Key] = [:]) {
    self.known = known.filter { $0.key.first == 0x1B && $0.key.count > 1 }
    beginnings = Set(self.known.keys.flatMap { key in key.indices.dropFirst().map { Array(key[..<$0]) } })
  }

  /// Bytes of the paste that is being received; `nil` outside of one.
  package var pastedCount: Int? { paste?.count }

  /// Whether an Esc came last, which is a key if nothing follows.
  package var hasEscape: Bool { sequence.count == 1 }

  /// Whether a key's sequence is incomplete, of which more than the Esc has come.
  package var isWithinSequence: Bool { sequence.count > 1 && sequence[1] != UInt8(ascii: "]") }

  /// Whether a sequence or a character is incomplete.
  package var isWithinKey: Bool { !sequence.isEmpty || !character.isEmpty }

  /// The keys that are complete with this byte: most often one or none.
  package mutating func take(_ byte: UInt8) -> [Key] {
    if paste != nil { return takePasted(byte) }
    if !sequence.isEmpty { return takeSequence(byte) }
    if !character.isEmpty { return takeCharacter(byte) }
    switch byte {
    case 0x1B: sequence = [byte]
    case ..<0x80: return [Self.key(byte)].compactMap { $0 }
    case 0xC2...0xF4: character = [byte]
    default: return [Self.raw(byte)]
    }
    return []
  }

  /// Nothing came for a while: an Esc was the key, and half a sequence or character is all there will be of it.
  package mutating func flush() -> [Key] {
    defer { (sequence, character) = ([], []) }
    return hasEscape ? [.escape] : character.map(Self.raw)
  }

  /// The Esc that was taken for a key begins a sequence after all.
  package mutating func resumeEscape() { sequence = [0x1B] }

  /// Ends a paste whose closing sequence was lost: the bytes received so far are the paste.
  package mutating func endPaste() -> [Key] {
    guard let bytes = paste else { return [] }
    paste = nil
    return bytes.isEmpty ? [] : [.paste(ByteText.encode(bytes))]
  }

  // MARK: - Sequences

  private mutating func takeSequence(_ byte: UInt8) -> [Key] {
    sequence.append(byte)
    if let key = known[sequence] { return end([key]) }
    if beginnings.contains(sequence) { return [] }
    if sequence.count == 2 { return takeBehindEscape(byte) }
    if sequence[1] == UInt8(ascii: "]") { return takeAnswer(byte) }
    switch byte {
    case 0x1B:
      sequence = [byte]
      return []
    // A byte that is no part of a sequence ends it.
    case ..<0x20:
      sequence = []
      return take(byte)
    default: break
    }
    let isShort = sequence[1] == UInt8(ascii: "O")
    if !isShort, sequence[2] == UInt8(ascii: "M") {
      return sequence.count == 6 ? end([oldMouse].compactMap { $0 }) : []
    }
    if !isShort, sequence[2] == UInt8(ascii: "[") {
      return sequence.count == 4 ? end([consoleKey].compactMap { $0 }) : []
    }
    guard (0x40...0x7E).contains(byte) else { return sequence.count < Self.sequenceBytesMax ? [] : end([]) }
    if sequence.dropFirst(2).elementsEqual("200~".utf8) {
      paste = []
      return end([])
    }
    return end([named(byte, String(decoding: sequence.dropFirst(2).dropLast(), as: UTF8.self))].compactMap { $0 })
  }

  // MARK: - Answers

  /// `Esc ] 11 ; rgb:RRRR/GGGG/BBBB`, ended by BEL or `Esc \`.
  private mutating func takeAnswer(_ byte: UInt8) -> [Key] {
    let isEnd = byte == 0x07 || byte == UInt8(ascii: "\\") && sequence[sequence.count - 2] == 0x1B
    guard isEnd else { return sequence.count < Self.answerBytesMax ? [] : end([]) }
    let text = String(decoding: sequence.dropFirst(2).prefix { $0 != 0x07 && $0 != 0x1B }, as: UTF8.self)
    guard text.hasPrefix("11;rgb:") else { return end([]) }
    // One to four digits each: the first two say enough.
    let levels = text.dropFirst(7).split(separator: "/").map { part in
      Int(part.prefix(2), radix: 16).map { part.count == 1 ? $0 * 17 : $0 }
    }
    guard levels.count == 3, let red = levels[0], let green = levels[1], let blue = levels[2] else { return end([]) }
    return end([.background(.rgb(red, green, blue))])
  }

  private static let answerBytesMax = 64

  private mutating func end(_ keys: [Key]) -> [Key] {
    sequence = []
    return keys
  }

  private mutating func takeBehindEscape(_ byte: UInt8) -> [Key] {
    switch byte {
    case UInt8(ascii: "["), UInt8(ascii: "O"), UInt8(ascii: "]"): return []
    case 0x1B:
      sequence = [byte]
      return [.escape]
    case 0x20..<0x7F: return end([.alt(Character(Unicode.Scalar(byte)))])
    case 0x7F: return end([.control("w")])
    default:
      sequence = []
      return [.escape] + take(byte)
    }
  }

  private func named(_ last: UInt8, _ parameters: String) -> Key? {
    if parameters.hasPrefix("<") { return mouse(parameters.dropFirst(), isPress: last == UInt8(ascii: "M")) }
    // `1;5` and `1;3` are Ctrl and Alt.
    let isWordwise = parameters.hasSuffix(";5") || parameters.hasSuffix(";3")
    switch last {
    case UInt8(ascii: "A"): return .up
    case UInt8(ascii: "B"): return .down
    case UInt8(ascii: "C"): return isWordwise ? .wordRight : .right
    case UInt8(ascii: "D"): return isWordwise ? .wordLeft : .left
    case UInt8(ascii: "H"): return .home
    case UInt8(ascii: "F"): return .end
    case UInt8(ascii: "M"): return .enter
    case UInt8(ascii: "P")...UInt8(ascii: "S") where parameters.isEmpty: return .function(Int(last) - 0x4F)
    case UInt8(ascii: "Z"): return .backTab
    case UInt8(ascii: "~"): return numbered(Int(parameters.prefix { $0 != ";" }))
    default: return nil
    }
  }

  private func numbered(_ number: Int?) -> Key? {
    switch number {
    case 1, 7: .home
    case 3: .delete
    case 4, 8: .end
    case 5: .pageUp
    case 6: .pageDown
    case let number? where (11...15).contains(number): .function(number - 10)
    case let number? where (17...21).contains(number): .function(number - 11)
    case let number? where (23...24).contains(number): .function(number - 12)
    default: nil
    }
  }

  /// Linux's console sends `Esc [ [ A` for F1, and on to F5.
  private var consoleKey: Key? {
    let letter = Int(sequence[3]) - 0x40
    return (1...5).contains(letter) ? .function(letter) : nil
  }

  // MARK: - The mouse

  /// `Esc [ < BUTTON ; COLUMN ; ROW M`, from 1.
  private func mouse(_ parameters: Substring, isPress: Bool) -> Key? {
    let numbers = parameters.split(separator: ";").map { Int($0) ?? 0 }
    guard isPress, numbers.count == 3 else { return nil }
    return Self.mouse(numbers[0], column: numbers[1] - 1, row: numbers[2] - 1)
  }

  /// `Esc [ M` and three bytes, each 32 more than its number.
  private var oldMouse: Key? {
    Self.mouse(Int(sequence[3]) - 32, column: Int(sequence[4]) - 33, row: Int(sequence[5]) - 33)
  }

  private static func mouse(_ button: Int, column: Int, row: Int) -> Key? {
    guard column >= 0, row >= 0, column < 1 << 16, row < 1 << 16 else { return nil }
    switch button {
    case 0: return .mouse(.press, column: column, row: row)
    case 2: return .mouse(.rightPress, column: column, row: row)
    case 64: return .mouse(.wheelUp, column: column, row: row)
    case 65: return .mouse(.wheelDown, column: column, row: row)
    default: return nil
    }
  }

  // MARK: - Characters

  private mutating func takeCharacter(_ byte: UInt8) -> [Key] {
    let count = (~character[0]).leadingZeroBitCount
    guard byte & 0xC0 == 0x80 else {
      let lost = character.map(Self.raw)
      character = []
      return lost + take(byte)
    }
    character.append(byte)
    guard character.count == count else { return [] }
    defer { character = [] }
    return ByteText.encode(character).unicodeScalars.map { .character(Character($0)) }
  }

  private static func raw(_ byte: UInt8) -> Key { .character(Character(ByteText.mark(byte))) }

  private static func key(_ byte: UInt8) -> Key? {
    switch byte {
    case 0, 28...31: nil
    case 9: .tab
    case 10, 13: .enter
    case 8, 127: .backspace
    case 1...26: .control(Character(Unicode.Scalar(byte + 96)))
    default: .character(Character(Unicode.Scalar(byte)))
    }
  }

  // MARK: - Pasted text

  /// Nothing in a paste is a key: it ends with its own sequence, and all before it is text.
  private mutating func takePasted(_ byte: UInt8) -> [Key] {
    paste?.append(byte)
    guard let bytes = paste else { return [] }
    if byte == UInt8(ascii: "~"), bytes.suffix(Self.pasteEnd.count).elementsEqual(Self.pasteEnd) {
      paste?.removeLast(Self.pasteEnd.count)
      return endPaste()
    }
    // A piece ends with a line, so that it cannot cut the closing sequence.
    guard bytes.count >= Self.pieceBytesMax, byte == 0x0A || byte == 0x0D else { return [] }
    defer { paste = [] }
    return endPaste()
  }
}
