/// How the screen looks, as its reader chose it.
package struct Appearance: Equatable, Sendable {
  /// The themes there are, in the order in which they are offered.
  package var themes: [Theme]
  package var themeIndex: Int
  /// The reader, or the program's options, chose the theme: it stays whatever the terminal's background is.
  package var isThemeChosen: Bool
  package internal(set) var glyphs: Glyphs.Kind
  /// The colours that the terminal can show.
  package var depth: ColorDepth
  /// The glyphs that the terminal can show.
  package var glyphChoices: [Glyphs.Kind]
  /// Whether the mouse is ours; else it selects text, as the terminal does it.
  package internal(set) var isMouseOn: Bool
  /// Nothing is animated; only figures change.
  package var isMotionReduced: Bool
  /// One panel at a time, however large the screen is.
  package var isSinglePanel: Bool

  package init(
    themes: [Theme] = Theme.builtIn, theme: Theme = .midnight, glyphs: Glyphs.Kind = .braille,
    depth: ColorDepth = .truecolor, glyphChoices: [Glyphs.Kind] = Glyphs.Kind.allCases, isMouseOn: Bool = true,
    isMotionReduced: Bool = false,
    isSinglePanel: Bool = false, isThemeChosen: Bool = true
  ) {
    let known = themes.contains(theme) ? themes : [theme] + themes
    self.themes = known
    themeIndex = known.firstIndex(of: theme) ?? 0
    self.glyphs = glyphs
    self.depth = depth
    self.glyphChoices = glyphChoices
    self.isMouseOn = isMouseOn
    self.isMotionReduced = isMotionReduced
    self.isSinglePanel = isSinglePanel
    self.isThemeChosen = isThemeChosen
  }

  package var theme: Theme { themes[themeIndex] }

  mutating func nextGlyphs() {
    guard let at = glyphChoices.firstIndex(of: glyphs) else { return }
    glyphs = glyphChoices[(at + 1) % glyphChoices.count]
  }

  /// Takes over a theme for the terminal's background, unless one was chosen or there are too few colours for any; returns
  /// whether that changed it.
  mutating func adopt(background: Color) -> Bool {
    guard !isThemeChosen, depth >= .palette256, let luminance = background.luminance,
      let index = themes.firstIndex(where: { $0.name == (luminance > 0.4 ? Self.lightTheme : Theme.midnight.name) }),
      index != themeIndex
    else { return false }
    themeIndex = index
    return true
  }

  private static let lightTheme = "daylight"

  package var look: Look { Look(theme: theme, glyphs: Glyphs(glyphs), depth: depth) }
}

/// The list of themes over the screen, which shows the chosen one at once.
package struct ThemePicker: Equatable, Sendable {
  /// The theme to return to when the choice is given up.
  package var former: Int
}
