import Glibc

/// Any bytes, carried through code that knows only `String`: the argument parser, the line editor, the history.
///
/// `String` replaces what is not UTF-8, and a key, value or path would silently become another one. So each byte that is
/// no UTF-8 becomes a character of Unicode's last private block, U+10FE00 + byte, and is turned back where the bytes are
/// used. Characters of that block in the input are taken apart the same way, which makes the mapping exact in both
/// directions. (Python's `surrogateescape` is the model; Swift strings hold no surrogates.)
package enum ByteText {
  private static let base: UInt32 = 0x10FE00
  /// The first byte of every character of the last plane: what has none needs no second look.
  private static let planeByte: UInt8 = 0xF4

  /// The program's arguments, without its name.
  package static func arguments() -> [String] {
    (1..<max(1, Int(CommandLine.argc))).compactMap { index in
      CommandLine.unsafeArgv[index].map { encode(cString: $0) }
    }
  }

  /// An environment variable that is set and not empty.
  package static func variable(_ name: String) -> String? {
    getenv(name).map { encode(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The bytes up to the first zero, as text.
  package static func encode(cString: UnsafePointer<CChar>) -> String {
    encode(UnsafeBufferPointer(start: cString, count: strlen(cString)).map(UInt8.init(bitPattern:)))
  }

  /// Any bytes, as a string that ``decode(_:)`` turns back into them.
  package static func encode(_ bytes: some Collection<UInt8>) -> String {
    let bytes = Array(bytes)
    if let text = String(validating: bytes, as: UTF8.self), !bytes.contains(planeByte) || !hasMark(text) { return text }
    var scalars = String.UnicodeScalarView()
    var rest = bytes[...]
    while let first = rest.first {
      let length = min(rest.count, max(1, (~first).leadingZeroBitCount))
      if let text = String(validating: rest.prefix(length), as: UTF8.self), !hasMark(text) {
        scalars.append(contentsOf: text.unicodeScalars)
        rest = rest.dropFirst(length)
      } else {
        scalars.append(mark(first))
        rest = rest.dropFirst()
      }
    }
    return String(scalars)
  }

  /// The character that stands for a byte which is no UTF-8.
  package static func mark(_ byte: UInt8) -> Unicode.Scalar { Unicode.Scalar(base + UInt32(byte))! }

  /// The bytes that `text` stands for.
  package static func decode(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    guard bytes.contains(planeByte), hasMark(text) else { return bytes }
    return text.unicodeScalars.flatMap { scalar in
      isMark(scalar) ? [UInt8(scalar.value - base)] : Array(UTF8.encode(scalar)!)
    }
  }

  /// The bytes that `text` stands for, as the system takes a path: with a zero behind them.
  package static func path(_ text: String) -> [CChar] { (decode(text) + [0]).map(CChar.init(bitPattern:)) }

  /// Whether every byte that `text` stands for is UTF-8.
  package static func isUTF8(_ text: String) -> Bool { !hasMark(text) }

  private static func hasMark(_ text: String) -> Bool { text.unicodeScalars.contains(where: isMark) }

  package static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    (base...(base + 0xFF)).contains(scalar.value)
  }
}
