import Foundation
import KVCluster
import Testing

@testable import KVBench

@Suite struct BenchmarkTests {
  private func withCluster<R>(_ body: (Cluster) async throws -> R) async throws -> R {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kvstore-bench-\(UUID().uuidString)")
    let cluster = try Cluster.open(ClusterOptions(dataFolder: folder.path, isEphemeral: true, fsync: .never))
    try await cluster.ready()
    let result = try await body(cluster)
    await cluster.close()
    return result
  }

  @Test("A run does as many operations as it was told and times some of them", arguments: [1, 3, 20])
  func counts(clients: Int) async throws {
    try await withCluster { cluster in
      for workload in BenchmarkPlan.Workload.allCases where workload != .open {
        let plan = BenchmarkPlan(workload: workload, keys: 2_000, threads: 3, clients: clients)
        let result = try await BenchmarkRunner(plan, cluster).run()
        #expect(result.operations == 2_000)
        #expect(result.latencies.totalCount >= 2_000 / 16)
        #expect(result.operationsPerSecond > 0)
      }
    }
  }

  @Test("A read run finds every key it loaded; all keys have the length asked for")
  func loads() async throws {
    try await withCluster { cluster in
      let plan = BenchmarkPlan(workload: .read, keys: 500, keyBytes: 9, valueBytes: 3)
      _ = try await BenchmarkRunner(plan, cluster).run()
      let listing = try cluster.keys(prefix: [], limit: 1_000)
      #expect(listing.keys.count == 500)
      #expect(listing.keys.allSatisfy { $0.count == 9 })
      let value = try await cluster.get(Array("000000499".utf8))
      #expect(value?.count == 3)
    }
  }

  @Test("An overwrite run replaces keys that exist: as many keys as before, and records that nothing points to")
  func overwrites() async throws {
    try await withCluster { cluster in
      let plan = BenchmarkPlan(workload: .overwrite, keys: 1_000)
      let footprint = try await BenchmarkRunner(plan, cluster).run().footprint
      #expect(cluster.status().keys == 1_000)
      #expect(footprint.liveBytes > 0)
      #expect(footprint.walBytes > footprint.liveBytes)
    }
  }

  @Test("A warm-up reads and is not counted", arguments: [BenchmarkPlan.Workload.read, .readArray, .mixed])
  func warms(workload: BenchmarkPlan.Workload) async throws {
    try await withCluster { cluster in
      var plan = BenchmarkPlan(workload: workload, keys: 1_000)
      plan.warms = true
      let runner = BenchmarkRunner(plan, cluster)
      let result = try await runner.run()
      #expect(result.operations == 1_000)
      #expect(runner.operationsDone == 1_000)
      let done = cluster.status().operations
      let writes: UInt64 = workload == .mixed ? 500 : 0
      #expect(done == OperationCounters(reads: 2_000 - writes, writes: 1_000 + writes))
    }
  }

  @Test("Opening is measured as often as told, each time with every key there")
  func reopens() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kvstore-bench-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let options = ClusterOptions(dataFolder: folder.path, fsync: .everysec)
    var plan = BenchmarkPlan(workload: .open, keys: 500)
    plan.openings = 3
    let result = try await BenchmarkReopening.run(plan, options)
    #expect(result.operations == 3)
    #expect(result.latencies.totalCount == 3)
    #expect(result.footprint.liveBytes >= 3 * 500 * (16 + 100))
    let cluster = try Cluster.open(options)
    try await cluster.ready()
    #expect(cluster.status().keys == 500)
    await cluster.close()
  }

  @Test("Only operations that wait for nothing are sampled")
  func samples() {
    let clients = [1, 64]
    #expect(clients.map { BenchmarkPlan(workload: .fill, keys: 1, clients: $0).latencySampling } == [16, 1])
    #expect(clients.map { BenchmarkPlan(workload: .readArray, keys: 1, clients: $0).latencySampling } == [16, 16])
    #expect(BenchmarkPlan(workload: .open, keys: 1).latencySampling == 1)
    var plan = BenchmarkPlan(workload: .read, keys: 1)
    plan.recordsTimeline = true
    #expect(plan.latencySampling == 1)
  }

  @Test("A run that is told to stop ends early")
  func stops() async throws {
    try await withCluster { cluster in
      let runner = BenchmarkRunner(BenchmarkPlan(workload: .fill, keys: 1_000, seconds: 3_600), cluster)
      runner.stop()
      let result = try await runner.run()
      #expect(result.operations == 0)
    }
  }

  @Test(
    "Plans that make no sense say which option is wrong",
    arguments: [
      (BenchmarkPlan(workload: .fill, keys: 0), "--keys"),
      (BenchmarkPlan(workload: .fill, keys: 1_000, keyBytes: 2), "--key-bytes"),
      (BenchmarkPlan(workload: .fill, keys: 1, valueBytes: -1), "--value-bytes"),
      (BenchmarkPlan(workload: .fill, keys: 1, threads: 0), "--threads"),
      (BenchmarkPlan(workload: .fill, keys: 1, clients: 0), "--clients"),
      (BenchmarkPlan(workload: .fill, keys: 1, seconds: -1), "--seconds"),
      (opening(0), "--openings"),
    ])
  func refuses(plan: BenchmarkPlan, word: String) {
    #expect(plan.problem?.contains(word) == true)
  }

  private static func opening(_ times: Int) -> BenchmarkPlan {
    var plan = BenchmarkPlan(workload: .open, keys: 1)
    plan.openings = times
    return plan
  }

  @Test("The result as JSON has the plan and the figures")
  func writesJSON() async throws {
    try await withCluster { cluster in
      var result = try await BenchmarkRunner(BenchmarkPlan(workload: .fill, keys: 1_000), cluster).run()
      result.closeNs = 7
      let object = try #require(try JSONSerialization.jsonObject(with: Data(result.json.utf8)) as? [String: Any])
      #expect(object["operations"] as? Int == 1_000)
      #expect(object["fsync"] as? String == "never")
      let latencies = try #require(object["latencyNs"] as? [String: Int])
      #expect(latencies.keys.sorted() == ["max", "p50", "p95", "p99", "p99.9"])
      #expect(object["replicas"] as? Int == 3)
      #expect(object["closeNs"] as? Int == 7)
      #expect(object["walBytes"] as? Int == result.footprint.walBytes)
      #expect(object["liveBytes"] as? Int == result.footprint.liveBytes)
      #expect(object["cacheBytes"] as? Int == result.footprint.cacheBytes)
      let names = ["rssBytes", "anonymousBytes", "rssBytesAtStart", "anonymousBytesAtStart"]
      #expect(names.allSatisfy { object[$0] as? Int ?? 0 > 0 })
    }
  }

  @Test("Keys are drawn evenly")
  func drawsEvenly() {
    var random = BenchmarkRandom(seed: 42)
    var counts = [Int](repeating: 0, count: 100)
    for _ in 0..<100_000 { counts[Int(random.next(below: 100))] += 1 }
    let chiSquare = counts.reduce(0.0) { $0 + Double(($1 - 1_000) * ($1 - 1_000)) / 1_000 }
    // 99 degrees of freedom: beyond 149 lies one case in a thousand; the seed is fixed.
    #expect(chiSquare < 149)
  }
}
