import KVSimulator
import Testing

/// The checker against every permutation, on seeded histories of up to six operations.
@Suite struct OracleTests {
  /// Runs in seconds in a debug build; change the base to see other histories.
  static let seeds: Range<UInt64> = 1..<10_001

  @Test func verdictsAndPrefixesAgreeWithTheOracle() {
    var violations = 0
    for seed in Self.seeds {
      var random = RandomHistory(seed: seed)
      let history = random.tiny()
      let failsAt = PermutationOracle.failsAt(history.operations, from: history.initialContents)
      switch LinearizabilityChecker.check(history) {
      case .linearizable:
        guard failsAt == nil else { return disagree(seed, history, "linearizable, but fails at \(failsAt!)") }
      case .undecided:
        return disagree(seed, history, "undecided")
      case .violation(let violation):
        violations += 1
        guard let failsAt else { return disagree(seed, history, "violation, but an order exists") }
        let hasRefusals = history.operations.contains { $0.outcome == .swapped(false) }
        if let fault = Self.fault(in: violation, failsAt, hasRefusals: hasRefusals) {
          return disagree(seed, history, fault)
        }
      }
    }
    #expect((Self.seeds.count / 5..<Self.seeds.count / 2).contains(violations), "the histories should be mixed")
  }

  /// What the shrinker relies on: an operation without which a *valid* history fails would make a false proof.
  @Test func leavingOutWhatNobodyReadsKeepsAValidHistoryValid() {
    for seed in Self.seeds {
      var random = RandomHistory(seed: seed)
      let history = random.tiny()
      let start = Int(seed) % history.operations.count
      let part = RegisterHistory(operations: history.operations, initialContents: history.initialContents)
      let dropped = Readers.writesWithout(in: part, among: start..<history.operations.count)
      let kept = history.operations.indices.filter { !dropped.contains($0) }.map { history.operations[$0] }
      if PermutationOracle.isLinearizable(history.operations, from: history.initialContents),
        !PermutationOracle.isLinearizable(kept, from: history.initialContents)
      {
        return disagree(seed, history, "fails without \(dropped)")
      }
    }
  }

  private func disagree(_ seed: UInt64, _ history: History, _ fault: String) {
    let operations = history.operations.map { "\($0.invokedAt)–\($0.returnedAt ?? -1) \($0.summary)" }
    Issue.record("seed \(seed): \(fault); from \(history.initialContents): \(operations)")
  }

  /// What is wrong with the evidence.
  private static func fault(in violation: Violation, _ failsAt: Int, hasRefusals: Bool) -> String? {
    let operations = violation.operations
    // Knowing that a compare-and-set was refused may leave a proof that ends before the refusal.
    let last = operations.compactMap(\.returnedAt).max() ?? .min
    if last > failsAt || (last < failsAt && !hasRefusals) { return "the evidence does not end at \(failsAt)" }
    if PermutationOracle.isLinearizable(operations, from: violation.initialContents) { return "the evidence is fine" }
    for index in operations.indices where operations[index].call == .get {
      var rest = operations
      rest.remove(at: index)
      if !PermutationOracle.isLinearizable(rest, from: violation.initialContents) { return "a get is superfluous" }
    }
    return nil
  }
}
