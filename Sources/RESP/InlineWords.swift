/// The words of a line as a person types it, quoted as in Redis (`sdssplitargs`): `"a\r\n\x00"` knows escapes, `'it\'s'` only
/// that of its own quote, and behind a closing quote a space must follow.
struct InlineWords {
  enum Step { case word, end, unbalanced }

  private let line: UnsafeRawBufferPointer
  private let words: UnsafeMutableRawBufferPointer
  private var at = 0
  /// Bytes of the words so far.
  private(set) var written = 0

  /// - Parameter words: room for as many bytes as the line has: no escape makes a word longer.
  init(_ line: UnsafeRawBufferPointer, into words: UnsafeMutableRawBufferPointer) {
    precondition(words.count >= line.count, "\(line.count) bytes of words have room for \(words.count)")
    (self.line, self.words) = (line, words)
  }

  private mutating func append(_ byte: UInt8) {
    words[written] = byte
    written += 1
  }

  /// Writes the next word behind the last.
  mutating func next() -> Step {
    while at < line.count, isSpace(at) { at += 1 }
    guard at < line.count else { return .end }
    while at < line.count, !isSpace(at) {
      switch line[at] {
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        guard takeQuoted() else { return .unbalanced }
        return .word
      default:
        append(line[at])
        at += 1
      }
    }
    return .word
  }

  /// Reads a quoted word; false if its closing quote is missing, or is followed by anything but a blank.
  private mutating func takeQuoted() -> Bool {
    let quote = line[at]
    at += 1
    while at < line.count {
      if line[at] == quote {
        at += 1
        return at == line.count || isSpace(at)
      }
      if line[at] == UInt8(ascii: "\\"), at + 1 < line.count {
        if quote == UInt8(ascii: "\"") {
          takeEscape()
          continue
        }
        if line[at + 1] == quote { at += 1 }
      }
      append(line[at])
      at += 1
    }
    return false
  }

  private mutating func takeEscape() {
    if line[at + 1] == UInt8(ascii: "x"), at + 3 < line.count, let high = Self.hex(line[at + 2]),
      let low = Self.hex(line[at + 3])
    {
      append(high << 4 | low)
      at += 4
      return
    }
    let escaped = line[at + 1]
    switch escaped {
    case UInt8(ascii: "n"): append(0x0A)
    case UInt8(ascii: "r"): append(0x0D)
    case UInt8(ascii: "t"): append(0x09)
    case UInt8(ascii: "b"): append(0x08)
    case UInt8(ascii: "a"): append(0x07)
    default: append(escaped)
    }
    at += 2
  }

  /// The spaces of C.
  private func isSpace(_ index: Int) -> Bool { line[index] == 0x20 || (0x09...0x0D).contains(line[index]) }

  private static func hex(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
