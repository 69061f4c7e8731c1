/// Keeps the nodes' logs and copies in order while the cluster is open: compaction, checkpoints, looking for damage and
/// healing it, hints, comparing replicas, purging tombstones.
package struct Maintenance: Sendable {
  let options: ClusterOptions
  let roster: Roster
  let data: DataPath
  let nodes: NodeLifecycle
  let events: EventLog
  let counters: ClusterCounters
  let executor: any Executor
  let lifespan: Lifespan

  /// Does what is due for each node in turn, until the cluster closes. Blocks.
  func run() {
    var jobs: [NodeMaintenance] = []
    var ends: [LogPosition] = []
    var pauseNs = NodeMaintenance.pauseNs
    while !lifespan.isClosing {
      let replicas = roster.live
      jobs.removeAll { job in !replicas.contains { $0 === job.replica } }
      for replica in replicas where !jobs.contains(where: { $0.replica === replica }) {
        jobs.append(NodeMaintenance(replica, self))
      }
      var isBusy = false
      for job in jobs {
        isBusy = job.work() || isBusy
        job.arrangeMemory()
      }
      let former = ends
      ends = replicas.map(\.store.log.end)
      if isBusy { continue }
      pauseNs = NodeMaintenance.pauseNs + (ends == former ? min(pauseNs, Maintenance.pauseMaxNs) : 0)
      lifespan.sleep(ns: pauseNs)
    }
  }

  /// Nodes to which nothing is written are looked at ten times a second only: half of what an idle cluster costs.
  private static let pauseMaxNs: UInt64 = 80_000_000

  /// Hands all nodes the writes that they missed, at once; otherwise that is done little by little.
  func deliverHints() {
    for replica in roster.live { HintReplay(data.partitions, data.links, to: replica).run() }
  }
}
