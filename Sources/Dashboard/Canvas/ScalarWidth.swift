extension Unicode.Scalar {
  /// Columns the scalar takes on a terminal: 0, 1 or 2.
  ///
  /// Terminals disagree about rare scalars; the ranges below are those on which the common ones agree (Unicode's
  /// East Asian Width W and F, and emoji shown as pictures). Asking the C library instead would make a pure function
  /// depend on the locale.
  package var columns: Int {
    if value < 0x300 { return value == 0xAD ? 0 : 1 }
    if isZeroWidth { return 0 }
    return isWide ? 2 : 1
  }

  /// Whether the scalar would move the cursor or worse instead of drawing something.
  package var isControl: Bool {
    value < 0x20 || (0x7F..<0xA0).contains(value) || (0x200E...0x200F).contains(value)
      || (0x2028...0x202E).contains(value) || (0x2066...0x2069).contains(value)
  }

  private var isZeroWidth: Bool {
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: true
    default: (0x1160...0x11FF).contains(value)
    }
  }

  private var isWide: Bool {
    switch value {
    case ..<0x1100: false
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3,
      0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18CFF, 0x1B000...0x1B2FB,
      0x20000...0x3FFFD:
      true
    default: properties.isEmojiPresentation
    }
  }
}

extension String {
  /// Columns the string takes when it is drawn: wide characters count two, control characters one (shown as `·`).
  /// - Complexity: O(scalars).
  package var columns: Int {
    unicodeScalars.reduce(0) { $0 + ($1.isControl ? 1 : $1.columns) }
  }

  /// The string cut to at most `width` columns, with `ellipsis` at the end if something was cut.
  package func fitted(to width: Int, ellipsis: String) -> String {
    guard columns > width else { return self }
    let room = width - ellipsis.columns
    guard room >= 0 else { return String(ellipsis.prefix(Swift.max(0, width))) }
    var kept = UnicodeScalarView()
    var used = 0
    for scalar in unicodeScalars {
      used += scalar.isControl ? 1 : scalar.columns
      if used > room { break }
      kept.append(scalar)
    }
    return String(kept) + ellipsis
  }

  /// The string filled with blanks on the right, or cut, to exactly `width` columns.
  package func leftAligned(_ width: Int, ellipsis: String = "") -> String {
    let cut = fitted(to: width, ellipsis: ellipsis)
    return cut + String(repeating: " ", count: Swift.max(0, width - cut.columns))
  }

  /// The string filled with blanks on the left to `width` columns; longer ones are cut.
  package func rightAligned(_ width: Int) -> String {
    let cut = fitted(to: width, ellipsis: "")
    return String(repeating: " ", count: Swift.max(0, width - cut.columns)) + cut
  }

  /// The string broken into lines of at most `width` columns, at blanks where there are any.
  package func wrapped(to width: Int) -> [String] {
    guard width > 0 else { return [] }
    var lines: [String] = []
    var line = ""
    for word in split(separator: " ", omittingEmptySubsequences: false) {
      let candidate = lines.isEmpty && line.isEmpty ? String(word) : line.isEmpty ? String(word) : line + " " + word
      if candidate.columns <= width {
        line = candidate
        continue
      }
      if !line.isEmpty { lines.append(line) }
      line = String(word)
      while line.columns > width {
        let head = line.fitted(to: width, ellipsis: "")
        // A wide character in a single column: nothing fits, so nothing is shown of it.
        guard !head.isEmpty else { return lines }
        lines.append(head)
        line = String(line.unicodeScalars.dropFirst(head.unicodeScalars.count))
      }
    }
    return lines + [line]
  }
}
