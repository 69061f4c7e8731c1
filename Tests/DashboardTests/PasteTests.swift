import Dashboard
import ClusterModel
import Testing
import Text

/// Several lines pasted at the prompt are a script.
@Suite struct PasteTests {
  private func screen() -> DashboardState { .watching(Sample(nodes: 3), Size(width: 120, height: 40)) }

  /// The answer to the line that was run as the one of this number.
  private func answer(_ number: Int) -> CommandAnswer {
    var answer = CommandAnswer(lines: [.init("did \(number)", isSuccess: true)], isSuccess: true)
    answer.number = number
    return answer
  }

  @Test(arguments: ["\n", "\r", "\r\n"])
  func `each pasted line is run once the one before has answered, and the last stays at the prompt`(end: String) {
    var state = screen()
    #expect(state.handle(.paste("put a 1\(end)  \(end)get a\(end)get b")) == [.run("put a 1")])
    #expect(state.prompt.editor.text == "get b")
    #expect(state.apply(answer: answer(9)) == [])
    #expect(state.apply(answer: answer(1)) == [.run("get a")])
    #expect(state.apply(answer: answer(2)) == [])
    #expect(state.log.lines.map(\.text).filter { !$0.hasPrefix("did ") } == ["put a 1", "get a"])
    #expect(state.handle(.enter) == [.run("get b")])
    #expect(state.prompt.editor.history.lines == ["put a 1", "get a", "get b"])
  }

  @Test func `a pasted line is over with its own answer, not with that of a line that reads the same`() {
    var state = screen()
    type("get a", into: &state)
    #expect(state.handle(.enter) == [.run("get a")])
    #expect(state.handle(.paste("get a\nget a\nget b\n")) == [.run("get a")])
    // That was typed.
    #expect(state.apply(answer: answer(1)) == [])
    #expect(state.apply(answer: answer(2)) == [.run("get a")])
    #expect(state.apply(answer: answer(2)) == [])
    #expect(state.apply(answer: answer(3)) == [.run("get b")])
  }

  @Test func `a command that is chosen while pasted lines run does not take their turn`() {
    var state = screen()
    #expect(state.handle(.paste("get a\nget b\n")) == [.run("get a")])
    state.openMenu(ofNode: 0, column: 0, row: 0)
    _ = state.handle(.down)
    #expect(state.handle(.enter) == [.run("kill node1")])
    #expect(state.apply(answer: answer(2)) == [])
    #expect(state.apply(answer: answer(1)) == [.run("get b")])
  }

  @Test func `what was typed before a paste begins its first line, and one line without an end is only typed`() {
    var state = screen()
    type("put ", into: &state)
    #expect(state.handle(.paste("a 1\nget a")) == [.run("put a 1")])
    var other = screen()
    #expect(other.handle(.paste("put a 1")) == [] && other.prompt.editor.text == "put a 1")
  }

  @Test func `a line that is typed while pasted ones wait has its turn after them`() {
    var state = screen()
    _ = state.handle(.paste("put a 1\nput a 2\n"))
    type("get a", into: &state)
    #expect(state.handle(.enter) == [])
    #expect(state.apply(answer: answer(1)) == [.run("put a 2")])
    #expect(state.apply(answer: answer(2)) == [.run("get a")])
  }

  @Test func `a question in a paste stops it, goes on after a yes and ends it after a no`() {
    for key: Key in [.character("y"), .character("n")] {
      var state = screen()
      #expect(state.handle(.paste("put a 1\ndestroy all\nget a\nget b\n")) == [.run("put a 1")])
      #expect(state.apply(answer: answer(1)) == [] && state.overlay != nil)
      if key == .character("y") {
        #expect(state.handle(key) == [.run("destroy all yes")])
        #expect(state.apply(answer: answer(2)) == [.run("get a")])
      } else {
        #expect(state.handle(key) == [])
        #expect(state.log.lines.last?.text == "not done: destroy all; nor were the 2 lines pasted after it")
        #expect(state.pasted.waiting.isEmpty)
      }
    }
  }

  @Test func `a page that is being read holds the rest of a paste up until it is closed`() {
    var state = screen()
    _ = state.handle(.paste("explain ring\nget a\n"))
    var page = CommandAnswer(lines: [], isSuccess: true, page: .sample)
    page.number = 1
    #expect(state.apply(answer: page) == [] && state.overlay != nil)
    #expect(state.handle(.escape) == [.run("get a")])
  }

  @Test func `ctrl-C on an empty line gives the waiting lines up before it quits, and none runs behind an exit`() {
    var state = screen()
    _ = state.handle(.paste("put a 1\nput b 1\nput c 1\n"))
    #expect(state.handle(.control("c")) == [])
    #expect(state.log.lines.last?.text == "not done: 2 pasted lines")
    #expect(state.apply(answer: answer(1)) == [])
    #expect(state.handle(.control("c")) == [.quit])
    var other = screen()
    _ = other.handle(.paste("exit\nput b 1\n"))
    var last = answer(1)
    last.endsProgram = true
    #expect(other.apply(answer: last) == [])
    #expect(other.pasted.waiting == ["put b 1"])
  }

