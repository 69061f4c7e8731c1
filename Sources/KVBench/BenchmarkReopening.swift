import KVCluster

/// Measures the workload `open`: how long a folder that holds every key takes from `Cluster.open(_:)` until
/// `Cluster.ready()` returns.
///
/// The folder is loaded and closed in the same process just before, so its files are in the system's page cache: this is
/// the start after a stop or a crash of the program, not the first one after a start of the machine.
package enum BenchmarkReopening {
  /// - Parameters:
  ///   - plan: which keys and values, and how often to open.
  ///   - options: of a folder that stays when it is closed.
  /// - Throws: the first error of loading or opening.
  package static func run(_ plan: BenchmarkPlan, _ options: ClusterOptions) async throws -> BenchmarkResult {
    precondition(!options.isEphemeral, "an ephemeral folder is gone once it is closed")
    let memoryAtStart = try await withCluster(options) { cluster in
      let memory = ProcessMemory.now()
      try await BenchmarkRunner(plan, cluster).load()
      return memory
    }
    var latencies = LatencyHistogram.ofLatencies()
    var elapsedNs: UInt64 = 0
    var status: ClusterStatus?
    var footprint: BenchmarkFootprint?
    for _ in 0..<plan.openings where !Task.isCancelled {
      let startedNs = Clock.nowNs()
      (status, footprint) = try await withCluster(options) { cluster in
        let openingNs = Clock.nowNs() - startedNs
        latencies.record(max(1, openingNs))
        elapsedNs += openingNs
        let status = cluster.status()
        return (status, BenchmarkFootprint(status, memoryAtStart: memoryAtStart))
      }
    }
    guard let status, let footprint else { throw CancellationError() }
    return BenchmarkResult(
      plan: plan, fsync: status.fsync, replicas: status.effectiveQuorum?.replicas,
      operations: Int(latencies.totalCount), elapsedNs: elapsedNs, latencies: latencies, footprint: footprint)
  }

  /// Opens, waits, lets `body` work, and closes however that ends.
  private static func withCluster<R>(
    _ options: ClusterOptions, _ body: (Cluster) async throws -> R
  ) async throws -> R {
    let cluster = try Cluster.open(options)
    do {
      try await cluster.ready()
      let result = try await body(cluster)
      await cluster.close()
      return result
    } catch {
      await cluster.close()
      throw error
    }
  }
}
