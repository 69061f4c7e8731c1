import Foundation
import Testing

@testable import KVCluster

extension ClusterFixture {
  /// Makes a file below the folder as long as this, with zeros where it grows.
  func setLength(_ bytes: UInt64, of file: String) throws {
    let handle = try #require(FileHandle(forUpdatingAtPath: "\(folder)/\(file)"))
    try handle.truncate(atOffset: bytes)
    try handle.close()
  }

  /// Fills a node's only segment with bytes that are no records.
  func fillWithNoise(_ node: String) throws {
    let bytes = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) | 1 }
    try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(segment(1, of: node))"))
  }

  func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(self.folder)/\(folder)").sorted()
  }
}

/// What a body throws, in words.
private func failure(_ body: () async throws -> Void) async -> String {
  do {
    try await body()
    return "nothing was thrown"
  } catch {
    return "\(error)"
  }
}

private let nodes = ["node1", "node2", "node3"]

@Suite struct LossTests {
  @Test(
    "Where every owner has lost what was on its disk no key is absent, at once, later or after a repair, until the loss is accepted",
    arguments: ["noise", "log", "nothing left of the file"])
  func keepsSilent(damage: String) async throws {
    let fixture = try await ClusterFixture.filled()
    for node in nodes {
      switch damage {
      case "noise": try fixture.fillWithNoise(node)
      case "log": try FileManager.default.removeItem(atPath: "\(fixture.folder)/\(node).wal")
      default: try fixture.setLength(0, of: fixture.segment(1, of: node))
      }
    }
    for _ in 0..<2 {
      let cluster = try await fixture.open { $0.operationTimeoutNs = 500_000_000 }
      #expect(try await cluster.event { $0.contains("acknowledged writes may be lost") })
      let words = await failure { _ = try await cluster.get("key20") }
      #expect(words.contains("node1, node2 and node3 lost records"), "\(words)")
      #expect(cluster.suspects.count == 3)
      let listing = await failure { _ = try cluster.keys(prefix: [], limit: 10) }
      #expect(listing.contains("of keys that node1, node2 and node3 own (100 % of the ring); 2 owners"), "\(listing)")
      await cluster.close()
      // A loss of power on top of it bounds nothing.
      try BootMark(boot: "another", isSafe: false).text.write(
        toFile: "\(fixture.folder)/boot", atomically: true, encoding: .utf8)
    }
    let report = try await fixture.repair()
    #expect(report.nodes.map(\.lostRanges.count) == [1, 1, 1])
    let found = try fixture.verify().allDamage.count
    #expect(found > 0)
    _ = try await fixture.repair()
    #expect(try fixture.verify().allDamage.count == found)
    #expect(try fixture.names(in: "node1.wal").allSatisfy { LogFormat.freeID(ofName: $0) == nil })

    let cluster = try Cluster.open(ClusterOptions(dataFolder: fixture.folder), isMaintained: false)
    let accepted = try #require(try await cluster.repair(acceptsLoss: true) { _ in true })
    await cluster.close()
    #expect(accepted.nodes.allSatisfy { !$0.isSuspect && $0.lostRanges.isEmpty })
    #expect(accepted.nodes[0].isLossPossible)
    let after = try fixture.verify()
    #expect(after.isClean, "\(after)")
    if damage == "noise" {
      #expect(try fixture.names(in: "node1.wal").contains(LogFormat.damagedName(1)))
      #expect(after.remarks.count == 3)
    }
    let again = try await fixture.open()
    #expect(try await again.get("key20") == nil)
    try await again.put("key20", "new")
    #expect(try await again.get("key20") == "new")
    await again.close()
  }

  @Test("A command that comes while all nodes are compared after a loss of power waits for it, and is answered")
  func waitsForComparison() async throws {
    let fixture = try await ClusterFixture.filled()
    try BootMark(boot: "another", isSafe: false).text.write(
      toFile: "\(fixture.folder)/boot", atomically: true, encoding: .utf8)
    let cluster = try await fixture.open()
    await cluster.untilCompared()
    #expect(try await cluster.get("key20") == "value")
    await cluster.close()
  }

