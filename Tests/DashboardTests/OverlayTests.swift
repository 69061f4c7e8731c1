import Dashboard
import ClusterModel
import Testing

@Suite struct OverlayTests {
  private func screen(_ width: Int = 120, _ height: Int = 40) -> DashboardState {
    .watching(Sample(nodes: 5), Size(width: width, height: height))
  }

  @Test func `the theme list shows each theme at once, and escape brings the former one back`() {
    var state = screen()
    let former = state.appearance.theme
    for key: Key in [.function(3), .down, .down] { _ = state.handle(key) }
    #expect(state.appearance.theme == state.appearance.themes[2])
    _ = state.handle(.escape)
    #expect(state.appearance.theme == former && state.overlay == nil)
    for key: Key in [.function(3), .end, .enter] { _ = state.handle(key) }
    #expect(state.appearance.theme.name == "terminal" && state.overlay == nil)
  }

  @Test(arguments: [Key.character("n"), .character("N"), .escape, .enter, .control("c")])
  func `what destroys is asked about, and a no leaves a line that says so`(no: Key) {
    var state = screen()
    type("destroy all", into: &state)
    #expect(state.handle(.enter) == [])
    #expect(state.handle(no) == [])
    #expect(state.overlay == nil && state.prompt.runningCount == 0)
    #expect(state.log.lines.last?.text == "not done: destroy all")
  }

  @Test(arguments: [Character("y"), "Y"])
  func `y does what was asked about`(yes: Character) {
    var state = screen()
    type("destroy all", into: &state)
    _ = state.handle(.enter)
    #expect(state.handle(.character(yes)) == [.run("destroy all yes")])
    #expect(state.prompt.runningCount == 1 && state.overlay == nil)
  }

  @Test func `what is typed or pasted while something is asked answers nothing, and the question says so`() {
    var state = screen()
    type("destroy all", into: &state)
    _ = state.handle(.enter)
    #expect(!Picture(state, .utf8).canvas.lines.contains { $0.contains("not taken") })
    for key: Key in [.character("g"), .character(" "), .paste("y\n"), .tab, .up, .backspace] {
      #expect(state.handle(key) == [])
      #expect(state.overlay != nil)
    }
    #expect(state.prompt.editor.isEmpty)
    #expect(Picture(state, .utf8).canvas.lines.contains { $0.contains("y or n first: what was typed is not taken") })
    #expect(state.handle(.character("y")) == [.run("destroy all yes")])
  }

