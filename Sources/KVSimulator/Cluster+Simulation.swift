import KVCluster

/// A cluster without threads: the work that threads do in the running program is cut into steps here, which a queue of
/// events in virtual time drives. The code behind the steps is the engine's.
extension Cluster {
  /// Opens a cluster on a simulated disk, and recovers it.
  /// - Parameter boot: names the life of the simulated machine; after a loss of power it has another one.
  /// - Throws: why it cannot serve.
  package static func open(
    simulated disk: any Disk, _ options: ClusterOptions, seed: UInt64, boot: Int = 1, isMaintained: Bool = true
  ) throws(ClusterError) -> Cluster {
    precondition(Clock.isVirtual, "only a simulation has a simulated disk")
    let cluster = try open(
      options, on: disk, boot: "\(boot)", seed: seed, executor: StepExecutor(), isMaintained: isMaintained)
    if let failure = cluster.parts.roster.withState({ $0.recoveryFailure }) { throw failure }
    return cluster
  }

  /// The program is gone from one moment to the next: whatever was under way is undecided.
  package func vanish() {
    parts.lifespan.beginClosing()
    dataPath.stopServing()
    for replica in parts.roster.live { parts.nodes.retire(replica) }
    dataPath.messages.endAll()
  }

  /// The orderly end, in steps; between any two of them the program may ``vanish()``.
  package func beginClosing() -> Steps {
    parts.lifespan.beginClosing()
    dataPath.stopServing()
    let closing = parts.closing()
    return Steps(self) { closing.step() }
  }

  /// Runs a step of the one thread there is.
  fileprivate func play<R>(_ step: () -> R) -> R {
    guard let executor = parts.executor as? StepExecutor else { return step() }
    return executor.step(step)
  }

  /// A node crashes by itself: unlike one that was killed, nobody has written that down.
  package func crashNode(_ name: String) {
    guard let node = parts.roster.node(named: name), let replica = node.replica else { return }
    parts.nodes.retire(replica)
    parts.roster.setState(.dead, of: node.id, replica: nil)
    dataPath.partitions.forEach { _, partition in partition.pointee.hints.removeAll { $0.holder == node.id } }
  }

  /// A node's machine was switched off without warning while acknowledged writes were not on its disk.
  package func markSuspect(_ name: String) {
    try? SuspectMark.write(.unsynced, to: parts.folder.disk, folder: DataFolder.logFolder(name))
  }

  package func killNode(_ name: String) throws(ClusterError) { try parts.nodeControl.stop(name) }

  /// Starts a node that is down; what it has to catch up with are the steps of the result.
  package func startNode(_ name: String) throws(ClusterError) -> Steps {
    let catchUp = parts.nodeControl.catchUp(of: try parts.nodeControl.start(name))
    return Steps(self) { catchUp.step() }
  }

  /// Begins a membership change whose steps are the result's.
  /// - Parameter replacement: takes the place of a node that leaves.
  package func beginChange(
    _ kind: ChangeStatus.Kind, _ name: String, replacement: String? = nil
  ) throws(ClusterError) -> Steps {
    let execution = parts.changes.execution(
      of: try parts.changes.begin(QueuedChange(kind: kind, node: name, replacement: replacement)))
    return Steps(self) { execution.step() }
  }

  /// Where the change under way is.
  package var changeStep: MembershipChange.Step? { parts.roster.withState { $0.move?.change.step } }

  /// Whether the change under way gives a node's place to another.
  package var isReplacing: Bool { parts.roster.configuration.change?.replacement != nil }

  /// The change that a crash interrupted.
  package func resumeChange() -> Steps? {
    guard let change = parts.roster.withState({ $0.move?.change }) else { return nil }
    let execution = parts.changes.execution(of: change)
    return Steps(self) { execution.step() }
  }

  /// Background work, step by step.
  package struct Steps {
    package let step: () -> StepSchedule

    fileprivate init(_ cluster: Cluster, _ step: @escaping () -> StepSchedule) {
      let executor = cluster.parts.executor as? StepExecutor
      self.step = executor.map { executor in { executor.step(step) } } ?? step
    }
  }

  /// Whether a step of the one thread there is has begun and not ended.
  package var isStepping: Bool { ((parts.executor as? StepExecutor)?.depth ?? 0) > 0 }

  /// The maintenance of a node.
  package func maintenance(of name: String) -> Steps? {
    guard let replica = parts.roster.node(named: name)?.replica else { return nil }
    let (job, roster) = (NodeMaintenance(replica, parts.maintenance), parts.roster)
    return Steps(self) {
      guard roster.live.contains(where: { $0 === replica }) else { return .done }
      return job.work() ? .again : .rest(ns: NodeMaintenance.pauseNs)
    }
  }

