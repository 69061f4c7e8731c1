/// What must be looked at a few times a second: timeouts, disks that lag or have failed, the tag lease, heartbeats, deleted
/// files.
package struct Ticker: Sendable {
  let options: ClusterOptions
  let roster: Roster
  let data: DataPath
  let nodes: NodeLifecycle
  let failures: FailureWatch
  let lifespan: Lifespan

  private static let periodNs: UInt64 = 50_000_000
  /// From one look for deleted files to the next.
  private static let deletionPeriodNs: UInt64 = 500_000_000

  /// Ticks until the cluster closes. Blocks.
  /// - Parameter also: called once a tick.
  func run(also: (_ nowNs: UInt64) -> Void) {
    var lookedNs = Clock.nowNs()
    while !lifespan.isClosing {
      lifespan.sleep(ns: Ticker.periodNs)
      tick()
      also(Clock.nowNs())
      guard Clock.nowNs() > lookedNs + Ticker.deletionPeriodNs else { continue }
      nodes.noticeDeletion()
      lookedNs = Clock.nowNs()
    }
    data.holdWritersBack(false)
  }

  package func tick() {
    let now = Clock.nowNs()
    let replicas = roster.live
    for replica in replicas where now > options.operationTimeoutNs {
      replica.commit.expire(startedBefore: now - options.operationTimeoutNs)
    }
    // A failure that no sync has met yet: the next one stops the node.
    for replica in replicas where replica.store.log.failure != nil { replica.commit.wake() }
    data.holdWritersBack(replicas.contains { $0.commit.isOverdue(nowNs: now) })
    try? data.tags.extendEarly()
    try? data.clock.extendEarly()
    data.batches.tick()
    failures.exchangeHeartbeats(now)
  }
}
