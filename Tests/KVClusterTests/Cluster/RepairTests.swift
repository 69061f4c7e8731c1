import Foundation
import Testing

@testable import KVCluster

extension ClusterFixture {
  func repair() async throws -> RepairReport {
    let cluster = try Cluster.open(ClusterOptions(dataFolder: folder, cacheBytes: 0), isMaintained: false)
    let report = try await cluster.repair { _ in true }
    await cluster.close()
    return try #require(report)
  }

  /// Whether all of ``filled()`` is there.
  func hasAll() async throws -> Bool {
    let cluster = try await open()
    var hasAll = true
    for i in 10..<60 where try await cluster.get("key\(i)") != "value" { hasAll = false }
    await cluster.close()
    return hasAll
  }
}

@Suite struct RepairTests {
  @Test("Damage to values, keys and headers of every node is repaired where another node has a good copy")
  func repairsRecords() async throws {
    let fixture = try await ClusterFixture.filled()
    for (node, key, byte) in [
      ("node1", "key20", 5), ("node2", "key20", 5), ("node1", "key21", 6), ("node3", "key22", 7),
    ] { try fixture.flip(node, at: try fixture.offset(of: key, in: node) + byte) }
    #expect(try fixture.verify().allDamage.count == 4)
    let report = try await fixture.repair()
    #expect(report.nodes.map(\.copiesHealed) == [2, 1, 1])
    #expect(report.nodes.map(\.segmentsEmptied) == [1, 1, 1])
    #expect(report.nodes.allSatisfy { $0.unrestored.isEmpty && !$0.isSuspect })
    let after = try fixture.verify()
    #expect(after.isClean, "\(after)")
    #expect(after.nodes.map(\.keys) == [50, 50, 50])
    #expect(try await fixture.hasAll())
  }

  @Test(
    "A node that lost records of unknown keys is rebuilt",
    arguments: ["record", "segment header", "list", "segment", "log", "seal"])
  func rebuilds(damage: String) async throws {
    let fixture = try await ClusterFixture.filled()
    let manager = FileManager.default
    switch damage {
    case "record": try fixture.flip("node2", at: try fixture.offset(of: "key30", in: "node2") + 1)
    case "segment header": try fixture.flip("node2", at: 40)
    case "list": try fixture.flip(file: "node2.wal/segments", at: 12)
    case "segment": try manager.removeItem(atPath: "\(fixture.folder)/\(fixture.segment(1, of: "node2"))")
    case "log": try manager.removeItem(atPath: "\(fixture.folder)/node2.wal")
    default:
      let cluster = try await fixture.open()
      let log = try #require(cluster.parts.roster.node(named: "node2")?.replica).store.log
      try await cluster.put("key10", "value")
      #expect(try await until { log.durable == log.end })
      let seal = log.end.offset
      try log.sealTail()
      try await cluster.put("key11", "value")
      await cluster.close()
      try fixture.flip("node2", at: seal + 3)
    }
    #expect(try !fixture.verify().isClean)
    let report = try await fixture.repair()
    #expect(report.nodes[1].copiesRebuilt != nil)
    #expect(!report.nodes[1].isLossPossible)
    let after = try fixture.verify()
    #expect(after.isClean, "\(after)")
    #expect(after.nodes.map(\.keys) == [50, 50, 50])
    #expect(try await fixture.hasAll())
  }

  @Test("Damaged leases and checkpoints are replaced or removed")
  func repairsSmallFiles() async throws {
    let fixture = try await ClusterFixture.filled()
    let cluster = try await fixture.open()
    for replica in cluster.parts.roster.live { cluster.parts.nodes.writeCheckpoint(replica) }
    await cluster.close()
    try fixture.flip(file: "node1.wal/lease", at: 3)
    try fixture.flip(file: "node3.wal/checkpoint", at: 60)
    let report = try await fixture.repair()
    #expect(report.nodes.map(\.isCheckpointRemoved) == [false, false, true])
    #expect(try fixture.verify().isClean)
    #expect(try await fixture.hasAll())
  }

  @Test("A value whose every copy is damaged is named, kept, and never reported as absent")
  func namesLostCopies() async throws {
    let fixture = try await ClusterFixture.filled()
    for node in ["node1", "node2", "node3"] {
      try fixture.flip(node, at: try fixture.offset(of: "key40", in: node) + 6)
    }
    try fixture.flip("node1", at: try fixture.offset(of: "key41", in: "node1") + 6)
    let report = try await fixture.repair()
    #expect(report.nodes.map { $0.unrestored.map(\.key) } == [[bytes("key40")], [bytes("key40")], [bytes("key40")]])
    #expect(report.nodes[0].copiesHealed == 1)
    #expect(try fixture.verify().allDamage.count >= 3)
    let cluster = try await fixture.open { $0.operationTimeoutNs = 500_000_000 }
    await #expect(throws: ClusterError.self) { try await cluster.get("key40") }
    #expect(try await cluster.get("key41") == "value")
    // A new value ends it.
    try await cluster.put("key40", "new")
    #expect(try await cluster.get("key40") == "new")
    await cluster.close()
    _ = try await fixture.repair()
    #expect(try fixture.verify().isClean)
  }

  @Test("A damaged newer version is not replaced by an older one that missed an acknowledged write")
  func keepsDamagedNewerVersion() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    let cluster = try await fixture.open()
    try await cluster.put("key", "old-1")
    try await cluster.kill("node3")
    try await cluster.put("key", "new-2")
    await cluster.close()
    for node in ["node1", "node2"] { try fixture.flip(node, at: try fixture.offset(of: "new-2", in: node)) }
    // Without the hint for it, node3 comes back with the old version.
    let again = try Cluster.open(
      ClusterOptions(dataFolder: fixture.folder, cacheBytes: 0, operationTimeoutNs: 500_000_000), isMaintained: false)
    try await again.ready()
    try await again.restart("node3")
    let report = try #require(try await again.repair { _ in true })
    #expect(report.nodes.map { $0.unrestored.count } == [1, 1, 0])
    await #expect(throws: ClusterError.self) { try await again.get("key") }
    await again.close()
  }

  @Test("A killed node is not repaired, and the report says so")
  func namesKilledNodes() async throws {
    let fixture = try await ClusterFixture.filled()
    let cluster = try await fixture.open()
    try await cluster.kill("node3")
    await cluster.close()
    try fixture.flip("node3", at: try fixture.offset(of: "key30", in: "node3") + 6)
    let report = try await fixture.repair()
    #expect(report.nodes.map(\.absence) == [nil, nil, .dead])
    #expect(try !fixture.verify().isClean)
  }

  @Test("A repair that is stopped says so, and leaves a folder that opens")
  func stops() async throws {
    let fixture = try await ClusterFixture.filled()
    try fixture.flip("node1", at: try fixture.offset(of: "key30", in: "node1") + 6)
    let cluster = try Cluster.open(ClusterOptions(dataFolder: fixture.folder), isMaintained: false)
    #expect(try await cluster.repair { _ in false } == nil)
    await cluster.close()
    #expect(try await fixture.hasAll())
  }
}