  /// Goes through the index of a node once and takes away the tombstones that may go.
  package func purge(at name: String) {
    guard let replica = parts.roster.node(named: name)?.replica else { return }
    var purge = Purge(replica, dataPath, parts.roster, options)
    while purge.step() == .more {}
  }

  /// Goes through the index of a node once and deletes what has ended.
  package func expire(at name: String) {
    guard let replica = parts.roster.node(named: name)?.replica else { return }
    let expirer = Expirer(replica, dataPath, parts.counters, options.mistake)
    while expirer.step() {}
  }

  /// ``Cluster/repair(acceptsLoss:progress:)`` while nothing else is done.
  package func repairNow(acceptsLoss: Bool = false) -> RepairReport? {
    play { parts.maintenance.repairNow(acceptsLoss: acceptsLoss) }
  }

  /// When anyone who waits for a disk, or a message on its way, is due.
  /// - Parameter known: nodes that nothing is to be said of.
  package func forEachDueSync(besides known: [String] = [], _ body: (_ name: String, _ dueNs: UInt64) -> Void) {
    dataPath.partitions.forEachAttached { replica in
      if !known.contains(replica.name), let due = replica.commit.nextDueNs { body(replica.name, due) }
    }
  }
  /// An operation of a simulation's client: by message or by direct call, as the program would carry it.
  /// - Parameters:
  ///   - drawn: the tag that a write got from ``drawTag()``.
  ///   - completion: hears once how it ended, perhaps before this returns.
  /// - Throws: nothing was done.
  package func submit(
    _ call: ClientOperation.Call, _ key: [UInt8], consistency: Consistency? = nil, drawn: Tag? = nil,
    completion: @escaping @Sendable (ClientOperation.Outcome) -> Void
  ) throws(ClusterError) {
    // A caller in the running program waits for the disk; here it comes again.
    if call != .get, holdsWritersBack {
      throw .storage("a disk has not taken anything for seconds. Nothing was written; try again, or look at the disk")
    }
    try dataPath.submit(call, key, consistency, drawn: drawn, completion: completion)
  }

  /// A read-modify-write of a simulation's client.
  /// - Parameters:
  ///   - onFound: hears what it found, each time it is tried.
  ///   - completion: hears once how it ended, perhaps before this returns: ``ClientOperation/Outcome/found(_:)`` what it found
  ///     if it was done.
  /// - Throws: nothing was done.
  package func submit(
    _ update: Update, _ key: [UInt8], onFound: @escaping @Sendable ([UInt8]?) -> Void,
    completion: @escaping @Sendable (ClientOperation.Outcome) -> Void
  ) throws(ClusterError) {
    if holdsWritersBack {
      throw .storage("a disk has not taken anything for seconds. Nothing was written; try again, or look at the disk")
    }
    let transform = { @Sendable (found: Found) -> (Change, [UInt8]?) in
      let old = found.value.map { Array($0) }
      onFound(old)
      return (update.change(of: old), old)
    }
    try dataPath.submitUpdate(key, transform) { result in
      switch result {
      case .success(let old): completion(.found(old))
      case .failure(.indeterminate): completion(.undecided)
      case .failure: completion(.unmet)
      }
    }
  }

  /// An operation of a simulation's client on several keys at once: a batch, or without an update a get of all.
  /// - Parameters:
  ///   - onFound: hears what it found, each time it is tried.
  ///   - completion: hears once how it ended, and what it found.
  package func submit(
    _ update: Update?, all keys: [[UInt8]], onFound: @escaping @Sendable ([[UInt8]?]) -> Void,
    completion: @escaping @Sendable (ClientOperation.Outcome, [[UInt8]?]) -> Void
  ) throws(ClusterError) {
    if holdsWritersBack {
      throw .storage("a disk has not taken anything for seconds. Nothing was written; try again, or look at the disk")
    }
    try dataPath.submitUpdate(all: keys) { found throws(ClusterError) in
      let values = found.map(\.value)
      onFound(values)
      return (values.map { update?.change(of: $0) ?? .keep }, values)
    } completion: { result in
      switch result {
      case .success(let values): completion(.done, values)
      case .failure(.indeterminate): completion(.undecided, [])
      case .failure: completion(.unmet, [])
      }
    }
  }

  package var hasUnfinishedBatches: Bool { dataPath.hasUnfinishedBatches }

  /// The tag of a write whose thread is held up before it goes on.
  package func drawTag() throws(ClusterError) -> Tag { try dataPath.drawEarly() }

  /// Compares all replicas once.
  package func compareReplicas() {
    for replica in parts.roster.live {
      var comparison = AntiEntropy(replica, dataPath.partitions, dataPath.links)
      for _ in 0..<Store.partitionCount { while comparison.step() {} }
    }
  }

