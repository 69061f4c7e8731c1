import KVCluster
import Testing

@testable import KVSimulator

@Suite struct ScalingTests {
  @Test("With a fixed service time throughput grows with the nodes, to at least 0.95 of linear")
  func isLinear() throws {
    let runs = try [3, 6, 12, 24].map { try ScalingRun.measure(nodes: $0, operationsPerNode: 600) }
    for run in runs {
      let part = run.perSecond / runs[0].perSecond * 3 / Double(run.nodes)
      #expect(run.failures == 0)
      #expect(part >= 0.95, "\(run.nodes) nodes reach \(part) of linear")
      // An operation ends with the second of three answers: some are counted whose third node is not done yet.
      #expect(run.perSecond <= run.bound * 1.02, "more than the nodes can do")
    }
  }

  @Test("A thousand nodes take in one more and give one up, and every key is there")
  func worksWithAThousandNodes() throws {
    let run = try LargeClusterRun.measure(nodes: 1_000, keys: 300)
    #expect(run.wrongReads == 0)
    // A node holds three of 1,024 blocks or four: with a thousand of them balance is no finer.
    #expect(run.imbalance.after < 1.5)
  }
}
