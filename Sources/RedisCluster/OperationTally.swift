import ClusterModel

/// Operations of all nodes since watching began, made of the differences between what each told and told before: counters
/// that only grow, whatever restarts and changes its role.
struct OperationTally: Sendable, Equatable {
  /// What a server counts since its start.
  struct Counts: Sendable, Equatable {
    /// Another one after each start.
    var runID: String
    var reads: UInt64
    var writes: UInt64
    var latencies: LatencyHistogram?
  }

  private var last: [String: Counts] = [:]
  private(set) var nodes: [String: OperationCounters] = [:]
  private(set) var total = OperationCounters()
  /// `nil` until a server has told times.
  private(set) var latencies: OperationLatencies?

  /// Takes what a node tells. The first time it only says from where to count.
  ///
  /// Writes of a replica are copies of its master's and count for the replica only.
  mutating func take(_ counts: Counts, of id: String, isMaster: Bool) {
    defer { last[id] = counts }
    if counts.latencies != nil, latencies == nil { latencies = OperationLatencies() }
    guard let before = last[id] else {
      nodes[id] = OperationCounters()
      return
    }
    let base = before.runID == counts.runID ? before : Counts(runID: counts.runID, reads: 0, writes: 0)
    // `CONFIG RESETSTAT` sets counters back.
    let reads = counts.reads >= base.reads ? counts.reads - base.reads : counts.reads
    let writes = counts.writes >= base.writes ? counts.writes - base.writes : counts.writes
    nodes[id, default: OperationCounters()].reads += reads
    nodes[id, default: OperationCounters()].writes += writes
    total.reads += reads
    if isMaster { total.writes += writes }
    guard let new = counts.latencies else { return }
    LatencyHistogram.add(new.reads, since: base.latencies?.reads ?? [:], to: &latencies!.reads)
    if isMaster { LatencyHistogram.add(new.writes, since: base.latencies?.writes ?? [:], to: &latencies!.writes) }
  }

  /// Forgets a node that is no member any more; what it counted stays in the total.
  mutating func forget(_ id: String) { (last[id], nodes[id]) = (nil, nil) }
}
