/// Bytes as text that the command language reads back as the same bytes: between double quotes, with its escapes.
///
/// Printable text of any language stays readable; everything else, and what is not UTF-8, becomes `\xHH`.
package enum Quoted {
  package static func text(_ bytes: some Sequence<UInt8>) -> String { "\"\(escaping(Array(bytes), shown))\"" }

  /// Bytes as they are where they are one plain word or phrase, else quoted: for lists with one entry a line, which a
  /// newline in an entry would forge.
  package static func entry(_ bytes: [UInt8]) -> String {
    guard let text = String(validating: bytes, as: UTF8.self), let first = text.unicodeScalars.first,
      first != "\"", first != "'", first != " ", text.unicodeScalars.last != " ",
      text.unicodeScalars.allSatisfy({ $0 == "\\" || shown($0)?.unicodeScalars.count == 1 || $0 == "\"" })
    else { return self.text(bytes) }
    return text
  }

  /// Bytes as a terminal may see them: as they are, but for what would move its cursor, colour it or worse, which becomes
  /// `\xHH`. New lines and tabs stay.
  package static func printable(_ bytes: [UInt8]) -> [UInt8] {
    let isPlain = bytes.allSatisfy { (0x20..<0x7F).contains($0) || $0 == 0x0A || $0 == 0x09 }
    return isPlain ? bytes : Array(escaping(bytes, printed).utf8)
  }

  /// Text that may stand for any bytes (see ``ByteText``), as a terminal may see it.
  package static func printable(_ text: String) -> String {
    String(decoding: printable(ByteText.decode(text)), as: UTF8.self)
  }

  /// The beginning of bytes, as a screen may show it, and how many there are if that is not all.
  ///
  /// - Parameter isOnOneLine: new lines and tabs are escaped, too.
  /// - Complexity: O(`bytesMax`), however many bytes there are.
  package static func preview(_ bytes: [UInt8], bytesMax: Int, isOnOneLine: Bool = true) -> String {
    preview(bytes[...], bytesMax: bytesMax, isOnOneLine: isOnOneLine)
  }

  package static func preview(_ bytes: ArraySlice<UInt8>, bytesMax: Int, isOnOneLine: Bool = true) -> String {
    let shown = isOnOneLine ? onOneLine : printed
    guard bytes.count > bytesMax else { return escaping(bytes, shown) }
    var cut = bytes.prefix(bytesMax)
    // Not within a character: its first byte and up to three behind it would be escaped one by one.
    for _ in 0..<3 where bytes[cut.endIndex] & 0xC0 == 0x80 && cut.count > 1 { cut = cut.dropLast() }
    return escaping(cut, shown) + "… (\(Figures.count(bytes.count, "byte")))"
  }

  /// - Parameter shown: how a character stands in the text; `nil` where it is escaped byte by byte.
  private static func escaping(_ bytes: some Collection<UInt8>, _ shown: (Unicode.Scalar) -> String?) -> String {
    var text = ""
    var rest = Array(bytes)[...]
    while let first = rest.first {
      let length = first < 0x80 ? 1 : min(rest.count, max(1, (~first).leadingZeroBitCount))
      let scalar =
        first < 0x80
        ? Unicode.Scalar(first) : String(validating: rest.prefix(length), as: UTF8.self)?.unicodeScalars.first
      if let scalar, let shown = shown(scalar) {
        text += shown
        rest = rest.dropFirst(length)
      } else {
        let digits = String(first, radix: 16)
        text += digits.utf8.count == 1 ? "\\x0\(digits)" : "\\x\(digits)"
        rest = rest.dropFirst()
      }
    }
    return text
  }

  private static func printed(_ scalar: Unicode.Scalar) -> String? {
    switch scalar.value {
    case 0x09, 0x0A: String(scalar)
    default: scalar.isControl ? nil : String(scalar)
    }
  }

  private static func onOneLine(_ scalar: Unicode.Scalar) -> String? {
    switch scalar {
    case "\n": "\\n"
    case "\t": "\\t"
    default: scalar.isControl ? nil : String(scalar)
    }
  }

  /// `nil` for what must be escaped byte by byte.
  private static func shown(_ scalar: Unicode.Scalar) -> String? {
    switch scalar {
    case "\n": return "\\n"
    case "\t": return "\\t"
    case "\\": return "\\\\"
    case "\"": return "\\\""
    default: break
    }
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: return nil
    default: return String(scalar)
    }
  }
}
