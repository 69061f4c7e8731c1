import Synchronization

/// Puts together what a cluster shows of itself.
final class StatusReport: Sendable {
  private let options: ClusterOptions
  private let folder: String
  private let roster: Roster
  private let data: DataPath
  private let counters: ClusterCounters
  private let failures: FailureWatch
  private let verdict: VerdictBoard
  private let lifespan: Lifespan
  private let ringPicture = Mutex<RingPicture?>(nil)

  init(
    _ options: ClusterOptions, folder: String, _ roster: Roster, _ data: DataPath, _ counters: ClusterCounters,
    _ failures: FailureWatch, _ verdict: VerdictBoard, _ lifespan: Lifespan
  ) {
    self.options = options
    self.folder = folder
    self.roster = roster
    self.data = data
    self.counters = counters
    self.failures = failures
    self.verdict = verdict
    self.lifespan = lifespan
  }

  /// The state now.
  func status() -> ClusterStatus {
    let (configuration, nodes, phase, move, queue) = roster.withState { state in
      (state.configuration, state.nodes, state.phase, state.move, state.queue)
    }
    let view = currentView(configuration)
    let tally = Tally(data.partitions, nodes)
    let now = Clock.nowNs()
    var status = ClusterStatus(
      uptimeNs: now - lifespan.openedNs,
      phase: phase == .recovering(fraction: 0) ? .recovering(fraction: lifespan.recoveryFraction) : phase,
      epoch: configuration.epoch, quorum: configuration.quorum, fsync: options.fsync, dataFolder: folder,
      isEphemeral: options.isEphemeral,
      nodes: nodes.map { node in tally.status(of: node, share: view.share(of: node.id)) }
        .sorted { Configuration.countsBefore($0.name, $1.name) },
      ring: view.ringStatus, change: move.map { change($0, now) }, operations: tally.operations,
      verdict: verdict.status)
    status.queuedChanges = queue
    status.rangeOperations = tally.rangeOperations
    status.hintsDropped = tally.hintsDropped
    status.expiry = tally.expiry(
      now: data.clock.now, deleted: counters.keysExpired.load(ordering: .relaxed))
    status.tombstonesPurged = counters.tombstonesPurged.load(ordering: .relaxed)
    showSuspicions(in: &status)
    showReplacements(in: &status, nodes, now)
    status.pausedNodes = data.links.pausedNodes.map(Int.init)
    status.linkFaults = data.links.isFaulty ? data.links.faults.map(LinkFault.init) : []
    status.latencies = OperationLatencies(reads: data.readLatencies.counts(), writes: data.writeLatencies.counts())
    return status
  }

  /// Where a key lies now.
  func place(of key: [UInt8]) -> KeyPlace {
    let slot = Ring.slot(of: key.withUnsafeBytes(Ring.hash))
    return KeyPlace(slot: slot, owners: currentView(roster.configuration).owners(ofSlot: slot))
  }

  private func showSuspicions(in status: inout ClusterStatus) {
    for suspicion in failures.suspicions {
      guard let i = status.nodes.firstIndex(where: { $0.id == Int(suspicion.node) }), status.nodes[i].state.isServing
      else { continue }
      status.nodes[i].suspectedBy = suspicion.by.map(roster.name)
    }
  }

  private func showReplacements(in status: inout ClusterStatus, _ nodes: [Roster.Node], _ now: UInt64) {
    guard let afterNs = options.replaceAfterNs else { return }
    for node in nodes {
      guard let since = node.downSinceNs, let i = status.nodes.firstIndex(where: { $0.id == Int(node.id) }) else {
        continue
      }
      status.nodes[i].replacedInNs = since + afterNs - min(since + afterNs, now)
    }
  }

  private func change(_ move: Roster.Move, _ now: UInt64) -> ChangeStatus {
    let plan = move.change.joint.change!
    var status = ChangeStatus(
      kind: plan.kind, node: move.change.joint.member(plan.node)?.name ?? "?", fraction: move.sweep?.fraction ?? 0,
      keysMoved: move.sweep?.keysCopied.load(ordering: .relaxed) ?? 0,
      bytesMoved: move.sweep?.bytesCopied.load(ordering: .relaxed) ?? 0, elapsedNs: now - move.startedNs,
      waitingFor: move.waitingFor)
    status.replacement = plan.replacement.flatMap { move.change.joint.member($0)?.name }
    status.transfers = move.sweep?.transfers ?? []
    return status
  }

  /// Ownership as a picture of it needs it; made once an epoch, shared by all statuses of it.
  final class RingPicture: Sendable {
    let configurationRing: Ring
    let nextRing: Ring?
    let ringStatus: RingStatus
    private let table: PreferenceTable
    private let shares: [(id: UInt16, share: Double)]

    init(_ configuration: Configuration) {
      configurationRing = configuration.ring
      nextRing = configuration.change?.nextRing
      table = configuration.ring.preferenceTable(replicas: configuration.quorum.replicas)
      let next = nextRing?.preferenceTable(replicas: configuration.quorum.replicas)
      ringStatus = RingStatus(
        epoch: configuration.epoch, slotCount: Ring.slotCount,
        arcs: table.arcs, nextArcs: next?.arcs ?? [],
        tokenCount: configuration.ring.tokens.count)
      shares = configuration.members.map { [table] in ($0.id, table.share(of: $0.id)) }
    }

