/// How the characters of a cell look beside their colour.
package struct Attributes: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let bold = Attributes(rawValue: 1 << 0)
  package static let dim = Attributes(rawValue: 1 << 1)
  package static let reverse = Attributes(rawValue: 1 << 2)
  package static let underline = Attributes(rawValue: 1 << 3)
}

/// Colours and attributes of a cell.
package struct Style: Hashable, Sendable {
  package var foreground: Color
  package var background: Color
  package var attributes: Attributes

  package init(_ foreground: Color = .terminal, on background: Color = .terminal, _ attributes: Attributes = []) {
    self.foreground = foreground
    self.background = background
    self.attributes = attributes
  }

  package var bold: Style { with(.bold) }
  package var reversed: Style { with(.reverse) }
  package var underlined: Style { with(.underline) }

  package func with(_ more: Attributes) -> Style { Style(foreground, on: background, attributes.union(more)) }
  package func on(_ color: Color) -> Style { Style(foreground, on: color, attributes) }
}

/// One character position of the screen.
package struct Cell: Hashable, Sendable {
  /// The character, or ``continuation`` in the right half of a character two columns wide.
  package var scalar: Unicode.Scalar
  /// Marks drawn over it, in order; 0 behind the last. Beside the scalar, because nearly every cell has none.
  private var marks = SIMD4<UInt32>.zero
  package var style: Style

  package init(_ scalar: Unicode.Scalar = " ", _ style: Style = Style()) {
    self.scalar = scalar
    self.style = style
  }

  /// Marks the right half of a wide character; never drawn alone.
  package static let continuation: Unicode.Scalar = "\u{0}"

  /// As many as ncurses draws over one character.
  package static let marksMax = 4

  /// Draws a mark over the character, if there is room for one more.
  package mutating func add(mark: Unicode.Scalar) {
    for place in 0..<Self.marksMax where marks[place] == 0 { return marks[place] = mark.value }
  }

  package var hasMarks: Bool { marks[0] != 0 }

  /// The number of the mark at a place, from 0; 0 if there is none.
  package func mark(_ place: Int) -> UInt32 { marks[place] }

  /// The character with its marks; nothing for the right half of a wide one.
  package var text: String.UnicodeScalarView {
    var text = String.UnicodeScalarView()
    guard scalar != Self.continuation else { return text }
    text.append(scalar)
    for place in 0..<Self.marksMax { if let mark = Unicode.Scalar(marks[place]), mark.value != 0 { text.append(mark) } }
    return text
  }
}
