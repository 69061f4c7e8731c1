import ClusterModel

/// What one node told last.
struct NodeReport: Sendable, Equatable {
  /// `nil` if the user may not ask for it.
  var info: InfoText?
  /// `cluster_state`; `nil` if it was not told.
  var isStateOk: Bool?
  /// The node's own map; asked for less often than the rest.
  var map: ClusterMap?
  /// Why it did not answer the last time.
  var trouble: String?
}

/// Everything that is known of a cluster, as one value; from it the status is made.
struct ClusterView: Sendable, Equatable {
  var map = ClusterMap()
  /// By id of the node.
  var reports: [String: NodeReport] = [:]
  var tally = OperationTally()
  var classes: CommandClasses?
  /// When an acknowledged write is on a node's disk, by `appendfsync`.
  var fsync: FsyncPolicy?
  /// Whether it is a cluster and not one server.
  var isCluster = true
  /// Where what moves now will be.
  var plannedOwners: [String?]?
  var change: ChangeStatus?
  /// The small number of each node, by its id.
  private(set) var numbers: [String: Int] = [:]
  private(set) var ring = RingStatus(slotCount: KeySlot.count)

  /// Takes a newer map; returns the nodes that are no members any more.
  mutating func take(_ newer: ClusterMap) -> [ClusterMap.Node] {
    let gone = map.nodes.filter { $0.isMember && newer.node($0.id)?.isMember != true }
    for node in gone {
      (numbers[node.id], reports[node.id]) = (nil, nil)
      tally.forget(node.id)
    }
    for node in newer.nodes where node.isMember && numbers[node.id] == nil {
      numbers[node.id] = (0...).first { number in !numbers.values.contains(number) }
    }
    let isOther = newer != map
    map = newer
    if isOther { drawRing() }
    return gone
  }

  mutating func plan(_ owners: [String?]?) {
    plannedOwners = owners
    drawRing()
  }

  private mutating func drawRing() {
    var ring = ringOfNow()
    ring.epoch = (self.ring.epoch ?? 0) + 1
    self.ring = ring
  }

  /// Takes what a node told.
  mutating func take(_ report: NodeReport, _ histogram: LatencyHistogram?, of id: String, at uptimeNs: UInt64) {
    var report = report
    report.map = report.map ?? reports[id]?.map
    reports[id] = report
    guard let node = map.node(id), let info = report.info, let classes else { return }
    let counts = classes.count(info.calls)
    tally.take(
      OperationTally.Counts(
        runID: info.text("run_id") ?? "", reads: counts.reads, writes: counts.writes, latencies: histogram),
      of: id, isMaster: node.isMaster, at: uptimeNs)
  }

  /// Ids of the nodes that answer and say that the cluster is not in order.
  var refusing: [String] {
    map.live.map(\.id).filter { reports[$0]?.trouble == nil && reports[$0]?.isStateOk == false }
  }

  /// Notes that a node did not answer; what it told before stays.
  mutating func miss(_ id: String, _ reason: String) { reports[id, default: NodeReport()].trouble = reason }
}
