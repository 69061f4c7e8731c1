import KVCluster
import Testing

@testable import KVSimulator

@Suite struct ErasTests {
  private func call(_ number: Int, _ call: ClientOperation.Call, _ outcome: ClientOperation.Outcome) -> SimulatedCall {
    SimulatedCall(
      client: 0, key: Array("key0".utf8), call: call, invokedAt: 2 * number, returnedAt: 2 * number + 1,
      outcome: outcome)
  }

  private func backup(operations: Int, moment: Int) -> Backup {
    Backup(contents: [], operations: operations, moment: moment, era: 0, fsync: .always)
  }

  @Test("After a restore a key is what it was when the folder was copied", arguments: [([1], true), ([2], false)])
  func restores(read: [UInt8], isRight: Bool) {
    let before = [call(0, .put([1]), .done), call(1, .put([2]), .done)]
    var eras = Eras()
    eras.restore(before, backup(operations: 1, moment: 1))
    #expect((eras.verdict(before + [call(2, .get, .found(read))]) == .linearizable) == isRight)
  }

  @Test(
    "A write that was under way when the folder was copied may be there or not", arguments: [[1], [2]] as [[UInt8]])
  func restoresEither(read: [UInt8]) {
    let before = [call(0, .put([1]), .done), call(1, .put([2]), .done)]
    var eras = Eras()
    eras.restore(before, backup(operations: 2, moment: 2))
    let after = [call(2, .get, .found(read)), call(3, .get, .found(read))]
    #expect(eras.verdict(before + after) == .linearizable)
  }

  @Test(
    "A write that was under way when the folder was copied may come behind what was on the disks since",
    arguments: [(1, true), (2, true), (0, false)])
  func keepsWritesOfACopy(found: Int, isRight: Bool) {
    func value(_ number: Int) -> [UInt8] { Array("v\(number)".utf8) }
    let before = (0...2).map { call($0, .put(value($0)), .done) }
    var eras = Eras()
    eras.restore(Array(before[..<2]), backup(operations: 2, moment: 2))
    let tag = Tag(counter: 9, coordinator: 0)
    eras.note((Stamp(tag, isTombstone: false), value(2)), of: Array("key0".utf8), before)
    eras.begin(before)
    #expect((eras.verdict(before + [call(3, .get, .found(value(found)))]) == .linearizable) == isRight)
  }

  @Test("What was answered before a restore is still judged")
  func judgesBefore() {
    let before = [call(0, .put([1]), .done), call(1, .get, .found([9]))]
    var eras = Eras()
    eras.restore(before, backup(operations: 1, moment: 1))
    #expect(eras.verdict(before) != .linearizable)
  }

  @Test("A key whose loss was accepted may hold anything it ever held, or nothing, and must agree with itself")
  func acceptsLoss() {
    let before = [call(0, .put([1]), .done), call(1, .put([2]), .done)]
    for (reads, isRight) in [([[1], [1]], true), ([nil, nil], true), ([[2], [1]], false), ([[9], [9]], false)]
      as [([[UInt8]?], Bool)]
    {
      var eras = Eras()
      eras.begin(before, mayBeAbsent: true)
      let after = reads.enumerated().map { call(2 + $0.offset, .get, .found($0.element)) }
      #expect((eras.verdict(before + after) == .linearizable) == isRight, "\(reads)")
    }
  }

  @Test("The loss of a key may be accepted although nobody asked for it since the power was lost")
  func acceptsLossOfOlder() {
    let before = [call(0, .put([1]), .done)]
    var eras = Eras()
    eras.begin(before)
    eras.begin(before, mayBeAbsent: true)
    #expect(eras.verdict(before + [call(1, .get, .found(nil))]) == .linearizable)
    #expect(eras.verdict(before + [call(1, .get, .found([2]))]) != .linearizable)
  }

  @Test("Where quorums need not meet any value that someone wrote is right, and none that nobody wrote")
  func judgesInventions() {
    let writes = [call(0, .put([1]), .done), call(1, .put([2]), .done), call(2, .get, .found([1]))]
    #expect(Invention.verdict(writes) == .linearizable)
    #expect(Invention.verdict(writes + [call(3, .get, .found(nil))]) == .linearizable)
    #expect(Invention.verdict(writes + [call(3, .get, .found([3]))]) != .linearizable)
    #expect(Invention.verdict([call(0, .get, .found([1])), call(1, .put([1]), .done)]) != .linearizable)
  }
}
