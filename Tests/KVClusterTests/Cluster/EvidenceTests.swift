import Foundation
import Testing

@testable import KVCluster

/// What happens to one node's copy of a key.
enum CopyDamage: CaseIterable {
  case none
  /// The record's header: nobody can say any more which key was there.
  case header
  /// The value, or of a tombstone the tag: the former leaves key and tag readable.
  case value
  case segment
  case log
}

extension ClusterFixture {
  /// Where the key's newest record is in the node's first segment; `nil` if there is none.
  func newestRecord(of key: String, in node: String) throws -> (offset: Int, valueOffset: Int)? {
    let clusterID = try #require(try FolderAtRest(folder).clusterIDInLogs())
    let bytes = try #require(FileManager.default.contents(atPath: "\(folder)/\(segment(1, of: node))"))
    return bytes.withUnsafeBytes { bytes in
      let source = SegmentSource(base: bytes.baseAddress!, slot: 1, id: 1, clusterID: clusterID)
      let scan = SegmentScan(source, limit: bytes.count)
      let hash = key.utf8.withContiguousStorageIfAvailable { Ring.hash(UnsafeRawBufferPointer($0)) }!
      let entries = scan.entries(Store.partition(of: hash)).filter { $0.hash == hash }
      return entries.max { $0.tag < $1.tag }.map { entry in
        let record = RecordView(bytes.baseAddress! + entry.location.offset)
        return (entry.location.offset, entry.location.offset + LogFormat.recordHeaderBytes + record.keyBytes)
      }
    }
  }

  /// Returns whether there was anything to damage.
  @discardableResult
  func damage(_ damage: CopyDamage, to key: String, in node: String, isTombstone: Bool = false) throws -> Bool {
    switch damage {
    case .none: return false
    case .header, .value:
      guard let place = try newestRecord(of: key, in: node) else { return false }
      try flip(node, at: damage == .value && !isTombstone ? place.valueOffset : place.offset + 9)
    case .segment: try FileManager.default.removeItem(atPath: "\(folder)/\(segment(1, of: node))")
    case .log: try FileManager.default.removeItem(atPath: "\(folder)/\(node).wal")
    }
    return true
  }

  /// Opens the cluster without maintenance: only what operations do themselves is done.
  func openUnmaintained() async throws -> Cluster {
    let cluster = try Cluster.open(
      ClusterOptions(dataFolder: folder, cacheBytes: 0, operationTimeoutNs: 300_000_000), isMaintained: false)
    try await cluster.ready()
    return cluster
  }

  func repair(acceptingLoss: Bool) async throws -> RepairReport {
    let cluster = try await openUnmaintained()
    let report = try await cluster.repair(acceptsLoss: acceptingLoss) { _ in true }
    await cluster.close()
    return try #require(report)
  }

  /// What a get of the key says, in words.
  func answer(_ key: String) async throws -> String {
    let cluster = try await openUnmaintained()
    var words: String
    do {
      words = try await cluster.get(key) ?? "absent"
    } catch {
      words = "refused"
    }
    await cluster.close()
    return words
  }
}

@Suite struct EvidenceTests {
  /// N, W and how many owners lose their logs.
  /// N, W and how many lose their logs: as many as leave just enough, and one more. (All of them by exact steps:
  /// `DamageMatrixTests`.)
  static let losses: [(n: Int, w: Int, lost: Int)] = [
    (1, 1, 1), (2, 1, 1), (2, 2, 1), (3, 1, 1), (3, 2, 1), (3, 2, 2), (3, 3, 2), (3, 3, 3), (5, 3, 2), (5, 3, 3),
  ]

  @Test(
    "Owners that lost their logs vote again exactly where N − W + 1 others lost nothing; elsewhere gets are refused until the loss is accepted",
    arguments: losses)
  func countsUndamagedOwners(n: Int, w: Int, lost: Int) async throws {
    let fixture = try ClusterFixture(fsync: .never)
    let cluster = try await fixture.open(nodes: n) {
      ($0.replicas, $0.readQuorum, $0.writeQuorum) = (n, n - w + 1, w)
    }
    for i in 0..<5 { try await cluster.put("key\(i)", "value") }
    await cluster.close()
    for i in 1...lost { try fixture.damage(.log, to: "", in: "node\(i)") }
    let isEnough = n - lost >= n - w + 1
    let report = try await fixture.repair(acceptingLoss: false)
    #expect(report.nodes.map(\.isSuspect) == (1...n).map { $0 <= lost && !isEnough })
    #expect(report.nodes.allSatisfy { $0.lostRanges.isEmpty == !$0.isSuspect && !$0.isLossPossible })
    #expect(try await fixture.answer("key3") == (isEnough ? "value" : "refused"))
    let found = try fixture.verify()
    #expect(found.isClean == isEnough)
    #expect(found.lostRanges == report.nodes[0].lostRanges)
    if isEnough { return }
    #expect(found.lostRanges.map(\.owners) == [(1...n).map { "node\($0)" }])
    #expect(found.lostRanges[0].losers == (1...lost).map { "node\($0)" })
    #expect(found.lostRanges[0].share == 1)
    let accepted = try await fixture.repair(acceptingLoss: true)
    #expect(accepted.nodes.allSatisfy { !$0.isSuspect && $0.lostRanges.isEmpty })
    #expect(accepted.nodes.contains { $0.isLossPossible })
    #expect(try await fixture.answer("key3") == (lost < n ? "value" : "absent"))
    #expect(try fixture.verify().isClean)
  }

  /// Damage to each of three nodes' copies, and which of them missed the last write.
  struct Case: CustomTestStringConvertible {
    var damage: [CopyDamage]
    var missing: Int?
    var isDelete: Bool
    var testDescription: String {
      "\(damage), \(missing.map { "node\($0 + 1) missed the write" } ?? "all had the write")\(isDelete ? ", a delete" : "")"
    }
  }

