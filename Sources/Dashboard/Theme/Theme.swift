import ClusterModel

/// The colours of the screen, one for each meaning.
package struct Theme: Equatable, Sendable {
  package let name: String
  private let colors: [Color]
  /// For a terminal of 256 colours.
  private let bands: NodeBands
  private var isFor256 = false

  /// Takes a theme from a file's text. A key that is missing is looked for under btop's name for it, then taken from
  /// `midnight`, so that half a theme is a usable theme.
  package init(name: String, file: ThemeFile) {
    self.init(name: name, file: file, defaults: Theme.midnight)
  }

  private init(name: String, file: ThemeFile, defaults: Theme?) {
    self.name = name
    let colors = ThemeKey.allCases.map { key in
      file.values[key.name] ?? key.btopName.flatMap { file.values[$0] } ?? defaults?[key] ?? .terminal
    }
    self.colors = colors
    func color(_ key: ThemeKey) -> Color { colors[key.rawValue] }
    bands = NodeBands(ThemeKey.nodes.map(color), ground: Self.ground(color(.background)))
  }

  /// The theme as a terminal of this colour depth shows it.
  func shown(with depth: ColorDepth) -> Theme {
    var theme = self
    theme.isFor256 = depth == .palette256
    return theme
  }

  /// The colour of a meaning.
  package subscript(_ key: ThemeKey) -> Color { colors[key.rawValue] }

  /// The style of text with a meaning, on the theme's background.
  package func style(_ key: ThemeKey, _ attributes: Attributes = []) -> Style {
    Style(self[key], on: self[.background], attributes)
  }

  /// Colour that others fade to: the background, or black where that is the terminal's own, which cannot be asked for.
  var ground: Color { Self.ground(self[.background]) }

  private static func ground(_ background: Color) -> Color { background.components == nil ? .hex(0) : background }

  /// Its nodes have no hues: nobody tells twelve greys apart.
  var isGrey: Bool {
    ThemeKey.nodes.allSatisfy { key in
      self[key].components.map { $0.red == $0.green && $0.green == $0.blue } ?? false
    }
  }

  /// The colour of a line that is drawn over a colour: the lighter or the darker end of this theme, whichever is further
  /// from it.
  func line(on color: Color) -> Color {
    guard let (red, green, blue) = color.components else { return self[.title] }
    return 3 * red + 6 * green + blue > 1_400 ? .hex(0x101018) : .hex(0xFFFFFF)
  }

  /// How hot something is: from nearly the background to the end of the meters' scale.
  func heat(at part: Double) -> Color {
    part < 0.5
      ? ground.mixed(with: self[.meterMid], 0.15 + part * 1.7)
      : self[.meterMid].mixed(with: self[.meterEnd], part * 2 - 1)
  }

  /// A style as it looks below an overlay.
  func faded(_ style: Style) -> Style {
    let front = style.foreground.isTerminal ? self[.ghost] : style.foreground
    return Style(
      front.shaded(towards: ground, 0.7), on: style.background.shaded(towards: ground, 0.7),
      front.components == nil ? style.attributes.union(.dim) : style.attributes)
  }

  /// The colour that a node keeps for as long as it is a member.
  package func node(_ id: Int) -> Color { band(id, rank: 0) }

  /// The colour of a node's ranges at a replica rank. Inner bands are nearer to the background.
  package func band(_ id: Int, rank: Int) -> Color {
    let node = Swift.max(0, id) % ThemeKey.nodes.count
    let rank = Swift.min(rank, NodeBands.shades.count - 1)
    if isFor256 { return bands.colors[rank][node] }
    return self[ThemeKey.nodes[node]].shaded(towards: ground, NodeBands.shades[rank])
  }
}

extension Theme {
  /// The default: exact colours on the terminal's own background.
  package static let midnight = Theme(
    name: "midnight", file: ThemeFile(text(PackageResources.midnight_theme)), defaults: nil)

  /// Only the terminal's own sixteen colours, as its user chose them.
  package static let terminal = Theme(
    name: "terminal", file: ThemeFile(text(PackageResources.terminal_theme)), defaults: midnight)

  /// The themes that are part of the program, in the order in which they are offered.
  package static let builtIn =
    [midnight]
    + [
      ("daylight", PackageResources.daylight_theme), ("nord", PackageResources.nord_theme),
      ("gruvbox", PackageResources.gruvbox_theme), ("contrast", PackageResources.contrast_theme),
      ("colorblind", PackageResources.colorblind_theme), ("mono", PackageResources.mono_theme),
    ].map { Theme(name: $0, file: ThemeFile(text($1)), defaults: midnight) } + [terminal]

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

/// Three colours along a scale, from its low end to its high end.
package struct Gradient: Sendable {
  package let start: Color
  package let mid: Color
  package let end: Color

  package init(_ theme: Theme, _ start: ThemeKey, _ mid: ThemeKey, _ end: ThemeKey) {
    // btop's themes leave the end, or the middle, of a gradient empty to say "as the start" and "in between".
    self.start = theme[start]
    self.end = theme[end].isTerminal ? theme[start] : theme[end]
    self.mid = theme[mid].isTerminal ? self.start.mixed(with: self.end, 0.5) : theme[mid]
  }

  private init(flat color: Color) { (start, mid, end) = (color, color, color) }

  /// One colour of the scale along all of it.
  func flat(at fraction: Double) -> Gradient { Gradient(flat: color(at: fraction)) }

  /// The colour at `fraction` of the scale, 0 to 1.
  package func color(at fraction: Double) -> Color {
    let at = Swift.min(1, Swift.max(0, fraction))
    return at < 0.5 ? start.mixed(with: mid, at * 2) : mid.mixed(with: end, at * 2 - 1)
  }
}

extension Theme {
  package var meter: Gradient { Gradient(self, .meterStart, .meterMid, .meterEnd) }
  package var readGraph: Gradient { Gradient(self, .graphReadStart, .graphReadMid, .graphReadEnd) }
  package var writeGraph: Gradient { Gradient(self, .graphWriteStart, .graphWriteMid, .graphWriteEnd) }

  /// The colour of a node's state, and of the cluster's health.
  package func key(for state: NodeState) -> ThemeKey {
    switch state {
    case .up: .ok
    case .joining, .leaving: .info
    case .recovering: .warn
    case .dead, .failed: .bad
    }
  }

  package func key(for health: ClusterHealth) -> ThemeKey {
    switch health {
    case .healthy: .ok
    case .degraded, .underReplicated: .warn
    case .unavailable: .bad
    case .recovering: .info
    }
  }
}
