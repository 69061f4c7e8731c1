import Dashboard
import ClusterModel
import Testing

@Suite struct KeyTests {
  private func screen() -> DashboardState { .watching(Sample(nodes: 5), Size(width: 80, height: 24)) }

  @Test func `enter runs the line, echoes it and remembers it`() {
    var state = screen()
    type("put a 1", into: &state)
    #expect(state.handle(.enter) == [.run("put a 1")])
    #expect(state.log.lines.last?.text == "put a 1")
    #expect(state.prompt.editor.isEmpty)
    #expect(state.prompt.editor.history.lines == ["put a 1"])
    #expect(state.handle(.enter) == [])
  }

  @Test func `an answer appears in the log and beside the prompt until something is typed`() {
    var state = screen()
    type("get a", into: &state)
    _ = state.handle(.enter)
    #expect(state.prompt.runningCount == 1)
    let answer = CommandAnswer(lines: [.init("Not found: a", isSuccess: false)], isSuccess: false)
    state.apply(answer: answer)
    #expect(state.log.lines.last?.kind == .answer(isSuccess: false))
    #expect(state.prompt.runningCount == 0)
    #expect(state.prompt.lastAnswer == answer)
    type("g", into: &state)
    #expect(state.prompt.lastAnswer == nil)
  }

  @Test func `ctrl-C clears a typed line and quits on an empty one`() {
    var state = screen()
    type("put", into: &state)
    #expect(state.handle(.control("c")) == [])
    #expect(state.prompt.editor.isEmpty)
    #expect(state.handle(.control("c")) == [.quit])
  }

  @Test func `ctrl-C clears the line also while completions are offered`() {
    var state = screen()
    type("kill n", into: &state)
    _ = state.handle(.tab)
    #expect(state.prompt.choices != nil)
    #expect(state.handle(.control("c")) == [])
    #expect(state.prompt.editor.isEmpty && state.prompt.choices == nil)
  }

  @Test func `ctrl-D quits on an empty line only`() {
    var state = screen()
    type("ab", into: &state)
    _ = state.handle(.left)
    #expect(state.handle(.control("d")) == [])
    #expect(state.prompt.editor.text == "a")
    _ = state.handle(.control("u"))
    #expect(state.handle(.control("d")) == [.quit])
  }

  @Test func `ctrl-L redraws and ctrl-Z suspends wherever the keys go`() {
    var state = screen()
    for keys: [Key] in [[], [.tab], [.function(1)]] {
      for key in keys { _ = state.handle(key) }
      #expect(state.handle(.control("l")) == [.redraw])
      #expect(state.handle(.control("z")) == [.suspend])
    }
  }

  @Test func `tab visits every panel and returns to the prompt, and escape returns at once`() {
    var state = screen()
    var visited: [Focus] = []
    // Latency has no room here.
    let panels = PanelKind.allCases.filter { !$0.needsBenchmark && $0 != .latency }
    for _ in 0...panels.count {
      _ = state.handle(.tab)
      visited.append(state.focus)
    }
    #expect(visited == panels.map { .panel($0) } + [.prompt])
    _ = state.handle(.backTab)
    #expect(state.focus == .panel(.events))
    _ = state.handle(.escape)
    #expect(state.focus == .prompt)
  }

  @Test(arguments: [(40, 10), (1, 1), (30, 60)])
  func `where one panel has room, tab still visits all and returns to the prompt`(width: Int, height: Int) {
    var state = DashboardState.watching(Sample(nodes: 5), Size(width: width, height: height))
    state.size = Size(width: width, height: Swift.min(height, 12))
    var visited: [Focus] = []
    let panels = PanelKind.allCases.filter { !$0.needsBenchmark }
    for _ in 0...panels.count {
      _ = state.handle(.tab)
      visited.append(state.focus)
    }
    #expect(visited == panels.map { .panel($0) } + [.prompt])
    _ = state.handle(.backTab)
    #expect(state.focus == .panel(.events))
  }

  @Test func `z and enter zoom the focused panel, and escape first undoes the zoom`() {
    var state = screen()
    for key: Key in [.tab, .tab, .enter] { _ = state.handle(key) }
    #expect(state.layout.visible == [.nodes])
    _ = state.handle(.tab)
    #expect(state.layout.visible == [.throughput])
    _ = state.handle(.escape)
    #expect(state.layout.visible.count > 1)
    #expect(state.focus == .panel(.throughput))
  }

  @Test func `a panel that has no room beside the others gives the keys back when it is no longer alone`() {
    for leave: Key in [.escape, .enter, .character("z")] {
      var state = screen()
      for key: Key in [.tab, .character("z"), .tab, .tab, .tab] { _ = state.handle(key) }
      #expect(state.focus == .panel(.latency) && state.layout.visible == [.latency])
      _ = state.handle(leave)
      #expect(state.focus == .prompt)
      #expect(Picture(state, .utf8).cursor != nil)
      type("get a", into: &state)
      #expect(state.prompt.editor.text == "get a")
    }
  }

  @Test func `keys are never with a panel that is not there, whatever is pressed`() {
    var random = SplitMix(seed: 7)
    let keys: [Key] = [.tab, .backTab, .enter, .escape, .character("z"), .character("q"), .character("?")]
    for (width, height) in [(80, 24), (120, 40), (60, 20), (40, 12)] {
      var state = DashboardState.watching(Sample(nodes: 5), Size(width: width, height: height))
      for _ in 0..<400 {
        _ = state.handle(keys[Int(random.next() % UInt64(keys.count))])
        if case .panel(let panel) = state.focus { #expect(state.layout.panels[panel] != nil, "\(panel) at \(width)") }
      }
    }
  }

  @Test func `help opens over everything and closes again`() {
    var state = screen()
    _ = state.handle(.function(1))
    #expect(state.isHelpShown)
    _ = state.handle(.escape)
    #expect(!state.isHelpShown)
    _ = state.handle(.tab)
    _ = state.handle(.character("?"))
    #expect(state.isHelpShown)
  }

  @Test func `arrows select a node and stay inside the table`() {
    var state = screen()
    for key: Key in [.tab, .tab, .up, .down, .down] { _ = state.handle(key) }
    #expect(state.selectedNode == 2)
    for _ in 0..<9 { _ = state.handle(.character("j")) }
    #expect(state.selectedNode == 4)
    state.apply(status: Sample(nodes: 2).status(at: 99))
    #expect(state.selectedNode == 1)
  }

  @Test func `scrolled events stay in place while new ones arrive`() {
    var state = screen()
    for number in 1...50 {
      state.apply(event: Sample.event(UInt64(number), at: 1, .cluster, .info, "event \(number)"))
    }
    _ = state.handle(.pageUp)
    let before = Picture.panel(.events, state, state.layout.panels[.events]!.size, .utf8).lines.dropFirst()
    #expect(!before.contains { $0.contains("event 50") })
    state.apply(event: Sample.event(51, at: 2, .cluster, .info, "event 51"))
    let after = Picture.panel(.events, state, state.layout.panels[.events]!.size, .utf8).lines.dropFirst()
    #expect(before == after)
    for _ in 0..<100 { _ = state.handle(.pageUp) }
    for _ in 0..<100 { _ = state.handle(.pageDown) }
    #expect(state.log.rowsBelow == 0)
  }
}
