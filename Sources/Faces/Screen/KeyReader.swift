import Dashboard

/// Key presses out of the bytes that arrive, and when to wait no longer for the rest of one. Pure: the time comes in.
struct KeyReader {
  private var decoder: KeyDecoder
  private var lastInputNs: UInt64 = 0
  /// Whether an Esc came last, and was taken for a key because nothing followed.
  private var hadEscape = false
  /// Whether the terminal says where a paste begins and ends.
  private let marksPastes: Bool

  /// A lone Esc is a key; the rest of a sequence comes well within this time.
  private static let escapeNs: UInt64 = 25_000_000
  /// Half a sequence or character is all there will be of it, unless what comes next can only be its rest.
  private static let sequenceNs: UInt64 = 250_000_000
  /// The rest of a sequence that comes later than this is none.
  private static let tornNs: UInt64 = 1_000_000_000
  private static let openings = Set("[O]".utf8)
  /// A paste that is silent for this long has lost its end. Without a limit every key from then on would be taken for
  /// pasted text.
  private static let pasteNs: UInt64 = 1_000_000_000

  init(known: [[UInt8]: Key], marksPastes: Bool) {
    self.marksPastes = marksPastes
    decoder = KeyDecoder(known: known)
  }

  /// When ``overdue(atNs:)`` is to be asked next; `nil` if nothing is incomplete.
  var deadlineNs: UInt64? {
    if decoder.pastedCount != nil { return lastInputNs + Self.pasteNs }
    // Half a key's sequence types nothing: it can wait until it is seen what comes next.
    guard decoder.isWithinKey, !decoder.isWithinSequence else { return nil }
    return lastInputNs + (decoder.hasEscape ? Self.escapeNs : Self.sequenceNs)
  }

  /// Bytes of the paste that is being received, 0 if none is.
  var pastedCount: Int { decoder.pastedCount ?? 0 }

  /// Keys that are complete because nothing more came.
  mutating func overdue(atNs now: UInt64) -> [Key] {
    guard let deadline = deadlineNs, now >= deadline else { return [] }
    guard decoder.pastedCount == nil else { return decoder.endPaste() }
    hadEscape = decoder.hasEscape
    return decoder.flush()
  }

  /// The keys that are complete with these bytes, which arrived together.
  mutating func take(_ bytes: [UInt8], atNs now: UInt64) -> [Key] {
    var keys = overdue(atNs: now)
    // Over a slow line a sequence may be torn behind its Esc. Nobody types the rest of one at once.
    if hadEscape, bytes.count > 1, Self.openings.contains(bytes[0]), now < lastInputNs + Self.tornNs {
      decoder.resumeEscape()
    }
    if decoder.isWithinSequence, now >= lastInputNs + Self.sequenceNs, !Self.isRest(bytes) { keys += decoder.flush() }
    hadEscape = false
    lastInputNs = now
    if !marksPastes, let text = Self.unmarkedPaste(bytes) {
      keys += decoder.flush() + [.paste(text)]
    } else {
      for byte in bytes { keys += decoder.take(byte) }
    }
    return keys
  }

  /// Whether bytes begin with the rest of a key's sequence: figures, and a capital letter or `~`, as hardly anything typed does.
  private static func isRest(_ bytes: [UInt8]) -> Bool {
    let figures = bytes.prefix { (0x30...0x3F).contains($0) }
    guard let last = bytes.dropFirst(figures.count).first else { return figures.count > 1 }
    return (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(last) || last == UInt8(ascii: "~")
      || figures.count > 1 && last == UInt8(ascii: "m")
  }

  /// Several lines that arrive at once were not typed: run one after another, they mean what they say. Only where no
  /// terminal marks them; everywhere else keys are keys however fast they come.
  private static func unmarkedPaste(_ bytes: [UInt8]) -> String? {
    let isText = bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 9 || $0 == 10 || $0 == 13 }
    guard isText, let end = bytes.firstIndex(where: { $0 == 10 || $0 == 13 }), end + 2 < bytes.count else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }
}
