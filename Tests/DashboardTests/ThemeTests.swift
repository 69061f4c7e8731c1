import Dashboard
import Foundation
import Testing

@Suite struct ThemeTests {
  @Test(arguments: [
    ("\"#2E3440\"", Color.hex(0x2E3440)), ("\"#2e\"", .hex(0x2E2E2E)), ("\"46 52 64\"", .rgb(46, 52, 64)),
    ("\"12\"", .palette(12)), ("\"\"", .terminal), ("'#ff0000'", .hex(0xFF0000)),
    ("  \"#010203\"  # why", .hex(0x010203)),
    ("7", .palette(7)),
  ])
  func `a value is read in each of its forms`(value: String, color: Color) {
    let file = ThemeFile("theme[text]=\(value)\n")
    #expect(file.values["text"] == color)
    #expect(file.faults.isEmpty)
  }

  @Test func `a broken line is named and skipped, and the rest counts`() {
    let file = ThemeFile(
      """
      # a comment

      theme[text]="#12345"
      theme[dim]="#445566
      colour = blue
      theme[ok]="300"
      theme[warn]="1 2 999"
      theme[bad]="#FF0000"
      """)
    #expect(file.faults.map(\.line) == [3, 4, 5, 6, 7])
    #expect(file.faults[1].description == "line 4: dim: the closing quote is missing")
    #expect(file.faults[2].description == "line 5: expected theme[KEY]=\"VALUE\"")
    #expect(file.values == ["bad": .hex(0xFF0000)])
  }

  @Test func `a file from another system is read the same`() {
    let file = ThemeFile("theme[text]=\"#FFFFFF\"\r\ntheme[dim]=\"8\"\r\n")
    #expect(file.faults.isEmpty)
    #expect(file.values == ["text": .hex(0xFFFFFF), "dim": .palette(8)])
  }

  @Test func `a missing key falls back to btop's name, then to the default theme`() {
    let theme = Theme(name: "nord", file: ThemeFile("theme[main_fg]=\"#D8DEE9\"\ntheme[hi_fg]=\"#5E81AC\""))
    #expect(theme[.text] == .hex(0xD8DEE9))
    #expect(theme[.prompt] == .hex(0x5E81AC))
    #expect(theme[.node3] == Theme.midnight[.node3])
  }

  @Test func `an empty middle of a gradient lies between its ends`() {
    let text = "theme[download_start]=\"#000000\"\ntheme[download_mid]=\"\"\ntheme[download_end]=\"#646464\""
    let gradient = Theme(name: "x", file: ThemeFile(text)).readGraph
    #expect(gradient.color(at: 0.5) == .rgb(50, 50, 50))
    #expect(gradient.color(at: 7) == .rgb(100, 100, 100))
  }

  @Test(arguments: Theme.builtIn)
  func `a theme that is shipped is whole`(theme: Theme) {
    let nodes = ThemeKey.nodes.map { theme[$0] }
    #expect(Set(nodes).count == nodes.count)
    #expect(theme.node(12) == theme.node(0))
    // On a background of its own, no text may vanish.
    guard !theme[.background].isTerminal else { return }
    let onOthers: [ThemeKey] = [.background, .brandText, .selectionText]
    for key in ThemeKey.allCases where !onOthers.contains(key) { #expect(theme[key] != theme[.background], "\(key)") }
  }

  @Test(arguments: Theme.builtIn.map(\.name))
  func `a theme's file has a line for each key and none that cannot be read`(name: String) throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Themes")
    let file = ThemeFile(try String(contentsOf: folder.appendingPathComponent("\(name).theme"), encoding: .utf8))
    #expect(file.faults.isEmpty)
    #expect(Set(file.values.keys) == Set(ThemeKey.allCases.map(\.name)))
  }

