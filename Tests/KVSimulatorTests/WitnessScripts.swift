import KVSimulator
import Testing

@testable import KVCluster
@testable import KVSimulator

/// Witnesses and crashes, step by step.
@Suite struct WitnessScripts {
  @Test(
    "A crash at any step of a start, writes and a join leaves a cluster that opens with all nodes and suspects none",
    arguments: [(FsyncPolicy.always, false), (.always, true), (.everysec, false)], ["shared", "node1", "node3"])
  func survivesEveryStep(power: (fsync: FsyncPolicy, isLost: Bool), place: String) throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      var cases = 0
      var isOver = false
      var step = 0
      while !isOver {
        step += 1
        for moment in DiskFaults.Moment.allCases {
          let script = try Script(nil, fsync: power.fsync)
          try script.put("first", via: "node1")
          let (isReached, machine) = (Flag(), script.machine)
          let disk = place == "shared" ? machine.shared : machine.disk(of: place)
          try? script.restartProgram(prepare: {
            let last = disk.steps + step
            disk.crash(atStep: last, moment)
            disk.onMoment = { now, at in
              guard now == last, at == moment else { return }
              isReached.isSet = true
              // The whole machine stops, not this disk alone.
              machine.shared.crashNow()
              for (_, other) in machine.disks where other !== disk { other.crashNow() }
            }
          })
          try? script.put("second", via: "node2")
          if let change = try? script.cluster.beginChange(.join, "node4") { script.carryOut(change, atMost: 400) }
          try? script.put("third", via: "node3")
          if moment == .before { isOver = !isReached.isSet }
          disk.onMoment = nil
          try script.restartProgram(losingPower: power.isLost)
          let words = "\(moment) step \(step)"
          #expect(script.cluster.suspects.isEmpty, "\(words)")
          #expect(["node1", "node2", "node3"].allSatisfy { script.cluster.isUp($0) }, "\(words)")
          if let rest = script.cluster.resumeChange() { script.carryOut(rest) }
          #expect(try script.get(via: "node1").flatMap { $0 } != nil, "\(words)")
          #expect(script.verdict() == .linearizable, "\(words)")
          cases += 1
        }
      }
      #expect(cases > 10)
      print("crash at every step of \(place), \(power): \(cases) cases")
    }
  }

  private final class Flag {
    var isSet = false
  }

  @Test("A failed sync is remembered by the others where the failing disk takes no mark")
  func remembersFailedSync() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil)
      try script.put("old", via: "node1")
      let disk = script.machine.disk(of: "node3")
      disk.capacityBytes = disk.usedBytes
      disk.fail(.sync)
      try script.put("new", via: "node1")
      #expect(!script.cluster.isUp("node3"))
      #expect(disk.bytes("node3.wal/suspect") == nil)
      try script.restartProgram()
      #expect(script.cluster.isSuspect("node3"))
      // It starts with what the others know, and later has room for the mark.
      disk.capacityBytes = .max
      try script.restartProgram()
      #expect(script.cluster.isSuspect("node3"))
      #expect(disk.bytes("node3.wal/suspect") != nil)
    }
  }
}
