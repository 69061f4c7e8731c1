import KVSimulator
import Testing

/// What a person gets to see of a violation.
@Suite struct ExplanationTests {
  @Test func aStaleReadShowsTheWriteItMissedAndTheWriteItSaw() {
    let operations = [
      put("old", 1, 2), put("mid", 3, 4), get("mid", 5, 6), put("new", 7, 8), put("late", 9), get("new", 10, 11),
      get("old", 12, 13), get("new", 14, 15),
    ]
    #expect(
      explanation(operations) == """
        key "k", at first absent: any order of these 3 operations contradicts an answer
        p1   put "old"    ├───┤
        p7   put "new"            ├───┤
        p12  get → "old"                  ├───┤

        """)
  }

  @Test func openAndMomentaryOperationsAreDrawnAsSuch() {
    let operations = [put("a", 1, 1), put("b", 2), get("b", 3, 4), get("a", 5, 6)]
    #expect(
      explanation(operations) == """
        key "k", at first absent: any order of these 4 operations contradicts an answer
        p1  put "a"    │
        p2  put "b"        ├─────────────────…
        p3  get → "b"          ├───┤
        p5  get → "a"                  ├───┤

        """)
  }

  @Test func withoutShrinkingTheShortestFailingPrefixIsKept() {
    let operations = [put("a", 1, 2), put("b", 3, 9), get("a", 4, 5), get("z", 6, 7), get("q", 8, 10)]
    guard case .violation(let violation) = LinearizabilityChecker.check(History(operations), shrinks: false) else {
      Issue.record("nobody wrote z")
      return
    }
    #expect(violation.operations.map(\.process) == [1, 3, 4, 6])
    #expect(violation.operations.map(\.returnedAt) == [2, nil, 5, 7])
  }

  @Test func manyColumnsAreSqueezedIntoTheWidth() {
    let appends = (0..<60).map { append("\($0 % 10)", 2 * $0, 2 * $0 + 1) }
    let found = (0..<60).map { "\($0 % 10)" }.joined() + "!"
    guard
      case .violation(let violation) = LinearizabilityChecker.check(
        History(appends + [get(found, 200, 201)]), shrinks: false)
    else {
      Issue.record("nobody appended !")
      return
    }
    let lines = Timeline(violation).text(width: 100).split(separator: "\n")
    #expect(lines.count == 61)
    #expect(lines.allSatisfy { $0.count <= 100 })
    #expect(lines.last?.hasPrefix("p200  get → \"0123456789…123456789!\" (61 bytes)") == true)
  }

  @Test func bytesThatDoNotPrintAreEscaped() {
    let call = History.Call.compareAndSet(expected: nil, new: [0, 10, 34, 92, 65, 255])
    let operation = History.Operation(process: 1, key: [], call: call, invokedAt: 1)
    #expect(operation.summary == #"cas absent to "\x00\x0a\"\\A\xff""#)
  }

  private func explanation(_ operations: [History.Operation]) -> String {
    guard case .violation(let violation) = LinearizabilityChecker.check(History(operations)) else { return "none" }
    return violation.explanation()
  }
}
