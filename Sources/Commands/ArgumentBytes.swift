import Glibc

/// Carries arguments that are not UTF-8 through an argument parser that knows only `String`.
///
/// `CommandLine.arguments` replaces what is not UTF-8, and a key or value would silently become another one. So each
/// byte that is no UTF-8 becomes a character of Unicode's last private block, U+10FE00 + byte, and is turned back after
/// parsing. Characters of that block in the arguments are taken apart the same way, which makes the mapping exact in both
/// directions. (Python's `surrogateescape` is the model; Swift strings hold no surrogates.)
package enum ArgumentBytes {
  private static let base: UInt32 = 0x10FE00

  /// The program's arguments, without its name.
  package static func arguments() -> [String] {
    (1..<max(1, Int(CommandLine.argc))).compactMap { index in
      CommandLine.unsafeArgv[index].map { encode(Array(UnsafeBufferPointer(start: $0, count: strlen($0)))) }
    }
  }

  /// Any bytes, as a string that ``decode(_:)`` turns back into them.
  package static func encode(_ bytes: [CChar]) -> String {
    encode(bytes.map(UInt8.init(bitPattern:)))
  }

  package static func encode(_ bytes: [UInt8]) -> String {
    if let text = String(validating: bytes, as: UTF8.self), !text.unicodeScalars.contains(where: isMark) { return text }
    var scalars = String.UnicodeScalarView()
    var rest = bytes[...]
    while let first = rest.first {
      let length = min(rest.count, max(1, (~first).leadingZeroBitCount))
      if let text = String(validating: rest.prefix(length), as: UTF8.self), !text.unicodeScalars.contains(where: isMark)
      {
        scalars.append(contentsOf: text.unicodeScalars)
        rest = rest.dropFirst(length)
      } else {
        scalars.append(Unicode.Scalar(base + UInt32(first))!)
        rest = rest.dropFirst()
      }
    }
    return String(scalars)
  }

  /// The bytes that `text` stands for.
  package static func decode(_ text: String) -> [UInt8] {
    text.unicodeScalars.flatMap { scalar in
      isMark(scalar) ? [UInt8(scalar.value - base)] : Array(UTF8.encode(scalar)!)
    }
  }

  private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    (base...(base + 0xFF)).contains(scalar.value)
  }
}
