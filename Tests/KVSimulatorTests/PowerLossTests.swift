import KVCluster
import Testing

@testable import KVSimulator

@Suite struct PowerLossTests {
  /// A key whose copies differ after the machine has lost its power under `everysec`: only node1's last write was synced.
  private func scriptAfterPowerLoss() throws -> Script {
    let script = try Script(nil, fsync: .everysec)
    try script.put("old", via: "node1")
    script.run(ms: 3_000)
    script.holdsSyncs = true
    try script.put("new", via: "node1")
    for (_, disk) in script.machine.disks { disk.losesAllUnsynced = true }
    script.run(ms: 1_500)
    script.cluster.syncIfDue("node1")
    script.holdsSyncs = false
    try script.restartProgram(losingPower: true)
    return script
  }

  @Test("After a loss of power that may have taken writes no node votes until all owners have been compared")
  func nobodyVotes() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try scriptAfterPowerLoss()
      #expect(script.cluster.suspects == ["node1", "node2", "node3"])
      #expect(try script.get(via: "node2") == String??.none)
    }
  }

  @Test("The newest version that survives anywhere is everybody's, though one node alone has it")
  func newestSurvives() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try scriptAfterPowerLoss()
      for name in ["node3", "node2", "node1"] {
        let care = try #require(script.cluster.maintenance(of: name))
        for _ in 0..<20 where care.step() == .again {}
      }
      #expect(script.cluster.suspects.isEmpty)
      script.isolate("node1")
      #expect(try script.get(via: "node2") == .some("new"))
    }
  }

  @Test("While an owner is down nobody can be sure, and waits for it")
  func waitsForAll() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try scriptAfterPowerLoss()
      script.cluster.crashNode("node1")
      for name in ["node2", "node3"] {
        let care = try #require(script.cluster.maintenance(of: name))
        for _ in 0..<20 where care.step() == .again {}
      }
      #expect(script.cluster.suspects == ["node2", "node3"])
    }
  }

  @Test("Under always a loss of power takes nothing, and every node votes at once")
  func alwaysTrusts() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil, fsync: .always)
      try script.put("value", via: "node1")
      for (_, disk) in script.machine.disks { disk.losesAllUnsynced = true }
      try script.restartProgram(losingPower: true)
      #expect(script.cluster.suspects.isEmpty)
      #expect(try script.get(via: "node2") == .some("value"))
    }
  }

  @Test(
    "Where only the program died nothing is torn: damage in what was not synced costs one record, not those after it",
    arguments: [FsyncPolicy.everysec, .never], [true, false])
  func cutsNothingAfterAKill(fsync: FsyncPolicy, isHeader: Bool) throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil, fsync: fsync)
      script.holdsSyncs = true
      try script.put("old", via: "node1")
      try script.put("value", "damaged", via: "node1")
      script.isolate("node3")
      try script.put("new", via: "node1")
      script.waitUntilForgotten()
      let place = try #require(script.cluster.place(of: Array("damaged".utf8), at: "node1"))
      // The tag lies some bytes before the key.
      let offset = isHeader ? place.range.lowerBound - 7 - 16 : place.range.lowerBound
      script.machine.disk(of: "node1").flip(place.path, at: offset, mask: 1)
      try script.restartProgram()
      #expect(script.cluster.suspects == (isHeader ? ["node1"] : []))
      script.isolate("node2")
      // node3 has missed the write; node1, if it votes at all, has not lost it.
      #expect(try script.get(via: "node1") == (isHeader ? String??.none : .some("new")))
      script.isolate("node2", false)
      #expect(try script.get(via: "node2") == .some("new"))
      #expect(script.verdict() == .linearizable)
    }
  }

  private func call(_ number: Int, _ call: ClientOperation.Call, _ outcome: ClientOperation.Outcome) -> SimulatedCall {
    SimulatedCall(
      client: 0, key: Array("key0".utf8), call: call, invokedAt: 2 * number, returnedAt: 2 * number + 1,
      outcome: outcome)
  }

  @Test("A key may be rolled back to any version, but must stay where it is then")
  func rollsBackOnce() {
    let before = [call(0, .put([1]), .done), call(1, .put([2]), .done)]
    for (reads, expected) in [([[1], [1]], true), ([[2], [2]], true), ([[1], [2]], false), ([[2], [1]], false)] {
      var eras = Eras()
      eras.begin(before)
      let after = reads.enumerated().map { call(2 + $0.offset, .get, .found($0.element.map { UInt8($0) })) }
      #expect((eras.verdict(before + after) == .linearizable) == expected, "\(reads)")
    }
  }

  @Test("A value that nobody wrote is no rollback")
  func inventsNothing() {
    let before = [call(0, .put([1]), .done)]
    var eras = Eras()
    eras.begin(before)
    #expect(eras.verdict(before + [call(1, .get, .found([9]))]) != .linearizable)
  }
}
