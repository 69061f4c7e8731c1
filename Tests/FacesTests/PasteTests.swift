import Dashboard
import Faces
import Glibc
import Testing

/// Pastes of any length: in order, with progress, stoppable, and nothing dropped without a count.
struct PasteTests {
  @Test("Pasted lines run one after another, each once the one before has answered; the last stays to be edited")
  func runsInOrder() async throws {
    let host = ScriptedHost(holding: ["b"])
    let terminal = try await TestTerminal().show(host)
    try await terminal.paste("a\rb\rc\rrest")
    try await terminal.shows("did a")
    #expect(host.ran.first == "a" && !host.ran.contains("c"))
    host.release("b")
    try await terminal.shows("did c")
    #expect(host.ran == ["a", "b", "c"])
    try await terminal.shows("> rest")
    try await terminal.type(" of it\r")
    try await terminal.shows("did rest of it")
    try await end(terminal)
  }

  @Test("Ten thousand lines in pieces that end anywhere run in order, and the prompt says how far they are")
  func runsMany() async throws {
    let count = 10_000
    let host = ScriptedHost(holding: ["put k5000 v"])
    let terminal = try await TestTerminal().show(host)
    let bytes = Array("\u{1b}[200~\((0..<count).map { "put k\($0) v\r" }.joined())\u{1b}[201~".utf8)
    for start in stride(from: 0, to: bytes.count, by: 997) {
      try await terminal.send(.bytes(Array(bytes[start..<min(start + 997, bytes.count)])))
    }
    try await terminal.shows("pasted line 5,001 of 10,000")
    host.release("put k5000 v")
    try await terminal.type("put last 1\r")
    try await terminal.shows("did put last 1")
    #expect(host.ran == (0..<count).map { "put k\($0) v" } + ["put last 1"])
    try await end(terminal)
  }

  @Test("Ctrl-C on an empty line gives the rest of a paste up and says how many lines that were")
  func isStopped() async throws {
    let host = ScriptedHost(holding: ["first"])
    let terminal = try await TestTerminal().show(host)
    try await terminal.paste("first\r" + String(repeating: "never\r", count: 500))
    try await terminal.type("\u{03}")
    try await terminal.shows("not done: 500 pasted lines")
    host.release("first")
    try await terminal.shows("did first")
    #expect(host.ran == ["first"])
    try await end(terminal)
  }

  @Test("A paste is received with its size told, and one that has lost its end becomes text after a second of silence")
  func losesItsEnd() async throws {
    let host = ScriptedHost()
    let terminal = try await TestTerminal().show(host)
    try await terminal.type("\u{1b}[200~get pasted\u{1b}[20")
    try await terminal.pass(.milliseconds(900))
    #expect(!terminal.record.text.contains("> get pasted"))
    try await terminal.pass(.milliseconds(200))
    #expect(terminal.record.text.contains("get pasted"))
    try await terminal.type("\u{15}")
    try await terminal.type("\u{1b}[200~\(String(repeating: "x", count: 100_000))")
    try await terminal.shows("receiving")
    try await terminal.type("\u{1b}[201~")
    try await terminal.type("\u{15}hello\r")
    try await terminal.shows("did hello")
    try await end(terminal)
  }

  @Test("Where the terminal marks no pastes, several lines that arrive together are one")
  func isUnmarked() async throws {
    let host = ScriptedHost(holding: ["a"])
    let terminal = try await TestTerminal(marksPastes: false).show(host)
    try await terminal.type("a\nb\nc")
    try await terminal.shows("> c")
    #expect(!terminal.record.text.contains("> b"))
    host.release("a")
    try await terminal.shows("did b")
    #expect(host.ran == ["a", "b"])
    try await end(terminal)
  }

  @Test("A paste whose first byte comes alone and late is a paste all the same, and an Esc alone stays a key")
  func isTorn() async throws {
    let host = ScriptedHost()
    let terminal = try await TestTerminal().show(host)
    try await terminal.type("\u{1b}")
    try await terminal.pass(.milliseconds(100))
    try await terminal.type("[200~put a 1\rput b 2\r\u{1b}")
    try await terminal.pass(.milliseconds(100))
    try await terminal.type("[201~")
    try await terminal.shows("did put b 2")
    #expect(host.ran == ["put a 1", "put b 2"])
    try await terminal.type("\u{1b}")
    try await terminal.pass(.milliseconds(100))
    for letter in "[x" { try await terminal.type(String(letter)) }
    #expect(terminal.record.text.contains("> [x"))
    try await end(terminal)
  }

  @Test("Pasted lines behind an exit, or waiting when a signal comes, are counted", arguments: [true, false])
  func isCutOff(byExit: Bool) async throws {
    let host = ScriptedHost(holding: ["a"]) { CommandAnswer(lines: [], isSuccess: true, endsProgram: $0 == "exit") }
    let terminal = try await TestTerminal().show(host)
    try await terminal.paste("a\rexit\rnever\rnever\r")
    if !byExit { try await terminal.send(.endAsked(signal: SIGTERM)) }
    host.release("a")
    #expect(try await terminal.ends() == (byExit ? 0 : 128 + SIGTERM))
    #expect(terminal.record.complaints == ["not done: \(byExit ? 2 : 3) pasted lines"])
  }

  private func end(_ terminal: TestTerminal) async throws {
    try await terminal.type("\u{15}\u{03}")
    #expect(try await terminal.ends() == 0)
    #expect(terminal.record.closings == 1)
  }
}
