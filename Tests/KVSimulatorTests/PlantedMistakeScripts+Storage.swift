import KVCluster
import Testing

@testable import KVSimulator

/// The scripts of mistakes that concern logs, disks and those who look after them.
extension PlantedMistakeScripts {
  static func restart(_ script: Script, _ node: String, losingPower: Bool) throws {
    script.cluster.crashNode(node)
    script.machine.disk(of: node).losesAllUnsynced = losingPower
    script.machine.disk(of: node).restart(losingPower: losingPower)
    _ = try script.cluster.startNode(node)
  }

  /// Goes on with a change until this step is the next.
  static func carryOut(_ change: Cluster.Steps, _ script: Script, until step: MembershipChange.Step) {
    while script.cluster.changeStep != step {
      if case .rest(let ns) = change.step() { script.run(ms: Int(ns / 1_000_000) + 1) }
    }
  }

  /// When all that moves has been copied, a write gets to node3 only. A reader finds it with node1; then the range is the
  /// others' alone.
  static func writesBackToOldOwners(_ script: Script) throws {
    for key in keys { try script.put("old", key, via: "node1") }
    let change = try script.cluster.beginChange(.join, "node4")
    carryOut(change, script, until: .writeSettled)
    script.isolate("node3")
    for key in keys { try script.begin(.put(Array("new".utf8)), key, via: "node3") }
    script.waitUntilForgotten()
    script.isolate("node1")
    script.cut("node1", "node3", false)
    for key in keys { try script.get(key, via: "node1") }
    for node in ["node1", "node3"] { script.isolate(node, false) }
    script.carryOut(change)
    script.isolate("node1")
    for key in keys { try script.get(key, via: "node2") }
  }

  /// Values are on node1 and node2. node4 takes over ranges of node1, and node3 gets what it had missed of them; then both
  /// lose their power.
  static func settlesUnsynced(_ script: Script) throws {
    script.isolate("node3")
    for key in keys { try script.put("value", key, via: "node1") }
    script.waitUntilForgotten()
    script.isolate("node3", false)
    script.holdsSyncs = true
    carryOut(try script.cluster.beginChange(.join, "node4"), script, until: .drop)
    script.isolate("node2")
    for node in ["node3", "node4"] { try restart(script, node, losingPower: true) }
    script.holdsSyncs = false
    for key in keys { try script.get(key, via: "node4") }
  }

  /// node2 alone has a value on its disk: node1's sync failed, and what it has in memory counts as written. A reader finds
  /// it with both; then the machine loses its power.
  static func forgetsFailedSync(_ script: Script) throws {
    script.run(ms: 10)
    script.crash("node3")
    let disk = script.machine.disk(of: "node1")
    disk.losesAllUnsynced = true
    disk.fail(.sync)
    try script.begin(.put(Array("value".utf8)))
    script.waitUntilForgotten()
    script.crash("node1")
    try script.start("node1")
    try script.get()
    try script.restartProgram(losingPower: true)
    script.crash("node2")
    try script.get()
  }

  /// node1 and node2 have a value, which node1 loses. It is compared with node3 alone.
  static func rebuildsFromOne(_ script: Script) throws {
    script.holdsSyncs = true
    script.crash("node3")
    try script.put("value")
    script.crash("node1")
    script.machine.disk(of: "node1").losesAllUnsynced = true
    script.machine.disk(of: "node1").restart(losingPower: true)
    script.cluster.markSuspect("node1")
    try script.start("node1")
    try script.start("node3")
    script.crash("node2")
    let care = try #require(script.cluster.maintenance(of: "node1"))
    for _ in 0..<20 where care.step() == .again {}
    try script.get()
  }

  /// Large values: three fill a segment.
  private static func fill(_ script: Script, _ names: String...) throws {
    for name in names { try script.put(String(repeating: "x", count: 20_000), name) }
  }

  /// All nodes empty the segments that have dead records.
  private static func compact(_ script: Script) throws {
    script.cluster.requestCompaction()
    for name in script.cluster.nodeNames {
      let care = try #require(script.cluster.maintenance(of: name))
      for _ in 0..<200 { if case .rest(let ns) = care.step() { script.run(ms: Int(ns / 1_000_000) + 1) } }
    }
  }

  /// A value lies in an older segment than its purged tombstone, which is too full of live records to be emptied.
  static func buriesEarly(_ script: Script) throws {
    try script.put("value")
    try fill(script, "a", "b", "c", "d")
    try script.delete()
    for _ in 0..<4 { try fill(script, "d", "e") }
    script.run(ms: 2_000)
    script.cluster.purge(at: "node1")
    try compact(script)
    try script.restartProgram()
    try script.get()
  }

