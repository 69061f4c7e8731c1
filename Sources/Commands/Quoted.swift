/// Bytes as text that the command language reads back as the same bytes: between double quotes, with its escapes.
///
/// Printable text of any language stays readable; everything else, and what is not UTF-8, becomes `\xHH`.
package enum Quoted {
  package static func text(_ bytes: some Sequence<UInt8>) -> String {
    let bytes = Array(bytes)
    var text = "\""
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
    return text + "\""
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
