import Foundation
import KVCluster
import Testing
import Text

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
      for workload in BenchmarkPlan.Workload.allCases where workload != .open && workload != .ycsbE {
        let plan = BenchmarkPlan(workload: workload, keys: 2_000, threads: 3, clients: clients)
        let result = try await BenchmarkRunner(plan, cluster).run()
        #expect(result.operations == 2_000)
        #expect(result.counts.operations == 2_000 && result.counts.failures == 0)
        #expect(result.seconds.reduce(0) { $0 + $1.counts.operations } == 2_000)
        #expect(result.latencies.totalCount >= 2_000 / 32)
        #expect(result.operationsPerSecond > 0)
      }
    }
  }

  @Test("Every kind of operation that occurs is timed, also where kinds take turns", arguments: [1, 3, 20])
  func timesEveryKind(clients: Int) async throws {
    try await withCluster { cluster in
      for workload in [BenchmarkPlan.Workload.mixed, .ycsbA, .ycsbB, .ycsbD, .ycsbF] {
        let plan = BenchmarkPlan(workload: workload, keys: 4_000, valueBytes: 10, threads: 3, clients: clients)
        let result = try await BenchmarkRunner(plan, cluster).run()
        #expect(result.kinds.count == 2)
        for kind in result.kinds { #expect(kind.latencies.totalCount > 0, "\(workload): \(kind.name)") }
      }
    }
  }

  @Test("Where writes wait for a disk all are timed, also of one thread", arguments: FsyncPolicy.allCases)
  func timesWhatWaits(fsync: FsyncPolicy) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kvstore-bench-\(UUID().uuidString)")
    let cluster = try Cluster.open(ClusterOptions(dataFolder: folder.path, isEphemeral: true, fsync: fsync))
    try await cluster.ready()
    #expect(
      BenchmarkRunner(BenchmarkPlan(workload: .fill, keys: 9), cluster).plan.latencySampling
        == (fsync == .always ? 1 : 16))
    #expect(BenchmarkRunner(BenchmarkPlan(workload: .read, keys: 9), cluster).plan.latencySampling == 16)
    await cluster.close()
  }

  @Test("What is loaded first is announced, with how much that is on the disk")
  func announcesLoads() async throws {
    try await withCluster { cluster in
      let large = BenchmarkRunner(BenchmarkPlan(workload: .ycsbA, keys: 1_000_000), cluster)
      #expect(
        large.loadAnnouncement
          == "loading 1,000,000 keys with values of 1000 bytes, 3 of each: at most "
          + Figures.bytes((1_000 + large.plan.names.byteCount) * 3_000_000)
      )
      #expect(BenchmarkRunner(BenchmarkPlan(workload: .fill, keys: 9), cluster).loadAnnouncement == nil)
    }
  }

  @Test("A sampler takes one in so many on average, and both of two that take turns", arguments: [1, 2, 16, 100])
  func samples(every: Int) {
    var sampler = LatencySampler(every: every, seed: 1)
    let taken = (0..<100_000).filter { _ in sampler.next() }
    #expect((0.9...1.1).contains(Double(taken.count * every) / 100_000))
    #expect(Set(taken.map { $0 & 1 }).count == 2)
  }

  @Test("A sampler of none takes none")
  func samplesNone() {
    var sampler = LatencySampler(every: 0, seed: 1)
    #expect(!(0..<1_000).contains { _ in sampler.next() })
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
      (opening(0), "--openings"), (BenchmarkPlan(workload: .ycsbE, keys: 10), "no scans"),
    ])
  func refuses(plan: BenchmarkPlan, word: String) {
    #expect(plan.problem?.contains(word) == true)
  }

  @Test("YCSB's mixes are drawn by their published parts, and each key is one that exists")
  func mixes() async throws {
    let parts: [(BenchmarkPlan.Workload, reads: Double, writes: Double, modifies: Double)] = [
      (.ycsbA, 0.5, 0.5, 0), (.ycsbB, 0.95, 0.05, 0), (.ycsbC, 1, 0, 0), (.ycsbD, 0.95, 0.05, 0), (.ycsbF, 0.5, 0, 0.5),
      (.cas, 0, 0, 1),
    ]
    for (workload, reads, writes, modifies) in parts {
      try await withCluster { cluster in
        var plan = BenchmarkPlan(workload: workload, keys: 1_000, threads: 2)
        plan.operationCount = 20_000
        let counts = try await BenchmarkRunner(plan, cluster).run().counts
        // A share of 20,000 draws lies within 0.014 of its chance in all but one of ten thousand cases.
        #expect(abs(Double(counts.reads) / 20_000 - reads) < 0.014, "\(workload)")
        #expect(abs(Double(counts.writes) / 20_000 - writes) < 0.014, "\(workload)")
        #expect(abs(Double(counts.modifies) / 20_000 - modifies) < 0.014, "\(workload)")
        #expect(cluster.status().keys == 1_000 + (workload == .ycsbD ? counts.writes : 0))
      }
    }
  }

  @Test("Inserted keys are read once they are there, by threads and by tasks", arguments: [2, 8])
  func readsInserts(clients: Int) async throws {
    try await withCluster { cluster in
      let plan = BenchmarkPlan(workload: .ycsbD, keys: 100, threads: 2, clients: clients)
      let generator = LoadGenerator(plan, cluster)
      try await generator.load()
      generator.tally.reset()
      await generator.run(.init(mix: plan.workload.mix, operations: 10_000, deadlineNs: .max, seed: 1))
      #expect(generator.failure == nil)
      let inserted = generator.tally.counts.writes
      #expect(inserted > 300)
      #expect(generator.inserts.present == UInt64(100 + inserted))
    }
  }

  @Test("Keys are named as asked for, and deleted again, inserted ones too")
  func clears() async throws {
    try await withCluster { cluster in
      var plan = BenchmarkPlan(workload: .ycsbD, keys: 500)
      plan.names = .ycsb(prefix: Array("bench:".utf8))
      let runner = BenchmarkRunner(plan, cluster)
      let result = try await runner.run()
      let keys = try cluster.keys(prefix: Array("bench:user".utf8), limit: 10_000).keys
      #expect(keys.count == 500 + result.counts.writes && result.counts.writes > 0)
      #expect(Set(keys.map(\.count)) == [6 + 4 + 19])
      #expect(await runner.clear())
      #expect(try cluster.keys(prefix: [], limit: 1).keys == [])
    }
  }

  @Test("No two puts write the same value", arguments: [1, 4])
  func writesDifferentValues(clients: Int) async throws {
    try await withCluster { cluster in
      let plan = BenchmarkPlan(workload: .fill, keys: 1_000, threads: 2, clients: clients)
      _ = try await BenchmarkRunner(plan, cluster).run()
      let keys = try cluster.keys(prefix: [], limit: 1_000).keys
      var values: Set<[UInt8]> = []
      for key in keys { values.insert(try await cluster.get(key) ?? []) }
      #expect(values.count == keys.count && keys.count > 500)
    }
  }

  @Test("Values have the sizes asked for")
  func sizesValues() async throws {
    try await withCluster { cluster in
      var plan = BenchmarkPlan(workload: .read, keys: 300)
      plan.valueSizes = .uniform(10...19)
      _ = try await BenchmarkRunner(plan, cluster).run()
      var sizes: [Int] = []
      for number in 0..<300 { sizes.append(try await cluster.get(plan.names.key(UInt64(number)))?.count ?? -1) }
      #expect(Set(sizes) == Set(10...19))
    }
  }

  @Test("Failures end a run, or are counted and said if it tolerates them", arguments: [1, 8])
  func countsFailures(clients: Int) async throws {
    try await withCluster { cluster in
      var plan = BenchmarkPlan(workload: .mixed, keys: 100, threads: 1, clients: clients, seconds: 0.5)
      await #expect(throws: ClusterError.self) {
        let runner = BenchmarkRunner(plan, cluster)
        _ = try await runner.run { Self.killTwo(cluster) }
      }
      try await cluster.restart("node1")
      try await cluster.restart("node2")
      plan.toleratesFailures = true
      let result = try await BenchmarkRunner(plan, cluster).run { Self.killTwo(cluster) }
      #expect(result.counts.failures > 0)
      #expect(
        result.table.contains(
          "\(Figures.count(result.counts.failures, "operation")) failed, the first with: unavailable"))
      #expect(result.marks.map(\.kind) == [.kill, .kill])
      #expect(result.table.contains("node2 was killed"))
    }
  }

  private static func killTwo(_ cluster: Cluster) {
    Task {
      try await cluster.kill("node1")
      try await cluster.kill("node2")
    }
  }

  @Test("A snapshot tells phase, rates, percentiles and what is left, and each second adds up to what was done")
  func watches() async throws {
    try await withCluster { cluster in
      let runner = BenchmarkRunner(BenchmarkPlan(workload: .mixed, keys: 1_000, threads: 2, seconds: 2.5), cluster)
      #expect(runner.snapshot().phase == .waiting)
      let result = Task { try await runner.run() }
      while runner.snapshot().seconds.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
      let snapshot = runner.snapshot()
      #expect(snapshot.phase == .measuring)
      #expect(try #require(snapshot.fraction) > 0.3)
      #expect(try #require(snapshot.leftNs) < 1_700_000_000)
      let second = try #require(snapshot.seconds.first)
      #expect(second.readsPerSecond > 0 && second.writesPerSecond > 0)
      let latency = try #require(second.latency)
      #expect(
        latency.p50 > 0 && latency.p50 <= latency.p95 && latency.p99 <= latency.p999 && latency.p999 <= latency.max)
      #expect(second.nodes.map(\.node).sorted() == ["node1", "node2", "node3"])
      // Reads ask two of three owners, writes all three.
      let served = second.nodes.reduce(0) { $0 + Int($1.operations) }
      #expect(served > 2 * second.counts.operations)
      #expect(snapshot.text.contains(" reads/s, "))
      let done = try await result.value
      // Of 2.5; where the machine stalls for half a second the last belongs to the one before.
      #expect((2...3).contains(done.seconds.count))
      #expect(done.seconds.reduce(0) { $0 + $1.counts.operations } == done.operations)
      #expect(runner.snapshot().phase == .finished)
    }
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
      #expect(!result.json.dropLast().contains("\n"))
      let seconds = try #require(object["seconds"] as? [[String: Any]])
      #expect(seconds.reduce(0) { $0 + ($1["writes"] as? Int ?? 0) } == 1_000)
    }
  }
}
