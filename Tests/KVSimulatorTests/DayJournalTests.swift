import KVCluster
import Testing

@testable import KVSimulator

@Suite struct DayJournalTests {
  @Test("A day with a planted mistake says which answer was wrong, in which line, and by which part of the history")
  func tellsWhatWasFound() throws {
    // A change to the simulator shifts what a seed draws: then a few more are tried.
    for seed in UInt64(1)...20 {
      let simulation = Simulation(seed: seed, mistake: .readsOne)
      var journal = DayJournal()
      var lines: [String] = []
      simulation.onTrace = { lines.append(journal.add($0)) }
      let report = simulation.run()
      guard case .violation(let violation) = report.verdict else { continue }
      var summary = SimulationSummary()
      let found = summary.add(report)
      let failure = try #require(found)
      #expect(failure.hasPrefix("violation: key \"key"))
      #expect(failure.contains("├"), "a timeline")
      #expect(summary.text.hasPrefix("1 seed, ") && summary.text.contains(", 1 violation, "))
      #expect(summary.conclusion == "✗ Promises broken: an answer that no order explains")
      let line = try #require(journal.line(of: violation, in: report.history))
      #expect(lines.contains(line))
      let last = try #require(violation.operations.max { ($0.returnedAt ?? 0) < ($1.returnedAt ?? 0) })
      #expect(line.contains(" s   client \(last.process): get \(String(decoding: violation.key, as: UTF8.self)) "))
      return
    }
    Issue.record("readsOne was not found in 20 seeds")
  }

  @Test("A day on which all went well says that promises were kept")
  func saysThatAllIsWell() {
    var summary = SimulationSummary()
    #expect(summary.add(Simulation.Report()) == nil)
    #expect(summary.conclusion.hasPrefix("✓ Promises kept"))
    #expect(summary.text.hasPrefix("1 seed, 0 operations, 0 s virtual, 0 violations, 0 unconverged\n"))
  }

  @Test("Times are seconds of the day")
  func printsTimes() {
    var journal = DayJournal()
    #expect(journal.add("1004512 node2 is killed") == "  1.004512 s   node2 is killed")
    #expect(journal.add("61000007 x") == " 61.000007 s   x")
  }
}
