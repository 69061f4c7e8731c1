import KVCluster
import Testing

@testable import KVSimulator

/// For each planted mistake the shortest day that shows it, step by step: the mistake breaks it, the right code does not.
/// By message here; by direct call in ``DirectMistakeScripts``.
enum PlantedMistakeScripts {
  static func run(_ mistake: PlantedMistake, planted: Bool, by carrier: Carrier) throws -> Verdict {
    let isUnsynced = [.amnesiacVotes, .believesPastLives, .suspectsAgree, .rebuildsFromOne]
      .contains(mistake)
    let script = try Script(
      planted ? mistake : nil, fsync: isUnsynced ? .everysec : .always, carrier,
      segmentBytes: mistake == .leavesSealedUnsynced ? 4_096 : 65_536,
      checkpointBytes: mistake == .keepsSlots ? 1 << 10 : 1 << 28)
    switch carrier {
    case .messages: try run(mistake, script)
    case .direct: try DirectMistakeScripts.run(mistake, script)
    }
    return script.verdict()
  }

  private static func run(_ mistake: PlantedMistake, _ script: Script) throws {
    switch mistake {
    case .noWriteBack: try noWriteBack(script)
    case .acknowledgesEarly: try acknowledgesEarly(script)
    case .hintCountsAsAck: try hintCountsAsAck(script)
    case .dropsBeforeStream: try dropsBeforeStream(script)
    case .writesNewOwnersOnly: try writesNewOwnersOnly(script)
    case .reusesTags: try reusesTags(script)
    case .purgesEarly: try purgesEarly(script)
    case .cutsTail: try cutsTail(script)
    case .damagedIsAbsent: try damagedIsAbsent(script)
    case .amnesiacVotes: try amnesiacVotes(script)
    case .retriesWithNewTag: try retriesWithNewTag(script)
    case .readsOne: try readsOne(script)
    case .believesPastLives: try believesPastLives(script)
    case .streamsOnce: try streamsOnce(script)
    case .purgesUnsynced: try purgesUnsynced(script)
    case .writesBackToOldOwners: try writesBackToOldOwners(script)
    case .settlesUnsynced: try settlesUnsynced(script)
    case .keepsPurgedTag: try keepsPurgedTag(script)
    case .updatesAfresh, .keepsBallot, .answersUnsettled, .copiesUndecided: try UpdateScripts.run(mistake, script)
    case .halvesBatches: try halvesBatches(script)
    case .expiresAnything, .forgetsTime: try ExpiryScripts.run(mistake, script)
    case .suspectsAgree, .leavesSealedUnsynced, .answersLatecomers, .forgetsFailedSync, .rebuildsFromOne, .buriesEarly,
      .keepsSlots:
      Issue.record("\(mistake) is not shown by message")
    }
  }

  /// The program dies in the middle of a batch, at one step of its disks, and is started again.
  static func halvesBatches(_ script: Script) throws {
    let group = SimulatedGroup(0, members: 4)
    // Which step of the disks it is depends on the way.
    for step in 1...12 {
      script.update(.replace(Array("old \(step)".utf8)), of: group)
      script.machine.stop(atStep: step, .during)
      script.update(.replace(Array("new \(step)".utf8)), of: group)
      try script.restartProgram()
      script.run(ms: 200)
      script.update(nil, of: group)
    }
  }

  /// Keys enough that some of them lose any given owner when a fourth node joins.
  static let keys = (0..<24).map { "key\($0)" }

  /// A write gets to node1 only. One reader sees it there; the next asks the two others.
  private static func noWriteBack(_ script: Script) throws {
    try script.put("old", via: "node1")
    script.isolate("node1")
    try script.put("new", via: "node1")
    script.waitUntilForgotten()
    script.cut("node1", "node2", false)
    #expect(try script.get(via: "node1") == .some("new"))
    script.isolate("node1")
    try script.get(via: "node2")
  }

  /// The machine loses its power right after the answer, and with it all that was not synced.
  private static func acknowledgesEarly(_ script: Script) throws {
    script.run(ms: 10)
    for (_, disk) in script.machine.disks { disk.losesAllUnsynced = true }
    script.holdsSyncs = true
    try script.put("value", via: "node1")
    script.holdsSyncs = false
    try script.restartProgram(losingPower: true)
    try script.get(via: "node1")
  }

  /// A write gets to node1 only, and hints for the others count; they are asked.
  private static func hintCountsAsAck(_ script: Script) throws {
    try script.put("old", via: "node1")
    script.isolate("node1")
    try script.put("new", via: "node1", ms: 300)
    script.waitUntilForgotten()
    try script.get(via: "node2")
  }

  /// Values are on node1 and node2. A fourth node takes over ranges of node1; then node2 is cut off.
  private static func dropsBeforeStream(_ script: Script) throws {
    script.isolate("node3")
    for key in keys { try script.put("value", key, via: "node1") }
    script.waitUntilForgotten()
    script.isolate("node3", false)
    script.carryOut(try script.cluster.beginChange(.join, "node4"))
    script.isolate("node2")
    for key in keys { try script.get(key, via: "node3") }
  }

