import Foundation
import Testing

@testable import KVCluster

extension ClusterFixture {
  /// A cluster of which a copy was used by itself, and then gave one of its nodes' folders back: "key" has the content
  /// "here" on the first node, and another one under the same tag on the last.
  /// - Parameter missing: missed both writes.
  fileprivate static func withTwins(nodes: Int, missing: String? = nil, isDelete: Bool = false) async throws
    -> ClusterFixture
  {
    let (fixture, clone) = (try ClusterFixture(fsync: .always), try ClusterFixture(fsync: .always))
    let cluster = try await fixture.open(nodes: nodes)
    try await cluster.put("key", "old")
    try await cluster.put("other", "value")
    await cluster.close()
    try FileManager.default.copyItem(atPath: fixture.folder, toPath: clone.folder)
    for folder in [fixture, clone] {
      let cluster = try await folder.open(nodes: nodes)
      if let missing { try cluster.pause(missing) }
      if isDelete, folder === clone {
        #expect(try await cluster.delete(bytes("key")))
      } else {
        try await cluster.put("key", folder === clone ? "else" : "here")
      }
      await cluster.close()
    }
    let last = "node\(nodes).wal"
    try FileManager.default.removeItem(atPath: "\(fixture.folder)/\(last)")
    try FileManager.default.copyItem(atPath: "\(clone.folder)/\(last)", toPath: "\(fixture.folder)/\(last)")
    // Folders of an earlier version have no witnesses, which would name the folder that is another copy's.
    for name in try FileManager.default.subpathsOfDirectory(atPath: fixture.folder)
    where name.split(separator: "/").last == "witness" {
      try FileManager.default.removeItem(atPath: "\(fixture.folder)/\(name)")
    }
    return fixture
  }
}

@Suite struct TwinTests {
  @Test(
    "Different contents under one version are damage: verify finds them, gets are refused, a new put settles it",
    arguments: [(2, nil, false), (3, "node2", false), (3, "node2", true)] as [(Int, String?, Bool)])
  func refusesTwins(nodes: Int, missing: String?, isDelete: Bool) async throws {
    let fixture = try await ClusterFixture.withTwins(nodes: nodes, missing: missing, isDelete: isDelete)
    let found = try fixture.verify()
    #expect(found.damage.contains { $0.reason.contains("\"key\" has different contents") }, "\(found)")
    var cluster = try await fixture.open { $0.operationTimeoutNs = 300_000_000 }
    #expect(try await cluster.event { $0.contains("hold different contents of \"key\" under one version") })
    for _ in 0..<3 {
      let error = await #expect(throws: ClusterError.self) { try await cluster.get("key") }
      #expect(error?.description.contains("node1 and node\(nodes) hold different contents") ?? false)
    }
    #expect(try await cluster.get("other") == "value")
    await cluster.close()
    let report = try await fixture.repair()
    #expect(report.twins == [RepairReport.TwinCopies(key: bytes("key"), owners: report.twins[0].owners)])
    #expect(try !fixture.verify().isClean)
    cluster = try await fixture.open()
    try await cluster.put("key", "new")
    #expect(try await cluster.get("key") == "new")
    await cluster.close()
    #expect(try fixture.verify().damage.isEmpty)
  }

  @Test("Two owners that hold the same overrule the third", arguments: [false, true])
  func followsMajority(isDelete: Bool) async throws {
    let fixture = try await ClusterFixture.withTwins(nodes: 3, isDelete: isDelete)
    #expect(try !fixture.verify().isClean)
    let cluster = try await fixture.open()
    #expect(try await cluster.event { $0.contains("held different contents of a key under one version") })
    for owners in [["node1", "node2"], ["node2", "node3"], ["node1", "node3"]] {
      for node in ["node1", "node2", "node3"] where !owners.contains(node) { try cluster.pause(node) }
      #expect(try await cluster.get("key") == "here")
      cluster.heal()
    }
    await cluster.close()
    let after = try fixture.verify()
    #expect(after.isClean, "\(after)")
  }

  @Test("A repair follows the majority too, and takes one of two only where a loss is accepted")
  func repairsTwins() async throws {
    let three = try await ClusterFixture.withTwins(nodes: 3)
    #expect(try await three.repair().twins.isEmpty)
    #expect(try three.verify().isClean)
    #expect(try await three.answer("key") == "here")
    let two = try await ClusterFixture.withTwins(nodes: 2)
    #expect(try await two.repair(acceptingLoss: false).twins.count == 1)
    #expect(try await two.repair(acceptingLoss: true).twins.isEmpty)
    #expect(try two.verify().isClean)
    #expect(["here", "else"].contains(try await two.answer("key")))
  }

  @Test("A get that asks everyone, and one by message, notice twins before anyone has searched for them")
  func noticesOnRead() async throws {
    let fixture = try await ClusterFixture.withTwins(nodes: 2)
    let cluster = try await fixture.openUnmaintained()
    await #expect(throws: ClusterError.self) { try await cluster.get(bytes("key"), ReadOptions(consistency: .all)) }
    await cluster.close()
    let again = try await fixture.openUnmaintained()
    try again.slow("node1", byNs: 1_000_000)
    await #expect(throws: ClusterError.self) { try await again.get(bytes("key"), ReadOptions(consistency: .all)) }
    again.heal()
    await #expect(throws: ClusterError.self) { try await again.get("key") }
    await again.close()
  }
}
