/// The nodes' colours on the ring where a terminal has 256: of those the nearest that tell the nodes apart.
///
/// Taken one by one, dark colours have the same nearest entry of the palette, mostly a grey: inner bands of three nodes
/// would be one. So each band gives out its entries, first come, first served, and what has a hue gets one with a hue.
struct NodeBands: Equatable, Sendable {
  /// By replica rank, then by node; a colour that a theme leaves to the terminal stays as it is.
  let colors: [[Color]]

  /// How far each band is shaded towards the background: the primary is what a stranger should see first.
  static let shades = [0, 0.3, 0.5, 0.6]

  init(_ nodes: [Color], ground: Color) {
    colors = Self.shades.map { shade in
      var taken: Set<Int> = []
      return nodes.map { own in
        guard let wanted = own.shaded(towards: ground, shade).components else { return own }
        let entry = Self.nearest(wanted, besides: taken)
        taken.insert(entry)
        let (red, green, blue) = ColorDepth.components(ofPalette: entry)
        return .rgb(red, green, blue)
      }
    }
  }

  /// The first sixteen are the user's own, and may be any colour.
  private static func nearest(_ wanted: (red: Int, green: Int, blue: Int), besides taken: Set<Int>) -> Int {
    let hasHue = hue(wanted) >= 24
    let free = (16..<256).filter { entry in
      !taken.contains(entry) && (!hasHue || hue(ColorDepth.components(ofPalette: entry)) > 0)
    }
    return free.min { ColorDepth.distanceWithHue($0, wanted) < ColorDepth.distanceWithHue($1, wanted) } ?? 16
  }

  private static func hue(_ color: (red: Int, green: Int, blue: Int)) -> Int {
    Swift.max(color.red, color.green, color.blue) - Swift.min(color.red, color.green, color.blue)
  }
}
