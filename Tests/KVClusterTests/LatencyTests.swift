import KVCluster
import Testing

@Suite struct LatencyTests {
  @Test func `a percentile is the upper end of its bucket, at most an eighth above`() {
    for ns: UInt64 in [0, 1, 7, 8, 15, 16, 17, 1_000, 123_456, 5_000_000, 9_000_000_000] {
      var counts = LatencyCounts()
      counts.add(ns: ns)
      let found = counts.percentileNs(0.5)!
      #expect(found >= ns && Double(found) <= Double(ns) * 1.125 + 1)
    }
    #expect(LatencyCounts().percentileNs(0.99) == nil)
  }

  @Test func `the difference of two counts is what came between`() {
    var early = LatencyCounts()
    for _ in 0..<10 { early.add(ns: 1_000) }
    var late = early
    for _ in 0..<5 { late.add(ns: 1_000_000) }
    let between = late.since(early)
    #expect(between.count == 5)
    #expect(between.percentileNs(0)! >= 1_000_000)
    #expect(late.since(LatencyCounts()) == late)
  }

  @Test func `a cluster measures what its clients wait for`() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    let cluster = try await fixture.open()
    for number in 0..<20 { try await cluster.put(Array("key\(number)".utf8), [1, 2, 3]) }
    for number in 0..<10 { _ = try await cluster.get(Array("key\(number)".utf8)) }
    let status = cluster.status()
    #expect(status.latencies?.writes.count == 20)
    #expect(status.latencies?.reads.count == 10)
    #expect(status.nodes.contains { $0.wal?.syncLatencies?.count ?? 0 > 0 })
    await cluster.close()
  }

  @Test func `under full load reads and writes are both measured, even of threads that do them in turn`() async throws {
    let fixture = try ClusterFixture(fsync: .never)
    let cluster = try await fixture.open()
    let key = Array("key".utf8)
    try await cluster.put(key, [1, 2, 3])
    let before = try #require(cluster.status().latencies)
    var buffer = [UInt8](repeating: 0, count: 8)
    for _ in 0..<20_000 {
      try key.withUnsafeBytes { key throws in
        _ = try buffer.withUnsafeMutableBytes { try cluster.getBlocking(key, into: $0) }
        try cluster.putBlocking(key, key)
      }
    }
    let after = try #require(cluster.status().latencies)
    let (reads, writes) = (after.reads.since(before.reads).count, after.writes.since(before.writes).count)
    #expect(reads > 0 && writes > 0)
    // One in so many: the first windows measure a thousand each before the rest thins out.
    #expect(reads < 20_000 && writes < 20_000, "\(reads) \(writes)")
    #expect(max(reads, writes) <= 4 * min(reads, writes), "\(reads) \(writes)")
    await cluster.close()
  }
}
