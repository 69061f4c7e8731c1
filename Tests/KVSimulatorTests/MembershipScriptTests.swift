import KVCluster
import Testing

@testable import KVSimulator

/// Membership changes with something in the middle, step by step.
@Suite struct MembershipScriptTests {
  private static let keys = (0..<24).map { "key\($0)" }

  private static let steps: [MembershipChange.Step] = [
    .adoptJoint, .drainOld, .stream, .sync, .writeSettled, .adoptSettled, .drainJoint, .drop,
  ]

  /// Does the steps of a change until `step` is next.
  private func advance(_ steps: Cluster.Steps, to step: MembershipChange.Step, _ script: Script) {
    while script.cluster.changeStep != step {
      if case .rest(let ns) = steps.step() { script.run(ms: Int(ns / 1_000_000) + 1) }
    }
  }

  @Test(
    "A replacement that the program's death interrupts at any step is carried to its end, and every key is there",
    arguments: steps, [true, false])
  func survivesDeath(at step: MembershipChange.Step, isDead: Bool) throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil)
      for key in Self.keys { try script.put("value of \(key)", key, via: "node1") }
      if isDead { try script.cluster.killNode("node3") }
      advance(try script.cluster.beginChange(.leave, "node3", replacement: "node4"), to: step, script)
      try script.restartProgram()
      // After the point of no return there is nothing to take up, and the one that left is not known any more.
      if let rest = script.cluster.resumeChange() { script.carryOut(rest) }
      #expect(script.cluster.nodeNames == ["node1", "node2", "node4"])
      script.isolate("node1")
      for key in Self.keys { #expect(try script.get(key, via: "node4") == .some("value of \(key)")) }
      #expect(script.verdict() == .linearizable)
    }
  }

  @Test(
    "A crash while a replacement's configuration is written leaves the old one or the new, and nothing is lost",
    arguments: [DiskFaults.Moment.before, .during, .after], [1, 2])
  func survivesTornConfiguration(moment: DiskFaults.Moment, write: Int) throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil)
      for key in Self.keys { try script.put("value of \(key)", key, via: "node1") }
      let disk = script.machine.shared
      if write == 1 {
        // The joint configuration.
        disk.crash(atStep: disk.steps + 1, moment)
        #expect(throws: ClusterError.self) { try script.cluster.beginChange(.leave, "node3", replacement: "node4") }
      } else {
        let steps = try script.cluster.beginChange(.leave, "node3", replacement: "node4")
        advance(steps, to: .writeSettled, script)
        disk.crash(atStep: disk.steps + 1, moment)
        #expect(steps.step() != .again)
      }
      try script.restartProgram()
      if let rest = script.cluster.resumeChange() { script.carryOut(rest) }
      let isReplaced = write == 2 || moment == .after
      #expect(script.cluster.nodeNames == ["node1", "node2", isReplaced ? "node4" : "node3"])
      script.isolate("node1")
      for key in Self.keys { #expect(try script.get(key, via: "node2") == .some("value of \(key)")) }
    }
  }

  @Test(
    "A node that comes back when the new configuration is written and not in force keeps what it is still asked for")
  func keepsWhatItIsAskedFor() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil)
      for key in Self.keys { try script.put("old", key, via: "node1") }
      let steps = try script.cluster.beginChange(.join, "node4")
      advance(steps, to: .writeSettled, script)
      // node3 does not hear of the newest writes; node1 does, and is away when the new configuration is written.
      script.isolate("node3")
      for key in Self.keys { try script.put("new", key, via: "node1") }
      script.waitUntilForgotten()
      script.cluster.crashNode("node1")
      script.machine.disk(of: "node1").restart(losingPower: false)
      advance(steps, to: .adoptSettled, script)
      _ = try script.cluster.startNode("node1")
      script.isolate("node3", false)
      // A reader that reaches node1 hears it and node3 first.
      script.slow("node1", "node2", ms: 40)
      script.slow("node1", "node4", ms: 40)
      for key in Self.keys { try script.get(key, via: "node1") }
      #expect(script.verdict() == .linearizable)
    }
  }

  @Test("A copy that only a node has which lost records is withdrawn: a deleted key stays deleted")
  func withdraws() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil)
      try script.put("value", via: "node1")
      try script.delete(via: "node1")
      // What follows says that the tombstone was synced.
      try script.put("other value", "other", via: "node1")
      script.waitUntilForgotten()
      // Nothing is purged while any message may be late.
      script.cluster.purge(at: "node1")
      let key = Array("key".utf8)
      let place = try #require(script.cluster.hidingTombstone(of: key, at: "node2"))
      script.machine.disk(of: "node2").flip(place.path, at: place.range.lowerBound, mask: 1)
      script.cluster.crashNode("node2")
      script.machine.disk(of: "node2").restart(losingPower: false)
      _ = try script.cluster.startNode("node2")
      #expect(script.cluster.suspects == ["node2"])
      let care = try #require(script.cluster.maintenance(of: "node2"))
      for _ in 0..<20 where care.step() == .again {}
      #expect(script.cluster.suspects.isEmpty)
      #expect(script.count("withdrawal") == 1)
      script.isolate("node3")
      #expect(try script.get(via: "node2") == .some(nil))
      #expect(script.verdict() == .linearizable)
    }
  }

  @Test(
    "Under everysec a write by message is refused while a disk lags more than two seconds behind, and a read is not")
  func holdsWritersBack() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil, fsync: .everysec)
      try script.put("before", via: "node1")
      script.run(ms: 3_000)
      script.holdsSyncs = true
      try script.put("last", via: "node1")
      script.run(ms: 3_000)
      script.cluster.tickNow()
      #expect(script.cluster.holdsWritersBack)
      for call in [ClientOperation.Call.put([1]), .delete] {
        let error = #expect(throws: ClusterError.self) {
          try script.cluster.submit(call, Array("key".utf8)) { _ in }
        }
        #expect(error?.description.contains("Nothing was written") == true)
      }
      #expect(try script.get(via: "node2") == .some("last"))
      script.holdsSyncs = false
      script.run(ms: 100)
      script.cluster.tickNow()
      try script.put("after", via: "node1")
      #expect(try script.get(via: "node2") == .some("after"))
      #expect(script.verdict() == .linearizable)
    }
  }

  @Test(
    "A write that is refused during a change says how many of which owners must answer, and how many can",
    arguments: [
      (["node1", "node2"], "2 of the key's 3 owners must answer, 1 can; not answering: node1, node2"),
      (["node2", "node4"], "2 of the key's 3 owners must answer, 1 can; not answering: node2, node4"),
      (["node1", "node2", "node4"], "2 of the key's 3 owners must answer, 1 can; not answering: node1, node2"),
    ])
  func namesOwnersThatLack(dead: [String], words: String) throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil, .direct)
      #expect(try script.cluster.beginChange(.leave, "node3", replacement: "node4").step() == .again)
      for node in dead { try script.cluster.killNode(node) }
      let error = #expect(throws: ClusterError.self) {
        try script.cluster.submit(.put([1]), Array("key".utf8), consistency: nil) { _ in }
      }
      #expect(error?.description.contains(words) ?? false, "\(String(describing: error))")
    }
  }
}
