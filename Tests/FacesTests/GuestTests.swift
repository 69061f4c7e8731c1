import Dashboard
import Faces
import Testing

/// Guests: a tour that is shown over the cluster below it, and the cluster that comes back.
struct GuestTests {
  @Test(
    "A guest has the screen and the keys until it is left; then the picture below is back, with what it answered meanwhile"
  )
  func visits() async throws {
    let guest = ScriptedHost(guide: .sample)
    let host = ScriptedHost(guest: guest, holding: ["long"])
    let terminal = try await TestTerminal().show(host)
    try await terminal.type("long\rvisit\r")
    try await terminal.shows("A ring")
    #expect(!terminal.record.text.contains("did long"))
    try await terminal.type("n")
    #expect(guest.taken == [.next])
    try await terminal.shows("2/3")
    host.release("long")
    try await terminal.type("q")
    #expect(guest.taken == [.next, .quit])
    try await terminal.shows("Back from the guest")
    #expect(!terminal.record.text.contains("A ring"))
    try await terminal.shows("did long")
    try await terminal.type("after\r")
    try await terminal.shows("did after")
    #expect(host.ran == ["long", "after"])
    try await terminal.type("\u{03}")
    #expect(try await terminal.ends() == 0)
  }

  @Test("A tour that is the program is left with status 0", arguments: ["q", "\u{03}"])
  func isTheProgram(key: String) async throws {
    let host = ScriptedHost(guide: .sample)
    let terminal = try await TestTerminal().show(host)
    try await terminal.type(key)
    #expect(try await terminal.ends() == 0)
    #expect(host.taken == [.quit])
    #expect(terminal.record.closings == 1)
  }

  @Test("Another cluster begins with an empty picture")
  func beginsAnew() async throws {
    let host = ScriptedHost(guide: .sample)
    let terminal = try await TestTerminal().show(host)
    host.inside.withLock { inside in
      inside.guide?.lines = [.init(kind: .command, text: "put of-the-first 1")]
    }
    try await terminal.shows("of-the-first")
    host.inside.withLock { inside in
      inside.clusterNumber = 1
      inside.guide?.lines = []
    }
    try await terminal.pass(.milliseconds(200))
    #expect(!terminal.record.text.contains("of-the-first"))
    try await terminal.type("q")
    #expect(try await terminal.ends() == 0)
  }
}
