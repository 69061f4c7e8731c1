import CTerminal
import Dashboard
import Glibc

/// Key presses as they arrive at standard input, and when to wait no longer for the rest of one.
struct KeyReader {
  private var decoder: KeyDecoder
  private var lastInputNs: UInt64 = 0
  /// Whether the terminal says where a paste begins and ends.
  private let marksPastes: Bool

  /// Esc by itself is a key; the rest of a sequence comes well within this time.
  private static let escapeNs: UInt64 = 25_000_000
  /// Half a sequence is all there will be of it.
  private static let sequenceNs: UInt64 = 250_000_000
  /// A paste that is silent for so long has lost its end. Without a limit every key from then on would be taken for
  /// pasted text.
  private static let pasteNs: UInt64 = 1_000_000_000
  /// Read before the screen is drawn again.
  private static let roundBytesMax = 1 << 20

  init(marksPastes: Bool) {
    self.marksPastes = marksPastes
    var known: [[UInt8]: Key] = [:]
    for (capability, key) in Self.capabilities {
      guard let sequence = ct_key_sequence(capability) else { continue }
      known[Array(UnsafeBufferPointer(start: sequence, count: strlen(sequence))).map(UInt8.init(bitPattern:))] = key
    }
    decoder = KeyDecoder(known: known)
  }

  /// When ``overdue(atNs:)`` is to be asked next; `nil` if nothing is incomplete.
  var deadlineNs: UInt64? {
    if decoder.pastedCount != nil { return lastInputNs + Self.pasteNs }
    guard decoder.isWithinKey else { return nil }
    return lastInputNs + (decoder.hasEscape ? Self.escapeNs : Self.sequenceNs)
  }

  /// Bytes of the paste that is being received, 0 if none is.
  var pastedCount: Int { decoder.pastedCount ?? 0 }

  /// What is complete because nothing more came.
  mutating func overdue(atNs now: UInt64) -> [Key] {
    guard let deadline = deadlineNs, now >= deadline else { return [] }
    return decoder.pastedCount == nil ? decoder.flush() : decoder.endPaste()
  }

  /// What has been pressed since the last call; `nil` at the end of the input. Call it when there is something to read.
  mutating func read(atNs now: UInt64) -> [Key]? {
    var keys = overdue(atNs: now)
    lastInputNs = now
    var count = 0
    repeat {
      guard let bytes = Self.readBytes() else { return keys }
      guard !bytes.isEmpty else { return count > 0 || !keys.isEmpty ? keys : nil }
      count += bytes.count
      if !marksPastes, let text = Self.unmarkedPaste(bytes) {
        keys += decoder.flush() + [.paste(text)]
      } else {
        for byte in bytes { keys += decoder.take(byte) }
      }
    } while count < Self.roundBytesMax && Self.isReadable
    return keys
  }

  /// Several lines that arrive at once were not typed: run one after another, they mean what they say. Only where no
  /// terminal marks them; everywhere else keys are keys however fast they come.
  private static func unmarkedPaste(_ bytes: [UInt8]) -> String? {
    let isText = bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 9 || $0 == 10 || $0 == 13 }
    guard isText, let end = bytes.firstIndex(where: { $0 == 10 || $0 == 13 }), end + 2 < bytes.count else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }

  /// None at the end of the input; `nil` if another reader of the terminal was quicker.
  private static func readBytes() -> [UInt8]? {
    var isTaken = false
    let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
      var got: Int
      repeat { got = Glibc.read(STDIN_FILENO, buffer.baseAddress, buffer.count) } while got < 0 && errno == EINTR
      isTaken = got < 0 && errno == EAGAIN
      count = max(0, got)
    }
    return isTaken ? nil : bytes
  }

  private static var isReadable: Bool {
    var source = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    return poll(&source, 1, 0) > 0 && source.revents & Int16(POLLIN) != 0
  }

  /// Keys by their names in terminfo.
  private static let capabilities: [(String, Key)] =
    [
      ("kcuu1", .up), ("kcud1", .down), ("kcub1", .left), ("kcuf1", .right), ("khome", .home), ("kend", .end),
      ("kpp", .pageUp), ("knp", .pageDown), ("kdch1", .delete), ("kbs", .backspace), ("kent", .enter),
      ("kcbt", .backTab),
    ] + (1...12).map { ("kf\($0)", .function($0)) }
}
