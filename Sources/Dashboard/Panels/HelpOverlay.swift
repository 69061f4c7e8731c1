/// The keys and commands in a box over the dimmed, living screen.
package enum HelpOverlay {
  private static let lines: [(key: String, meaning: String)] = [
    ("", "THE PICTURE"),
    ("ring", "who owns which hashes; outer band: first copy"),
    ("tape", "the ring unrolled, from hash 0 to the last"),
    ("nodes", "one row a node; hints: writes kept for it"),
    ("graphs", "reads up, writes down, from zero"),
    ("", ""),
    ("", "AT THE PROMPT"),
    ("Tab", "complete; on an empty line: to the panels"),
    ("Up Down", "commands typed before; Ctrl-R searches them"),
    ("PgUp PgDn", "scroll the events"),
    ("Ctrl-C", "clear the line; on an empty one: quit"),
    ("", ""),
    ("", "IN A PANEL"),
    ("Tab Esc", "next panel, back to the prompt"),
    ("z Enter", "the panel alone, and back"),
    ("Space", "freeze the picture, and go on"),
    ("arrows g G", "move; in the ring: inspect ranges"),
    ("s r", "nodes: sort by the next column, reverse"),
    ("/ f", "events: find words, choose kinds"),
    ("", ""),
    ("F1 F2 F3", "this help, other glyphs, themes"),
    ("F4", "mouse on and off; off, the terminal selects"),
    ("Ctrl-L", "draw everything again"),
  ]

  /// The overlay, as large as its words need and the screen has.
  package static func draw(_ screen: Size, _ look: Look) -> Canvas {
    let keyWidth = lines.map(\.key.columns).max() ?? 0
    let width = Swift.min(screen.width, 6 + keyWidth + (lines.map(\.meaning.columns).max() ?? 0))
    let size = Size(width: width, height: Swift.min(screen.height, lines.count + 2))
    let inner = PanelFrame.inner(size)
    var content = Canvas(inner, background: look.style(.text))
    for (row, line) in shown(rows: inner.height).enumerated() {
      if line.key.isEmpty {
        content.write(line.meaning, column: 1, row: row, look.style(.accent, .bold))
      } else {
        content.write(line.key, column: 1, row: row, look.style(.keyName, .bold))
        content.write(line.meaning, column: keyWidth + 3, row: row, look.style(.text))
      }
    }
    return PanelFrame.frame(content, title: "help", note: "Esc closes", size: size, isFocused: true, look)
  }

  /// On a low screen the blank lines go first, then the picture's explanation.
  private static func shown(rows: Int) -> [(key: String, meaning: String)] {
    if lines.count <= rows { return lines }
    let dense = lines.filter { !$0.key.isEmpty || !$0.meaning.isEmpty }
    return dense.count <= rows ? dense : Array(dense.dropFirst(5))
  }
}
