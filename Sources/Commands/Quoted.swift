/// Bytes as text that the command language reads back as the same bytes: between double quotes, with its escapes.
///
/// Printable text of any language stays readable; everything else, and what is not UTF-8, becomes `\xHH`.
package enum Quoted {
  package static func text(_ bytes: some Sequence<UInt8>) -> String { "\"\(escaping(Array(bytes), shown))\"" }

  /// Bytes as a terminal may see them: as they are, but for what would move its cursor, colour it or worse, which becomes
  /// `\xHH`. New lines and tabs stay.
  package static func printable(_ bytes: [UInt8]) -> [UInt8] {
    let isPlain = bytes.allSatisfy { (0x20..<0x7F).contains($0) || $0 == Ascii.newline || $0 == Ascii.tab }
    return isPlain ? bytes : Array(escaping(bytes, printed).utf8)
  }

  /// - Parameter shown: how a character stands in the text; `nil` where it is escaped byte by byte.
  private static func escaping(_ bytes: [UInt8], _ shown: (Unicode.Scalar) -> String?) -> String {
    var text = ""
    var rest = bytes[...]
    while let first = rest.first {
      let length = first < 0x80 ? 1 : min(rest.count, max(1, (~first).leadingZeroBitCount))
      let scalar = String(validating: rest.prefix(length), as: UTF8.self)?.unicodeScalars.first
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
    // What turns the direction of the text around would show another order than there is.
    case 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: nil
    default: scalar.properties.generalCategory == .control ? nil : String(scalar)
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