  @Test(
    "Two of three owners that have lost their logs are rebuilt from the third by themselves where it has every acknowledged write",
    arguments: nodes)
  func rebuildsTwo(whole: String) async throws {
    let fixture = try ClusterFixture(fsync: .always)
    let filled = try await fixture.open { ($0.replicas, $0.readQuorum, $0.writeQuorum) = (3, 1, 3) }
    for i in 10..<60 { try await filled.put("key\(i)", "value") }
    await filled.close()
    for node in nodes where node != whole {
      try FileManager.default.removeItem(atPath: "\(fixture.folder)/\(node).wal")
    }
    let cluster = try await fixture.open()
    #expect(try await until { cluster.suspects.isEmpty })
    for i in 10..<60 { #expect(try await cluster.get("key\(i)") == "value") }
    await cluster.close()
    #expect(try fixture.verify().isClean)
  }

  @Test("What a segment held that was healed from intact owners is not kept: its file is used again")
  func freesHealedSegment() async throws {
    let fixture = try await ClusterFixture.filled()
    try fixture.fillWithNoise("node2")
    let report = try await fixture.repair()
    #expect(report.nodes[1].segmentsEmptied == 1)
    #expect(!report.nodes[1].isLossPossible)
    #expect(try fixture.names(in: "node2.wal").allSatisfy { LogFormat.damagedID(ofName: $0) == nil })
    #expect(try await fixture.hasAll())
  }

  @Test(
    "A change is refused while owners that lost records cannot say what was acknowledged, and begins where they can")
  func refusesChange() async throws {
    let fixture = try await ClusterFixture.filled()
    for node in ["node1", "node2"] { try fixture.fillWithNoise(node) }
    let cluster = try await fixture.open()
    #expect(try await until { cluster.suspects.count == 2 })
    let changes: [() async throws -> Void] = [
      { try await cluster.addNode("node4") }, { try await cluster.removeNode("node3") },
      { try await cluster.replaceNode("node3", with: "node4") },
    ]
    for change in changes {
      var refusal: ClusterError?
      do { try await change() } catch let error as ClusterError { refusal = error }
      #expect(refusal?.nodes == ["node1", "node2"], "\(refusal as Any)")
      #expect(refusal?.code == .refused && refusal?.description.contains("node1 and node2 lost records") ?? false)
      #expect(refusal?.advice.contains(.acceptLoss(folder: fixture.folder)) ?? false)
    }
    #expect(cluster.status().nodes.count == 3 && cluster.status().change == nil)
    await cluster.close()
    _ = try await fixture.repair(acceptingLoss: true)
    // One that the others can rebuild is waited for.
    try fixture.fillWithNoise("node1")
    let again = try await fixture.open()
    try await again.addNode("node4")
    #expect(again.status().nodes.count == 4)
    await again.close()
  }

  @Test(
    "A file that was cut short is rebuilt, and nothing is stored where there is no file",
    arguments: [0, 100, 128, 4_096])
  func rebuildsShortFile(length: Int) async throws {
    let fixture = try ClusterFixture(fsync: .never)
    let cluster = try await fixture.open()
    for i in 0..<300 { try await cluster.put("key\(i)", "value") }
    await cluster.close()
    try fixture.setLength(UInt64(length), of: fixture.segment(1, of: "node2"))
    // The seal that a damaged segment gets would lie beyond the end of the file.
    if length == 4_096 { try fixture.flip("node2", at: 40) }
    let report = try await fixture.repair()
    #expect(!report.nodes[1].isSuspect)
    let after = try fixture.verify()
    #expect(after.isClean, "\(after)")
    let again = try await fixture.open()
    for i in 0..<300 { #expect(try await again.get("key\(i)") == "value") }
    await again.close()
  }

  @Test("A file that was cut behind a whole record is noticed by what the checkpoint says, and the node is rebuilt")
  func noticesShortTail() async throws {
    let fixture = try ClusterFixture(fsync: .everysec)
    let cluster = try await fixture.open()
    for i in 0..<300 { try await cluster.put("key\(i)", "value") }
    for replica in cluster.parts.roster.live { cluster.parts.nodes.writeCheckpoint(replica) }
    await cluster.close()
    #expect(try fixture.verify().isClean)
    try fixture.setLength(4_096, of: fixture.segment(1, of: "node2"))
    #expect(try fixture.verify().nodes[1].damage.contains { $0.reason.contains("the checkpoint speaks of") })
    let report = try await fixture.repair()
    #expect(report.nodes[1].copiesRebuilt ?? 0 > 0)
    let after = try fixture.verify()
    #expect(after.isClean, "\(after)")
    let again = try await fixture.open()
    #expect(again.suspects.isEmpty)
    for i in 0..<300 { #expect(try await again.get("key\(i)") == "value") }
    await again.close()
  }

  @Test("A checkpoint that points beyond the end of a segment that was cut short is not followed there")
  func distrustsCheckpoint() async throws {
    let fixture = try ClusterFixture(fsync: .everysec)
    let cluster = try await fixture.open { $0.segmentBytes = 1 << 16 }
    for i in 0..<5_000 { try await cluster.put("key\(i)", "value") }
    for replica in cluster.parts.roster.live { cluster.parts.nodes.writeCheckpoint(replica) }
    await cluster.close()
    try fixture.setLength(4_096, of: fixture.segment(1, of: "node2"))
    let again = try await fixture.open { $0.segmentBytes = 1 << 16 }
    #expect(try await again.event { $0.contains("the checkpoint speaks of") })
    #expect(try await until { again.suspects.isEmpty })
    for i in 0..<5_000 { #expect(try await again.get("key\(i)") == "value") }
    await again.close()
    _ = try await fixture.repair()
    #expect(try fixture.verify().isClean)
  }

  @Test("A folder that is deleted while it is open is noticed: the nodes fail visibly, and writes are refused")
  func noticesDeletedFolder() async throws {
    let fixture = try ClusterFixture(fsync: .everysec)
    let cluster = try await fixture.open()
    try await cluster.put("a", "1")
    #expect(cluster.parts.nodes.deletion == nil)
    try fixture.deleteFolder()
    #expect(try await until { cluster.status().nodes.allSatisfy { $0.state.word == "failed" } })
    let words = await failure { try await cluster.put("a", "2") }
    #expect(words.contains("node1, node2 and node3 failed") && words.contains("deleted while it was open"), "\(words)")
    await cluster.close()
    #expect(cluster.parts.nodes.deletion != nil)
  }

  @Test("One node's log that is deleted while it is open stops that node alone")
  func noticesDeletedLog() async throws {
    let fixture = try ClusterFixture(fsync: .everysec)
    let cluster = try await fixture.open()
    try FileManager.default.removeItem(atPath: "\(fixture.folder)/node2.wal")
    #expect(try await until { cluster.status().nodes[1].state.word == "failed" })
    try await cluster.put("a", "2")
    #expect(try await cluster.get("a") == "2")
    await cluster.close()
  }

  @Test("A write that no sync or look has met is found out about when the cluster closes")
  func noticesDeletionAtTheEnd() async throws {
    let fixture = try ClusterFixture(fsync: .everysec)
    let cluster = try await fixture.open()
    try fixture.deleteFolder()
    await cluster.close()
    #expect(cluster.parts.nodes.deletion != nil)
  }

  @Test(
    "A pipe or a file of absurd length in place of a segment stops its node and nothing else", arguments: [true, false])
  func refusesOtherFiles(isPipe: Bool) async throws {
    let fixture = try await ClusterFixture.filled()
    let segment = fixture.segment(1, of: "node1")
    if isPipe {
      try FileManager.default.removeItem(atPath: "\(fixture.folder)/\(segment)")
      #expect(mkfifo("\(fixture.folder)/\(segment)", 0o600) == 0)
    } else {
      try fixture.setLength(100 << 30, of: segment)
    }
    let damage = try fixture.verify().allDamage
    #expect(
      damage.contains { $0.file == segment && $0.reason.contains(isPipe ? "regular file" : "bytes long") }, "\(damage)")
    let report = try await fixture.repair()
    #expect(report.nodes[0].absence != nil)
    let cluster = try await fixture.open()
    #expect(cluster.status().nodes.map(\.state.word) == ["failed", "up", "up"])
    #expect(try await cluster.get("key20") == "value")
    await cluster.close()
  }

  @Test("A pipe in place of a small file is refused, and nobody waits for it")
  func refusesPipe() async throws {
    let fixture = try await ClusterFixture.filled()
    try FileManager.default.removeItem(atPath: "\(fixture.folder)/configuration")
    #expect(mkfifo("\(fixture.folder)/configuration", 0o600) == 0)
    let words = await failure { _ = try await fixture.open() }
    #expect(words.contains("not a regular file"), "\(words)")
  }

  @Test("A damaged configuration, and one of a newer version, say what helps and promise nothing that is not so")
  func explainsConfiguration() async throws {
    let fixture = try await ClusterFixture.filled()
    let path = "\(fixture.folder)/configuration"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try fixture.flip(file: "configuration", at: 40)
    let damaged = await failure { _ = try await fixture.open() }
    #expect(damaged.contains("put the newest one back") && !damaged.contains("replicas serve"), "\(damaged)")
    let lines = text.split(separator: "\n", maxSplits: 1)
    try "kvstore configuration 99\n\(lines[1])".write(toFile: path, atomically: true, encoding: .utf8)
    let newer = await failure { _ = try await fixture.open() }
    #expect(newer.contains("written by a newer kvstore") && !newer.contains("replicas serve"), "\(newer)")
  }

  @Test("Nodes that failed when they were opened are named with the reason when an operation needs them")
  func namesFailures() async throws {
    let fixture = try await ClusterFixture.filled()
    for node in ["node1", "node2"] {
      try FileManager.default.removeItem(atPath: "\(fixture.folder)/\(node).wal")
      try Data().write(to: URL(fileURLWithPath: "\(fixture.folder)/\(node).wal"))
    }
    let cluster = try await fixture.open()
    let words = await failure { try await cluster.put("a", "1") }
    #expect(words.contains("node1 and node2 cannot start: open ") && words.contains("Not a directory"), "\(words)")
    await cluster.close()
  }
}

@Suite struct RefusalTests {
  private func refusal(_ adjust: (inout Refusal) -> Void) -> ClusterError {
    var refusal = Refusal(needed: 2, owners: 3, consistency: nil, folder: "DIR")
    adjust(&refusal)
    return refusal.error
  }

  @Test("A refusal in which every owner answers does not say that some do not")
  func namesNobodySilent() {
    let text = refusal { _ in }.description
    #expect(text.contains("fewer than 2 of the key's 3 owners know its newest version just now"))
    #expect(!text.contains("not answering"))
    let full = refusal { $0.failures = [("node2", "disk full")] }
    #expect(full.code == .storage && full.description.contains("(node2: disk full)"))
  }

  @Test("A reason that holds for several owners is said once, with their names")
  func saysAReasonOnce() {
    func full(_ node: String, segment: Int = 1) -> Silence.Down {
      Silence.Down(node, .init(reason: "disk full while growing \(node).wal/\(segment).segment", cannotStart: true))
    }
    let text = refusal {
      $0.silence.down =
        [full("node2"), full("node1"), Silence.Down("node3", .init(reason: "no such folder", cannotStart: true))]
    }.description
    #expect(
      text.contains(
        "0 can. node1 and node2 cannot start: disk full while growing *.wal/1.segment; "
          + "node3 cannot start: no such folder. Nothing was changed"), "\(text)")
    let other = refusal { $0.silence.down = [full("node2"), full("node1", segment: 7)] }.description
    #expect(other.contains("node1 and node2 cannot start: disk full while growing *.wal/*.segment"), "\(other)")
    let noRoom = refusal {
      $0.failures = [("node1", "disk full"), ("node2", "disk full")]
      $0.room = [.compact]
    }
    #expect(noRoom.description.contains("(node1 and node2: disk full); free some space") && noRoom.advice == [.compact])
    let two = refusal { $0.failures = [("node2", "disk full"), ("node3", "disk full")] }.description
    #expect(two.contains("(node2 and node3: disk full)"))
  }

  @Test("A write without a version says that nothing was changed, and what the system did not allow")
  func tellsWhyThereIsNoVersion() {
    let denied = StorageError.io(operation: "open", path: "/d/lease.new", code: EACCES).refusingWrite.text
    #expect(denied.contains("nothing was changed") && denied.contains("/d/lease.new: Permission denied"))
    #expect(denied.contains("`chown -R "))
    let segment = StorageError.io(operation: "open", path: "/d/node1.wal/lease", code: EACCES).description
    #expect(segment.contains(" /d` gives all of it back"))
    let tooLarge = StorageError.io(operation: "allocate", path: "node1.wal/1.segment", code: EFBIG).description
    #expect(tooLarge.contains("File too large") && tooLarge.contains("ulimit -f"))
    #expect(StorageError.io(operation: "open", path: "/d/lease", code: EMFILE).description.contains("ulimit -n"))
    let full = StorageError.diskFull(path: "/d/lease").refusingWrite.text
    #expect(full.contains("the write was refused") && !full.contains("version"))
  }

  @Test("Who does not answer, is being compared, or has a damaged copy is named, with what helps")
  func words() {
    #expect(
      refusal { $0.silence.down = [Silence.Down("node2"), Silence.Down("node3")] }
        == .unavailable(needed: 2, live: 1, owners: 3, missing: ["node2", "node3"]))
    #expect(
      refusal { $0.suspects = ["node2", "node1"] }.description
        == "node1 and node2 are being compared with the other owners after damage; try again in a moment. Nothing was changed"
    )
    #expect(
      refusal {
        $0.suspects = ["node1"]
        $0.silence.down = [Silence.Down("node3")]
      }.description.contains(
        "node1 is being compared with the other owners after damage, and node3 does not answer. Nothing was changed"))
    #expect(
      refusal { $0.damaged = ["node1", "node2"] }.description.contains("the copies on node1 and node2 are damaged"))
    #expect(
      refusal {
        $0.suspects = ["node1", "node2"]
        $0.lost = [LostRange(owners: nodes, losers: ["node1", "node2"], needed: 2)]
      }.advice.contains(.acceptLoss(folder: "DIR")))
    #expect(
      refusal {
        $0.silence.down = [Silence.Down("node1", .init(reason: "no space", cannotStart: false)), Silence.Down("node2")]
      }.description.contains("node1 failed: no space"))
    let foreign = refusal {
      $0.silence.down = [Silence.Down("node1", .init(reason: "not its folder", cannotStart: true))]
    }
    #expect(foreign.description.contains("node1 cannot start: not its folder"))
    #expect(foreign.advice == [.restartOnceMended("node1")])
    let mixed = refusal {
      $0.silence = Silence(down: [Silence.Down("node2")], paused: ["node1"])
      $0.unreached = ["node1"]
      $0.damaged = ["node3"]
    }
    #expect(mixed.description.contains("damaged, and node1 and node2 do not answer"))
    #expect(mixed.advice == [.restart("node2"), .resume("node1"), .verify(folder: "DIR")])
  }
}

@Suite struct BusErrorTests {
  @Test("A log that is cut short while it is open ends the program with a sentence that names the file")
  func namesFile() async throws {
    let result = try await #require(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
      let fixture = try ClusterFixture()
      BusErrors.explain()
      try FileManager.default.createDirectory(atPath: fixture.folder, withIntermediateDirectories: true)
      let disk = PosixDisk(root: fixture.folder)
      let file = try disk.createSegment("log", capacity: 1 << 20)
      try file.grow(to: 1 << 20)
      try fixture.setLength(0, of: "log")
      file.base.storeBytes(of: 1, toByteOffset: 8_192, as: UInt8.self)
    }
    let text = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(text.contains("/log was cut short"), "\(text)")
  }
}
