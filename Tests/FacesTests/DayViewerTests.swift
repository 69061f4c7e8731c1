import Dashboard
import KVCluster
@testable import KVSimulator
import Testing

@testable import Faces

/// Where keys and time take the viewer of a simulated day.
@Suite struct DayViewerTests {
  /// A day with a wrong answer, lived once for all tests.
  private static let score: DayScore = {
    for seed in UInt64(1)... {
      let player = DayPlayer(seed: seed, mistake: .damagedIsAbsent)
      defer { player.stop() }
      if let score = player.waitForScore(), score.violation != nil { return score }
    }
    fatalError("no seed shows it")
  }()

  private func viewer() -> DayViewer { DayViewer(Self.score) }

  private func violation() throws -> DayMark { try #require(Self.score.violation) }

  @Test func `time goes on by as much as the speed says, and not while it is paused`() {
    var viewer = viewer()
    viewer.cursor.pass(realNs: 50_000_000)
    #expect(viewer.position.nowNs == Self.score.startNs + 50_000_000)
    viewer.cursor.take(.slower)
    viewer.cursor.take(.slower)
    viewer.cursor.pass(realNs: 50_000_000)
    #expect(viewer.position.nowNs == Self.score.startNs + 55_000_000)
    viewer.cursor.take(.playOrPause)
    viewer.cursor.pass(realNs: 50_000_000)
    #expect(viewer.position.nowNs == Self.score.startNs + 55_000_000)
  }

  @Test func `speeds have ends`() {
    var viewer = viewer()
    for _ in 0..<40 { viewer.cursor.take(.faster) }
    #expect(viewer.cursor.speed == PlaybackCursor.speeds.last)
    for _ in 0..<40 { viewer.cursor.take(.slower) }
    #expect(viewer.cursor.speed == PlaybackCursor.speeds.first)
  }

  @Test func `the day stops at the answer that no order explains, and goes on when it is told to`() throws {
    let violation = try violation()
    var viewer = viewer()
    viewer.cursor.play(at: 100)
    for _ in 0..<10_000 where viewer.cursor.isPlaying { viewer.cursor.pass(realNs: 50_000_000) }
    #expect(viewer.position.step == violation.step)
    viewer.cursor.take(.playOrPause)
    for _ in 0..<100_000 where viewer.cursor.isPlaying { viewer.cursor.pass(realNs: 50_000_000) }
    #expect(viewer.position == .init(step: Self.score.stepCount, nowNs: Self.score.endNs))
    viewer.cursor.take(.playOrPause)
    #expect(viewer.cursor.isPlaying && viewer.position.step == 0, "from the end it begins anew")
  }

  @Test func `steps, answers and marks are gone through both ways, and stop the day`() throws {
    var viewer = viewer()
    viewer.cursor.take(.step(1))
    #expect(!viewer.cursor.isPlaying && viewer.position.step == 1)
    viewer.cursor.take(.step(-1))
    viewer.cursor.take(.step(-1))
    #expect(viewer.position.step == 0)
    viewer.cursor.take(.answer(1))
    let first = viewer.position.step
    #expect(first == Self.score.answerSteps[0])
    viewer.cursor.take(.answer(1))
    viewer.cursor.take(.answer(-1))
    #expect(viewer.position.step == first)
    var seen: [Int] = []
    viewer.cursor.take(.seek(0))
    for _ in Self.score.marks {
      viewer.cursor.take(.mark(1))
      seen.append(viewer.position.step)
    }
    #expect(Set(seen) == Set(Self.score.marks.map(\.step)))
    viewer.cursor.take(.seek(1))
    #expect(viewer.position.step == Self.score.stepCount)
    viewer.cursor.take(.violation)
    let violation = try violation()
    #expect(viewer.position.step == violation.step)
  }

  @Test func `what is shown is known at that moment: no answer before it came, no proof before the wrong one`() throws {
    let violation = try violation()
    func seen(at step: Int) -> Playback {
      let news = DayPlayer.News(
        run: 1, position: .init(step: step, nowNs: Self.score.timesNs[step]), isBusy: false, frames: [], flights: [])
      return viewer().playback("day", news)
    }
    let before = seen(at: violation.step - 1)
    #expect(before.proof.isEmpty)
    let wrong = try #require(Self.score.calls.first { $0.isOffending && $0.answerStep == violation.step })
    #expect(!before.lanes.flatMap(\.calls).contains { $0.text == wrong.text && $0.isOffending })
    for call in before.lanes.flatMap(\.calls) where call.ending == .open { #expect(!call.text.contains("→")) }
    let after = seen(at: violation.step)
    #expect(after.proof == Self.score.explanation && !after.proof.isEmpty)
    #expect(after.lanes.flatMap(\.calls).contains { $0.isOffending })
    for call in before.lanes.flatMap(\.calls) { #expect(call.fromNs <= call.toNs && call.toNs <= before.nowNs) }
  }
}
