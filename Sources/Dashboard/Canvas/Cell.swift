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
  /// What is drawn, or ``continuation`` in the right half of a character two columns wide.
  package var scalar: Unicode.Scalar
  package var style: Style

  package init(_ scalar: Unicode.Scalar = " ", _ style: Style = Style()) {
    self.scalar = scalar
    self.style = style
  }

  /// Marks the right half of a wide character; never drawn by itself.
  package static let continuation: Unicode.Scalar = "\u{0}"
}