  @Test func `a paste while a panel has the keys goes to the prompt`() {
    var state = screen()
    for key: Key in [.tab, .tab, .character("z")] { _ = state.handle(key) }
    #expect(state.handle(.paste("get a\nget b")) == [.run("get a")])
    #expect(state.focus == .prompt && !state.isZoomed && state.prompt.editor.text == "get b")
  }

  @Test(
    arguments: [
      [.function(3), .down], [.control("r"), .character("x")], [.tab, .tab, .character("/"), .character("n")],
      [.backTab, .character("/"), .character("n")], [.mouse(.rightPress, column: 70, row: 6)], [.function(1)],
    ] as [[Key]])
  func `a paste of lines goes to the prompt, whatever list, search or filter has the keys`(keys: [Key]) {
    var state = screen()
    let theme = state.appearance.theme
    for key in keys { _ = state.handle(key) }
    #expect(state.handle(.paste("get a\nget b\nget")) == [.run("get a")])
    #expect(state.apply(answer: answer(1)) == [.run("get b")])
    #expect(state.focus == .prompt && state.overlay == nil && state.prompt.search == nil)
    #expect(state.prompt.editor.text == "get" && state.appearance.theme == theme)
    #expect(!state.filter.isTyping && !state.nodeFilter.isTyping)
  }

  @Test func `text without a line end goes into the search and the filter that are being typed`() {
    var state = screen()
    for key: Key in [.tab, .tab, .character("/"), .paste("node2")] { _ = state.handle(key) }
    #expect(state.nodeFilter.isTyping && state.nodes.map(\.name) == ["node2"] && state.prompt.editor.isEmpty)
    var other = screen()
    for key: Key in [.control("r"), .paste("put")] { _ = other.handle(key) }
    #expect(other.prompt.search?.text == "put")
  }

  @Test func `lines that are pasted where a question waits are counted`() {
    var state = screen()
    type("destroy all", into: &state)
    _ = state.handle(.enter)
    #expect(state.handle(.paste("y\nget a\nget b")) == [])
    #expect(state.overlay != nil && state.pasted.waiting.isEmpty)
    #expect(state.log.lines.last?.text == "not taken: 3 pasted lines, because a question was open")
  }

  @Test func `describe is answered at once and the next line follows`() {
    var state = screen()
    #expect(state.handle(.paste("describe\nget a\n")) == [.run("get a")])
    #expect(state.log.lines.contains { $0.text.hasPrefix("The cluster is ") })
  }

  @Test func `a paste of any length is run whole and in order, and says how far it is`() {
    var state = screen()
    let lines = (0..<5_000).map { "put k\($0) v" }
    var run: [String] = []
    var actions = state.handle(.paste(lines.joined(separator: "\r") + "\r"))
    while case .run(let line)? = actions.first {
      run.append(line.text)
      if run.count == 2_000 {
        #expect(Picture(state, .utf8).canvas.lines.contains { $0.contains("pasted line 2,000 of 5,000; Ctrl-C stops") })
      }
      actions = state.apply(answer: answer(line.number))
    }
    #expect(run == lines && !state.pasted.isBusy)
  }

  @Test func `only CR and LF end a pasted line, and what stands in it arrives as it is`() {
    var state = screen()
    let line = "put k a\u{2028}b\u{85}c\u{0B}d\te\u{1b}[31m" + String(repeating: "x", count: 200_000)
    #expect(state.handle(.paste("\(line)\nget k")) == [.run(TypedLine(line))])
    #expect(state.prompt.editor.text == "get k")
    let bytes = ByteText.encode(Array("put k ".utf8) + [0xE9, 0xFF])
    var other = screen()
    #expect(other.handle(.paste(bytes + "\n")) == [.run(TypedLine(bytes))])
  }

  @Test func `a line that is too long to be edited is refused with its size, and nothing is cut`() {
    var state = screen()
    _ = state.handle(.paste("get a\n" + String(repeating: "x", count: LineEditor.charactersMax + 1)))
    #expect(state.prompt.editor.isEmpty)
    #expect(state.log.lines.contains { $0.text.hasPrefix("not taken: a pasted line of ") })
  }

  @Test func `while a paste arrives the screen says how much has come`() {
    var state = screen()
    let isNews = [4_096, 4_096, 0].map { count in state.apply(bytesReceived: count) }
    #expect(isNews == [true, false, true])
    _ = state.apply(bytesReceived: 4_096)
    #expect(Picture(state, .utf8).canvas.lines.contains { $0.contains("receiving a paste: \(Figures.bytes(4_096))") })
  }
}
