import Dashboard
import KVSimulator
import Testing

@testable import Faces

/// A simulated day on a test terminal: the whole loop, with the keys that its viewer has.
struct DayFaceTests {
  @Test("A day is played, stepped back, and left; what the strip says is where its viewer is")
  func isWatched() async throws {
    let player = DayPlayer(seed: 42)
    let host = DayHost("seed 42", player, firstAnswer: 2)
    let terminal = try await TestTerminal().show(host)
    let score = try #require(player.waitForScore())
    let step = score.answerSteps[2]
    try await terminal.shows("step \(Self.count(step)) of \(Self.count(score.stepCount))")
    try await terminal.type("\u{1b}[D")
    try await terminal.shows("step \(Self.count(step - 1)) of")
    try await terminal.type("o")
    try await terminal.shows("step \(Self.count(step)) of")
    try await terminal.shows("operations checked, 0 violations")
    try await terminal.type("q")
    #expect(try await terminal.ends() == 0)
  }

  private static func count(_ value: Int) -> String {
    value < 1_000 ? "\(value)" : "\(value / 1_000),\(String(value % 1_000 + 1_000).dropFirst())"
  }

  @Test("A recording is the day from its beginning to its end, also where an answer is wrong")
  func isRecorded() async throws {
    let folder = try TestFolder()
    let path = folder.path("day.cast")
    let console = TestConsole()
    let face = DayFace(seed: 42, mistake: nil, carrier: nil, from: nil)
    let status = face.record(to: path, Size(width: 80, height: 24), Appearance(), speed: 100, console.console)
    #expect(status == 0)
    let lines = try folder.text("day.cast").split(separator: "\n")
    #expect(lines.first?.contains("\"width\": 80") == true && lines.count > 3)
    #expect(console.finish().out.contains("asciinema play"))
  }
}
