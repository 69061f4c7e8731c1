import KVSimulator

/// What `simulate --scaling` prints.
package enum ScalingTable {
  private static let operationsPerNode = 8_000
  /// Less than this part of linear is a failure.
  private static let partMin = 0.95

  /// Returns the program's exit status.
  package static func run(_ console: Console = .standard) throws -> Int32 {
    console.say(
      """
      Part of linear: 1.000 is as many times the throughput of the smallest cluster as it has times the nodes.
      Part of the bound: 1.000 is what the nodes' time to serve requests allows.
      nodes   operations/s   part of linear   part of the bound
      """)
    var smallest: ScalingRun?
    var isGood = true
    for nodes in ScalingRun.nodeCounts {
      let run = try ScalingRun.measure(nodes: nodes, operationsPerNode: operationsPerNode)
      let base = smallest ?? run
      smallest = base
      let part = run.perSecond / base.perSecond * Double(base.nodes) / Double(nodes)
      isGood = isGood && part >= partMin && run.failures == 0
      console.say(
        "\(right("\(nodes)", 5))   \(right("\(Int(run.perSecond))", 12))   \(right(thousandths(part), 14))   "
          + right(thousandths(run.perSecond / run.bound), 17))
    }
    let large = try LargeClusterRun.measure(nodes: 1_000, keys: 2_000)
    console.say(
      """
      \(large.nodes) nodes: a join moved \(thousandths(large.movement.join)) and a leave \
      \(thousandths(large.movement.leave)) times the least possible; the node with the most keys had \
      \(thousandths(large.imbalance.before)) times the mean before, \(thousandths(large.imbalance.after)) times after; \
      \(large.wrongReads) wrong of \(3 * large.keys) reads
      """)
    return isGood && large.wrongReads == 0 ? 0 : 1
  }

  private static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private static func thousandths(_ number: Double) -> String {
    let n = Int((number * 1_000).rounded())
    let rest = String(n % 1_000)
    return "\(n / 1_000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
  }
}
