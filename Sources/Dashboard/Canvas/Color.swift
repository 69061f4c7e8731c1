/// A colour as a theme names it: the terminal's own, one of its palette, or an exact one.
///
/// One 32-bit number, so that a cell stays small and two cells compare in one instruction each.
package struct Color: Hashable, Sendable {
  /// −1 is the terminal's own colour; `0x01000000 | index` is a palette entry; else `0xRRGGBB`.
  private let code: Int32

  private init(code: Int32) { self.code = code }

  private static let paletteFlag: Int32 = 0x0100_0000

  /// The terminal's default colour.
  package static let terminal = Color(code: -1)

  /// An entry of the terminal's palette; 0–15 are the colours its user chose.
  package static func palette(_ index: UInt8) -> Color { Color(code: paletteFlag | Int32(index)) }

  /// An exact colour.
  package static func rgb(_ red: Int, _ green: Int, _ blue: Int) -> Color {
    Color(code: Int32(clamped(red) << 16 | clamped(green) << 8 | clamped(blue)))
  }

  /// An exact colour written as `0xRRGGBB`.
  package static func hex(_ value: Int) -> Color { Color(code: Int32(value & 0xFFFFFF)) }

  package var isTerminal: Bool { code == -1 }

  /// The palette entry, if this is one.
  package var paletteIndex: Int? {
    code >= Self.paletteFlag ? Int(code & 0xFF) : nil
  }

  /// Red, green and blue from 0 to 255, if this is an exact colour.
  package var components: (red: Int, green: Int, blue: Int)? {
    guard code >= 0, code < Self.paletteFlag else { return nil }
    return (Int(code >> 16 & 0xFF), Int(code >> 8 & 0xFF), Int(code & 0xFF))
  }

  /// A mixture: `fraction` 0 is this colour, 1 the other.
  ///
  /// Only exact colours can be mixed; of others the nearer one is returned, so that a gradient between two palette
  /// entries has two steps instead of none.
  package func mixed(with other: Color, _ fraction: Double) -> Color {
    guard let a = components, let b = other.components else { return fraction < 0.5 ? self : other }
    func mix(_ x: Int, _ y: Int) -> Int { Int((Double(x) + (Double(y) - Double(x)) * fraction).rounded()) }
    return .rgb(mix(a.red, b.red), mix(a.green, b.green), mix(a.blue, b.blue))
  }

  /// A mixture as ``mixed(with:_:)`` makes it, or this colour as it is where colours cannot be mixed.
  package func shaded(towards other: Color, _ fraction: Double) -> Color {
    components == nil || other.components == nil ? self : mixed(with: other, fraction)
  }

  private static func clamped(_ component: Int) -> Int { Swift.min(255, Swift.max(0, component)) }
}
