/// How many colours a terminal shows, and how ours become the nearest of them.
package enum ColorDepth: Int, Comparable, Sendable, CaseIterable {
  case mono
  case ansi8
  case ansi16
  case palette256
  case truecolor

  package static func < (a: ColorDepth, b: ColorDepth) -> Bool { a.rawValue < b.rawValue }

  /// The number by which the terminal knows the colour nearest to `color`: −1 for its own, a palette index, or
  /// `0xRRGGBB` on a truecolor terminal.
  ///
  /// On a truecolor terminal 0–15 are the palette's colours: near-black is lifted out of that range, and the palette's
  /// higher entries become the exact colours they usually are.
  package func number(for color: Color) -> Int32 {
    if self == .mono || color.isTerminal { return -1 }
    if let index = color.paletteIndex { return number(forPalette: index) }
    guard let (red, green, blue) = color.components else { return -1 }
    switch self {
    case .mono: return -1
    case .ansi8: return Self.nearestOfEight(red, green, blue)
    case .ansi16: return Int32(Self.nearest(red, green, blue, among: 16))
    case .palette256: return Int32(Self.nearest256(red, green, blue))
    case .truecolor: return Int32(Swift.max(16, red << 16 | green << 8 | blue))
    }
  }

  private func number(forPalette index: Int) -> Int32 {
    let (red, green, blue) = Self.components(ofPalette: index)
    switch self {
    case .mono: return -1
    case .ansi8: return index < 16 && index != 8 ? Int32(index % 8) : Self.nearestOfEight(red, green, blue)
    case .ansi16: return index < 16 ? Int32(index) : Int32(Self.nearest(red, green, blue, among: 16))
    case .palette256: return Int32(index)
    case .truecolor: return index < 16 ? Int32(index) : Int32(Swift.max(16, red << 16 | green << 8 | blue))
    }
  }

  /// The sixteen colours as most terminals ship them; the user's own may differ, which no program can ask for safely.
  private static let basic: [(red: Int, green: Int, blue: Int)] = [
    (0, 0, 0), (205, 49, 49), (13, 188, 121), (229, 229, 16), (36, 114, 200), (188, 63, 188), (17, 168, 205),
    (204, 204, 204), (102, 102, 102), (241, 76, 76), (35, 209, 139), (245, 245, 67), (59, 142, 234), (214, 112, 214),
    (41, 184, 219), (255, 255, 255),
  ]

  /// Levels of the 6 × 6 × 6 cube at palette entries 16–231.
  private static let cube = [0, 95, 135, 175, 215, 255]

  static func components(ofPalette index: Int) -> (red: Int, green: Int, blue: Int) {
    switch index {
    case ..<16: return basic[index]
    case ..<232:
      let entry = index - 16
      return (cube[entry / 36], cube[entry / 6 % 6], cube[entry % 6])
    default:
      let grey = 8 + (index - 232) * 10
      return (grey, grey, grey)
    }
  }

  private static func nearest(_ red: Int, _ green: Int, _ blue: Int, among count: Int) -> Int {
    (0..<count).min { distance($0, red, green, blue) < distance($1, red, green, blue) } ?? 0
  }

  /// Eight colours have no grey: what would come out blue or, unseen on most of these terminals, black, becomes the
  /// terminal's own colour.
  private static func nearestOfEight(_ red: Int, _ green: Int, _ blue: Int) -> Int32 {
    let isGrey = Swift.max(red, green, blue) - Swift.min(red, green, blue) < 48
    if isGrey, red < 160 { return -1 }
    let index = nearest(red, green, blue, among: 8)
    return index == 0 ? -1 : Int32(index)
  }

  private static func nearest256(_ red: Int, _ green: Int, _ blue: Int) -> Int {
    func step(_ level: Int) -> Int { level < 48 ? 0 : level < 115 ? 1 : (level - 35) / 40 }
    let inCube = 16 + 36 * step(red) + 6 * step(green) + step(blue)
    let grey = 232 + Swift.min(23, Swift.max(0, ((red + green + blue) / 3 - 3) / 10))
    return distance(grey, red, green, blue) < distance(inCube, red, green, blue) ? grey : inCube
  }

  private static func distance(_ index: Int, _ red: Int, _ green: Int, _ blue: Int) -> Int {
    let (r, g, b) = components(ofPalette: index)
    // The eye sees green best and blue worst; without weights reds turn brown and greys turn blue.
    return 3 * (r - red) * (r - red) + 6 * (g - green) * (g - green) + (b - blue) * (b - blue)
  }
}

extension Color {
  /// Red, green and blue as most terminals show the colour; `nil` for the terminal's own.
  var shown: (red: Int, green: Int, blue: Int)? {
    paletteIndex.map { ColorDepth.components(ofPalette: $0) } ?? components
  }
}
