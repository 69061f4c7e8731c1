import KVSimulator
import Testing

/// The anomalies that a replicated register is prone to, one by one, and the look-alikes that are fine.
@Suite struct ScenarioTests {
  struct Scenario: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var isLinearizable: Bool
    var operations: [History.Operation]
    var initial: [History.Contents] = [nil]

    init(
      _ name: String, linearizable: Bool, from initial: [History.Contents] = [nil], _ operations: History.Operation...
    ) {
      testDescription = name
      isLinearizable = linearizable
      self.operations = operations
      self.initial = initial
    }
  }

  @Test(arguments: reads + deletes + openWrites + compareAndSets + starts)
  func theVerdictIsRight(scenario: Scenario) {
    let verdict = LinearizabilityChecker.check(History(scenario.operations, initialContents: scenario.initial))
    if scenario.isLinearizable {
      #expect(verdict == .linearizable)
    } else {
      guard case .violation = verdict else {
        Issue.record("the violation went unnoticed: \(verdict)")
        return
      }
    }
  }

  static let reads = [
    Scenario("a get sees the put before it", linearizable: true, put("a", 1, 2), get("a", 3, 4)),
    Scenario("stale read", linearizable: false, put("a", 1, 2), put("b", 3, 4), get("a", 5, 6)),
    Scenario(
      "a get during a put sees the old value", linearizable: true, put("a", 1, 2), put("b", 3, 6), get("a", 4, 5)),
    Scenario("lost write", linearizable: false, put("a", 1, 2), get(nil, 3, 4)),
    Scenario("a value that nobody wrote", linearizable: false, put("a", 1, 2), get("z", 3, 4)),
    Scenario("a value from the future", linearizable: false, get("a", 1, 2), put("a", 3, 4)),
    Scenario(
      "no write-back: new, then old, during one put", linearizable: false, put("a", 1, 2), put("b", 3, 10),
      get("b", 4, 5), get("a", 6, 7)),
    Scenario(
      "the same two gets, overlapping", linearizable: true, put("a", 1, 2), put("b", 3, 10), get("b", 4, 7),
      get("a", 5, 6)),
    Scenario(
      "two clients see two puts in different orders", linearizable: false, put("a", 1, 8), put("b", 1, 8),
      get("a", 2, 3), get("b", 4, 5), get("a", 6, 7)),
    Scenario(
      "an answer at the moment of the next call overlaps it", linearizable: true, put("a", 1, 2), get(nil, 2, 3)),
  ]

  static let deletes = [
    Scenario("deleted stays deleted", linearizable: true, put("a", 1, 2), delete(3, 4), get(nil, 5, 6)),
    Scenario("resurrected delete", linearizable: false, put("a", 1, 2), delete(3, 4), get("a", 5, 6)),
    Scenario(
      "resurrected after it was seen gone, the delete still open", linearizable: false, put("a", 1, 2), delete(3),
      get(nil, 4, 5), get("a", 6, 7)),
    Scenario(
      "a delete between two gets of nothing", linearizable: true, get(nil, 1, 2), put("a", 3, 4), delete(5, 6),
      get(nil, 7, 8)),
  ]

  static let openWrites = [
    Scenario("an indeterminate put never happens", linearizable: true, put("a", 1, 2), put("b", 3), get("a", 4, 5)),
    Scenario(
      "an indeterminate put happens late", linearizable: true, put("a", 1, 2), put("b", 3), get("a", 4, 5),
      get("b", 6, 7), get("b", 8, 9)),
    Scenario(
      "an indeterminate put happens twice", linearizable: false, put("b", 1), put("a", 2, 3), get("b", 4, 5),
      put("a", 6, 7), get("b", 8, 9)),
    Scenario(
      "two indeterminate puts of one value happen once each", linearizable: true, put("b", 1), put("b", 1),
      put("a", 2, 3), get("b", 4, 5), put("a", 6, 7), get("b", 8, 9)),
    Scenario(
      "an indeterminate put is undone", linearizable: false, put("a", 1, 2), put("b", 3), get("b", 4, 5), get("a", 6, 7)
    ),
    Scenario("an indeterminate put is seen before it is made", linearizable: false, get("b", 1, 2), put("b", 3)),
    Scenario(
      "an indeterminate put is saved for the get that nothing else explains", linearizable: true, put("y", 1, 10),
      put("x", 1, 10), put("y", 1), get("x", 2, 3), get("y", 4, 5), put("z", 11, 12), get("y", 13, 14)),
    Scenario("an indeterminate get means nothing", linearizable: true, put("a", 1, 2), get(3), put("b", 4, 5)),
  ]

  static let compareAndSets = [
    Scenario(
      "compare-and-set on what it expects", linearizable: true, put("a", 1, 2), cas("a", "b", true, 3, 4),
      get("b", 5, 6)),
    Scenario("compare-and-set on something else", linearizable: false, put("a", 1, 2), cas("z", "b", true, 3, 4)),
    Scenario("refused although it was there", linearizable: false, put("a", 1, 2), cas("a", "b", false, 3, 4)),
    Scenario(
      "refused, as an indeterminate put nobody read came before", linearizable: true, put("a", 1, 2), put("x", 3),
      cas("a", "b", false, 4, 5)),
    Scenario(
      "two take the same value", linearizable: false, put("a", 1, 2), cas("a", "b", true, 3, 6),
      cas("a", "c", true, 3, 6)),
    Scenario(
      "on absent, after a delete", linearizable: true, put("a", 1, 2), delete(3, 4), cas(nil, "b", true, 5, 6),
      get("b", 7, 8)),
    Scenario(
      "an indeterminate one that happened", linearizable: true, put("a", 1, 2), cas("a", "b", nil, 3), get("a", 4, 5),
      get("b", 6, 7)),
    Scenario(
      "an indeterminate one that could not", linearizable: false, put("a", 1, 2), cas("z", "b", nil, 3), get("b", 4, 5)),
    Scenario(
      "an append to what another left", linearizable: true, append("a", 1, 2), append("b", 3, 4), get("ab", 5, 6)),
    Scenario(
      "an append makes again what a put had left", linearizable: true, put("ab", 1, 2), put("a", 3, 4),
      append("b", 5, 6), get("ab", 7, 8)),
    Scenario(
      "an append makes what an indeterminate put makes later", linearizable: true, put("ab", 1), put("a", 2, 3),
      append("b", 4, 5), get("ab", 6, 7), put("c", 8, 9), get("ab", 10, 11)),
    Scenario("appends out of order", linearizable: false, append("a", 1, 2), append("b", 3, 4), get("ba", 5, 6)),
    Scenario("an append lost under another", linearizable: false, append("a", 1, 4), append("b", 2, 5), get("b", 6, 7)),
  ]

  static let starts = [
    Scenario(
      "rolled back to one of what is allowed", linearizable: true, from: [nil, bytes("a"), bytes("b")], get("b", 1, 2),
      get("b", 3, 4)),
    Scenario(
      "rolled back to two of them", linearizable: false, from: [nil, bytes("a"), bytes("b")], get("b", 1, 2),
      get("a", 3, 4)),
    Scenario("rolled back too far", linearizable: false, from: [bytes("a"), bytes("b")], get(nil, 1, 2)),
  ]

  @Test func keysAreJudgedByThemselvesAndTheFirstInOrderIsNamed() {
    let operations = [put("a", 1, 2, key: "x"), get(nil, 3, 4, key: "y"), get("a", 5, 6, key: "y")]
    let onlyOne = History(operations, initialContentsByKey: [bytes("y"): [bytes("a")]])
    for history in [History(operations), onlyOne] {
      guard case .violation(let violation) = LinearizabilityChecker.check(history) else {
        Issue.record("nobody wrote to y")
        continue
      }
      #expect(violation.key == bytes("y"))
      #expect(violation.operations.count == 1)
    }
    let both = History(operations, initialContentsByKey: [bytes("x"): [nil], bytes("y"): [nil, bytes("a")]])
    guard case .violation = LinearizabilityChecker.check(both) else {
      Issue.record("y cannot start as both")
      return
    }
  }

  @Test func aSearchThatOutgrowsItsLimitIsUndecided() {
    var limits = CheckerLimits()
    limits.searchBytesMax = 0
    let history = History([put("a", 1, 5), put("b", 2, 6), get("a", 7, 8)])
    #expect(LinearizabilityChecker.check(history, limits: limits) == .undecided(key: bytes("k")))
  }
}

