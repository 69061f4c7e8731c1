import Testing

@testable import KVCluster

@Suite struct HintTests {
  private func partition(of key: String, _ cluster: Cluster) -> UnsafeMutablePointer<Partition> {
    cluster.dataPath.partitions[Store.partition(of: bytes(key).withBytes { Ring.hash($0) })]
  }

  @Test("Too many bytes of hints are given up and counted; what was missed comes by comparison")
  func boundsBytes() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    try await cluster.put("a", "1")
    try await cluster.kill("node2")
    try await cluster.put("a", "2")
    let node2 = cluster.status().nodes[1]
    #expect(node2.hintsWaiting == 1)
    // A record's header, the key and the node's name.
    #expect(node2.hintBytes == 32)
    let partition = partition(of: "a", cluster)
    let queue = try #require(partition.pointee.hints.first)
    let large = HintQueue.Hint(hash: 1, byteCount: Limits.hintBytesPerPartitionMax - 32)
    #expect(HintQueue.add(large, target: queue.target, holder: queue.holder, to: &partition.pointee))
    #expect(cluster.status().nodes[1].hintBytes == Limits.hintBytesPerPartitionMax)
    #expect(cluster.status().hintsDropped == 0)
    try await cluster.put("a", "3")
    #expect(cluster.status().nodes[1].hintsWaiting == 0)
    #expect(cluster.status().nodes[1].hintBytes == 0)
    #expect(cluster.status().hintsDropped == 3)
    try await cluster.put("a", "4")
    #expect(cluster.status().hintsDropped == 4)
    #expect(try await cluster.event { $0.contains("has given up hints for node2") })
    try await cluster.restart("node2")
    let copies = cluster.copies(of: bytes("a"))
    #expect(copies.allSatisfy { $0 != nil && $0?.tag == copies[0]?.tag })
    #expect(try await until { partition.lock.pointee.withLock { partition.pointee.hints.isEmpty } })
    await cluster.close()
  }

  @Test("Hints that are too old are given up, also in the log; what was missed comes by comparison")
  func boundsAge() async throws {
    let fixture = try ClusterFixture()
    var cluster = try await fixture.open { $0.hintAgeMaxNs = 1 }
    try await cluster.kill("node2")
    for i in 0..<100 { try await cluster.put("key\(i)", "missed") }
    #expect(try await until { cluster.status().hintsDropped == 100 })
    #expect(cluster.status().nodes[1].hintsWaiting == 0)
    #expect(try await cluster.event { $0.contains("has given up hints for node2") })
    await cluster.close()
    cluster = try await fixture.open()
    #expect(cluster.status().nodes[1].hintsWaiting == 0)
    try await cluster.restart("node2")
    for i in 0..<100 {
      let copies = cluster.copies(of: bytes("key\(i)"))
      #expect(copies.allSatisfy { $0 != nil && $0?.tag == copies[0]?.tag })
    }
    await cluster.close()
  }
}
