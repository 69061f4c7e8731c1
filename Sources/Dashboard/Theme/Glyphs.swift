import ClusterModel
import Text

/// The characters a picture is drawn with: braille, blocks, or nothing but ASCII.
package struct Glyphs: Equatable, Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    /// Curves in dots, two by four a cell.
    case braille
    /// Curves in eighths of a block, for fonts without braille.
    case blocks
    /// For the C locale and for terminals that show nothing else.
    case ascii
  }

  package let kind: Kind
  package init(_ kind: Kind) { self.kind = kind }

  package var isASCII: Bool { kind == .ascii }

  private func pick(_ unicode: Unicode.Scalar, _ ascii: Unicode.Scalar) -> Unicode.Scalar { isASCII ? ascii : unicode }
  private func pick(_ unicode: String, _ ascii: String) -> String { isASCII ? ascii : unicode }
}

extension Glyphs {
  // Boxes.
  package var horizontal: Unicode.Scalar { pick("─", "-") }
  package var vertical: Unicode.Scalar { pick("│", "|") }
  /// Top left, top right, bottom left, bottom right.
  package var corners: [Unicode.Scalar] { [pick("╭", "+"), pick("╮", "+"), pick("╰", "+"), pick("╯", "+")] }
  package var heavyHorizontal: Unicode.Scalar { pick("━", "=") }
  package var heavyVertical: Unicode.Scalar { pick("┃", "#") }
  package var heavyCorners: [Unicode.Scalar] { [pick("┏", "#"), pick("┓", "#"), pick("┗", "#"), pick("┛", "#")] }
  package var titleLeft: Unicode.Scalar { pick("┐", "|") }
  package var titleRight: Unicode.Scalar { pick("┌", "|") }

  // Pixels: halves of a cell.
  package var upperHalf: Unicode.Scalar { pick("▀", "#") }
  package var lowerHalf: Unicode.Scalar { pick("▄", "#") }
  package var dead: Unicode.Scalar { pick("╳", "x") }
  // Ranges whose owner is not as the others are.
  package var slowTexture: Unicode.Scalar { pick("▓", "~") }
  package var silentTexture: Unicode.Scalar { pick("∙", "?") }
  package var pausedTexture: Unicode.Scalar { pick("▒", "=") }
  package var cutTexture: Unicode.Scalar { pick("░", "/") }
  package var recoveringTexture: Unicode.Scalar { pick("◌", ":") }
  package var keyDot: Unicode.Scalar { pick("●", "@") }
  package var cursorMark: Unicode.Scalar { pick("◆", "%") }
  package var walked: Unicode.Scalar { pick("•", "o") }
  package var answerDot: Unicode.Scalar { pick("∘", ",") }
  package var swatch: Unicode.Scalar { pick("█", "#") }

  // Meters.
  package var meterFull: Unicode.Scalar { pick("■", "#") }
  package var meterEmpty: Unicode.Scalar { pick("·", ".") }
  package var progressFull: Unicode.Scalar { pick("█", "#") }
  package var progressEmpty: Unicode.Scalar { pick("░", ".") }
  package var lineFull: Unicode.Scalar { pick("━", "=") }
  package var lineEmpty: Unicode.Scalar { pick("─", "-") }
  /// The last cell of a progress bar, by eighths.
  package var progressParts: [Unicode.Scalar] { isASCII ? [] : ["▏", "▎", "▍", "▌", "▋", "▊", "▉"] }

