import Dashboard
import Glibc

/// What the environment says about the terminal.
struct TerminalEnvironment {
  let term: String
  /// The terminal shows exact colours, and our own entry for such terminals fits it.
  let hasExactColors: Bool
  private let wantsNoColor: Bool

  init() {
    term = Self.variable("TERM")
    wantsNoColor = !Self.variable("NO_COLOR").isEmpty
    let says = ["truecolor", "24bit"].contains(Self.variable("COLORTERM"))
    // Ours is an xterm's entry: under GNU screen and on consoles, where COLORTERM may be inherited, keys would differ.
    hasExactColors = says && !wantsNoColor && Self.isXtermLike(term) && !term.hasPrefix("screen")
  }

  /// Whether it understands bracketed paste and synchronized updates, or at least ignores them in silence.
  var isXtermLike: Bool { Self.isXtermLike(term) }

  /// The colours to use, of those that the terminal has.
  func depth(colorCount: Int) -> ColorDepth {
    if wantsNoColor { return .mono }
    switch colorCount {
    case ..<8: return .mono
    case ..<16: return .ansi8
    case ..<256: return .ansi16
    case ..<65536: return .palette256
    default: return .truecolor
    }
  }

  private static func isXtermLike(_ term: String) -> Bool {
    let families = [
      "xterm", "tmux", "screen", "rxvt", "alacritty", "foot", "kitty", "wezterm", "konsole", "ghostty", "st-",
    ]
    return families.contains { term.hasPrefix($0) } || term.hasSuffix("-256color") || term.hasSuffix("-direct")
  }

  private static func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
}
