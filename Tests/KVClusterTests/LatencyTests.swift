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
    #expect(status.latencies.writes.count == 20)
    #expect(status.latencies.reads.count == 10)
    #expect(status.nodes.contains { $0.wal.syncLatencies.count > 0 })
    await cluster.close()
  }
}
