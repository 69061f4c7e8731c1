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
      for workload in BenchmarkPlan.Workload.allCases {
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
    ])
  func refuses(plan: BenchmarkPlan, word: String) {
    #expect(plan.problem?.contains(word) == true)
  }

  @Test("The result as JSON has the plan and the figures")
  func writesJSON() async throws {
    try await withCluster { cluster in
      let result = try await BenchmarkRunner(BenchmarkPlan(workload: .fill, keys: 1_000), cluster).run()
      let object = try #require(try JSONSerialization.jsonObject(with: Data(result.json.utf8)) as? [String: Any])
      #expect(object["operations"] as? Int == 1_000)
      #expect(object["fsync"] as? String == "never")
      #expect((object["latencyNs"] as? [String: Int])?["p99.9"] != nil)
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
