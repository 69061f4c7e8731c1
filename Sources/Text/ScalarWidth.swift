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

  /// Whether the scalar would do something to a terminal instead of drawing something: move its cursor, colour it, or
  /// turn the direction of the text around, so that another order is seen than there is. A terminal never gets it.
  ///
  /// Only these invisible characters pass: the joiners, which scripts and emoji need, and the marks of Arabic and Syriac
  /// that stand before a number and are drawn.
  package var isControl: Bool {
    if value < 0x300 { return value < 0x20 || (0x7F..<0xA0).contains(value) || value == 0xAD }
    // No such character is among symbols, frames, braille and the scripts of East Asia, and these are most of a frame.
    if (0x2070..<0xD800).contains(value) { return false }
    switch properties.generalCategory {
    case .lineSeparator, .paragraphSeparator: return true
    case .format: break
    default: return ByteText.isMark(self)
    }
    switch value {
    case 0x200C, 0x200D, 0x600...0x605, 0x6DD, 0x70F, 0x890...0x891, 0x8E2, 0x110BD, 0x110CD: return false
    default: return true
    }
  }

  /// Whether the scalar is drawn over the one before it: accents, vowel signs, the later parts of a Hangul syllable.
  /// Variation selectors are none, because terminals disagree about the width of what they select.
  package var isMark: Bool {
    switch value {
    case ..<0x300, 0xFE00...0xFE0F, 0xE0100...0xE01EF: return false
    case 0x1160...0x11FF: return true
    default: break
    }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return true
    default: return false
    }
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
  /// - Complexity: O(`width`), however long the string is, but for marks drawn over one character.
  package func fitted(to width: Int, ellipsis: String) -> String {
    let room = width - ellipsis.columns
    var used = 0
    // End of the part that fits beside the ellipsis.
    var cut = startIndex
    for index in unicodeScalars.indices {
      let scalar = unicodeScalars[index]
      used += scalar.isControl ? 1 : scalar.columns
      if used <= room { cut = unicodeScalars.index(after: index) }
      guard used <= width else {
        return room >= 0 ? self[..<cut] + ellipsis : String(ellipsis.prefix(Swift.max(0, width)))
      }
    }
    return self
  }

  /// The string cut to at most `width` columns, with `ellipsis` in its middle if something was cut: of names that begin or end
  /// alike both ends say something.
  package func middleFitted(to width: Int, ellipsis: String) -> String {
    let all = Array(self)
    func columns(_ characters: ArraySlice<Character>) -> Int { String(characters).columns }
    guard self.columns > width else { return self }
    let room = width - ellipsis.columns
    guard room >= 2 else { return fitted(to: width, ellipsis: ellipsis) }
    var (head, tail) = (0, 0)
    // In turn from both ends, so that neither gets all of the room.
    while head + tail < all.count {
      let isHead = head <= tail
      let next = isHead ? (head + 1, tail) : (head, tail + 1)
      guard columns(all.prefix(next.0)) + columns(all.suffix(next.1)) <= room else { break }
      (head, tail) = next
    }
    return String(all.prefix(head)) + ellipsis + String(all.suffix(tail))
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
  /// - Complexity: O(scalars).
  package func wrapped(to width: Int) -> [String] {
    guard width > 0 else { return [] }
    var lines: [String] = []
    var line = ""
    var used = 0
    for word in split(separator: " ", omittingEmptySubsequences: false) {
      let columns = String(word).columns
      let gap = line.isEmpty ? 0 : 1
      if used + gap + columns <= width {
        line += (gap == 0 ? "" : " ") + word
        used += gap + columns
        continue
      }
      if !line.isEmpty { lines.append(line) }
      (line, used) = ("", 0)
      for scalar in word.unicodeScalars {
        let columns = scalar.isControl ? 1 : scalar.columns
        // A wide character in a single column: nothing fits, so nothing is shown of it.
        guard columns <= width else { return lines }
        if used + columns > width {
          lines.append(line)
          (line, used) = ("", 0)
        }
        line.unicodeScalars.append(scalar)
        used += columns
      }
    }
    return lines + [line]
  }
}
