import Dashboard
import Testing

/// Every word can be read, in every theme that ships.
@Suite struct ContrastTests {
  /// Backgrounds that a theme without one of its own has to be readable on.
  private static let darkGrounds = [Color.hex(0x000000), .hex(0x1E1E1E)]

  private func grounds(_ theme: Theme) -> [Color] {
    theme[.background].isTerminal ? Self.darkGrounds : [theme[.background]]
  }

  private static let textKeys: [ThemeKey] =
    [
      .text, .dim, .title, .accent, .prompt, .ghost, .keyName, .ok, .warn, .bad, .info, .graphMark, .graphReadEnd,
      .graphWriteEnd,
    ] + ThemeKey.nodes

  @Test(arguments: Theme.builtIn.filter { $0.node(0).components != nil })
  func `every colour of text stands out 4.5 to one from its theme's background`(theme: Theme) throws {
    for key in Self.textKeys {
      for ground in grounds(theme) {
        let contrast = try #require(theme[key].contrast(with: ground))
        #expect(contrast >= Color.textContrast, "\(theme.name): \(key) has \(contrast)")
      }
    }
    let brand = try #require(theme[.brandText].contrast(with: theme[.brandBackground]))
    #expect(brand >= Color.textContrast, "\(theme.name)")
  }

  /// Words, not lines and textures; what lies below an overlay is faded so that nobody reads it.
  @Test(arguments: Theme.builtIn.filter { $0.node(0).components != nil })
  func `every letter of a screen can be read, whatever style it has there`(theme: Theme) {
    let scenes: [Scene] = [.healthy, .dead, .faulty, .wrong, .joining, .measuring, .themes, .zoomed]
    for scene in scenes {
      let state = scene.state(Size(width: 120, height: 40))
      let canvas = Picture(state, Look(theme: theme, glyphs: Glyphs(.blocks))).canvas
      var faint: Set<String> = []
      for cell in canvas.cells where cell.scalar.properties.isAlphabetic || ("0"..."9").contains(cell.scalar) {
        let style =
          cell.style.attributes.contains(.reverse)
          ? (front: cell.style.background, back: cell.style.foreground)
          : (front: cell.style.foreground, back: cell.style.background)
        let fronts = style.front.isTerminal ? grounds(theme) : [style.front]
        for back in style.back.isTerminal ? grounds(theme) : [style.back] {
          for front in fronts {
            guard let contrast = front.contrast(with: back), contrast < Color.textContrast else { continue }
            faint.insert("\(front) on \(back): \(contrast)")
          }
        }
      }
      #expect(faint.isEmpty, "\(theme.name), \(scene): \(faint)")
    }
  }

  @Test func `the twelve nodes of the grey theme have letters, because nobody tells twelve greys apart`() {
    let grey = Theme.builtIn.first { $0.name == "mono" }!
    let state = DashboardState.watching(Sample(nodes: 5), Size(width: 120, height: 40))
    let lines = Picture(state, Look(theme: grey, glyphs: Glyphs(.braille))).canvas.lines
    for letter in ["A", "B", "C", "D", "E"] { #expect(lines.contains { $0.contains("\(letter) ● node") }, "\(letter)") }
  }

  @Test func `a light terminal gets the light theme, unless one was chosen`() {
    var state = DashboardState(
      size: Size(width: 80, height: 24), appearance: Appearance(theme: .midnight, isThemeChosen: false))
    _ = state.handle(.background(.hex(0xFFFFFF)))
    #expect(state.appearance.theme.name == "daylight")
    _ = state.handle(.background(.hex(0x101010)))
    #expect(state.appearance.theme.name == "midnight")
    for key: Key in [.function(3), .down, .down, .enter] { _ = state.handle(key) }
    let chosen = state.appearance.theme.name
    _ = state.handle(.background(.hex(0xFFFFFF)))
    #expect(state.appearance.theme.name == chosen)
    var few = DashboardState(
      size: Size(width: 80, height: 24),
      appearance: Appearance(theme: .terminal, depth: .ansi16, isThemeChosen: false))
    _ = few.handle(.background(.hex(0xFFFFFF)))
    #expect(few.appearance.theme.name == "terminal")
  }

  @Test(arguments: [
    ("\u{1b}]11;rgb:ffff/fafa/0000\u{07}", Color.rgb(255, 250, 0)),
    ("\u{1b}]11;rgb:1e/1e/2e\u{1b}\\", .rgb(30, 30, 46)),
    ("\u{1b}]11;rgb:f/f/f\u{07}", .rgb(255, 255, 255)),
  ])
  func `a terminal's answer what its background is comes within the keys, and is none`(answer: String, color: Color) {
    var decoder = KeyDecoder()
    let keys = "a\(answer)b".utf8.flatMap { decoder.take($0) }
    #expect(keys == [.character("a"), .background(color), .character("b")])
  }

  @Test func `other answers and broken ones are dropped without a key`() {
    for answer in [
      "\u{1b}]10;rgb:ff/ff/ff\u{07}", "\u{1b}]11;what\u{07}", "\u{1b}]52;c;\(String(repeating: "x", count: 80))",
    ] {
      var decoder = KeyDecoder()
      let keys = answer.utf8.flatMap { decoder.take($0) }
      #expect(!keys.contains { if case .background = $0 { true } else { false } })
    }
  }
}
