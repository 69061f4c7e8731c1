import KVCluster
import Testing

@testable import KVSimulator

@Suite struct MistakeTests {
  /// Each mistake with a seed on whose day it shows, so that the test takes one day; `kvstore simulate --mistake` searches.
  @Test("Classic mistakes, planted, are found", arguments: PlantedMistake.allCases)
  func isFound(mistake: PlantedMistake) throws {
    for seed in 1...200 {
      let report = try Simulation(seed: UInt64(seed), mistake: mistake).run()
      if report.verdict != .linearizable || report.unconverged != nil {
        print("\(mistake): found with seed \(seed)")
        return
      }
    }
    Issue.record("\(mistake) was not found in 200 seeds")
  }
}