  @Test func `a theme that is kept is to be written down, one that is looked at is not`() {
    var state = screen()
    for key: Key in [.function(3), .down] { #expect(state.handle(key) == []) }
    #expect(state.handle(.enter) == [.keepTheme(state.appearance.themes[1].name)])
    for key: Key in [.function(3), .down, .escape, .function(3), .enter] { #expect(state.handle(key) == []) }
  }

  @Test func `a frozen picture stays while the cluster goes on, and thaws with the next command`() {
    var state = screen()
    for key: Key in [.tab, .tab, .character(" ")] { _ = state.handle(key) }
    let frozen = Picture(state, .utf8)
    state.apply(status: Sample(nodes: 2).status(at: 90))
    #expect(Picture(state, .utf8) == frozen)
    _ = state.handle(.character(" "))
    #expect(state.status?.nodes.count == 2)
    _ = state.handle(.character(" "))
    _ = state.handle(.escape)
    type("get a", into: &state)
    _ = state.handle(.enter)
    #expect(!state.isFrozen)
  }

  @Test func `glyphs and mouse are switched by keys`() {
    var state = screen()
    _ = state.handle(.function(2))
    #expect(state.appearance.glyphs == .blocks)
    #expect(state.handle(.function(4)) == [.useMouse(false)])
    #expect(state.handle(.function(4)) == [.useMouse(true)])
  }

  @Test func `a filter leaves the lines that fit it`() {
    var state = screen()
    state.apply(event: Sample.event(1, at: 1, .join, .success, "node9 joined"))
    state.apply(event: Sample.event(2, at: 2, .kill, .warning, "node2 was killed"))
    for key: Key in [.backTab, .character("/")] { _ = state.handle(key) }
    type("KILL", into: &state)
    let text = Picture(state, .utf8).canvas.lines.joined(separator: "\n")
    #expect(text.contains("node2 was killed") && !text.contains("node9 joined"))
    _ = state.handle(.escape)
    #expect(Picture(state, .utf8).canvas.lines.joined().contains("node9 joined"))
    for key: Key in [.character("f"), .character("f")] { _ = state.handle(key) }
    #expect(state.filter.choice == .warnings)
    #expect(!Picture(state, .utf8).canvas.lines.joined().contains("node9 joined"))
    #expect(Picture(state, .utf8).canvas.lines.joined().contains("only warnings; f changes it"))
    _ = state.handle(.escape)
    #expect(!state.filter.isActive && state.focus == .panel(.events))
    _ = state.handle(.escape)
    #expect(state.focus == .prompt)
  }

  @Test func `ctrl-R finds older lines, and enter runs the one shown`() {
    var state = DashboardState(size: Size(width: 80, height: 24), history: ["put a 1", "get a", "put b 2", "nodes"])
    _ = state.handle(.control("r"))
    type("put", into: &state)
    #expect(state.prompt.searchMatch == "put b 2")
    _ = state.handle(.control("r"))
    #expect(state.prompt.searchMatch == "put a 1")
    _ = state.handle(.control("r"))
    #expect(state.prompt.searchMatch == "put a 1")
    #expect(state.handle(.enter) == [.run("put a 1")])
    _ = state.handle(.control("r"))
    type("zzz", into: &state)
    _ = state.handle(.escape)
    #expect(state.prompt.editor.isEmpty && state.prompt.search == nil)
  }

  @Test func `sorting puts the greatest first and keeps names in order among equals`() {
    var state = screen()
    for key: Key in [.tab, .tab, .character("s"), .character("s")] { _ = state.handle(key) }
    #expect(state.nodeOrder.criterion == .keys)
    #expect(state.nodes.map(\.name) == ["node1", "node2", "node3", "node4", "node5"])
    _ = state.handle(.character("r"))
    #expect(state.nodes.first?.name == "node5")
  }

  @Test(arguments: [(1, 1), (40, 10), (80, 24), (120, 40), (200, 60)])
  func `a click or a turn of the wheel on any cell does no harm`(width: Int, height: Int) {
    let scenes: [Scene] = [.joining, .themes, .measuring, .faulty, .opening, .help, .asking, .typing, .zoomed]
    // Every cell of a large screen is pressed; that a wheel turns and a second press zooms, small ones show.
    let isLarge = width * height > 2_000
    let deeds: [Mouse] = isLarge ? [.press] : [.press, .wheelUp, .wheelDown, .press]
    for scene in isLarge ? Array(scenes.prefix(3)) : scenes {
      let start = scene.state(Size(width: width, height: height))
      // A few larger than the screen: it may have shrunk since.
      for row in 0...height {
        for column in 0...width {
          var state = start
          for mouse in deeds { _ = state.handle(.mouse(mouse, column: column, row: row)) }
          #expect(state.size == start.size)
        }
      }
    }
  }

  @Test func `clicks select a node, move the ring's cursor, choose a theme and press the keys that are named`() throws {
    var state = screen()
    let nodes = try #require(state.layout.panels[.nodes])
    _ = state.handle(.mouse(.press, column: nodes.column + 5, row: nodes.row + 4))
    #expect(state.focus == .panel(.nodes) && state.selectedNode == 2)
    let ring = try #require(state.layout.panels[.ring])
    _ = state.handle(.mouse(.press, column: ring.column + 8, row: ring.row + ring.height - 2))
    #expect(state.ringCursor.map { $0 > Sample.slots / 2 } == true)
    _ = state.handle(.mouse(.press, column: 3, row: state.layout.prompt.row))
    #expect(state.focus == .prompt)
    let keys = Picture(state, .utf8).canvas.lines[state.layout.keys.row]
    let column = try #require(keys.range(of: "F3")).lowerBound
    let action = Key.mouse(.press, column: keys.distance(from: keys.startIndex, to: column), row: state.layout.keys.row)
    _ = state.handle(action)
    #expect(state.overlay != nil)
  }

  @Test func `what is typed while help or a page is open goes to the prompt, whole`() {
    var state = screen()
    _ = state.handle(.function(1))
    type("put x y", into: &state)
    #expect(state.overlay == nil && state.prompt.editor.text == "put x y")
    var reading = Scene.explaining.state(Size(width: 120, height: 40))
    type("get a", into: &reading)
    #expect(reading.overlay == nil && reading.prompt.editor.text == "get a")
  }

  @Test func `a key that changes how things look says so for three seconds`() {
    var state = screen()
    _ = state.handle(.function(2))
    func says() -> Bool { Picture(state, .utf8).canvas.lines.contains { $0.contains("glyphs: blocks") } }
    #expect(says())
    state.advance(toNs: state.seen.nowNs + 3_100_000_000)
    #expect(!says())
  }
}