  /// Some of what `DamageMatrixTests` does, on a real disk.
  static let cases: [Case] = [
    Case(damage: [.value, .none, .segment], missing: 1, isDelete: false),
    Case(damage: [.header, .value, .none], missing: 2, isDelete: false),
    Case(damage: [.none, .value, .header], missing: 0, isDelete: true),
    Case(damage: [.segment, .header, .none], missing: 2, isDelete: true),
    Case(damage: [.header, .value, .segment], missing: nil, isDelete: false),
    Case(damage: [.none, .none, .header], missing: nil, isDelete: false),
  ]

  @Test(
    "Whatever is damaged where, a repair takes no key back: a get returns the last acknowledged write or is refused, and a refusal is a finding",
    arguments: cases)
  func takesNothingBack(_ damaged: Case) async throws {
    let fixture = try ClusterFixture(fsync: .always)
    let cluster = try await fixture.open()
    try await cluster.put("key", "old")
    if let missing = damaged.missing { try cluster.pause("node\(missing + 1)") }
    if damaged.isDelete {
      #expect(try await cluster.delete(bytes("key")))
    } else {
      try await cluster.put("key", "new")
    }
    await cluster.close()
    for (i, damage) in damaged.damage.enumerated() {
      try fixture.damage(damage, to: "key", in: "node\(i + 1)", isTombstone: damaged.isDelete)
    }
    let right = damaged.isDelete ? "absent" : "new"
    let before = try await fixture.answer("key")
    #expect(before == right || before == "refused")
    let report = try await fixture.repair(acceptingLoss: false)
    let after = try await fixture.answer("key")
    #expect(after == right || after == "refused", "\(report)")
    #expect(before == "refused" || after == right, "a repair costs nothing that could be read: \(report)")
    let found = try fixture.verify()
    #expect(after == right || !found.isClean, "\(report)")
    // Every node by itself may have failed to hold the write; two that lost nothing are enough to tell.
    if damaged.damage.count(where: { $0 == .none }) == 2, damaged.missing == nil { #expect(found.isClean, "\(report)") }
    _ = try await fixture.repair(acceptingLoss: true)
    #expect(try fixture.verify().isClean)
    #expect(try await fixture.answer("key") != "refused")
  }

  @Test("The open cluster refuses a key whose acknowledged owners have both lost it, and says what to do")
  func refusesOneUndamagedOwner() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    var cluster = try await fixture.open()
    try await cluster.kill("node3")
    for key in ["k", "f", "g"] { try await cluster.put(key, "acknowledged") }
    await cluster.close()
    for node in ["node1", "node2"] { try fixture.damage(.header, to: "k", in: node) }
    cluster = try await fixture.open { $0.operationTimeoutNs = 300_000_000 }
    try await cluster.restart("node3")
    #expect(
      try await cluster.event {
        $0.contains(
          "node1 and node2 lost records that were on disk, of keys that node1, node2 and node3 own (100 % of the ring)")
          && $0.contains("2 owners that lost nothing could tell what was acknowledged, and there is 1")
      })
    for _ in 0..<3 {
      let error = await #expect(throws: ClusterError.self) { try await cluster.get("k") }
      #expect(
        error?.advice.contains(.acceptLoss(folder: fixture.folder)) ?? false, "\(String(describing: error))")
      try await Task.sleep(for: .milliseconds(300))
    }
    #expect(cluster.suspects == ["node1", "node2"])
    await cluster.close()
  }

  @Test("A deleted key whose tombstones were purged stays deleted when two owners lose what hid its older versions")
  func staysDeleted() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    let cluster = try await fixture.open()
    try await cluster.put("key", "old")
    #expect(try await cluster.delete(bytes("key")))
    #expect(try await until { cluster.status().nodes.allSatisfy { $0.tombstones == 0 } })
    await cluster.close()
    for node in ["node1", "node2"] { try fixture.damage(.header, to: "key", in: node) }
    _ = try await fixture.repair(acceptingLoss: false)
    #expect(try await fixture.answer("key") == "refused")
    // One of them can be compared with two that lost nothing.
    let other = try ClusterFixture(fsync: .always)
    let again = try await other.open()
    try await again.put("key", "old")
    #expect(try await again.delete(bytes("key")))
    #expect(try await until { again.status().nodes.allSatisfy { $0.tombstones == 0 } })
    await again.close()
    try other.damage(.header, to: "key", in: "node1")
    _ = try await other.repair(acceptingLoss: false)
    #expect(try await other.answer("key") == "absent")
    #expect(try other.verify().isClean)
  }

  @Test(
    "After a loss of power a node that lost synced records waits for the others, and brings nothing back that was deleted"
  )
  func asksLosersLast() async throws {
    let fixture = try ClusterFixture(fsync: .everysec)
    let cluster = try await fixture.open()
    for i in 0..<5 { try await cluster.put("key\(i)", "value") }
    try await cluster.put("gone", "old")
    #expect(try await cluster.delete(bytes("gone")))
    #expect(try await until { cluster.status().nodes.allSatisfy { $0.tombstones == 0 } })
    await cluster.close()
    try fixture.damage(.header, to: "gone", in: "node1")
    try BootMark(boot: "another", isSafe: false).text.write(
      toFile: "\(fixture.folder)/boot", atomically: true, encoding: .utf8)
    let report = try await fixture.repair(acceptingLoss: false)
    #expect(report.nodes.allSatisfy { !$0.isSuspect && !$0.isLossPossible })
    #expect(try await fixture.answer("gone") == "absent")
    #expect(try await fixture.answer("key3") == "value")
  }
}
