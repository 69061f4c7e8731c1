/// A grid of dots finer than cells: 2 × 4 dots a cell as braille patterns, for curves.
package struct DotGrid: Sendable {
  package let columns: Int
  package let rows: Int
  private var patterns: [UInt8]

  /// Bits of U+2800's patterns, by `x * 4 + y` within the cell.
  private static let bits: [UInt8] = [0x01, 0x02, 0x04, 0x40, 0x08, 0x10, 0x20, 0x80]

  package init(columns: Int, rows: Int) {
    self.columns = Swift.max(0, columns)
    self.rows = Swift.max(0, rows)
    patterns = Array(repeating: 0, count: self.columns * self.rows)
  }

  package var dotWidth: Int { columns * 2 }
  package var dotHeight: Int { rows * 4 }

  /// Sets a dot; `y` counts downwards from 0. Outside the grid it does nothing.
  package mutating func set(_ x: Int, _ y: Int) {
    guard x >= 0, y >= 0, x < dotWidth, y < dotHeight else { return }
    patterns[(y >> 2) * columns + (x >> 1)] |= Self.bits[(x & 1) * 4 + (y & 3)]
  }

  /// The braille pattern of a cell, or `nil` if no dot is set in it.
  package func pattern(column: Int, row: Int) -> Unicode.Scalar? {
    let bits = patterns[row * columns + column]
    return bits == 0 ? nil : Unicode.Scalar(0x2800 + UInt32(bits))
  }

  /// The same cell as one of five ASCII levels, by how many of its four dot rows are used.
  package func asciiPattern(column: Int, row: Int, levels: [Unicode.Scalar]) -> Unicode.Scalar? {
    let bits = patterns[row * columns + column]
    guard bits != 0 else { return nil }
    return levels[Swift.min(levels.count - 1, (bits.nonzeroBitCount - 1) * levels.count / 8)]
  }
}
