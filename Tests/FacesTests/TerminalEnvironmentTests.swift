import Dashboard
import Faces
import Testing

/// What TERM, COLORTERM and NO_COLOR make of the screen.
struct TerminalEnvironmentTests {
  private func environment(_ variables: [String: String]) -> TerminalEnvironment {
    TerminalEnvironment { variables[$0] ?? "" }
  }

  @Test(
    "Exact colours are used where the terminal says so and is one that our entry fits",
    arguments: [
      (["TERM": "xterm-256color", "COLORTERM": "truecolor"], true),
      (["TERM": "alacritty", "COLORTERM": "24bit"], true),
      (["TERM": "xterm-256color"], false),
      (["TERM": "xterm-256color", "COLORTERM": "yes"], false),
      (["TERM": "screen-256color", "COLORTERM": "truecolor"], false),
      (["TERM": "linux", "COLORTERM": "truecolor"], false),
      (["TERM": "xterm", "COLORTERM": "truecolor", "NO_COLOR": "1"], false),
      ([:], false),
    ])
  func exactColors(variables: [String: String], areUsed: Bool) {
    #expect(environment(variables).hasExactColors == areUsed)
  }

  @Test(
    "A terminal of the xterm's kind is known by its name",
    arguments: [
      ("xterm", true), ("tmux-256color", true), ("foot", true), ("st-256color", true), ("vte-direct", true),
      ("linux", false), ("vt100", false), ("dumb", false), ("", false),
    ])
  func families(term: String, isXtermLike: Bool) {
    #expect(environment(["TERM": term]).isXtermLike == isXtermLike)
    #expect(environment(["TERM": term]).term == term)
  }

  @Test(
    "Colours are those that the terminal has, or none if nobody wants any",
    arguments: [
      (-1, ColorDepth.mono), (2, .mono), (8, .ansi8), (15, .ansi8), (16, .ansi16), (88, .ansi16), (256, .palette256),
      (65_536, .truecolor), (1 << 24, .truecolor),
    ])
  func depth(colorCount: Int, depth: ColorDepth) {
    #expect(environment(["TERM": "xterm"]).depth(colorCount: colorCount) == depth)
    #expect(environment(["TERM": "xterm", "NO_COLOR": "1"]).depth(colorCount: colorCount) == .mono)
  }
}
