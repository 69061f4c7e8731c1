import ClusterModel

/// Observations of a cluster: its last status, figures derived from all statuses, and the log.
///
/// Apart from the rest of the screen's state, so that a frozen picture is one kept copy of it.
package struct Observations: Sendable {
  /// The newest status; `nil` until the first has arrived.
  package private(set) var status: ClusterStatus?
  /// Its ring, slot by slot.
  package private(set) var ring = RingMap(RingStatus())
  package private(set) var ringDigest = RingDigest(RingMap(RingStatus()))
  /// The moment of the face's clock from which the times of statuses and events count; `nil` before the first status.
  private var openedNs: UInt64?
  package private(set) var history = ThroughputHistory()
  package private(set) var readAxis = AxisScale()
  package private(set) var writeAxis = AxisScale()
  package internal(set) var log = ScreenLog()
  /// The key that was last asked for.
  package internal(set) var walk: KeyWalk?
  /// Plan of the change under way.
  package private(set) var plan: MovePlan?
  package private(set) var nowNs: UInt64 = 0
  private var meters: [Int: RateMeter] = [:]
  private var total = RateMeter()
  package private(set) var readLatency = LatencyHistory()
  package private(set) var writeLatency = LatencyHistory()
  package private(set) var readLatencyAxis = AxisScale(minimum: 1_000)
  package private(set) var writeLatencyAxis = AxisScale(minimum: 1_000)
  /// Marks of events that may explain the graphs.
  package private(set) var causes = CauseMarks()
  private var nodes: [Int: NodeHistory] = [:]
  package private(set) var heat = RangeHeat()
  /// Faults between the nodes; `nil` if there are none.
  package private(set) var faults: FaultSummary?
  package private(set) var benchmark: BenchmarkStatus?
  package private(set) var benchmarkTimes = BenchmarkTimes()

  /// The axes follow the last two minutes: what graphs show unasked.
  private static let axisHalfSeconds = 240

  mutating func advance(toNs atNs: UInt64) { nowNs = Swift.max(nowNs, atNs) }

  /// The moment of the face's clock that an elapsed time of the backend means.
  func moment(ofUptimeNs uptimeNs: UInt64) -> UInt64 { openedNs.map { $0 + uptimeNs } ?? nowNs }

  /// - Parameter nowNs: when the status came, on the face's clock.
  mutating func apply(status new: ClusterStatus, nowNs: UInt64) {
    relate(uptimeNs: new.uptimeNs, toNs: nowNs)
    let atNs = moment(ofUptimeNs: new.uptimeNs)
    advance(toNs: atNs)
    for node in new.nodes {
      if let done = node.operations { meters[node.id, default: RateMeter()].add(done, atNs: atNs) }
    }
    meters = meters.filter { id, _ in new.nodes.contains { $0.id == id } }
    if let done = new.operations { count(done, atNs: atNs) }
    for node in new.nodes {
      for kind in nodes[node.id, default: NodeHistory()].add(node, atNs: atNs) {
        causes.add(CauseMark(atNs: atNs, kind: kind, node: node.name))
      }
    }
    nodes = nodes.filter { id, _ in new.nodes.contains { $0.id == id } }
    if let ranges = new.rangeOperations { heat.add(ranges, atNs: atNs) }
    if let latencies = new.latencies { note(latencies, atNs: atNs) }
    noteFaults(new)
    let isOtherRing = status?.ring != new.ring
    if isOtherRing {
      ring = RingMap(new.ring)
      ringDigest = RingDigest(ring)
    }
    if new.change == nil {
      plan = nil
    } else if plan == nil || isOtherRing {
      plan = MovePlan(ring)
    }
    status = new
  }

  /// How all of this looked at an earlier moment, as far as it is kept.
  /// - Parameters:
  ///   - moment: what was seen then.
  ///   - before: what had been seen a second before or longer, for rates; `nil` if nothing had.
  func asOf(_ moment: StatusHistory.Moment, before: StatusHistory.Moment?) -> Observations {
    var past = self
    let secondsBack = Int((nowNs - Swift.min(nowNs, moment.atNs)) / 1_000_000_000)
    past.history.cut(atNs: moment.atNs)
    past.readLatency.cut(atNs: moment.atNs)
    past.writeLatency.cut(atNs: moment.atNs)
    past.causes.cut(atNs: moment.atNs)
    past.log.cut(atNs: moment.atNs)
    past.nodes = nodes.mapValues { node in
      var node = node
      node.drop(lastSeconds: secondsBack)
      return node
    }
    (past.meters, past.total, past.heat) = ([:], RateMeter(), RangeHeat())
    // The history holds neither a benchmark's progress nor a key's walk around the ring.
    (past.benchmark, past.walk) = (nil, nil)
    for seen in [before, moment].compactMap({ $0 }) { past.count(seen) }
    (past.faults, past.plan, past.status) = (nil, nil, nil)
    past.noteFaults(moment.status)
    if moment.status.ring != status?.ring {
      past.ring = RingMap(moment.status.ring)
      past.ringDigest = RingDigest(past.ring)
    }
    if moment.status.change != nil { past.plan = MovePlan(past.ring) }
    (past.status, past.nowNs) = (moment.status, moment.atNs)
    return past
  }

  private mutating func count(_ seen: StatusHistory.Moment) {
    for node in seen.status.nodes {
      if let done = node.operations { meters[node.id, default: RateMeter()].add(done, atNs: seen.atNs) }
    }
    if let done = seen.status.operations { total.add(done, atNs: seen.atNs) }
    if let ranges = seen.status.rangeOperations { heat.add(ranges, atNs: seen.atNs) }
  }

  /// A status that was less long on its way tells the relation of the two clocks better; one that comes far too late is
  /// of a backend that began anew.
  private mutating func relate(uptimeNs: UInt64, toNs nowNs: UInt64) {
    let opened = nowNs - Swift.min(nowNs, uptimeNs)
    guard let known = openedNs, opened >= known, opened < known + Self.restartNs else { return openedNs = opened }
  }

  private static let restartNs: UInt64 = 1_000_000_000

  private mutating func count(_ done: OperationCounters, atNs: UInt64) {
    total.add(done, atNs: atNs)
    let halfSecond = Self.halfSecond(history.span)
    guard history.add(done, atNs: atNs), Self.halfSecond(history.span) != halfSecond else { return }
    let peaks = history.peaks(lastHalfSeconds: Self.axisHalfSeconds)
    readAxis.update(peaks.map(\.reads))
    writeAxis.update(peaks.map(\.writes))
  }

  private static func halfSecond(_ span: GraphSpan?) -> UInt64? {
    span.map { $0.endNs / (UInt64(ThroughputHistory.bucketsPerPeak) * ThroughputHistory.bucketNs) }
  }

  private mutating func note(_ latencies: OperationLatencies, atNs: UInt64) {
    benchmarkTimes.add(latencies, benchmark)
    readLatency.add(latencies.reads, atNs: atNs)
    guard writeLatency.add(latencies.writes, atNs: atNs) else { return }
    readLatencyAxis.update(readLatency.seconds.suffix(Self.axisHalfSeconds / 2).compactMap { $0?.p99 })
    writeLatencyAxis.update(writeLatency.seconds.suffix(Self.axisHalfSeconds / 2).compactMap { $0?.p99 })
  }

  private mutating func noteFaults(_ new: ClusterStatus) {
    if new.pausedNodes.isEmpty, new.linkFaults.isEmpty {
      faults = nil
    } else if status?.pausedNodes != new.pausedNodes || status?.linkFaults != new.linkFaults
      || status?.nodes.map(\.name) != new.nodes.map(\.name)
    {
      faults = FaultSummary(new)
    }
  }

  /// Trouble of a serving node.
  func trouble(ofNode node: NodeStatus) -> FaultSummary.Trouble? {
    guard node.state.isServing else { return nil }
    if let trouble = faults?.troubles[node.id] { return trouble }
    // A node that is cut from it cannot hear it: that is the link's fault, and the node itself is well.
    let others = node.suspectedBy.filter { !isCut(node, from: $0) }
    return others.isEmpty ? nil : .unheard(by: others)
  }

  private func isCut(_ node: NodeStatus, from name: String) -> Bool {
    guard let status, let other = status.nodes.first(where: { $0.name == name })?.id else { return false }
    return status.linkFaults.contains { fault in
      fault.isCut && (fault.from, fault.to) == (node.id, other)
        || fault.isCut && (fault.to, fault.from) == (node.id, other)
    }
  }

  mutating func apply(event: ClusterEvent) {
    let atNs = moment(ofUptimeNs: event.uptimeNs)
    advance(toNs: atNs)
    causes.add(event, atNs: atNs)
  }

  /// Takes how the benchmark stands. A run that is over leaves its curve, for the next one to be compared with.
  mutating func apply(benchmark new: BenchmarkStatus?) {
    if let old = benchmark, old.startedNs > 0, new?.startedNs != old.startedNs { benchmarkTimes.keep(old, history) }
    benchmark = new
    benchmarkTimes.follow(new, status?.latencies)
  }

  /// Reads and writes a second of the whole cluster, now; `nil` if the backend does not count them.
  package var rates: (reads: Double, writes: Double)? {
    status?.operations == nil ? nil : total.perSecond
  }

  /// Operations a second that a node serves as a replica, now; `nil` if it does not count them.
  package func operationsPerSecond(ofNode id: Int) -> Double? {
    meters[id]?.perSecond.map { $0.reads + $0.writes }
  }

  /// Seconds from the cluster's opening to a moment; `nil` before the first status.
  package func secondsSinceOpening(atNs: UInt64) -> Double? {
    guard let openedNs else { return nil }
    return atNs >= openedNs ? Double(atNs - openedNs) / 1e9 : 0
  }

  // MARK: Nodes

  /// A node's cache hits as a part of its look-ups: of the last second that had any.
  func hitRate(ofNode id: Int) -> Double? { nodes[id]?.hitRates.last { $0 != nil } ?? nil }
  func hitRates(ofNode id: Int, last count: Int) -> [Double?] { nodes[id]?.hitRates.suffix(count) ?? [] }
  func operations(ofNode id: Int, last count: Int) -> [Double?] { nodes[id]?.operations.suffix(count) ?? [] }

  /// 99th percentile of a node's syncs since it started, in nanoseconds.
  func syncTail(ofNode id: Int) -> Double? {
    status?.nodes.first { $0.id == id }?.wal?.syncLatencies?.percentileNs(0.99).map { Double($0) }
  }
}