  /// While a fourth node joins, writes get to node4 and node2 only; readers hear node1 and node3 first.
  private static func writesNewOwnersOnly(_ script: Script) throws {
    for key in keys { try script.put("old", key, via: "node1") }
    let change = try script.cluster.beginChange(.join, "node4")
    // From here on every operation runs under both rings.
    #expect(change.step() == .again)
    let between = [("node1", "node2"), ("node1", "node4"), ("node3", "node2"), ("node3", "node4")]
    for (a, b) in between { script.cut(a, b) }
    for key in keys { try script.begin(.put(Array("new".utf8)), key, via: "node2") }
    script.waitUntilForgotten()
    for (a, b) in between { script.cut(a, b, false) }
    script.slow("node1", "node4", ms: 20)
    script.slow("node1", "node2", ms: 40)
    for key in keys { try script.get(key, via: "node1") }
  }

  /// After a start the first write must not be older than the last one before it.
  private static func reusesTags(_ script: Script) throws {
    try script.put("first", via: "node1")
    try script.put("second", via: "node1")
    try script.restartProgram()
    try script.put("third", via: "node1")
    try script.get(via: "node1")
  }

  /// node3 has missed a delete, and the others forget it.
  private static func purgesEarly(_ script: Script) throws {
    try script.put("value", via: "node1")
    script.isolate("node3")
    try script.delete(via: "node1")
    script.waitUntilForgotten()
    script.cluster.purge(at: "node1")
    script.isolate("node3", false)
    script.cut("node1", "node2")
    try script.get(via: "node1")
  }

  /// The last record of every log was acknowledged.
  private static func cutsTail(_ script: Script) throws {
    try script.put("old", via: "node1")
    try script.put("new", via: "node1")
    try script.restartProgram()
    try script.get(via: "node1")
  }

  /// Of the two copies there are one is damaged; node3 has none.
  private static func damagedIsAbsent(_ script: Script) throws {
    script.isolate("node3")
    try script.put("value", via: "node1")
    script.waitUntilForgotten()
    let place = try #require(script.cluster.place(of: Array("key".utf8), at: "node1"))
    script.machine.disk(of: "node1").flip(place.path, at: place.range.lowerBound, mask: 1)
    script.isolate("node3", false)
    script.isolate("node2")
    try script.get(via: "node1")
  }

  /// node1's machine loses its power, and with it one of the two copies; it comes back when the other is cut off.
  private static func amnesiacVotes(_ script: Script) throws {
    script.holdsSyncs = true
    script.isolate("node3")
    try script.put("value", via: "node1")
    script.waitUntilForgotten()
    script.cluster.crashNode("node1")
    script.machine.disk(of: "node1").losesAllUnsynced = true
    script.machine.disk(of: "node1").restart(losingPower: true)
    script.cluster.markSuspect("node1")
    _ = try script.cluster.startNode("node1")
    script.isolate("node3", false)
    script.isolate("node2")
    try script.get(via: "node1")
  }

  /// A write is seen on node1, overwritten, and then sent again to the others.
  private static func retriesWithNewTag(_ script: Script) throws {
    script.isolate("node1")
    try script.put("first", via: "node1", ms: 5)
    script.isolate("node1", false)
    #expect(try script.get(via: "node2") == .some("first"))
    try script.put("second", via: "node2")
    script.run(ms: 300)
    try script.get(via: "node2")
  }

  /// node3 has missed a write, and is all that a reader reaches.
  private static func readsOne(_ script: Script) throws {
    try script.put("old", via: "node1")
    script.isolate("node3")
    try script.put("new", via: "node1")
    script.waitUntilForgotten()
    try script.get(via: "node3")
  }

  /// node3 takes a write, loses it with its power, and has been rebuilt and votes when its answer arrives; node1 takes the
  /// write only now, for its disk was full.
  static func believesPastLives(_ script: Script) throws {
    try script.put("old", via: "node1")
    script.run(ms: 3_000)
    script.holdsSyncs = true
    script.cut("node1", "node2")
    let disk = script.machine.disk(of: "node1")
    // A record of its size needs a segment of its own.
    disk.capacityBytes = disk.usedBytes
    script.cluster.slowLink("node3", "node1", byNs: 160_000_000)
    try script.begin(.put([UInt8](repeating: 7, count: 70_000)), via: "node1")
    script.run(ms: 5)
    script.cluster.crashNode("node3")
    script.machine.disk(of: "node3").losesAllUnsynced = true
    script.machine.disk(of: "node3").restart(losingPower: true)
    script.cluster.markSuspect("node3")
    _ = try script.cluster.startNode("node3")
    let care = try #require(script.cluster.maintenance(of: "node3"))
    for _ in 0..<20 where care.step() == .again {}
    script.cluster.cutLink("node1", "node3", true)
    disk.capacityBytes = .max
    script.run(ms: 300)
    script.isolate("node1")
    script.cut("node2", "node3", false)
    try script.get(via: "node2")
  }
}
