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

  /// The nearest of the cube's corners around the colour and of the greys.
  private static func nearest256(_ red: Int, _ green: Int, _ blue: Int) -> Int {
    let (r, g, b) = (step(below: red), step(below: green), step(below: blue))
    // The ramp has a grey at 8 and every 10; the one that the eye takes for the colour may lie beside the mean.
    let grey = Swift.min(22, Swift.max(1, ((red + green + blue) / 3 - 3) / 10))
    var (best, least) = (16, Int.max)
    func consider(_ entry: Int) {
      let distance = distanceWithHue(entry, (red, green, blue))
      if distance < least { (best, least) = (entry, distance) }
    }
    for corner in 0..<8 { consider(16 + 36 * (r + corner / 4) + 6 * (g + corner / 2 % 2) + b + corner % 2) }
    for entry in 231 + grey...233 + grey { consider(entry) }
    return best
  }

  /// The cube's last level but one at most that is not above: the next one is its neighbour.
  private static func step(below level: Int) -> Int {
    Swift.min(4, cube.lastIndex { $0 <= level } ?? 0)
  }

  /// As the eye sees it, and beside that what changes between the three: a hue that is lost costs more than a shade.
  static func distanceWithHue(_ entry: Int, _ wanted: (red: Int, green: Int, blue: Int)) -> Int {
    let (red, green, blue) = components(ofPalette: entry)
    let (r, g, b) = (red - wanted.red, green - wanted.green, blue - wanted.blue)
    return 3 * r * r + 6 * g * g + b * b + 2 * ((r - g) * (r - g) + (g - b) * (g - b) + (b - r) * (b - r))
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
