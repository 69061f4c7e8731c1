import KVSimulator
import Testing

/// Histories as long as a simulation's, which must neither take long nor be given up.
@Suite struct LongHistoryTests {
  struct Shape: Sendable, CustomTestStringConvertible {
    var clients: Int
    var distinct: Int
    var openEvery: Int
    var deletes: Bool

    var testDescription: String {
      "\(clients) clients, \(distinct) values, one write in \(openEvery) open\(deletes ? ", deletes" : "")"
    }
  }

  static let shapes = [
    Shape(clients: 5, distinct: .max, openEvery: .max, deletes: false),
    Shape(clients: 20, distinct: .max, openEvery: 5, deletes: false),
    Shape(clients: 20, distinct: .max, openEvery: 5, deletes: true),
    Shape(clients: 8, distinct: 1000, openEvery: 20, deletes: true),
    Shape(clients: 5, distinct: 5, openEvery: 50, deletes: true),
  ]
  static let count = 2_000

  @Test(arguments: shapes)
  func aCorrectRegisterIsLinearizable(shape: Shape) {
    let history = Self.history(shape, seed: 7)
    #expect(LinearizabilityChecker.check(history) == .linearizable)
  }

  @Test(arguments: shapes.prefix(4))
  func oneStaleReadIsFoundAndShrunk(shape: Shape) throws {
    var history = Self.history(shape, seed: 8)
    let writes = history.operations.filter { $0.call != .get && $0.returnedAt != nil }
    guard case .put(let old) = writes.first(where: { $0.call != .delete })?.call else { return }
    let index = try #require(
      history.operations.lastIndex { $0.outcome != .found(old) && $0.call == .get && $0.returnedAt != nil })
    history.operations[index].outcome = .found(shape.distinct == .max ? old : Array("never".utf8))
    guard case .violation(let violation) = LinearizabilityChecker.check(history) else {
      Issue.record("seed 8: the stale read went unnoticed")
      return
    }
    #expect(violation.operations.contains { $0.process == history.operations[index].process })
    #expect(violation.operations.count <= 4)
  }

  private static func history(_ shape: Shape, seed: UInt64) -> History {
    var random = RandomHistory(seed: seed)
    return random.long(
      count: count, clients: shape.clients, distinct: shape.distinct, openEvery: shape.openEvery,
      deletes: shape.deletes)
  }
}
