import Testing

@testable import KVCluster

@Suite struct ConsistencyTests {
  @Test(
    "A level waits for one owner, for most of them, or for all",
    arguments: [
      (Consistency.one, [0, 1, 1, 1, 1, 1, 1, 1]), (.quorum, [0, 1, 2, 2, 3, 3, 4, 4]),
      (.all, [0, 1, 2, 3, 4, 5, 6, 7]),
    ])
  func counts(level: Consistency, expected: [Int]) {
    #expect((0...7).map { level.count(of: $0) } == expected)
  }

  @Test("Levels have names where the cluster's quorums are those of a level")
  func names() {
    #expect(QuorumSettings().consistencyWords == "quorum")
    #expect(QuorumSettings(replicas: 3, read: 1, write: 3).consistencyWords == "reads one, writes all")
    #expect(QuorumSettings(replicas: 5, read: 2, write: 4).consistencyWords == "reads 2, writes 4")
    #expect(QuorumSettings(replicas: 1, read: 1, write: 1).consistencyWords == "quorum")
  }

  @Test("With one owner left only operations at one are served, and errors name the level")
  func servesOne() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    try await cluster.put(bytes("a"), bytes("1"), WriteOptions(consistency: .all))
    try await cluster.kill("node2")
    let all = ClusterError.unavailable(needed: 3, live: 2, owners: 3, missing: ["node2"], consistency: .all)
    #expect(all.description.contains("must answer (consistency all), 2 can"))
    await #expect(throws: all) { try await cluster.put(bytes("a"), bytes("2"), WriteOptions(consistency: .all)) }
    await #expect(throws: all) { try await cluster.get(bytes("a"), ReadOptions(consistency: .all)) }
    #expect(try await cluster.get(bytes("a"), ReadOptions(consistency: .quorum)) == bytes("1"))
    try await cluster.kill("node3")
    await #expect(throws: ClusterError.self) { try await cluster.get(bytes("a"), ReadOptions(consistency: .quorum)) }
    await #expect(throws: ClusterError.self) { try await cluster.get(bytes("a"), ReadOptions(consistency: nil)) }
    try await cluster.put(bytes("a"), bytes("3"), WriteOptions(consistency: .one))
    #expect(try await cluster.get(bytes("a"), ReadOptions(consistency: .one)) == bytes("3"))
    #expect(try await cluster.delete(bytes("a"), WriteOptions(consistency: .one)))
    #expect(try await cluster.get(bytes("a"), ReadOptions(consistency: .one)) == nil)
    await cluster.close()
  }

  @Test("Blocking calls have levels as the others have, over good links and by message", arguments: [false, true])
  func blocks(byMessage: Bool) async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open { $0.operationTimeoutNs = 500_000_000 }
    if byMessage { try cluster.slow("node1", byNs: 1_000_000) }
    func put(_ text: String, _ level: Consistency?) throws {
      try bytes("a").withUnsafeBytes { key in
        try bytes(text).withUnsafeBytes { try cluster.putBlocking(key, $0, WriteOptions(consistency: level)) }
      }
    }
    func get(_ level: Consistency?) throws -> String? {
      var buffer = [UInt8](repeating: 0, count: 16)
      let count = try bytes("a").withUnsafeBytes { key in
        try buffer.withUnsafeMutableBytes { try cluster.getBlocking(key, into: $0, ReadOptions(consistency: level)) }
      }
      return count.map { String(decoding: buffer[..<$0], as: UTF8.self) }
    }
    func delete(_ level: Consistency?) throws {
      try bytes("a").withUnsafeBytes { try cluster.deleteBlocking($0, WriteOptions(consistency: level)) }
    }
    for level in [nil] + Consistency.allCases.map(Optional.some) {
      try put("of \(level?.rawValue ?? "default")", level)
      // The others have a write at one in a moment.
      #expect(try get(.all) == "of \(level?.rawValue ?? "default")")
      #expect(try get(level) == "of \(level?.rawValue ?? "default")")
      try delete(level)
      #expect(try get(.all) == nil)
    }
    try put("last", .all)
    try await cluster.kill("node2")
    #expect(throws: ClusterError.self) { try put("no", .all) }
    let error = #expect(throws: ClusterError.self) { try get(.all) }
    #expect(error?.description.contains("(consistency all)") == true)
    try put("quorum", .quorum)
    #expect(try get(.quorum) == "quorum")
    #expect(try get(nil) == "quorum")
    try await cluster.kill("node3")
    #expect(throws: ClusterError.self) { try get(.quorum) }
    #expect(throws: ClusterError.self) { try get(nil) }
    #expect(throws: ClusterError.self) { try delete(nil) }
    try put("one", .one)
    #expect(try get(.one) == "one")
    try delete(.one)
    #expect(try get(.one) == nil)
    await cluster.close()
  }

  @Test("By message a get at one may be stale, and one at all sees every write and leaves all owners equal")
  func worksByMessage() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open { $0.operationTimeoutNs = 3_000_000_000 }
    try await cluster.put("a", "before")
    // What node1 tells itself comes at once, what it tells others and hears from them a fifth of a second later.
    try cluster.slow("node1", byNs: 200_000_000)
    var staleCount = 0
    for i in 0..<30 {
      try await cluster.put("a", "\(i)")
      if try await cluster.get(bytes("a"), ReadOptions(consistency: .one)) != bytes("\(i)") { staleCount += 1 }
      #expect(try await cluster.get(bytes("a"), ReadOptions(consistency: .quorum)) == bytes("\(i)"))
    }
    #expect(staleCount > 0)
    #expect(try await cluster.get(bytes("a"), ReadOptions(consistency: .all)) == bytes("29"))
    let copies = cluster.copies(of: bytes("a"))
    #expect(copies.count == 3 && copies.allSatisfy { $0 != nil && $0?.tag == copies[0]?.tag })
    try cluster.pause("node3")
    do {
      _ = try await cluster.get(bytes("a"), ReadOptions(consistency: .all))
      Issue.record("all owners answered")
    } catch {
      #expect(error.description.contains("(consistency all)"))
    }
    #expect(try await cluster.get(bytes("a"), ReadOptions(consistency: .quorum)) == bytes("29"))
    await cluster.close()
  }
}