  @Test func `every theme file there is, is part of the program`() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Themes")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(files == Theme.builtIn.map { "\($0.name).theme" }.sorted())
  }

  @Test func `a theme of the program says what its file says`() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Themes")
    for theme in Theme.builtIn {
      let text = try String(contentsOf: folder.appendingPathComponent("\(theme.name).theme"), encoding: .utf8)
      #expect(theme == Theme(name: theme.name, file: ThemeFile(text)))
    }
  }

  @Test func `there are at least eight themes, each with a name of its own`() {
    #expect(Theme.builtIn.count >= 8)
    #expect(Set(Theme.builtIn.map(\.name)).count == Theme.builtIn.count)
  }

  @Test func `the high-contrast theme's texts stand out seven to one`() {
    let theme = Theme.builtIn.first { $0.name == "contrast" }!
    func luminance(_ color: Color) -> Double {
      guard let (red, green, blue) = color.components else { return 0 }
      let linear = [red, green, blue].map { level in
        let part = Double(level) / 255
        return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4)
      }
      return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }
    for key in [ThemeKey.text, .dim, .title, .accent, .ok, .warn, .bad, .info, .prompt, .ghost] + ThemeKey.nodes {
      #expect((luminance(theme[key]) + 0.05) / (luminance(theme[.background]) + 0.05) >= 7, "\(key)")
    }
  }

  @Test func `a theme of btop's loads as it is`() {
    let text = """
      # Theme: nord, as btop ships it
      theme[main_bg]="#2E3440"
      theme[main_fg]="#D8DEE9"
      theme[title]="#8FBCBB"
      theme[hi_fg]="#5E81AC"
      theme[selected_bg]="#4C566A"
      theme[selected_fg]="#ECEFF4"
      theme[inactive_fg]="#4C566A"
      theme[proc_misc]="#5E81AC"
      theme[cpu_box]="#4C566A"
      theme[div_line]="#4C566A"
      theme[temp_start]="#81A1C1"
      theme[temp_mid]="#88C0D0"
      theme[temp_end]="#ECEFF4"
      theme[download_start]="#81A1C1"
      theme[download_mid]="#88C0D0"
      theme[download_end]="#ECEFF4"
      """
    let file = ThemeFile(text)
    #expect(file.faults.isEmpty)
    let theme = Theme(name: "nord-btop", file: file)
    #expect(theme[.background] == .hex(0x2E3440))
    #expect(theme[.title] == .hex(0x8FBCBB))
    #expect(theme[.border] == .hex(0x4C566A))
    #expect(theme[.dim] == .hex(0x4C566A))
    #expect(theme[.graphReadMid] == .hex(0x88C0D0))
  }

  @Test func `the terminal theme has none but the terminal's sixteen colours`() {
    for key in ThemeKey.allCases {
      let color = Theme.terminal[key]
      #expect(color.isTerminal || color.paletteIndex.map { $0 < 16 } == true, "\(key)")
    }
  }

  @Test(arguments: Theme.builtIn.filter { $0.node(0).components != nil && $0.name != "mono" })
  func `with 256 colours nodes are told apart in every band of the ring, and none is grey`(theme: Theme) {
    let look = Look(theme: theme, glyphs: Glyphs(.braille), depth: .palette256)
    for rank in 0..<4 {
      let numbers = (0..<12).map { ColorDepth.palette256.number(for: look.theme.band($0, rank: rank)) }
      #expect(Set(numbers).count == 12, "\(theme.name), band \(rank): \(numbers)")
      for (node, number) in numbers.enumerated() {
        guard let (red, green, blue) = theme.band(node, rank: rank).components else { continue }
        let hue = max(red, green, blue) - min(red, green, blue)
        #expect(hue < 24 || number < 232, "\(theme.name), node \(node), band \(rank)")
      }
    }
    #expect(look.theme.node(2) == look.theme.band(2, rank: 0))
    #expect(Look(theme: theme, glyphs: Glyphs(.braille)).theme.node(2) == theme.node(2))
  }

  @Test func `colours become the nearest a terminal has`() {
    let red = Color.hex(0xF14C4C)
    #expect(ColorDepth.mono.number(for: red) == -1)
    #expect(ColorDepth.ansi8.number(for: red) == 1)
    #expect(ColorDepth.ansi16.number(for: red) == 9)
    #expect(ColorDepth.palette256.number(for: .hex(0xFF0000)) == 196)
    for entry in 16..<256 { #expect(ColorDepth.palette256.number(for: .palette(UInt8(entry))) == entry) }
    // A bluish grey stays bluish, and a darker one is no lighter grey.
    #expect(ColorDepth.palette256.number(for: .rgb(107, 118, 152)) == 60)
    #expect(ColorDepth.palette256.number(for: .rgb(46, 52, 64)) == 236)
    #expect(ColorDepth.truecolor.number(for: red) == 0xF14C4C)
    #expect(ColorDepth.truecolor.number(for: .hex(0x000003)) == 16)
    #expect(ColorDepth.truecolor.number(for: .palette(12)) == 12)
    // Grey as black text would be unseen.
    #expect(ColorDepth.ansi8.number(for: .palette(8)) == -1)
    for depth in ColorDepth.allCases { #expect(depth.number(for: .terminal) == -1) }
  }
}
