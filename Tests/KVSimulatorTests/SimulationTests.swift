import KVCluster
import Testing

@testable import KVSimulator

@Suite struct SimulationTests {
  @Test("A cluster that loses messages, crashes and loses power stays linearizable", arguments: 1...100)
  func staysLinearizable(seed: UInt64) throws {
    var simulation = try Simulation(seed: seed)
    let report = try simulation.run()
    if case .violation(let violation) = report.verdict {
      Issue.record("seed \(seed): \(violation.explanation())")
    }
    #expect(report.verdict == .linearizable)
    #expect(report.history.operations.count == simulation.plan.clients * simulation.plan.operationsPerClient)
  }

  @Test("The same seed lives the same day", arguments: [1, 7, 42] as [UInt64])
  func isDeterministic(seed: UInt64) throws {
    var first = try Simulation(seed: seed)
    var second = try Simulation(seed: seed)
    let (a, b) = (try first.run(), try second.run())
    #expect(a.digest == b.digest)
    #expect(a.history == b.history)
  }

  @Test("A hundred seeds between them meet every fault and every branch")
  func meetsEveryFault() throws {
    var crashes = 0
    var lost = 0
    var writeBacks = 0
    var indeterminate = 0
    for seed in 1...100 {
      var simulation = try Simulation(seed: UInt64(seed))
      let report = try simulation.run()
      crashes += report.crashes
      lost += report.messagesLost
      writeBacks += report.writeBacks
      indeterminate += report.indeterminate
    }
    #expect(crashes > 0 && lost > 0 && writeBacks > 0 && indeterminate > 0)
    print(
      "100 seeds: \(crashes) crashes, \(lost) messages lost, \(writeBacks) write-backs, \(indeterminate) indeterminate")
  }
}
