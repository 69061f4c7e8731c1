#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// How well colours stand out from each other, as WCAG 2.2 defines it.
extension Color {
  /// Relative luminance, from 0 to 1; `nil` for the terminal's own colour.
  package var luminance: Double? {
    guard let (red, green, blue) = shown else { return nil }
    let linear = [red, green, blue].map { level in
      let part = Double(level) / 255
      return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
  }

  /// From 1, the same, to 21, black on white; `nil` if one of them is the terminal's own.
  package func contrast(with other: Color) -> Double? {
    guard let a = luminance, let b = other.luminance else { return nil }
    return (Swift.max(a, b) + 0.05) / (Swift.min(a, b) + 0.05)
  }

  /// The least contrast of text.
  package static let textContrast = 4.5

  /// The colour, nearer to `far` by as much as text on `ground` needs.
  func readable(on ground: Color, towards far: Color) -> Color {
    guard contrast(with: ground) != nil, far.components != nil else { return self }
    var color = self
    for step in 1...10 {
      guard let contrast = color.contrast(with: ground), contrast < Self.textContrast else { return color }
      color = mixed(with: far, Double(step) / 10)
    }
    return color
  }
}
