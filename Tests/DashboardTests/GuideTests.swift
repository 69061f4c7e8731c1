import Commands
import Dashboard
import ClusterModel
import Testing

@Suite struct GuideTests {
  private func screen(_ width: Int = 120, _ height: Int = 40) -> DashboardState {
    var state = DashboardState.watching(Sample(nodes: 5), Size(width: width, height: height))
    state.apply(guide: .sample)
    return state
  }

  private func text(_ state: DashboardState) -> String { Picture(state, .utf8).canvas.lines.joined(separator: "\n") }

  @Test func `a tour's keys go to the tour, and nothing is typed`() {
    var state = screen()
    let keys: [(Key, GuideKey)] = [
      (.right, .next), (.enter, .next), (.character("n"), .next), (.left, .back), (.character("b"), .back),
      (.character(" "), .pause), (.pageDown, .skip), (.character("q"), .quit), (.escape, .quit), (.control("c"), .quit),
      (.control("d"), .quit),
    ]
    for (key, meaning) in keys { #expect(state.handle(key) == [.guide(meaning)]) }
    type("xyz", into: &state)
    #expect(state.prompt.editor.isEmpty && state.focus == .prompt)
    #expect(Picture(state, .utf8).cursor == nil)
  }

  @Test func `help, themes and glyphs work during a tour, and ctrl-C in help leaves the tour`() {
    var state = screen()
    _ = state.handle(.function(1))
    #expect(state.isHelpShown && state.handle(.control("c")) == [.guide(.quit)])
    _ = state.handle(.function(3))
    _ = state.handle(.escape)
    #expect(state.overlay == nil)
    _ = state.handle(.function(2))
    #expect(state.appearance.glyphs == .blocks)
  }

  @Test func `the key line names the tour's keys, and a click presses them`() throws {
    var state = screen(80, 24)
    let row = state.layout.keys.row
    let line = Picture(state, .utf8).canvas.lines[row]
    for word in ["next", "back", "pause", "leave the tour"] { #expect(line.contains(word), "\(line)") }
    let at = try #require(line.range(of: "Space")).lowerBound
    let column = line.distance(from: line.startIndex, to: at)
    #expect(state.handle(.mouse(.press, column: column, row: row)) == [.guide(.pause)])
    #expect(state.handle(.mouse(.press, column: 5, row: 5)) == [] && state.focus == .prompt)
  }

  @Test(arguments: [(80, 24), (120, 40), (200, 60), (60, 30)])
  func `the panel it speaks of is lit and not hidden, and what it says is whole`(width: Int, height: Int) {
    // The benchmark's panel is the prompt's own; a tour has no prompt.
    for panel in PanelKind.allCases where !panel.needsBenchmark {
      var state = screen(width, height)
      var guide = Guide.sample
      guide.spot = .panel(panel)
      guide.lines = []
      state.apply(guide: guide)
      let lines = Picture(state, .utf8).canvas.lines
      #expect(lines.contains { $0.contains("look here: \(panel.rawValue)") }, "\(panel)")
      let words = lines.joined(separator: " ")
      for word in guide.text.split(separator: " ") { #expect(words.contains(word)) }
    }
  }

  @Test func `its newest evidence is always in sight, and a failed claim is said in words and sign`() {
    var state = screen(80, 24)
    var guide = Guide.sample
    for number in 1...40 { guide.lines.append(.init(kind: .figure, text: "figure \(number)")) }
    guide.lines.append(.init(kind: .claim(holds: false), text: "nothing is lost: 3 of 4"))
    guide.failed = 1
    state.apply(guide: guide)
    #expect(text(state).contains("figure 40") && text(state).contains("✗ nothing is lost: 3 of 4"))
    #expect(text(state).contains("✗ 1"))
  }

  @Test func `where a tour speaks of itself only, a dozen lines are in sight at once`() {
    for (width, height) in [(80, 24), (120, 40)] {
      var state = screen(width, height)
      var guide = Guide.sample
      guide.spot = .itself
      guide.lines = (1...12).map { .init(kind: .figure, text: "chapter \($0): all of its claims held") }
      state.apply(guide: guide)
      for number in 1...12 { #expect(text(state).contains("chapter \(number): all")) }
    }
  }

  @Test func `a command of the tour is echoed among the events once, and its key walks`() {
    var state = screen()
    var guide = Guide.sample
    guide.lines.append(.init(kind: .command, text: "get user:7"))
    state.apply(guide: guide)
    state.apply(guide: guide)
    #expect(state.log.lines.count { $0.text == "get user:7" } == 1)
    #expect(state.walk?.key.key == "user:7")
    #expect(state.prompt.runningCount == 0)
  }

  // MARK: Pages

  @Test(arguments: Topic.allCases, [(80, 24), (120, 40)])
  func `every topic is read whole at the sizes people have`(topic: Topic, size: (Int, Int)) {
    var big = Sample(nodes: 12)
    for index in big.nodes.indices {
      big.nodes[index].keys = 123_456_789
      big.nodes[index].hintsWaiting = 1_234_567
      big.nodes[index].tombstones = 1_234_567
    }
    for sample in [Sample(nodes: 1), big] {
      let page = Page(topic.explanation(sample.status(at: 100_000, reads: 1_234_567_890, writes: 123_456_789), nil))
      var state = DashboardState(size: Size(width: size.0, height: size.1))
      state.apply(status: sample.status(at: 1))
      state.apply(answer: CommandAnswer(lines: [], isSuccess: true, page: page))
      let lines = Picture(state, .utf8).canvas.lines
      let shown = words(lines)
      let all = page.paragraphs + page.figures.flatMap { [$0.label, $0.value] } + [page.question, page.hint]
      for text in all {
        for word in text.split(separator: " ") { #expect(shown.contains(word), "\(topic): \(word)") }
      }
      #expect(lines.contains { $0.contains("Esc closes") }, "\(topic) is cut")
    }
  }

  private func words(_ lines: [String]) -> Set<Substring> { Set(lines.flatMap { $0.split(separator: " ") }) }

  @Test func `a page that is too long for the screen is scrolled, and any way out closes it`() {
    var state = DashboardState.watching(Sample(nodes: 3), Size(width: 40, height: 12))
    state.apply(answer: CommandAnswer(lines: [], isSuccess: true, page: .sample))
    #expect(text(state).contains("more below") && !text(state).contains("Hint:"))
    _ = state.handle(.end)
    #expect(text(state).contains("hint"))
    _ = state.handle(.home)
    _ = state.handle(.up)
    #expect(!text(state).contains("hint"))
    for key: Key in [.escape, .enter, .character("q"), .control("c")] {
      state.apply(answer: CommandAnswer(lines: [], isSuccess: true, page: .sample))
      #expect(state.handle(key) == [] && state.overlay == nil)
    }
  }
}

extension Page {
  init(_ explanation: TopicPage) {
    self.init(
      title: explanation.title, paragraphs: explanation.paragraphs,
      figures: explanation.figures.map { Figure(label: $0.label, value: $0.value) }, question: explanation.question,
      hint: explanation.hint)
  }

  static let sample = Page(
    title: "an-idea",
    paragraphs: [
      "An idea takes a few sentences to explain, and each of them has words enough to go on in another line of the box."
    ],
    figures: [
      Figure(label: "something counted", value: "12,345"),
      Figure(label: "and measured", value: "p50 1.2 ms, p99 3.4 ms"),
    ],
    question: "What would you ask somebody who has just understood it?", hint: "a hint, not an answer.")
}

extension Guide {
  static let sample = Guide(
    chapter: 4, chapterCount: 11, title: "Fault tolerance",
    text: "A node is killed: its memory is gone, its arcs go dim. Each of its keys has two other owners, so nothing is "
      + "lost and nobody has to wait.",
    lines: [
      Line(kind: .figure, text: "4,000 keys stored, three copies each"), Line(kind: .command, text: "kill node2"),
      Line(kind: .answer(isSuccess: true), text: "Killed node: node2"),
      Line(kind: .claim(holds: true), text: "with a node dead every key is still there: 4,000 of 4,000 read back"),
    ], spot: .panel(.ring), held: 1, note: "temporary cluster")
}
