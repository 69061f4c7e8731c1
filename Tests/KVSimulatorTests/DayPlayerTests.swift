import KVCluster
import Testing

@testable import KVSimulator

/// Watching a day changes nothing in it, whichever way a viewer goes through it.
@Suite struct DayPlayerTests {
  /// All that is traced of a day that nobody watches.
  private func lines(_ seed: UInt64, _ mistake: PlantedMistake? = nil) -> [String] {
    let simulation = Simulation(seed: seed, mistake: mistake)
    var journal = DayJournal()
    var lines: [String] = []
    simulation.onTrace = { lines.append(journal.add($0)) }
    _ = simulation.run()
    return lines
  }

  @Test(arguments: [UInt64(42), 3])
  func `a day that is watched is the day that nobody watches`(seed: UInt64) throws {
    let player = DayPlayer(seed: seed)
    defer { player.stop() }
    let score = try #require(player.waitForScore())
    #expect(score.lines.map(\.text) == lines(seed))

    var random = SeededRandom(seed: seed)
    var runs: Set<Int> = []
    for _ in 0..<6 {
      let step = random.below(score.stepCount + 1)
      player.go(to: .init(step: step, nowNs: score.timesNs[step]))
      let news = player.arrive()
      runs.insert(news.run)
      #expect(news.position.step == step)
      #expect(news.difference == nil)
      let frame = try #require(news.frames.last)
      #expect(frame.status.uptimeNs == score.timesNs[step] - score.startNs)
    }
    #expect(runs.count > 1, "some of the moments lay before the one seen last")
    player.go(to: .init(step: score.stepCount, nowNs: score.endNs))
    #expect(player.arrive().difference == nil)
  }

  @Test func `a moment looks the same from both sides`() throws {
    let player = DayPlayer(seed: 42)
    defer { player.stop() }
    let score = try #require(player.waitForScore())
    let middle = score.stepCount / 2
    let position = DayPlayer.Position(step: middle, nowNs: score.timesNs[middle])
    player.go(to: position)
    let before = player.arrive()
    player.go(to: .init(step: score.stepCount, nowNs: score.endNs))
    _ = player.arrive()
    player.go(to: position)
    let after = player.arrive()
    #expect(after.run > before.run)
    #expect(after.frames.last?.status == before.frames.last?.status)
    #expect(after.flights == before.flights)
    #expect(after.frames.flatMap(\.events) == before.frames.flatMap(\.events))
  }

  @Test func `the verdict turns at the very step of the answer`() throws {
    let player = DayPlayer(seed: 1, mistake: .noWriteBack)
    defer { player.stop() }
    var score = try #require(player.waitForScore())
    var seed: UInt64 = 1
    var other: DayPlayer?
    while score.violation == nil, seed < 200 {
      seed += 1
      other?.stop()
      other = DayPlayer(seed: seed, mistake: .noWriteBack)
      score = try #require(other?.waitForScore())
    }
    defer { other?.stop() }
    let watched = other ?? player
    let violation = try #require(score.violation)
    #expect(score.calls.contains { $0.isOffending && violation.text.hasSuffix($0.text) })
    for (step, violations) in [(violation.step - 1, UInt64(0)), (violation.step, 1), (score.stepCount, 1)] {
      watched.go(to: .init(step: step, nowNs: score.timesNs[step]))
      let frame = try #require(watched.arrive().frames.last)
      #expect(frame.status.verdict?.violations == violations)
    }
  }

  @Test func `messages are under way from when they are sent to when they arrive`() throws {
    let player = DayPlayer(seed: 3, carrier: .messages)
    defer { player.stop() }
    let score = try #require(player.waitForScore())
    var seen = 0
    for step in stride(from: 1, to: min(score.stepCount, 400), by: 1) {
      player.go(to: .init(step: step, nowNs: score.timesNs[step]))
      let news = player.arrive()
      for flight in news.flights {
        #expect(flight.sentNs <= news.position.nowNs)
        if let arrivesNs = flight.arrivesNs { #expect(arrivesNs > news.position.nowNs) }
      }
      seen += news.flights.count
    }
    #expect(seen > 100)
  }
}