    func owners(ofSlot slot: Int) -> [Int] { table.ranks > 0 ? table.owners(of: slot).map(Int.init) : [] }

    func share(of id: UInt16) -> Double { shares.first { $0.id == id }?.share ?? 0 }
  }

  private func currentView(_ configuration: Configuration) -> RingPicture {
    ringPicture.withLock { picture in
      if let picture, picture.configurationRing == configuration.ring,
        picture.nextRing == configuration.change?.nextRing
      {
        return picture
      }
      let made = RingPicture(configuration)
      picture = made
      return made
    }
  }
}

/// Counters summed over all partitions, each read under its lock.
private struct Tally {
  private struct Sums {
    var keys = 0
    var tombstones = 0
    var cache = (hits: UInt64(0), misses: UInt64(0), bytes: 0, capacityBytes: 0)
    var hints = 0
    var hintBytes = 0
    var operations = OperationCounters.zero
  }

  private(set) var operations = OperationCounters.zero
  /// By partition: each is as large a part of the ring as the others, in the order of hashes.
  private(set) var rangeOperations: [OperationCounters] = []
  private(set) var hintsDropped = 0
  private var expiry = StripeExpiry(earliest: .max)
  private var sums: [Sums]
  private let ids: [UInt16]

  init(_ partitions: PartitionTable, _ nodes: [Roster.Node]) {
    ids = nodes.map(\.id)
    sums = Array(repeating: Sums(), count: nodes.count)
    rangeOperations.reserveCapacity(Store.partitionCount)
    for number in 0..<Store.partitionCount {
      let partition = partitions[number]
      partition.lock.pointee.lock()
      operations.reads += partition.pointee.operations.reads
      operations.writes += partition.pointee.operations.writes
      rangeOperations.append(partition.pointee.operations)
      for i in ids.indices {
        if let replica = partition.pointee.replica(ids[i])?.takeUnretainedValue() {
          add(replica.store.stripes + number, to: i)
        }
      }
      for queue in partition.pointee.hints {
        guard let i = ids.firstIndex(of: queue.target) else { continue }
        sums[i].hints += queue.hints.count
        sums[i].hintBytes += queue.byteCount
      }
      hintsDropped += partition.pointee.hintsDropped
      partition.lock.pointee.unlock()
    }
  }

  private mutating func add(_ stripe: UnsafeMutablePointer<StoreStripe>, to i: Int) {
    sums[i].keys += stripe.pointee.index.count - stripe.pointee.tombstones
    sums[i].tombstones += stripe.pointee.tombstones
    expiry.earliest = min(expiry.earliest, stripe.pointee.expiry.earliest)
    expiry.keys += stripe.pointee.expiry.keys
    expiry.soon += stripe.pointee.expiry.soon
    sums[i].cache.hits += stripe.pointee.cache.hits
    sums[i].cache.misses += stripe.pointee.cache.misses
    sums[i].cache.bytes += stripe.pointee.cache.usedBytes
    sums[i].cache.capacityBytes += stripe.pointee.cache.capacityBytes
    sums[i].operations.reads += stripe.pointee.operations.reads
    sums[i].operations.writes += stripe.pointee.operations.writes
  }

  /// `nil` while somebody has yet to look.
  func expiry(now: UInt64, deleted: Int) -> ExpiryStatus? {
    guard expiry.earliest > 0 else { return nil }
    return ExpiryStatus(
      keys: expiry.keys, soon: expiry.soon, deleted: deleted, behindMs: now - min(now, expiry.earliest))
  }

  func status(of node: Roster.Node, share: Double) -> NodeStatus {
    let sums = sums[ids.firstIndex(of: node.id)!]
    let size = node.replica?.store.log.size ?? (recordBytes: 0, deadBytes: 0, segments: 0)
    var status = NodeStatus(
      id: Int(node.id), name: node.name, state: node.state, share: share, keys: sums.keys,
      tombstones: sums.tombstones,
      cache: CacheStatus(
        hits: sums.cache.hits, misses: sums.cache.misses, bytes: sums.cache.bytes,
        capacityBytes: sums.cache.capacityBytes),
      wal: WalStatus(
        bytes: size.recordBytes, liveBytes: size.recordBytes - size.deadBytes, segments: size.segments,
        syncs: node.replica?.store.log.syncs ?? 0,
        compactions: node.replica?.compactions.load(ordering: .relaxed) ?? 0,
        compactedBytes: node.replica?.compactedBytes.load(ordering: .relaxed) ?? 0,
        damages: node.replica?.damagesFound.load(ordering: .relaxed) ?? 0,
        isSuspect: node.replica?.store.isSuspect ?? false),
      hintsWaiting: sums.hints, operations: sums.operations)
    status.hintBytes = sums.hintBytes
    status.wal?.syncLatencies = node.replica?.commit.latencies.counts() ?? LatencyCounts()
    return status
  }
}

extension LinkFault {
  fileprivate init(_ fault: (from: UInt16, to: UInt16, quality: Links.Quality)) {
    self.init(
      from: Int(fault.from), to: Int(fault.to), isCut: fault.quality.isCut, lossPerMille: fault.quality.lossPerMille,
      delayNs: fault.quality.delayNs)
  }
}
