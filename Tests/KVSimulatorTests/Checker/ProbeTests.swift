import Foundation
import KVSimulator
import Testing

@Test func probe() throws {
  for shape in LongHistoryTests.shapes.prefix(4) {
    for count in [250, 500, 1000, 2000, 5000] {
    var random = RandomHistory(seed: 8)
    var history = random.long(
      count: count, clients: shape.clients, distinct: shape.distinct, openEvery: shape.openEvery,
      deletes: shape.deletes)
    let writes = history.operations.filter { $0.call != .get && $0.returnedAt != nil }
    guard case .put(let old) = writes.first(where: { $0.call != .delete })?.call else { return }
    let index = try #require(
      history.operations.lastIndex { $0.outcome != .found(old) && $0.call == .get && $0.returnedAt != nil })
    history.operations[index].outcome = .found(shape.distinct == .max ? old : Array("never".utf8))
    var limits = CheckerLimits()
    limits.configurationsMax = 300_000
    limits.shrinkConfigurationsMax = 20_000
    for shrinks in [false, true] {
      let t0 = ContinuousClock.now
      let r = LinearizabilityChecker.check(history, limits: limits, shrinks: shrinks)
      let t = ContinuousClock.now - t0
      switch r {
      case .linearizable: say(shape, count, t, "none")
      case .undecided: say(shape, count, t, "undecided")
      case .violation(let v): say(shape, count, t, v.operations.count); if shrinks && count == 5000 { say(v.explanation()) }
      }
    }
    }
  }
}
func say(_ items: Any...) { FileHandle.standardError.write(Data((items.map { "\($0)" }.joined(separator: " ") + "\n").utf8)) }
