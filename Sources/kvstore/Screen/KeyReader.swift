import CTerminal
import Dashboard

/// Key presses as they arrive; a paste is put together to one.
struct KeyReader {
  private var paste: String?
  private var lastInputNs: UInt64 = 0

  /// A paste that is silent for so long has lost its end: on a slow line a sequence may arrive in pieces too far apart
  /// to be known. Without a limit every key from then on would be taken for pasted text.
  private static let pasteSilenceNs: UInt64 = 1_000_000_000

  /// A paste that has lost its end, as it is.
  mutating func overduePaste(atNs now: UInt64) -> Key? {
    guard let pasted = paste, now > lastInputNs + Self.pasteSilenceNs else { return nil }
    paste = nil
    return .paste(pasted)
  }

  /// What has been pressed since the last call.
  mutating func read(atNs now: UInt64) -> [Key] {
    var keys: [Key] = []
    if let pasted = overduePaste(atNs: now) { keys.append(pasted) }
    lastInputNs = now
    while true {
      let raw = ct_read_key()
      if raw.kind == CT_NONE { return keys }
      if let key = take(raw) { keys.append(key) }
    }
  }

  private mutating func take(_ raw: ct_key) -> Key? {
    if raw.kind == CT_NAMED, raw.value == CT_KEY_PASTE_START.rawValue {
      paste = ""
      return nil
    }
    if let pasted = paste {
      if raw.kind == CT_NAMED, raw.value == CT_KEY_PASTE_END.rawValue {
        paste = nil
        return .paste(pasted)
      }
      if raw.kind == CT_SCALAR, let scalar = Unicode.Scalar(raw.value) { paste?.unicodeScalars.append(scalar) }
      return nil
    }
    switch raw.kind {
    case CT_SCALAR: return Unicode.Scalar(raw.value).flatMap(Self.key)
    case CT_MOUSE: return .mouse(Self.mouse(raw.value), column: Int(raw.column), row: Int(raw.row))
    case CT_ALT_SCALAR: return Unicode.Scalar(raw.value).map { .alt(Character($0)) }
    default: return Self.key(named: raw.value)
    }
  }

  private static func mouse(_ value: UInt32) -> Mouse {
    switch ct_mouse(rawValue: value) {
    case CT_MOUSE_WHEEL_UP: .wheelUp
    case CT_MOUSE_WHEEL_DOWN: .wheelDown
    default: .press
    }
  }

  private static func key(_ scalar: Unicode.Scalar) -> Key? {
    switch scalar.value {
    case 0: nil
    case 9: .tab
    case 10, 13: .enter
    case 8, 127: .backspace
    case 27: .escape
    case 1...26: .control(Character(Unicode.Scalar(UInt8(scalar.value) + 96)))
    case 28...31: nil
    default: .character(Character(scalar))
    }
  }

  private static func key(named value: UInt32) -> Key? {
    if value >= CT_KEY_F1.rawValue { return .function(Int(value - CT_KEY_F1.rawValue) + 1) }
    switch ct_key_name(rawValue: value) {
    case CT_KEY_UP: return .up
    case CT_KEY_DOWN: return .down
    case CT_KEY_LEFT: return .left
    case CT_KEY_RIGHT: return .right
    case CT_KEY_HOME: return .home
    case CT_KEY_END: return .end
    case CT_KEY_PAGE_UP: return .pageUp
    case CT_KEY_PAGE_DOWN: return .pageDown
    case CT_KEY_DELETE: return .delete
    case CT_KEY_BACKSPACE: return .backspace
    case CT_KEY_ENTER: return .enter
    case CT_KEY_BACK_TAB: return .backTab
    case CT_KEY_WORD_LEFT: return .wordLeft
    case CT_KEY_WORD_RIGHT: return .wordRight
    default: return nil
    }
  }
}
