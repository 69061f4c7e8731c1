import KVCluster

/// What many simulated days came to.
package struct SimulationSummary: Sendable {
  package private(set) var seeds = 0
  private var operations = 0
  private var virtualUs = 0
  private var violations = 0
  private var undecided = 0
  private var unconverged = 0
  private var indeterminate = 0
  private var refused = 0
  private var changes = 0
  private var faults = [Int](repeating: 0, count: SimulationPlan.Fault.allCases.count)
  private var messages = (lost: 0, doubled: 0)
  private var branches: [(name: String, count: Int)] = []

  package init() {}

  /// Takes one day in. Returns what was wrong with it, and how to see it again.
  @discardableResult
  package mutating func add(_ seed: UInt64, _ report: Simulation.Report) -> String? {
    seeds += 1
    operations += report.history.operations.count
    virtualUs += report.virtualUs
    indeterminate += report.indeterminate
    refused += report.refused
    changes += report.changes
    messages.lost += report.messagesLost
    messages.doubled += report.messagesDoubled
    for i in faults.indices { faults[i] += report.faults[i] }
    for (name, count) in report.branches {
      if let i = branches.firstIndex(where: { $0.name == name }) {
        branches[i].count += count
      } else {
        branches.append((name, count))
      }
    }
    var problems: [String] = []
    switch report.verdict {
    case .linearizable: break
    case .violation(let violation):
      violations += 1
      problems.append("violation\n\(violation.explanation())")
    case .undecided(let key):
      undecided += 1
      problems.append("the checker gave up on \(String(decoding: key, as: UTF8.self))")
    }
    if let reason = report.unconverged {
      unconverged += 1
      problems.append("did not converge: \(reason)")
    }
    return problems.isEmpty
      ? nil : "seed \(seed): \(problems.joined(separator: "; ")); see it with `kvstore simulate --seed \(seed)`"
  }

  /// No violation, and everything converged; with `allStruck`, also that every fault struck and every branch ran.
  package func isClean(allStruck: Bool) -> Bool {
    violations == 0 && unconverged == 0 && undecided == 0 && (!allStruck || !hasZero)
  }

  private var hasZero: Bool {
    faults.contains(0) || branches.contains { $0.count == 0 } || messages.lost == 0 || messages.doubled == 0
  }

  package var text: String {
    let struck = SimulationPlan.Fault.allCases.map { "\($0) \(faults[$0.rawValue])" }
    let ran = branches.map { "\($0.name) \($0.count)" }
    return """
      \(seeds) seeds, \(operations) operations, \(virtualUs / 1_000_000) s virtual, \(violations) violations, \
      \(unconverged) unconverged
      operations: \(indeterminate) indeterminate, \(refused) refused; \(changes) membership changes
      faults: \(struck.joined(separator: ", ")), messages lost \(messages.lost), doubled \(messages.doubled)
      branches: \(ran.joined(separator: ", "))
      """
  }
}