  /// A put has its tag; before it goes on, its key is deleted and the tombstone purged. A start finds both in the logs.
  static func keepsPurgedTag(_ script: Script) throws {
    try script.put("old")
    try script.begin(.put(Array("value".utf8))) {
      try script.delete()
      script.run(ms: 3_000)
      script.cluster.purge(at: "node1")
    }
    script.run(ms: 20)
    try script.get()
    try script.restartProgram()
    try script.get()
  }

  /// Compaction frees the slot of the first segment, which then is that of the last one; a checkpoint is written.
  static func keepsSlots(_ script: Script) throws {
    try fill(script, "a", "a", "a", "b", "b", "b")
    try script.put("value")
    try compact(script)
    try fill(script, "c", "c", "c", "d", "d", "d")
    _ = script.close()
    try script.restartProgram()
    for key in ["key", "a", "b", "c", "d"] { try script.get(key) }
  }

  /// node3 has missed the values, and node4 loses the copies that it was given, for they are not on its disk yet.
  static func streamsOnce(_ script: Script) throws {
    script.isolate("node3")
    for key in keys { try script.put("value", key, via: "node1") }
    script.waitUntilForgotten()
    let change = try script.cluster.beginChange(.join, "node4")
    script.isolate("node3")
    carryOut(change, script, until: .sync)
    try restart(script, "node4", losingPower: true)
    script.isolate("node3")
    for _ in 0..<2_000 where change.step() != .done { script.run(ms: 1) }
    script.isolate("node3", false)
    script.isolate("node1")
    for key in keys { try script.get(key, via: "node4") }
  }

  /// A delete is on two disks when it is purged everywhere; the third loses it with its power.
  static func purgesUnsynced(_ script: Script) throws {
    try script.put("value", via: "node1")
    script.waitUntilForgotten()
    script.holdsSyncs = true
    try script.begin(.delete, via: "node1")
    script.run(ms: 5)
    for name in ["node1", "node2"] { script.cluster.syncIfDue(name) }
    script.waitUntilForgotten()
    script.cluster.purge(at: "node1")
    try restart(script, "node3", losingPower: true)
    script.isolate("node2")
    script.holdsSyncs = false
    try script.get(via: "node1")
  }

  /// node3 has missed the newest values, and so, after a loss of power, has node1, which knows that it may have.
  static func suspectsAgree(_ script: Script) throws {
    for key in keys { try script.put("old", key, via: "node1") }
    script.run(ms: 3_000)
    script.holdsSyncs = true
    script.cluster.crashNode("node3")
    script.machine.disk(of: "node3").restart(losingPower: false)
    for key in keys { try script.put("new", key, via: "node1") }
    script.cluster.crashNode("node1")
    script.machine.disk(of: "node1").losesAllUnsynced = true
    script.machine.disk(of: "node1").restart(losingPower: true)
    script.cluster.markSuspect("node1")
    _ = try script.cluster.startNode("node1")
    _ = try script.cluster.startNode("node3")
    script.cluster.crashNode("node2")
    for key in keys { _ = try? script.begin(.get, key, via: "node1") }
  }

  /// Two writes wait for one sync, and between them a segment was sealed; then the machine loses its power.
  static func leavesSealedUnsynced(_ script: Script) throws {
    script.run(ms: 10)
    for (_, disk) in script.machine.disks { disk.losesAllUnsynced = true }
    for i in 0..<2 { try script.put(String(repeating: "x", count: 1_500), "filler\(i)", via: "node1") }
    script.holdsSyncs = true
    try script.begin(.put(Array("value".utf8)), via: "node1")
    try script.begin(.put([UInt8](repeating: 1, count: 1_500)), "next", via: "node1")
    script.holdsSyncs = false
    script.run(ms: 20)
    try script.restartProgram(losingPower: true)
    try script.get(via: "node1")
  }

  /// A write comes while node1's sync of another is under way. node2 syncs it, node1 and node3 lose their power.
  static func answersLatecomers(_ script: Script) throws {
    try script.put("old", via: "node1")
    script.holdsSyncs = true
    for name in ["node1", "node3"] { script.machine.disk(of: name).losesAllUnsynced = true }
    try script.begin(.put(Array("first".utf8)), "other", via: "node1")
    script.machine.power.onSynced = {
      script.machine.power.onSynced = nil
      _ = try? script.begin(.put(Array("late".utf8)), via: "node1")
    }
    script.run(ms: 5)
    for name in ["node1", "node2"] { script.cluster.syncIfDue(name) }
    script.run(ms: 1)
    script.cluster.crashNode("node2")
    for name in ["node1", "node3"] { try restart(script, name, losingPower: true) }
    script.holdsSyncs = false
    _ = try? script.begin(.get, via: "node1")
    script.run(ms: 20)
  }
}