  // Graphs.
  package var axis: Unicode.Scalar { pick("─", "-") }
  package var axisMark: Unicode.Scalar { pick("┴", "-") }
  /// The mean among bars.
  package var meanMark: Unicode.Scalar { pick("│", "|") }
  /// A line in a row of cells, from low to high.
  package var lineLevels: [Unicode.Scalar] { isASCII ? ["_", "-", "^"] : ["▁", "─", "▔"] }
  package var gridLine: Unicode.Scalar { pick("┈", ".") }
  /// From little to much, where a cell has no shades of a colour.
  package var shades: [Unicode.Scalar] { isASCII ? [".", ":", "+", "*", "#"] : ["░", "░", "▒", "▓", "█"] }
  package var medianLine: Unicode.Scalar { pick("━", "=") }
  package var tailLine: Unicode.Scalar { pick("─", "-") }
  /// Sign for a curve that goes on beyond the end of an axis.
  package var beyondUp: Unicode.Scalar { pick("▲", "^") }
  package var beyondDown: Unicode.Scalar { pick("▼", "v") }
  package var asciiLevels: [Unicode.Scalar] { [".", ":", "|", "#"] }
  /// Columns that grow upwards, by eighths of a cell.
  package var columnsUp: [Unicode.Scalar] { ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] }

  // Text.
  package var ellipsis: String { pick("…", "~") }
  package var arrow: String { pick("→", "->") }
  package var longArrow: String { pick("──▶", "-->") }
  package var separator: String { pick("│", "|") }
  package var success: String { pick("✓", "+") }
  package var failure: String { pick("✗", "x") }
  package var warning: String { pick("▲", "!") }
  package var info: String { pick("•", "-") }
  package var times: String { pick("×", "x") }
  package var dash: String { pick(Figures.unknown, "-") }
  package var pause: String { pick("■", "=") }
  package var play: String { pick("▶", ">") }
  package var reads: String { pick("▲", "^") }
  package var writes: String { pick("▼", "v") }
  package var cursor: Unicode.Scalar { pick("▏", "_") }

  /// One character for a node's state; its word always stands beside it where there is room.
  package func state(_ state: NodeState) -> String {
    switch state {
    case .up: pick("●", "*")
    case .joining: pick("◐", ">")
    case .leaving: pick("◑", "<")
    case .recovering: pick("◌", "~")
    case .dead: pick("✗", "x")
    case .failed: pick("✗", "!")
    }
  }

  package func health(_ health: ClusterHealth) -> String {
    switch health {
    case .healthy: pick("●", "*")
    case .degraded, .underReplicated: pick("▲", "!")
    case .unavailable: pick("✗", "x")
    case .recovering: pick("◌", "~")
    }
  }

  package func severity(_ severity: ClusterEvent.Severity) -> String {
    switch severity {
    case .info: info
    case .success: success
    case .warning: warning
    case .failure: failure
    }
  }

  /// Sign of a mark on the time axis of a graph.
  package func mark(_ kind: CauseMark.Kind) -> String {
    switch kind {
    case .join: "+"
    case .leave: pick("←", "<")
    case .kill: pick("✗", "x")
    case .restart: pick("↻", "r")
    case .fault: pick("╳", "%")
    case .heal: pick("✓", "v")
    case .slowSync: pick("◷", "f")
    case .compaction: pick("◆", "c")
    }
  }
}

/// Everything that decides how a picture looks rather than what it says.
package struct Look: Equatable, Sendable {
  package var theme: Theme
  package var glyphs: Glyphs
  /// Draw nodes as letters, because the terminal cannot tell enough colours apart.
  package var usesLetters: Bool
  /// Shades of a colour can be told apart, two in a cell: there are exact colours, or the nearest of many.
  package var hasShades: Bool

  package init(theme: Theme, glyphs: Glyphs, depth: ColorDepth = .truecolor) {
    self.theme = theme.shown(with: depth)
    self.glyphs = glyphs
    usesLetters = glyphs.isASCII || depth <= .ansi8 || theme.isGrey
    hasShades = !glyphs.isASCII && depth >= .palette256 && theme[.graphReadEnd].components != nil
  }

  /// The letter that stands for a node where its name does not fit: A to Z, then again.
  package func letter(_ id: Int) -> Unicode.Scalar { Unicode.Scalar(UInt8(65 + Swift.max(0, id) % 26)) }

  /// Whether letters stand beside colours, because there are more nodes than colours.
  func showsLetters(_ nodeCount: Int) -> Bool { usesLetters || nodeCount > ThemeKey.nodes.count }

  package func style(_ key: ThemeKey, _ attributes: Attributes = []) -> Style { theme.style(key, attributes) }
}
