import Dashboard
import Glibc

/// Settings of the terminal from the environment.
package struct TerminalEnvironment {
  /// The terminal's name, as terminfo has it.
  package let term: String
  /// The terminal shows exact colours, and our own entry for such terminals fits it.
  package let hasExactColors: Bool
  private let wantsNoColor: Bool
  /// The background as `COLORFGBG` tells it, which rxvt, Konsole and others set; `nil` if it does not.
  package let background: Color?

  /// - Parameter variable: the value of a variable of the environment; empty if it has none.
  package init(_ variable: (String) -> String = { getenv($0).map { String(cString: $0) } ?? "" }) {
    term = variable("TERM")
    wantsNoColor = !variable("NO_COLOR").isEmpty
    // `15;0`, or `15;default;0`: the last is the palette's entry of the background.
    background = variable("COLORFGBG").split(separator: ";").last.flatMap { UInt8($0) }.flatMap {
      $0 < 16 ? Color.palette($0) : nil
    }
    let says = ["truecolor", "24bit"].contains(variable("COLORTERM"))
    // Ours is an xterm's entry: under GNU screen and on consoles, where COLORTERM may be inherited, keys would differ.
    hasExactColors = says && !wantsNoColor && Self.isXtermLike(term) && !term.hasPrefix("screen")
  }

  /// Whether it understands bracketed paste and synchronized updates, or at least ignores them in silence.
  package var isXtermLike: Bool { Self.isXtermLike(term) }

  /// The colours to use, of those that the terminal has.
  package func depth(colorCount: Int) -> ColorDepth {
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
}
