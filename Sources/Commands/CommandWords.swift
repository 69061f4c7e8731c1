import ClusterModel

/// Cuts a line into words: a pure cursor over bytes.
///
/// A quote means something only where a word begins, so `it's` and `5"` are what they look like. Double quotes take
/// `\n \t \\ \" \xHH`, single quotes take everything literally, and what follows a closing quote must be white space.
/// Shell-like concatenation (`a"b c"d`) was rejected: nobody needs it here, and it would give quotes inside plain
/// values a meaning. White space is space, tab, carriage return and newline; no other byte is ever special, so any
/// UTF-8 and any bytes that are not UTF-8 pass through.
package struct CommandWords {
  private let line: [UInt8]
  private var position = 0
  /// Nothing behind is an option.
  package var takesRestLiterally = false

  package init(_ line: [UInt8]) {
    self.line = line
  }

  /// The next word, or `nil` at the end of the line.
  package mutating func next() throws(CommandError) -> [UInt8]? {
    skipWhiteSpace()
    guard position < line.count else { return nil }
    switch line[position] {
    case Ascii.doubleQuote, Ascii.singleQuote:
      let word = try quoted()
      if position < line.count, !Ascii.isWhiteSpace(line[position]) {
        throw .textAfterQuote(nil, column: column(of: position - 1))
      }
      return word
    default:
      let start = position
      while position < line.count, !Ascii.isWhiteSpace(line[position]) { position += 1 }
      return Array(line[start..<position])
    }
  }

  /// The next word, if it stands without quotes and begins as an option does; it is not taken.
  package mutating func option() -> String? {
    skipWhiteSpace()
    let word = line[position...].prefix { !Ascii.isWhiteSpace($0) }
    return word.starts(with: "--".utf8) ? String(decoding: word, as: UTF8.self) : nil
  }

  /// Takes ``Command/consistencyOption`` and its level, if both come next and something follows them.
  mutating func levelBeforeRest() -> Consistency? {
    guard let option = option(), option == Command.consistencyOption else { return nil }
    var behind = self
    behind.skipWord()
    behind.skipWhiteSpace()
    let word = line[behind.position...].prefix { !Ascii.isWhiteSpace($0) }
    guard let level = Consistency(rawValue: String(decoding: word, as: UTF8.self).lowercased()) else { return nil }
    behind.skipWord()
    behind.skipWhiteSpace()
    guard behind.position < line.count else { return nil }
    self = behind
    return level
  }

  /// Skips the next word.
  package mutating func skipWord() {
    skipWhiteSpace()
    while position < line.count, !Ascii.isWhiteSpace(line[position]) { position += 1 }
  }

  /// The rest of the line, but for ``Command/consistencyOption`` and its level at the end: one quoted word, or,
  /// unquoted, everything, trimmed; `nil` if nothing is.
  package mutating func rest(of name: CommandName) throws(CommandError) -> [UInt8]? {
    skipWhiteSpace()
    guard position < line.count else { return nil }
    let first = line[position]
    if first == Ascii.doubleQuote || first == Ascii.singleQuote {
      let word = try quoted()
      let closing = position - 1
      skipWhiteSpace()
      let hasOption =
        name == .put && !takesRestLiterally && line[position...].starts(with: Command.consistencyOption.utf8)
      guard position == line.count || hasOption else {
        throw .textAfterQuote(name, column: column(of: closing))
      }
      return word
    }
    let end = endOfRest(of: name)
    guard end > position else { return nil }
    let value = Array(line[position..<end])
    position = end
    return value
  }

  /// Where an unquoted rest ends, white space left out: at the end of the line, or before a ``Command/consistencyOption``
  /// that is the last word but one.
  private func endOfRest(of name: CommandName) -> Int {
    let end = lastWord(before: line.count).upperBound
    guard name == .put, !takesRestLiterally else { return end }
    let last = lastWord(before: end)
    if line[last].starts(with: "\(Command.consistencyOption)=".utf8) {
      return max(position, lastWord(before: last.lowerBound).upperBound)
    }
    let option = lastWord(before: lastWord(before: end).lowerBound)
    guard line[option].elementsEqual(Command.consistencyOption.utf8) else { return end }
    return max(position, lastWord(before: option.lowerBound).upperBound)
  }

  /// The last word that ends at `end` or before; empty, and at the cursor, if there is none.
  private func lastWord(before end: Int) -> Range<Int> {
    var end = end
    while end > position, Ascii.isWhiteSpace(line[end - 1]) { end -= 1 }
    var start = end
    while start > position, !Ascii.isWhiteSpace(line[start - 1]) { start -= 1 }
    return start..<end
  }

  private mutating func skipWhiteSpace() {
    while position < line.count, Ascii.isWhiteSpace(line[position]) { position += 1 }
  }

  /// Reads the quoted word at the cursor and leaves the cursor behind its closing quote.
  private mutating func quoted() throws(CommandError) -> [UInt8] {
    let opening = position
    let quote = line[opening]
    var word: [UInt8] = []
    position += 1
    while position < line.count {
      let byte = line[position]
      if byte == quote {
        position += 1
        return word
      }
      if byte == Ascii.backslash, quote == Ascii.doubleQuote {
        word.append(try escape())
      } else {
        word.append(byte)
        position += 1
      }
    }
    throw .unterminatedQuote(quote: Character(Unicode.Scalar(quote)), column: column(of: opening))
  }

  /// Reads the backslash sequence at the cursor.
  private mutating func escape() throws(CommandError) -> UInt8 {
    let start = position
    let letter = start + 1 < line.count ? line[start + 1] : 0
    position = min(start + 2, line.count)
    switch letter {
    case UInt8(ascii: "n"): return Ascii.newline
    case UInt8(ascii: "t"): return Ascii.tab
    case Ascii.backslash, Ascii.doubleQuote: return letter
    case UInt8(ascii: "x"):
      guard start + 3 < line.count, let high = Ascii.hexDigit(line[start + 2]),
        let low = Ascii.hexDigit(line[start + 3])
      else { throw .unknownEscape(text(from: start, byteCount: 4), column: column(of: start)) }
      position = start + 4
      return high << 4 | low
    default:
      throw .unknownEscape(text(from: start, byteCount: 2), column: column(of: start))
    }
  }

  /// The text at `start`, for an error: the character that `byteCount` bytes end in is shown whole, and a quote that
  /// ends the word is left out.
  private func text(from start: Int, byteCount: Int) -> String {
    var end = min(start + byteCount, line.count)
    while end < line.count, line[end] & 0xC0 == 0x80 { end += 1 }
    let shown = line[start..<end].prefix { $0 != Ascii.doubleQuote }
    return String(decoding: shown, as: UTF8.self)
  }

  /// Characters before `index`, plus one; a byte that continues a UTF-8 sequence is no character.
  private func column(of index: Int) -> Int {
    line[..<index].count { $0 & 0xC0 != 0x80 } + 1
  }
}

/// The bytes with a meaning in the command language.
package enum Ascii {
  package static let tab = UInt8(ascii: "\t")
  package static let newline = UInt8(ascii: "\n")
  package static let carriageReturn = UInt8(ascii: "\r")
  package static let space = UInt8(ascii: " ")
  package static let doubleQuote = UInt8(ascii: "\"")
  package static let singleQuote = UInt8(ascii: "'")
  package static let backslash = UInt8(ascii: "\\")

  package static func isWhiteSpace(_ byte: UInt8) -> Bool {
    byte == space || byte == tab || byte == carriageReturn || byte == newline
  }

  package static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
