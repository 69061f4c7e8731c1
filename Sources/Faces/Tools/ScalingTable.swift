import KVSimulator
import Text

/// The table of `simulate --scaling`.
package enum ScalingTable {
  /// Less than this part of linear is a failure.
  private static let partMin = 0.95

  /// Returns the program's exit status.
  /// - Parameters:
  ///   - nodeCounts: sizes of the clusters that are compared, the smallest first.
  ///   - largeNodes: the size of the cluster that takes in a node and gives one up.
  package static func run(
    _ console: Console = .standard, nodeCounts: [Int] = ScalingRun.nodeCounts, operationsPerNode: Int = 8_000,
    largeNodes: Int = 1_000
  ) throws -> Int32 {
    console.say(
      """
      Part of linear: 1.000 is as many times the throughput of the smallest cluster as it has times the nodes.
      Part of the bound: 1.000 is what the nodes' time to serve requests allows.
      nodes   operations/s   part of linear   part of the bound
      """)
    var smallest: ScalingRun?
    var isGood = true
    for nodes in nodeCounts {
      let run = try ScalingRun.measure(nodes: nodes, operationsPerNode: operationsPerNode)
      let base = smallest ?? run
      smallest = base
      let part = run.perSecond / base.perSecond * Double(base.nodes) / Double(nodes)
      isGood = isGood && part >= partMin && run.failures == 0
      console.say(
        "\(right("\(nodes)", 5))   \(right("\(Int(run.perSecond))", 12))   \(right(Figures.decimal(part, places: 3), 14))   "
          + right(Figures.decimal(run.perSecond / run.bound, places: 3), 17))
    }
    let large = try LargeClusterRun.measure(nodes: largeNodes, keys: 2 * largeNodes)
    console.say(
      """
      \(large.nodes) nodes: a join moved \(Figures.decimal(large.movement.join, places: 3)) and a leave \
      \(Figures.decimal(large.movement.leave, places: 3)) times the least possible; the node with the most keys had \
      \(Figures.decimal(large.imbalance.before, places: 3)) times the mean before, \(Figures.decimal(large.imbalance.after, places: 3)) times after; \
      \(large.wrongReads) wrong of \(3 * large.keys) reads
      """)
    return isGood && large.wrongReads == 0 ? 0 : 1
  }

  private static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
