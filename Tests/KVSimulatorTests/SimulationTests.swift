import KVCluster
import Testing

@testable import KVSimulator

@Suite struct SimulationTests {
  /// Days on which bugs were found: of seed 3167 a damaged record in what was not synced passed for a torn tail, and what
  /// had been acknowledged after it was cut; of seed 756 what comes back where a loss is accepted is older than all that the
  /// last part of the day has seen; of seed 629 a write that was under way when the folder was copied comes to light
  /// after a restore and a loss of power; of seed 2362 the only node has lost everything, so that no lease is missed.
  private static let kept: [UInt64] = [3167, 756, 629, 2362]

  @Test(
    "A cluster whose links, disks, nodes and members change stays linearizable and converges",
    arguments: Array(1...30) + kept)
  func staysLinearizable(seed: UInt64) throws {
    let report = Simulation(seed: seed).run()
    if case .violation(let violation) = report.verdict {
      Issue.record("seed \(seed): \(violation.explanation())")
    }
    #expect(report.verdict == .linearizable)
    #expect(report.unconverged == nil, "seed \(seed)")
    #expect(report.changes >= 2)
  }

  @Test("The same seed lives the same day", arguments: [1, 7, 42] as [UInt64])
  func isDeterministic(seed: UInt64) throws {
    let days = [Simulation(seed: seed), Simulation(seed: seed)]
    for day in days { day.keepsDigest = true }
    let (a, b) = (days[0].run(), days[1].run())
    #expect(a.digest == b.digest)
    #expect(a.history == b.history)
  }
}
