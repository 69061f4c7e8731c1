/// Takes a terminal's bytes apart into keys, one byte at a time, so that what follows an Enter can be left to whoever
/// reads next. Pure; the dashboard has ncurses for it, which knows every terminal, and line mode shall work without.
///
/// Sequences are those that all terminals in use have in common (ECMA-48, xterm). Esc is the beginning of one, or Alt: no
/// clock tells whether more is coming, so Esc alone is known at the next key, as in readline.
package struct KeyDecoder: Sendable {
  private enum State {
    case plain
    case escape
    /// Behind `Esc [` or `Esc O`: what came so far.
    case sequence([UInt8], isShort: Bool)
    /// Bytes of a UTF-8 sequence, and how many there will be.
    case scalar([UInt8], count: Int)
  }

  private var state = State.plain
  /// What is being pasted, since its last new line.
  private var paste: [UInt8]?
  private var lastPasted: UInt8 = 0

  /// A sequence that is longer was none.
  private static let sequenceBytesMax = 16

  package init() {}

  /// The keys that are complete with this byte: most often one or none.
  package mutating func take(_ byte: UInt8) -> [Key] {
    switch state {
    case .sequence(let bytes, let isShort): return take(byte, behind: bytes, isShort)
    case .scalar(let bytes, let count): return take(byte, behind: bytes, count)
    case .escape: return takeBehindEscape(byte)
    case .plain: break
    }
    if byte == 0x1B {
      state = .escape
      return []
    }
    if paste != nil { return takePasted(byte) }
    return byte < 0x80 ? [Self.key(Unicode.Scalar(byte))].compactMap { $0 } : begin(byte)
  }

  private mutating func takeBehindEscape(_ byte: UInt8) -> [Key] {
    state = .plain
    switch byte {
    case UInt8(ascii: "["), UInt8(ascii: "O"): state = .sequence([], isShort: byte == UInt8(ascii: "O"))
    case 0x1B:
      state = .escape
      return [.escape]
    case 0x20..<0x7F where paste == nil: return [.alt(Character(Unicode.Scalar(byte)))]
    case 0x7F where paste == nil: return [.control("w")]
    default: return (paste == nil ? [.escape] : []) + take(byte)
    }
    return []
  }

  // MARK: - Sequences

  private mutating func take(_ byte: UInt8, behind bytes: [UInt8], _ isShort: Bool) -> [Key] {
    if byte == 0x1B {
      state = .escape
      return []
    }
    let isLast = (0x40...0x7E).contains(byte)
    guard isLast else {
      state = bytes.count < Self.sequenceBytesMax ? .sequence(bytes + [byte], isShort: isShort) : .plain
      return []
    }
    state = .plain
    let parameters = String(decoding: bytes, as: UTF8.self)
    switch (byte, parameters) {
    case (UInt8(ascii: "~"), "200"):
      (paste, lastPasted) = ([], 0)
      return []
    case (UInt8(ascii: "~"), "201"):
      defer { paste = nil }
      return pasted()
    default:
      return paste == nil ? [Self.named(byte, parameters)].compactMap { $0 } : []
    }
  }

  private static func named(_ last: UInt8, _ parameters: String) -> Key? {
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
    case UInt8(ascii: "Z"): return .backTab
    case UInt8(ascii: "~"): break
    default: return nil
    }
    switch parameters.prefix(while: { $0 != ";" }) {
    case "1", "7": return .home
    case "3": return .delete
    case "4", "8": return .end
    case "5": return .pageUp
    case "6": return .pageDown
    default: return nil
    }
  }

  // MARK: - Characters

  private mutating func begin(_ byte: UInt8) -> [Key] {
    let count = (~byte).leadingZeroBitCount
    guard (2...4).contains(count) else { return [.character("\u{FFFD}")] }
    state = .scalar([byte], count: count)
    return []
  }

  private mutating func take(_ byte: UInt8, behind bytes: [UInt8], _ count: Int) -> [Key] {
    state = .plain
    guard byte & 0xC0 == 0x80 else { return [.character("\u{FFFD}")] + take(byte) }
    let bytes = bytes + [byte]
    guard bytes.count == count else {
      state = .scalar(bytes, count: count)
      return []
    }
    guard let scalar = String(validating: bytes, as: UTF8.self)?.unicodeScalars.first else {
      return [.character("\u{FFFD}")]
    }
    return [.character(Character(scalar))]
  }

  private static func key(_ scalar: Unicode.Scalar) -> Key? {
    switch scalar.value {
    case 0, 28...31: nil
    case 9: .tab
    case 10, 13: .enter
    case 8, 127: .backspace
    case 1...26: .control(Character(Unicode.Scalar(UInt8(scalar.value) + 96)))
    default: .character(Character(scalar))
    }
  }

  // MARK: - Pasted text

  /// Each pasted line is run, as if it had been typed; a last one without its end waits for Enter.
  private mutating func takePasted(_ byte: UInt8) -> [Key] {
    defer { lastPasted = byte }
    guard byte == 0x0A || byte == 0x0D else {
      paste?.append(byte)
      return []
    }
    // CR LF is one end of line.
    if byte == 0x0A, lastPasted == 0x0D { return [] }
    return pasted() + [.enter]
  }

  private mutating func pasted() -> [Key] {
    defer { paste = [] }
    guard let bytes = paste, !bytes.isEmpty else { return [] }
    return [.paste(String(decoding: bytes, as: UTF8.self))]
  }
}
