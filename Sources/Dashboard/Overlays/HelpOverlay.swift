/// The keys, and what the picture means, in a box over the dimmed, living screen.
package enum HelpOverlay {
  private struct Section {
    var title: String
    var lines: [(key: String, meaning: String)]
  }

  /// The reader whose keys are listed.
  package enum Reader: Sendable {
    case ofCluster, ofTour, ofPlayback

    init(_ state: DashboardState) {
      self = state.guide != nil ? .ofTour : state.playback != nil ? .ofPlayback : .ofCluster
    }
  }

  private static func sections(_ reader: Reader, _ glyphs: Glyphs) -> [Section] {
    switch reader {
    case .ofCluster: [picture(glyphs), prompt, panel, always]
    case .ofTour: [tour(glyphs), picture(glyphs), always]
    case .ofPlayback: [playback(glyphs), picture(glyphs), panel, always]
    }
  }

  private static func picture(_ glyphs: Glyphs) -> Section {
    func marks(_ kinds: [CauseMark.Kind]) -> String { kinds.map { glyphs.mark($0) }.joined(separator: " ") }
    return Section(
      title: "THE PICTURE",
      lines: [
        ("ring", "who owns which hashes; outer band: first copy"),
        ("tape", "the ring unrolled, from hash 0 to the last"),
        ("nodes", "one row a node; hints: writes kept for it"),
        ("cut silent", "cut from most others; unheard for a second"),
        ("graphs", "reads up, writes down, each to its own scale"),
        ("heat map", "latencies over time; brighter: more of them"),
        ("\(glyphs.beyondUp) \(glyphs.beyondDown)", "on a graph's edge: more than the scale shows"),
        (marks([.join, .leave, .kill, .restart]), "on its axis: joins, leaves, killed, restarted"),
        (marks([.fault, .heal, .slowSync, .compaction]), "fault, healed, slow fsync, compaction"),
      ])
  }

  private static let prompt = Section(
    title: "AT THE PROMPT",
    lines: [
      ("Tab", "complete; on an empty line: to the panels"),
      ("Up Down", "commands typed before; Ctrl-R searches them"),
      ("PgUp PgDn", "scroll the events"),
      ("Ctrl-C", "clear the line; on an empty one: quit"),
      ("Esc", "put away an answer, results, a warning"),
      ("paste", "each whole line is run, in order"),
    ])

  private static let panel = Section(
    title: "IN A PANEL",
    lines: [
      ("Tab Esc", "next panel, back to the prompt"),
      ("z Enter", "the panel alone, and back"),
      ("Space", "freeze the picture, and go on"),
      ("left PgUp Home", "in a frozen picture: back in time"),
      ("arrows g G", "move; in the ring: inspect ranges"),
      ("+ - arrows", "graphs: how much time, back and forth"),
      ("l", "latency: lines or heat map"),
      ("s r", "nodes: sort by the next column, reverse"),
      ("r", "ring: operations by range, or owners"),
      ("/ f", "nodes, events: find; events: choose kinds"),
    ])

  private static func tour(_ glyphs: Glyphs) -> Section {
    Section(
      title: "IN THE TOUR",
      lines: [
        (glyphs.isASCII ? "right Enter" : "→ Enter n", "go on"),
        (glyphs.isASCII ? "left b" : "← b", "the chapter again, or the one before"),
        ("PgDn", "the next chapter"),
        ("Space", "go on by itself, or wait for you"),
        ("q Esc", "leave the tour"),
      ])
  }

  private static func playback(_ glyphs: Glyphs) -> Section {
    Section(
      title: "IN A PLAYBACK",
      lines: [
        ("Space", "play, or pause"),
        (glyphs.isASCII ? "left right" : "← →", "a step back, a step on"),
        ("+ -", "faster, slower"),
        ("o O", "to the next answer of a client, the former"),
        ("f F", "to the next fault or change, the former"),
        ("v", "to the answer that no order explains"),
        ("PgUp PgDn", "a twentieth back, on"),
        ("g G", "to the beginning, to the end"),
        ("Tab q", "to the panels; leave"),
      ])
  }

  private static let always = Section(
    title: "EVERYWHERE",
    lines: [
      ("F1 F2 F3", "this help, other glyphs, themes"),
      ("F4", "mouse on and off; off, the terminal selects"),
      ("Ctrl-L", "draw everything again"),
    ])

  private static func rows(_ reader: Reader, height: Int, _ glyphs: Glyphs) -> [(key: String, meaning: String)] {
    let sections = sections(reader, glyphs).map { [("", $0.title)] + $0.lines }
    let airy = Array(sections.joined(separator: [("", "")]))
    // On a low screen the blank lines go first.
    return airy.count <= height ? airy : Array(sections.joined())
  }

  /// The overlay, as large as its words need and the screen has.
  package static func draw(_ screen: Size, _ look: Look, reader: Reader = .ofCluster, firstRow: Int = 0) -> Canvas {
    let rows = rows(reader, height: screen.height - 2, look.glyphs)
    let keyWidth = rows.map(\.key.columns).max() ?? 0
    let width = Swift.min(screen.width, 6 + keyWidth + (rows.map(\.meaning.columns).max() ?? 0))
    let size = Size(width: width, height: Swift.min(screen.height, rows.count + 2))
    let inner = PanelFrame.inner(size)
    var content = Canvas(inner, background: look.style(.text))
    let first = Swift.max(0, Swift.min(firstRow, rows.count - inner.height))
    for (row, line) in rows.dropFirst(first).prefix(inner.height).enumerated() {
      if line.key.isEmpty {
        content.write(line.meaning, column: 1, row: row, look.style(.accent, .bold))
      } else {
        content.write(line.key, column: 1, row: row, look.style(.keyName, .bold))
        content.write(line.meaning, column: keyWidth + 3, row: row, look.style(.text))
      }
    }
    let below = rows.count - inner.height - first
    let note = below > 0 ? "\(below) more below" : "Esc closes"
    return PanelFrame.frame(content, title: "help", note: note, size: size, isFocused: true, look)
  }

  /// Rows that a reader can go down before the last one shows.
  static func scrollMax(_ screen: Size, _ look: Look, reader: Reader) -> Int {
    let rows = rows(reader, height: screen.height - 2, look.glyphs).count
    let shown = PanelFrame.inner(Size(width: screen.width, height: Swift.min(screen.height, rows + 2))).height
    return Swift.max(0, rows - shown)
  }
}