  package func syncIfDue(_ name: String) { play { parts.roster.node(named: name)?.replica?.commit.runIfDue() } }
  package func syncNow(_ name: String) { play { parts.roster.node(named: name)?.replica?.commit.syncNow() } }
  package var clock: ExpiryClock { dataPath.clock }
  package var nextMessageNs: UInt64? { dataPath.messages.nextDueNs }
  package func runMessages() { dataPath.messages.run() }
  package func tickNow() { play { parts.ticker.tick() } }
  /// A disk lags behind: writers are held back.
  package var holdsWritersBack: Bool { dataPath.holdsWritersBack }

  package var nodeNames: [String] { parts.roster.configuration.namesInOrder }
  /// Whether it is a member, or was one and is still being taken leave of.
  package func knows(_ name: String) -> Bool { parts.roster.node(named: name) != nil }
  package func isUp(_ name: String) -> Bool { parts.roster.node(named: name)?.replica != nil }
  package var isChanging: Bool { parts.roster.withState { $0.move != nil } }
  package var configurationNow: Configuration { parts.roster.configuration }
}

// MARK: - What a simulation breaks and looks at

extension Cluster {
  /// What is wrong with every link.
  package func setLinks(lossPerMille: Int, duplicationPerMille: Int, delayNs: UInt64, jitterNs: UInt64) {
    var quality = Links.Quality.good
    quality.lossPerMille = lossPerMille
    quality.duplicationPerMille = duplicationPerMille
    quality.delayNs = delayNs
    quality.jitterNs = jitterNs
    dataPath.links.setEverywhere(quality)
  }

  package func cutLink(_ from: String, _ to: String, _ isCut: Bool) {
    guard let a = parts.roster.node(named: from)?.id, let b = parts.roster.node(named: to)?.id else { return }
    dataPath.links.set(a, b) { $0.isCut = isCut }
  }

  package func slowLink(_ from: String, _ to: String, byNs delay: UInt64) {
    guard let a = parts.roster.node(named: from)?.id, let b = parts.roster.node(named: to)?.id else { return }
    dataPath.links.set(a, b) { $0.delayNs = delay }
  }

  package func setPaused(_ name: String, _ isPaused: Bool) {
    guard let id = parts.roster.node(named: name)?.id else { return }
    if isPaused { dataPath.links.pause(id) } else { dataPath.links.resume(id) }
    dataPath.messages.deliverHeld()
  }

  /// The node that sends the messages of all operations; `nil`: any that answers.
  package func setCoordinator(_ name: String?) {
    let id = name.flatMap { parts.roster.node(named: $0)?.id }
    dataPath.messages.setConditions { $0.coordinator = id }
  }

  /// Who hears of each message that is sent, and when it will arrive; `nil`: it is lost.
  package func setMessageListener(_ listener: ((Message, _ arrivesNs: UInt64?) -> Void)?) {
    dataPath.messages.setConditions { $0.onSent = listener }
  }

  /// Each node handles one request at a time, and takes so long for it.
  package func setServiceTime(ns: UInt64) { dataPath.messages.setConditions { $0.serviceNs = ns } }

  package func healLinks() {
    dataPath.links.heal()
    dataPath.messages.deliverHeld()
  }

  /// The names of a key's owners.
  package func owners(of key: [UInt8]) -> [String] {
    let hash = key.withUnsafeBytes { Ring.hash($0) }
    let participants = dataPath.view(of: parts.roster.configuration).participants(ofSlot: Ring.slot(of: hash))
    return (0..<participants.count).map { parts.roster.name(of: participants.ids[$0]) }
  }

  /// Where the value of a node's copy of a key lies in the node's log; `nil` if it has none.
  package func place(of key: [UInt8], at name: String) -> (path: String, range: Range<Int>)? {
    guard let replica = parts.roster.node(named: name)?.replica else { return nil }
    return key.withUnsafeBytes { bytes in
      let hash = Ring.hash(bytes)
      return dataPath.partitions[Store.partition(of: hash)].lock.pointee.withLock {
        guard case .found(_, let position, _, let value) = replica.store.read(hash, bytes), !value.isEmpty else {
          return nil
        }
        let first = position.offset + LogFormat.recordHeaderBytes + bytes.count
        let segment = "\(DataFolder.logFolder(name))/\(LogFormat.segmentName(position.segment))"
        return (segment, first..<first + value.count)
      }
    }
  }

  /// Where in a node's log the tombstone of a key lies that has been purged, and that alone hides an older value there;
  /// `nil` if there is none.
  package func hidingTombstone(of key: [UInt8], at name: String) -> (path: String, range: Range<Int>)? {
    guard let replica = parts.roster.node(named: name)?.replica else { return nil }
    let hash = key.withUnsafeBytes { Ring.hash($0) }
    let number = Store.partition(of: hash)
    guard replica.store.stripes[number].index.find(hash, matching: { _ in true }) == nil else { return nil }
    let records = replica.store.loggedRecords(withHash: hash)
    guard records.contains(where: { !$0.isTombstone }), let newest = records.max(by: { $0.tag < $1.tag }),
      newest.isTombstone
    else { return nil }
    return ("\(DataFolder.logFolder(name))/\(LogFormat.segmentName(newest.segment))", newest.range)
  }

