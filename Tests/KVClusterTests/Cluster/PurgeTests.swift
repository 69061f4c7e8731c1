import Foundation
import Testing

@testable import KVCluster

extension Cluster {
  fileprivate var tombstones: Int { status().nodes.reduce(0) { $0 + ($1.tombstones ?? 0) } }

  /// Goes through the index of every node once, and returns how many tombstones went.
  fileprivate func purgeOnce() -> Int {
    parts.roster.live.reduce(0) { sum, replica in
      var purge = Purge(replica, dataPath, parts.roster, options)
      while purge.step() == .more {}
      return sum + purge.purged
    }
  }
}

@Suite struct PurgeTests {
  @Test("Once every owner holds them on its disk tombstones go, and the keys stay deleted over a start")
  func purges() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    var cluster = try await fixture.open()
    for i in 0..<50 { try await cluster.put("key\(i)", "value") }
    for i in 0..<50 { #expect(try await cluster.delete(bytes("key\(i)"))) }
    #expect(try await until { cluster.tombstones == 0 })
    #expect(cluster.status().tombstonesPurged == 50)
    await cluster.close()
    cluster = try await fixture.open()
    for i in 0..<50 { #expect(try await cluster.get("key\(i)") == nil) }
    #expect(try await until { cluster.tombstones == 0 })
    await cluster.close()
  }

  @Test("While a node is dead no tombstone goes; it would bring the key back")
  func waitsForTheDead() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    let cluster = try await fixture.open(nodes: 4)
    try await cluster.put("a", "1")
    try await cluster.kill("node2")
    #expect(try await cluster.delete(bytes("a")))
    #expect(cluster.purgeOnce() == 0)
    #expect(cluster.tombstones > 0)
    try await cluster.restart("node2")
    #expect(try await until { cluster.tombstones == 0 })
    #expect(try await cluster.get("a") == nil)
    await cluster.close()
  }

  @Test("While nodes do not reach each other no tombstone goes")
  func waitsForLinks() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    let cluster = try await fixture.open()
    try await cluster.put("a", "1")
    try cluster.partition([["node1"], ["node2", "node3"]])
    #expect(try await cluster.delete(bytes("a")))
    #expect(cluster.purgeOnce() == 0)
    cluster.heal()
    #expect(try await until { cluster.tombstones == 0 })
    #expect(try await cluster.get("a") == nil)
    await cluster.close()
  }

  @Test("A write that drew its tag before a newer tombstone was purged draws another")
  func drawsAnew() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    let drawn = try cluster.dataPath.tags.draw()
    let partition = cluster.dataPath.partitions[Store.partition(of: bytes("a").withBytes { Ring.hash($0) })]
    partition.pointee.purged = Tag(counter: drawn.counter + 1, coordinator: 0)
    try await cluster.put("a", "1")
    #expect(cluster.copies(of: bytes("a")).allSatisfy { $0?.tag.counter == drawn.counter + 2 })
    partition.pointee.purged = Tag(counter: drawn.counter + 3, coordinator: 0)
    try cluster.slow("node2", byNs: 100_000)
    try await cluster.put("a", "2")
    #expect(try await until { cluster.copies(of: bytes("a")).allSatisfy { $0?.tag.counter == drawn.counter + 4 } })
    await cluster.close()
  }

  @Test("A node that lost a purged tombstone takes back what it hid before it votes")
  func withdraws() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    let cluster = try await fixture.open()
    try await cluster.put("goner", "1")
    try await cluster.put("keeper", "2")
    #expect(try await cluster.delete(bytes("goner")))
    try await cluster.put("later", "3")
    #expect(try await until { cluster.tombstones == 0 })
    try await cluster.kill("node2")
    let path = "\(fixture.folder)/node2.wal/\(LogFormat.segmentName(1))"
    let log = try #require(FileManager.default.contents(atPath: path))
    let last = try #require(log.range(of: Data("goner".utf8), options: .backwards))
    #expect(log.range(of: Data("goner".utf8))?.lowerBound != last.lowerBound)
    try fixture.flip("node2", at: last.lowerBound)
    try await cluster.restart("node2")
    #expect(try await until { cluster.suspects.isEmpty })
    #expect(cluster.parts.counters.copiesWithdrawn.load(ordering: .relaxed) == 1)
    #expect(try await cluster.get("goner") == nil)
    #expect(try await cluster.get("keeper") == "2")
    try await cluster.kill("node2")
    try await cluster.restart("node2")
    #expect(try await cluster.get("goner") == nil)
    #expect(try await until { cluster.suspects.isEmpty })
    #expect(cluster.copies(of: bytes("goner")).allSatisfy { $0?.isTombstone ?? false })
    await cluster.close()
  }

  @Test("A node that lost records is not rebuilt while it is still being started")
  func waitsForStart() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    let cluster = try await fixture.open()
    let replica = try #require(cluster.parts.roster.node(named: "node2")?.replica)
    cluster.dataPath.partitions.remove(replica)
    replica.store.isSuspect = true
    replica.store.hasLost = true
    let maintenance = NodeMaintenance(replica, cluster.parts.maintenance)
    for _ in 0..<3 { #expect(maintenance.rebuild() == nil) }
    #expect(cluster.suspects == ["node2"])
    cluster.dataPath.partitions.add(replica)
    #expect(try await until { cluster.suspects.isEmpty })
    await cluster.close()
  }
}
