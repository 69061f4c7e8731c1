import ClusterModel

/// Operations of all nodes since watching began, made of the differences between what each told and told before: counters
/// that only grow, whatever restarts and changes its role.
///
/// Servers tell once a second, screens look ten times a second: what came in a second is shown as if it had come evenly in
/// the second after. Without that a graph of rates is a row of spikes.
struct OperationTally: Sendable, Equatable {
  /// What a server counts since its start.
  struct Counts: Sendable, Equatable {
    /// Another one after each start.
    var runID: String
    var reads: UInt64
    var writes: UInt64
    var latencies: LatencyHistogram?
  }

  /// Operations since watching began: those of a node, and which of them are the cluster's.
  private struct Sum: Sendable, Equatable {
    var own = OperationCounters.zero
    var clusters = OperationCounters.zero
    var latencies = OperationLatencies()

    /// Between this and a later one.
    func towards(_ later: Sum, _ part: Double) -> Sum {
      var sum = Sum()
      sum.own = own.towards(later.own, part)
      sum.clusters = clusters.towards(later.clusters, part)
      sum.latencies.reads = latencies.reads.towards(later.latencies.reads, part)
      sum.latencies.writes = latencies.writes.towards(later.latencies.writes, part)
      return sum
    }
  }

  /// The way from what is shown to what is known.
  private struct Ramp: Sendable, Equatable {
    var from = Sum()
    var to = Sum()
    var startNs: UInt64 = 0
    var endNs: UInt64 = 0

    func sum(at ns: UInt64) -> Sum {
      guard ns < endNs, endNs > startNs else { return to }
      return from.towards(to, Double(ns - min(ns, startNs)) / Double(endNs - startNs))
    }
  }

  private var last: [String: Counts] = [:]
  private var ramps: [String: Ramp] = [:]
  /// What nodes that have left had counted.
  private var left = Sum()
  private var hasLatencies = false

  /// Longer gaps, as of a server that held still, are not stretched out.
  private static let rampNsMax: UInt64 = 2_000_000_000

  /// Takes what a node tells. The first time it only says from where to count.
  ///
  /// Writes of a replica are copies of its master's and count for the replica only.
  mutating func take(_ counts: Counts, of id: String, isMaster: Bool, at ns: UInt64) {
    defer { last[id] = counts }
    hasLatencies = hasLatencies || counts.latencies != nil
    guard let before = last[id], let ramp = ramps[id] else {
      ramps[id] = Ramp(startNs: ns, endNs: ns)
      return
    }
    let base = before.runID == counts.runID ? before : Counts(runID: counts.runID, reads: 0, writes: 0)
    // `CONFIG RESETSTAT` sets counters back.
    let reads = counts.reads >= base.reads ? counts.reads - base.reads : counts.reads
    let writes = counts.writes >= base.writes ? counts.writes - base.writes : counts.writes
    var sum = ramp.to
    sum.own.reads &+= reads
    sum.own.writes &+= writes
    sum.clusters.reads &+= reads
    if isMaster { sum.clusters.writes &+= writes }
    if let new = counts.latencies {
      LatencyHistogram.add(new.reads, since: base.latencies?.reads ?? [:], to: &sum.latencies.reads)
      if isMaster { LatencyHistogram.add(new.writes, since: base.latencies?.writes ?? [:], to: &sum.latencies.writes) }
    }
    // As long as what came took; it is over when the node tells again.
    let length = min(Self.rampNsMax, ns - min(ns, ramp.startNs))
    ramps[id] = Ramp(from: ramp.sum(at: ns), to: sum, startNs: ns, endNs: ns + length)
  }

  /// Forgets a node that is no member any more; what it counted stays in the total.
  mutating func forget(_ id: String) {
    last[id] = nil
    guard let sum = ramps.removeValue(forKey: id)?.to else { return }
    left.clusters.reads += sum.clusters.reads
    left.clusters.writes += sum.clusters.writes
    left.latencies.reads.add(sum.latencies.reads)
    left.latencies.writes.add(sum.latencies.writes)
  }

  // MARK: - What is shown

  func operations(of id: String, at ns: UInt64) -> OperationCounters? { ramps[id]?.sum(at: ns).own }

  func total(at ns: UInt64) -> OperationCounters {
    ramps.values.reduce(into: left.clusters) { total, ramp in
      let sum = ramp.sum(at: ns).clusters
      total.reads += sum.reads
      total.writes += sum.writes
    }
  }

  /// `nil` until a server has told times.
  func latencies(at ns: UInt64) -> OperationLatencies? {
    guard hasLatencies else { return nil }
    return ramps.values.reduce(into: left.latencies) { total, ramp in
      let sum = ramp.sum(at: ns).latencies
      total.reads.add(sum.reads)
      total.writes.add(sum.writes)
    }
  }
}

extension OperationCounters {
  fileprivate func towards(_ later: OperationCounters, _ part: Double) -> OperationCounters {
    OperationCounters(
      reads: reads + UInt64(Double(later.reads - reads) * part),
      writes: writes + UInt64(Double(later.writes - writes) * part))
  }
}
