import KVCluster
import Text

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

  /// Takes one day in. Returns what was wrong with it, if anything: what was found, with the shortest part of the history
  /// that contradicts itself.
  @discardableResult
  package mutating func add(_ report: Simulation.Report) -> String? {
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
      problems.append("violation: \(violation.explanation().dropLast())")
    case .undecided(let key):
      undecided += 1
      problems.append("undecided: the checker gave up on \(String(decoding: key, as: UTF8.self))")
    }
    if let reason = report.unconverged {
      unconverged += 1
      problems.append("did not converge: \(reason)")
    }
    return problems.isEmpty ? nil : problems.joined(separator: "\n")
  }

  /// No violation, and everything converged; with `allStruck`, also that no fault struck too seldom and no branch ran too seldom.
  package func isClean(allStruck: Bool) -> Bool {
    violations == 0 && unconverged == 0 && undecided == 0 && (!allStruck || seldom.isEmpty)
  }

  /// In so many days every kind of fault should strike, and every branch of the protocol run, at least so often; if not,
  /// the days prove less than they should.
  package static let (seedsOfMany, leastOfMany) = (2_000, 100)

  /// What happened too seldom for so many days, and how often it did.
  package var seldom: [(name: String, count: Int)] {
    let struck = SimulationPlan.Fault.allCases.map { ("\($0)", faults[$0.rawValue]) }
    let all = struck + branches + [("messages lost", messages.lost), ("messages doubled", messages.doubled)]
    return all.filter { $0.1 * SimulationSummary.seedsOfMany < SimulationSummary.leastOfMany * seeds }
  }

  package var text: String {
    let struck = SimulationPlan.Fault.allCases.map { "\($0) \(faults[$0.rawValue])" }
    let ran = branches.map { "\($0.name) \($0.count)" }
    return """
      \(Figures.count(seeds, "seed")), \(Figures.count(operations, "operation")), \(Figures.count(virtualUs / 1_000_000)) s virtual, \
      \(Figures.count(violations, "violation")), \(unconverged) unconverged
      operations: \(indeterminate) indeterminate, \(refused) refused; \(Figures.count(changes, "membership change"))
      faults: \(struck.joined(separator: ", ")), messages lost \(messages.lost), doubled \(messages.doubled)
      branches: \(ran.joined(separator: ", "))
      """
  }

  /// Whether the promises were kept, in a line.
  package var conclusion: String {
    guard violations + unconverged + undecided > 0 else {
      return "✓ Promises kept: some order of the operations explains every answer, and all replicas became equal"
    }
    var broken: [String] = []
    if violations > 0 {
      broken.append(
        violations == 1
          ? "an answer that no order explains" : "\(Figures.count(violations)) answers that no order explains")
    }
    if undecided > 0 { broken.append("histories too large to decide: \(undecided)") }
    if unconverged > 0 { broken.append("replicas that did not become equal") }
    return "✗ Promises broken: \(broken.joined(separator: ", "))"
  }
}
