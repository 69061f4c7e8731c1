import KVCluster
import KVSimulator

/// Why an answer cannot be, for people: the few remembered operations that contradict one another.
///
/// The remembered ones are a history that begins with unknown contents, so what the checker of recorded histories finds
/// in it, and cuts down to the shortest part, holds for the whole. Where the contradiction reaches farther back than
/// memory does, all that is remembered is shown.
enum Explanation {
  static func violation(of finding: KeyWatch.Finding) -> VerdictStatus.Violation {
    let key = contents(finding.operation.keyStart, nil) ?? []
    let operations = Explanation.operations(finding, key)
    // Whatever was read may have been there before.
    var initial: [History.Contents] = []
    for operation in operations {
      switch (operation.call, operation.outcome) {
      case (_, .found(let contents)), (.compareAndSet(expected: let contents, _), _):
        if !initial.contains(contents) { initial.append(contents) }
      default: break
      }
    }
    let history = History(operations, initialContents: initial.isEmpty ? [nil] : initial)
    let text: String
    if case .violation(let violation) = LinearizabilityChecker.check(history, limits: limits) {
      text = lines(violation)
    } else {
      let violation = Violation(key: key, initialContents: initial, operations: operations)
      text = lines(violation)
    }
    let name = History.Operation.display(key)
    let answer = operations.last { $0.returnedAt == 2 * Int(finding.operation.returnedAt) }?.summary ?? "an answer"
    return VerdictStatus.Violation(
      summary: "key \(name): \(answer)", explanation: text.split(separator: "\n").map(String.init))
  }

  /// The timeline without what a live history does not know, its beginning.
  private static func lines(_ violation: Violation) -> String {
    let name = History.Operation.display(violation.key)
    return
      "no order of these operations on key \(name) explains the last answer (p1, p2: clients; time runs to the right):\n"
      + Timeline(violation).text(width: 100)
  }

  /// Sixteen operations take microseconds; this is for those that would not.
  private static var limits: CheckerLimits {
    var limits = CheckerLimits()
    limits.searchBytesMax = 4 << 20
    limits.trialBytesMax = 1 << 20
    limits.shrinkStepsMax = 200_000
    return limits
  }

  private static func operations(_ finding: KeyWatch.Finding, _ key: [UInt8]) -> [History.Operation] {
    var lanes: [UInt64] = []
    return finding.recent.compactMap { one -> History.Operation? in
      let isKnown = one.outcome == .done
      if one.kind == .get, !isKnown { return nil }
      // Who it was is not recorded: whoever is free.
      let lane = lanes.firstIndex { $0 <= one.invokedAt } ?? lanes.count
      if lane == lanes.count { lanes.append(0) }
      lanes[lane] = isKnown ? one.returnedAt : .max
      let value = contents(one.value.start, one.value.hash)
      let call: History.Call =
        switch one.kind {
        case .get: .get
        case .put: .put(value ?? [])
        case .delete: .delete
        case .update, .expiry: .compareAndSet(expected: one.base.flatMap { contents($0.start, $0.hash) }, new: value)
        }
      // A count read at an invocation comes after the same count of a return; a history has it the other way round.
      return History.Operation(
        process: lane + 1, key: key, call: call, invokedAt: 2 * Int(one.invokedAt) + 1,
        returnedAt: isKnown ? 2 * Int(one.returnedAt) : nil,
        outcome: isKnown ? outcome(one.kind, value) : .unknown)
    }
  }

  private static func outcome(_ kind: ObservedOperation.Kind, _ value: History.Contents) -> History.Outcome {
    switch kind {
    case .get: .found(value)
    case .update, .expiry: .swapped(true)
    case .put, .delete: .done
    }
  }

  /// The bytes, or what tells them apart from others that begin like them; `nil` for no value.
  private static func contents(_ start: BytesStart, _ hash: UInt64?) -> History.Contents {
    if hash == ObservedValue.absent.hash { return nil }
    guard !start.isWhole, let hash else { return start.bytes }
    let digits = String(hash, radix: 16)
    return start.bytes.prefix(12) + Array("~".utf8) + Array(digits.utf8.suffix(8))
  }
}
