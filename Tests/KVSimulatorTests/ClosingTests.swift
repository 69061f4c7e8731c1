import KVCluster
import Testing

@testable import KVSimulator

/// An orderly end, and the program's death at every call that it makes to its disks.
@Suite struct ClosingTests {
  private static let keys = (0..<12).map { "key\($0)" }

  private func filled(_ fsync: FsyncPolicy) throws -> Script {
    let script = try Script(nil, fsync: fsync, segmentBytes: 4_096, checkpointBytes: 1_024)
    for key in Self.keys { try script.put("value of \(key)", key, via: "node1") }
    return script
  }

  @Test(
    "A program that dies at any step of its orderly end has lost nothing when it starts again",
    arguments: FsyncPolicy.allCases, DiskFaults.Moment.allCases)
  func losesNothing(fsync: FsyncPolicy, moment: DiskFaults.Moment) throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let whole = try filled(fsync)
      let before = whole.machine.power.steps
      #expect(whole.close())
      let steps = whole.machine.power.steps - before
      #expect(steps >= 3)
      for step in 1...steps {
        let script = try filled(fsync)
        script.machine.stop(atStep: step, moment)
        // Not every step has an inside.
        let hasDied = !script.close()
        // Under `never` the machine must keep its power.
        try script.restartProgram(losingPower: fsync == .always || fsync == .everysec && !hasDied)
        #expect(script.cluster.suspects.isEmpty)
        script.isolate("node3")
        for key in Self.keys { #expect(try script.get(key, via: "node2") == .some("value of \(key)"), "step \(step)") }
      }
    }
  }

  @Test("A cluster that ends while members change leaves no memory behind", arguments: [true, false])
  func isFreed(isClosed: Bool) throws {
    weak var data: DataPath?
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try filled(.always)
      let change = try script.cluster.beginChange(.join, "node4")
      while script.cluster.changeStep != .stream {
        if case .rest(let ns) = change.step() { script.run(ms: Int(ns / 1_000_000) + 1) }
      }
      _ = change.step()
      data = script.cluster.dataPath
      #expect(data != nil)
      if isClosed { #expect(script.close()) } else { script.cluster.vanish() }
    }
    #expect(data == nil)
  }

  @Test("An orderly end writes a checkpoint, and the next start goes by it")
  func writesCheckpoint() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil, segmentBytes: 4_096, checkpointBytes: 1_024)
      for key in Self.keys { try script.put("value of \(key)", key, via: "node1") }
      #expect(script.close())
      for name in ["node1", "node2", "node3"] {
        #expect(script.machine.disk(of: name).bytes("\(name).wal/checkpoint") != nil)
      }
      try script.restartProgram()
      for key in Self.keys { #expect(try script.get(key, via: "node2") == .some("value of \(key)")) }
      #expect(script.verdict() == .linearizable)
    }
  }

  @Test("A folder is not called safe while a member is down, though a node that left makes up the number")
  func countsMembersByName() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil, fsync: .everysec)
      try script.put("old", via: "node1")
      let change = try script.cluster.beginChange(.leave, "node3", replacement: "node4")
      while script.cluster.changeStep != .adoptSettled {
        if case .rest(let ns) = change.step() { script.run(ms: Int(ns / 1_000_000) + 1) }
      }
      // node1 does not hear of the newest write, and node2 has it in memory only.
      script.holdsSyncs = true
      script.isolate("node1")
      try script.put("new", via: "node2")
      script.waitUntilForgotten()
      script.cluster.crashNode("node2")
      script.machine.disk(of: "node2").losesAllUnsynced = true
      #expect(script.close())
      script.holdsSyncs = false
      try script.restartProgram(losingPower: true)
      #expect(script.cluster.suspects == ["node1", "node2", "node4"])
      script.isolate("node4")
      #expect(try script.get(via: "node1") == String??.none)
      #expect(script.verdict() == .linearizable)
    }
  }
}