// MARK: - Short forms

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

private func operation(
  _ call: History.Call, _ start: Int, _ end: Int?, _ outcome: History.Outcome, key: String = "k"
) -> History.Operation {
  History.Operation(
    process: start, key: bytes(key), call: call, invokedAt: start, returnedAt: end,
    outcome: end == nil ? .unknown : outcome)
}

func put(_ value: String, _ start: Int, _ end: Int? = nil, key: String = "k") -> History.Operation {
  operation(.put(bytes(value)), start, end, .done, key: key)
}

func delete(_ start: Int, _ end: Int? = nil) -> History.Operation {
  operation(.delete, start, end, .done)
}

func append(_ suffix: String, _ start: Int, _ end: Int? = nil) -> History.Operation {
  operation(.append(bytes(suffix)), start, end, .done)
}

func get(_ found: String?, _ start: Int, _ end: Int, key: String = "k") -> History.Operation {
  operation(.get, start, end, .found(found.map(bytes)), key: key)
}

func get(_ start: Int) -> History.Operation {
  operation(.get, start, nil, .unknown)
}

func cas(_ expected: String?, _ new: String, _ swapped: Bool?, _ start: Int, _ end: Int? = nil) -> History.Operation {
  operation(
    .compareAndSet(expected: expected.map(bytes), new: bytes(new)), start, end, .swapped(swapped ?? false))
}