  /// The newest version of a key that a write quorum of its owners is known to hold on the disk: no loss of power takes it
  /// back. `nil` if there is none, or while owners change.
  package func durableVersion(of key: [UInt8]) -> (stamp: Stamp, value: [UInt8]?)? {
    key.withUnsafeBytes { bytes in
      let hash = Ring.hash(bytes)
      let partition = dataPath.partitions[Store.partition(of: hash)]
      return partition.lock.pointee.withLock {
        let view = partition.pointee.view.takeUnretainedValue()
        guard view.nextQuorum == nil else { return nil }
        let participants = view.participants(ofSlot: Ring.slot(of: hash))
        var versions: [(stamp: Stamp, value: [UInt8]?)] = []
        for i in 0..<participants.count {
          guard let replica = partition.pointee.replica(participants.ids[i])?.takeUnretainedValue(),
            case .found(let tag, let position, let isTombstone, let body) = replica.store.read(hash, bytes),
            replica.store.log.durable > position
          else { continue }
          guard let stamp = tag.isRMW ? replica.store.stamp(hash, tag) : Stamp(tag, isTombstone: isTombstone) else {
            continue
          }
          versions.append((stamp, isTombstone ? nil : Array(Expiry.value(in: body, tag))))
        }
        versions.sort { $0.stamp.isNewer(than: $1.stamp) }
        return versions.count >= view.quorum.write ? versions[view.quorum.write - 1] : nil
      }
    }
  }

  package var hintsWaiting: Int {
    var count = 0
    dataPath.partitions.forEach { _, partition in count += partition.pointee.hints.reduce(0) { $0 + $1.hints.count } }
    return count
  }

  /// Nodes that do not vote, and why not.
  package var suspects: [String] { parts.roster.live.filter { $0.store.isSuspect }.map(\.name) }
  package func isSuspect(_ name: String) -> Bool { parts.roster.node(named: name)?.replica?.store.isSuspect ?? false }
  /// Has the maintenance of each node empty all segments that have dead records.
  package func requestCompaction() {
    for replica in parts.roster.live { replica.wantsCompaction.store(true, ordering: .releasing) }
  }
  /// Whether segments are left with records that cannot be read: the node's next start finds them again, though the node
  /// has been rebuilt since.
  package func hasDamagedSegments(_ name: String) -> Bool {
    parts.roster.node(named: name)?.replica?.store.log.hasDamagedSegments ?? false
  }

  /// How often each of the less common paths was taken, by name.
  package var branches: [(name: String, count: Int)] {
    let messages = dataPath.messages.counters
    return [
      ("write-back", messages.writeBacks), ("hint kept", hintsKept),
      ("hint replay", parts.counters.hintsDelivered.load(ordering: .relaxed)),
      ("anti-entropy copy", parts.counters.antiEntropyCopies.load(ordering: .relaxed)),
      ("stream", parts.counters.keysStreamed.load(ordering: .relaxed)),
      ("drain", parts.counters.drainsWaited.load(ordering: .relaxed)),
      ("stream again", parts.counters.streamsRepeated.load(ordering: .relaxed)),
      ("suspect merge", parts.counters.suspectsMerged.load(ordering: .relaxed)),
      ("withdrawal", parts.counters.copiesWithdrawn.load(ordering: .relaxed)),
      ("hint given up", hintsDropped), ("purge", parts.counters.tombstonesPurged.load(ordering: .relaxed)),
      ("copy healed", parts.counters.copiesHealed.load(ordering: .relaxed)),
      ("batch finished", dataPath.batchesFinished), ("expiry", parts.counters.keysExpired.load(ordering: .relaxed)),
      ("node failed", parts.counters.failedNodes.load(ordering: .relaxed)),
      ("suspicion", parts.counters.suspicions.load(ordering: .relaxed)),
      ("answer of an earlier life", messages.voidAnswers), ("refusal by a former owner", messages.refusals),
    ]
  }

  private var hintsKept: Int {
    var count = 0
    dataPath.partitions.forEach { _, partition in count += partition.pointee.hintsKept }
    return count
  }

  private var hintsDropped: Int {
    var count = 0
    dataPath.partitions.forEach { _, partition in count += partition.pointee.hintsDropped }
    return count
  }

  package var messagesLost: Int { dataPath.messages.counters.lost }
  package var messagesDoubled: Int { dataPath.messages.counters.doubled }
}
