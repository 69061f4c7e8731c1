import ClusterModel
import Dashboard
import Foundation
import Testing

@testable import Faces

/// Sessions that are recorded, and played again.
struct ReplayTests {
  private func status(_ seconds: UInt64, nodes: Int = 3) -> ClusterStatus {
    var status = ClusterStatus(uptimeNs: seconds * 1_000_000_000, phase: .serving)
    status.nodes = (0..<nodes).map { NodeStatus(id: $0, name: "node\($0 + 1)", state: .up) }
    return status
  }

  private func event(_ number: UInt64, at seconds: UInt64, _ what: ClusterEvent.What) -> ClusterEvent {
    ClusterEvent(sequence: number, uptimeNs: seconds * 1_000_000_000, what)
  }

  /// A session of sixty seconds in which a node dies at 20 s and is back at 40 s.
  private func record(to path: String) throws {
    let writer = try SessionWriter(path: path)
    for second in UInt64(0)...60 {
      if second == 20 { writer.add(event(1, at: 20, .killed(node: "node2"))) }
      if second == 40 {
        writer.add(event(2, at: 40, .restarted(node: "node2", ms: 5, hintsDelivered: 3, copiesRepaired: 0)))
      }
      var now = status(second)
      if (20..<40).contains(second) { now.nodes[1].state = .dead }
      writer.add(now, atNs: second * 1_000_000_000)
      // More often than once a second is not written.
      writer.add(now, atNs: second * 1_000_000_000 + 1_000)
    }
  }

  @Test("A session that cannot be read, or shown, is told, with status 1")
  @MainActor
  func cannotBePlayed() throws {
    let folder = try TestFolder()
    try record(to: folder.path("session"))
    let newer = try folder.text("session").replacing("\"version\":2", with: "\"version\":3")
    try folder.write(newer, to: "newer")
    let test = TestConsole()
    for name in ["missing", "newer", "session"] {
      let status = ReplayFace.run(folder.path(name), ScreenOptions(), test.console) { () throws(ScreenError) in
        throw ScreenError(description: "there is no terminal")
      }
      #expect(status == 1)
    }
    let lines = test.finish().err.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[0].contains("cannot replay") && lines[0].contains("records a session"))
    #expect(lines[1].contains("it has version 3, and this program reads version 2"))
    #expect(lines[2].contains("there is no terminal"))
  }

  @Test("What was recorded is read again: each second's status, with the events since the one before")
  func isReadAgain() throws {
    let folder = try TestFolder()
    try record(to: folder.path("session"))
    let session = try RecordedSession.read(folder.path("session"))
    #expect(session.moments.count == 61)
    #expect(session.moments[20].events.map(\.what) == [.killed(node: "node2")])
    #expect(session.moments[20].status.nodes[1].state == .dead && session.moments[40].status.nodes[1].state == .up)
    #expect(session.moments.map(\.status.uptimeNs) == (0...60).map { UInt64($0) * 1_000_000_000 })
  }

  @Test(
    "A file that is none, an empty one, a newer one and a mixed-up one are refused with their line; a cut end is not")
  func isRefused() throws {
    let folder = try TestFolder()
    try record(to: folder.path("session"))
    let whole = try folder.text("session")
    func failure(_ text: String) throws -> String? {
      try folder.write(text, to: "other")
      do {
        _ = try RecordedSession.read(folder.path("other"))
        return nil
      } catch { return error.description }
    }
    let (none, empty, cut) = (
      try failure("hello\nworld\n"), try failure(""), try failure(String(whole.dropLast(100)))
    )
    #expect(none?.contains("line 1 is no status") == true)
    #expect(empty?.contains("nothing is recorded") == true)
    #expect(cut == nil)
    let newer = whole.replacingOccurrences(of: "\"version\":2", with: "\"version\":99")
    #expect(newer != whole)
    let refused = try failure(newer)
    #expect(refused?.contains("version 99") == true)
    let lines = whole.split(separator: "\n")
    let mixedUp = try failure(lines.reversed().joined(separator: "\n"))
    #expect(mixedUp?.contains("older than the one before") == true)
    #expect(throws: WholeFile.Failure.self) { try RecordedSession.read(folder.path("missing")) }
    #expect(throws: WholeFile.Failure.self) { try RecordedSession.read("/dev/zero") }
  }

  @Test("It is gone through both ways on the screen: the picture is that of the moment")
  func isPlayed() async throws {
    let folder = try TestFolder()
    try record(to: folder.path("session"))
    let host = ReplayHost("session", try RecordedSession.read(folder.path("session")))
    let terminal = try await TestTerminal().show(host)
    try await terminal.type(" f")
    try await terminal.shows("20.000000 s of 60.0 s")
    try await terminal.shows("node2 was killed")
    #expect(terminal.record.text.contains("dead"))
    try await terminal.type("f")
    try await terminal.shows("40.000000 s of 60.0 s")
    try await terminal.shows("node2 is back")
    try await terminal.type("g")
    try await terminal.shows("0.000000 s of 60.0 s")
    #expect(!terminal.record.text.contains("▲ node2 was killed"))
    try await terminal.type("q")
    #expect(try await terminal.ends() == 0)
  }

  @Test("The screen records its session, a status a second")
  func screenRecords() async throws {
    let folder = try TestFolder()
    var options = ScreenOptions()
    options.sessionPath = folder.path("session")
    let terminal = try await TestTerminal().show(ReportingHost(reported: status(7)), options)
    for _ in 0..<30 { try await terminal.pass(.milliseconds(100)) }
    try await terminal.type("\u{3}")
    _ = try await terminal.ends()
    let session = try RecordedSession.read(folder.path("session"))
    #expect((3...4).contains(session.moments.count), "once a second")
    #expect(session.moments[0].events.map(\.what) == [.killed(node: "node2")])
    #expect(session.moments[1].events.isEmpty)
  }
}

/// A host with one status and one event.
private struct ReportingHost: ScreenHost {
  let reported: ClusterStatus

  func status() -> ClusterStatus? { reported }
  func events(after sequence: UInt64) -> [ClusterEvent] {
    sequence < 1 ? [ClusterEvent(sequence: 1, uptimeNs: 0, .killed(node: "node2"))] : []
  }
  func run(_ line: TypedLine, news: @escaping @Sendable (CommandNews) -> Void) async -> CommandAnswer {
    CommandAnswer(lines: [], isSuccess: true)
  }
  var advice: CommandAdvice { CommandAdvice() }
  func loadHistory() -> [String] { [] }
  func saveHistory(_ lines: [String]) {}
}
