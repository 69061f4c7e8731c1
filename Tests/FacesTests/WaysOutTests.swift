import Dashboard
import Faces
import Glibc
import Testing

/// However the screen is left, or stopped for a while, the terminal is given back.
struct WaysOutTests {
  @Test(
    "A signal that ends the program gives the terminal back once; its status is 128 + the signal",
    arguments: [SIGINT, SIGTERM, SIGHUP])
  func endsBySignal(signal: Int32) async throws {
    let terminal = try await TestTerminal().show(ScriptedHost())
    try await terminal.send(.endAsked(signal: signal))
    #expect(try await terminal.ends() == 128 + signal)
    #expect(terminal.record.closings == 1)
    #expect(terminal.record.strayPictures == 0)
  }

  @Test("Keys end it with status 0", arguments: ["\u{03}", "\u{04}", "half\u{15}\u{04}", "\u{1b}OP\u{03}"])
  func endsByKey(keys: String) async throws {
    let terminal = try await TestTerminal().show(ScriptedHost())
    try await terminal.type(keys)
    #expect(try await terminal.ends() == 0)
    #expect(terminal.record.closings == 1)
  }

  @Test("Ctrl-C with something typed empties the line and does not end it")
  func clears() async throws {
    let terminal = try await TestTerminal().show(ScriptedHost())
    try await terminal.type("half a line\u{03}")
    #expect(terminal.record.status == nil)
    #expect(!terminal.record.text.contains("half a line"))
    try await terminal.type("\u{03}")
    #expect(try await terminal.ends() == 0)
  }

  @Test("A terminal that has gone ends it as SIGHUP does, also while a command runs")
  func endsWithoutATerminal() async throws {
    let host = ScriptedHost(holding: ["long"])
    let terminal = try await TestTerminal().show(host)
    try await terminal.type("long\r")
    try await terminal.send(.gone)
    #expect(try await terminal.ends() == 128 + SIGHUP)
    #expect(terminal.record.closings == 1)
    host.release("long")
  }

  @Test("The first reason to end is the status, whatever comes with it")
  func endsOnce() async throws {
    let terminal = try await TestTerminal().show(ScriptedHost())
    terminal.queue([.endAsked(signal: SIGTERM), .bytes([3]), .gone])
    #expect(try await terminal.ends() == 128 + SIGTERM)
    #expect(terminal.record.closings == 1)
  }

  @Test(
    "Ctrl-Z stops the program and draws nothing until it is continued, in the window's new size",
    arguments: [true, false])
  func stops(byKey: Bool) async throws {
    let host = ScriptedHost(holding: ["long"])
    let terminal = try await TestTerminal().show(host)
    try await terminal.type("long\r")
    if byKey { try await terminal.type("\u{1a}") } else { try await terminal.send(.stopAsked) }
    #expect(terminal.record.suspensions == 1)
    host.release("long")
    try await terminal.go(Size(width: 60, height: 20))
    try await terminal.shows("did long")
    #expect(terminal.record.picture?.canvas.size == Size(width: 60, height: 20))
    #expect(terminal.record.strayPictures == 0)
    try await terminal.type("\u{03}")
    #expect(try await terminal.ends() == 0)
  }

  @Test("After a stop that could not be caught the terminal is taken again")
  func isContinued() async throws {
    let terminal = try await TestTerminal().show(ScriptedHost())
    try await terminal.send(.continued)
    #expect(terminal.record.resumptions == 1)
    try await terminal.type("\u{03}")
    #expect(try await terminal.ends() == 0)
  }
}
