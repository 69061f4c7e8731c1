import Commands
import KVBench
import KVCluster
import Text

extension Chapter {
  static let performance = Chapter(
    name: "performance", title: "Performance",
    text: """
      64 clients write as fast as they are answered, and every write is on two disks before it is acknowledged. That \
      is bearable because those who wait share a sync (group commit): compare the graph's writes with the syncs \
      counted below.
      """,
    part: .throughput, setting: Setting(nodes: 3)
  ) { stage, cluster in
    let before = cluster.status()
    let writes = try await measure(.overwrite, stage, cluster)
    let after = cluster.status()
    report("writes", writes, stage)
    let records = total(after) { $0.operations?.writes } - total(before) { $0.operations?.writes }
    let syncs = total(after) { $0.wal?.syncs } - total(before) { $0.wal?.syncs }
    stage.figure(
      "\(Figures.count(records)) records in three logs, \(Figures.count(syncs)) syncs: "
        + "\(Figures.decimal(Double(records) / Double(max(1, syncs)), places: 1)) records a sync")
    stage.claim(
      "clients that wait share syncs", syncs > 0 && records > syncs,
      "\(Figures.count(syncs)) syncs for \(Figures.count(records)) records")
    stage.claim("no write failed", writes.counts.failures == 0, "\(Figures.count(writes.counts.failures)) failures")

    try await stage.say(
      "Reads wait for no disk: two owners look the key up in their index, and one value comes from the cache. Look at "
        + "their latency beside that of the writes.", at: .latency)
    let reads = try await measure(.read, stage, cluster)
    report("reads", reads, stage)
    let end = cluster.status()
    let hits = total(end) { $0.cache?.hits } - total(after) { $0.cache?.hits }
    let misses = total(end) { $0.cache?.misses } - total(after) { $0.cache?.misses }
    stage.figure(
      "\(Figures.precisePercent(Double(hits) / Double(max(1, hits + misses)))) of the values came from a cache")
    stage.claim("no read failed", reads.counts.failures == 0, "\(Figures.count(reads.counts.failures)) failures")
    let (read, write) = (LatencyFigures(reads.latencies)?.p50 ?? .max, LatencyFigures(writes.latencies)?.p50 ?? 0)
    stage.claim(
      "a read is faster than a durable write", read < write,
      "in the median \(Figures.time(ns: read)) against \(Figures.time(ns: write))")
    try await stage.claimLinearizable(cluster)
  }

  private static func measure(
    _ workload: BenchmarkPlan.Workload, _ stage: Stage, _ cluster: Cluster
  ) async throws -> BenchmarkResult {
    var plan = BenchmarkPlan(
      workload: workload, keys: stage.settings.amount(10_000), clients: 64, seconds: stage.settings.length(5))
    plan.toleratesFailures = true
    let runner = BenchmarkRunner(plan, cluster)
    let result = try await withTaskCancellationHandler {
      try await runner.run()
    } onCancel: {
      runner.stop()
    }
    try Task.checkCancellation()
    return result
  }

  private static func report(_ what: String, _ result: BenchmarkResult, _ stage: Stage) {
    let latency = LatencyFigures(result.latencies).map {
      "; latency p50 \(Figures.time(ns: $0.p50)), p99 \(Figures.time(ns: $0.p99))"
    }
    stage.figure(
      "\(Figures.count(Int(result.operationsPerSecond))) \(what) a second for \(Figures.time(ns: result.elapsedNs))"
        + (latency ?? ""))
  }

  private static func total(_ status: ClusterStatus, _ counter: (NodeStatus) -> UInt64?) -> UInt64 {
    status.nodes.reduce(0) { $0 + (counter($1) ?? 0) }
  }
}
