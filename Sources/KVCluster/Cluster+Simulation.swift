/// A cluster without threads, for the simulator: what threads do in the running program is cut into steps here, which a
/// queue of events in virtual time drives. The code behind the steps is the same.
extension Cluster {
  /// Opens a cluster on a disk that is simulated, and recovers it.
  /// - Parameter boot: names the life of the simulated machine; after a loss of power it has another one.
  /// - Throws: why it cannot serve.
  package static func open(
    simulated disk: any Disk, _ options: ClusterOptions, seed: UInt64, boot: Int = 1, isMaintained: Bool = true
  ) throws(ClusterError) -> Cluster {
    precondition(Clock.isVirtual, "only a simulation has a simulated disk")
    let cluster = try make(
      options, DataFolder(simulated: disk, boot: "\(boot)"), isMaintained: isMaintained, seed: seed)
    cluster.recover()
    if let failure = cluster.roster.withState({ $0.recoveryFailure }) { throw failure }
    return cluster
  }

  /// The program is gone from one moment to the next: whatever was under way is undecided.
  package func vanish() {
    isClosing.store(true, ordering: .releasing)
    dataPath.stopServing()
    for replica in roster.live { retire(replica) }
    dataPath.messages.endAll()
  }

  /// ``close()`` at one moment, with everything that it does to the disks.
  package func closeNow() {
    isClosing.store(true, ordering: .releasing)
    dataPath.stopServing()
    play { closeBlocking() }
  }

  /// Runs a step of the one thread there is, then retires the nodes that failed in it: the step may have held their logs.
  func play<R>(_ step: () -> R) -> R {
    defer {
      let failed = failedReplicas.withLock { failed in
        defer { failed = [] }
        return failed
      }
      for replica in failed { retire(replica) }
    }
    return step()
  }

  /// A node crashes by itself: unlike one that was killed, nobody has written that down.
  package func crashNode(_ name: String) {
    guard let node = roster.node(named: name), let replica = node.replica else { return }
    retire(replica)
    roster.setState(.dead, of: node.id, replica: nil)
    partitions.forEach { _, partition in partition.pointee.hints.removeAll { $0.holder == node.id } }
  }

  /// A node's machine was switched off without warning while acknowledged writes were not on its disk.
  package func markSuspect(_ name: String) {
    try? SuspectMark.write(.unsynced, to: folder.disk, folder: DataFolder.logFolder(name))
  }

  package func killNode(_ name: String) throws(ClusterError) { try killNow(name) }

  /// Starts a node that is down; what it has to catch up with are the steps of the result.
  package func startNode(_ name: String) throws(ClusterError) -> Steps {
    let catchUp = try restartNow(name)
    return Steps(self) { catchUp.step() }
  }

  /// Begins a membership change whose steps are the result's.
  /// - Parameter heir: takes the place of a node that leaves.
  package func beginChange(
    _ kind: ChangeStatus.Kind, _ name: String, heir: String? = nil
  ) throws(ClusterError) -> Steps {
    let execution = ChangeExecution(try begin(QueuedChange(kind: kind, node: name, heir: heir)), self)
    return Steps(self) { execution.step() }
  }

  /// Where the change under way is.
  package var changeStep: MembershipChange.Step? { roster.withState { $0.move?.change.step } }

  /// Whether the change under way gives a node's place to another.
  package var isReplacing: Bool { roster.configuration.change?.heir != nil }

  /// The change that a crash interrupted.
  package func resumeChange() -> Steps? {
    guard roster.configuration.change != nil else { return nil }
    let execution = ChangeExecution(takeUpChange(roster.configuration), self)
    return Steps(self) { execution.step() }
  }

  /// Background work, step by step.
  package struct Steps {
    package let step: () -> Pace

    fileprivate init(_ cluster: Cluster, _ step: @escaping () -> Pace) {
      self.step = { [unowned cluster] in cluster.play(step) }
    }
  }

  /// What a node's caretaker does by itself.
  package func maintenance(of name: String) -> Steps? {
    guard let replica = roster.node(named: name)?.replica else { return nil }
    let caretaker = Caretaker(replica, self)
    return Steps(self) { [unowned self] in
      guard self.roster.live.contains(where: { $0 === replica }) else { return .done }
      return caretaker.work() ? .again : .rest(ns: Caretaker.pauseNs)
    }
  }

  /// Goes through the index of a node once and takes away the tombstones that may go.
  package func purge(at name: String) {
    guard let replica = roster.node(named: name)?.replica else { return }
    var purge = Purge(replica, self)
    while purge.step() == .more {}
  }

  /// When anyone who waits for a disk, or a message on its way, is due.
  /// - Parameter known: nodes that nothing is to be said of.
  package func forEachDueSync(besides known: [String] = [], _ body: (_ name: String, _ dueNs: UInt64) -> Void) {
    partitions.forEachAttached { replica in
      if !known.contains(replica.name), let due = replica.commit.nextDueNs { body(replica.name, due) }
    }
  }
  package func syncIfDue(_ name: String) { play { roster.node(named: name)?.replica?.commit.runIfDue() } }
  package func syncNow(_ name: String) { play { roster.node(named: name)?.replica?.commit.syncNow() } }
  package var nextMessageNs: UInt64? { dataPath.messages.nextDueNs }
  package func runMessages() { dataPath.messages.run() }
  package func tickNow() { play { tickOnce() } }
  /// A disk lags behind: writers are held back.
  package var holdsWritersBack: Bool { dataPath.holdsWritersBack }

  package var nodeNames: [String] { roster.configuration.namesInOrder }
  /// Whether it is a member, or was one and is still being taken leave of.
  package func knows(_ name: String) -> Bool { roster.node(named: name) != nil }
  package func isUp(_ name: String) -> Bool { roster.node(named: name)?.replica != nil }
  package var isChanging: Bool { roster.withState { $0.move != nil } }
  package var configurationNow: Configuration { roster.configuration }
}

// MARK: - What a simulation breaks and looks at

extension Cluster {
  /// What is wrong with every link.
  package func setLinks(lossPerMille: Int, duplicationPerMille: Int, delayNs: UInt64, jitterNs: UInt64) {
    links.setEverywhere(
      Links.Quality(
        lossPerMille: lossPerMille, duplicationPerMille: duplicationPerMille, delayNs: delayNs, jitterNs: jitterNs))
  }

  package func cutLink(_ from: String, _ to: String, _ isCut: Bool) {
    guard let a = roster.node(named: from)?.id, let b = roster.node(named: to)?.id else { return }
    links.set(a, b) { $0.isCut = isCut }
  }

  package func slowLink(_ from: String, _ to: String, byNs delay: UInt64) {
    guard let a = roster.node(named: from)?.id, let b = roster.node(named: to)?.id else { return }
    links.set(a, b) { $0.delayNs = delay }
  }

  package func setPaused(_ name: String, _ isPaused: Bool) {
    guard let id = roster.node(named: name)?.id else { return }
    if isPaused { links.pause(id) } else { links.resume(id) }
    dataPath.messages.deliverHeld()
  }

  /// The node that sends the messages of all operations; `nil`: any that answers.
  package func setCoordinator(_ name: String?) {
    let id = name.flatMap { roster.node(named: $0)?.id }
    dataPath.messages.setConditions { $0.coordinator = id }
  }

  /// Each node handles one request at a time, and takes so long for it.
  package func setServiceTime(ns: UInt64) { dataPath.messages.setConditions { $0.serviceNs = ns } }

  package func healLinks() {
    links.heal()
    dataPath.messages.deliverHeld()
  }

  /// One replica's copy of a key.
  package struct Copy: Equatable, Sendable {
    package var node: String
    /// ``Tag/none`` if it has none.
    package var tag: Tag
    package var isTombstone: Bool
    package var checksum: UInt32
  }

  /// The copies of a key at all its owners; `nil` where the owner does not answer or does not know.
  package func copies(of key: [UInt8]) -> [Copy?] {
    key.withBytes { bytes in
      let hash = Ring.hash(bytes)
      let partition = partitions[Store.partition(of: hash)]
      return partition.lock.pointee.withLock {
        let view = partition.pointee.view.takeUnretainedValue()
        let participants = view.participants(ofSlot: Ring.slot(of: hash))
        return (0..<participants.count).map { i -> Copy? in
          guard let replica = partition.pointee.replica(participants.ids[i])?.takeUnretainedValue() else { return nil }
          switch replica.store.read(hash, bytes) {
          case .damaged: return nil
          case .absent: return Copy(node: replica.name, tag: .none, isTombstone: true, checksum: 0)
          case .found(let tag, _, let isTombstone, let value):
            return Copy(
              node: replica.name, tag: tag, isTombstone: isTombstone, checksum: Checksum.crc32c(value))
          }
        }
      }
    }
  }

  /// The names of a key's owners.
  package func owners(of key: [UInt8]) -> [String] {
    let hash = key.withBytes { Ring.hash($0) }
    let participants = viewNow.participants(ofSlot: Ring.slot(of: hash))
    return (0..<participants.count).map { roster.name(of: participants.ids[$0]) }
  }

  /// Where the value of a node's copy of a key lies in the node's log; `nil` if it has none.
  package func place(of key: [UInt8], at name: String) -> (path: String, range: Range<Int>)? {
    guard let replica = roster.node(named: name)?.replica else { return nil }
    return key.withBytes { bytes in
      let hash = Ring.hash(bytes)
      return partitions[Store.partition(of: hash)].lock.pointee.withLock {
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
    guard let replica = roster.node(named: name)?.replica else { return nil }
    let hash = key.withBytes { Ring.hash($0) }
    let number = Store.partition(of: hash)
    guard replica.store.stripes[number].index.find(hash, matching: { _ in true }) == nil else { return nil }
    let log = replica.store.log
    var newest: (entry: SegmentScan.Entry, segment: Log.Segment)?
    var hidesValue = false
    for segment in log.segmentsNow.segments {
      let source = SegmentSource(
        base: UnsafeRawPointer(segment.file.base), slot: segment.slot, id: segment.id, clusterID: log.identity.clusterID
      )
      let scan = SegmentScan(source, limit: segment.end)
      for entry in scan.entries(number) where entry.hash == hash {
        hidesValue = hidesValue || !entry.location.isTombstone
        if entry.tag > newest?.entry.tag ?? .none { newest = (entry, segment) }
      }
    }
    guard hidesValue, let newest, newest.entry.location.isTombstone else { return nil }
    let offset = newest.entry.location.offset
    return (
      "\(DataFolder.logFolder(name))/\(LogFormat.segmentName(newest.segment.id))",
      offset..<offset + newest.entry.location.byteCount
    )
  }

  /// The newest version of a key that a write quorum of its owners is known to hold on the disk: no loss of power takes it
  /// back. `nil` if there is none, or while owners change.
  package func durableVersion(of key: [UInt8]) -> (tag: Tag, value: [UInt8]?)? {
    key.withBytes { bytes in
      let hash = Ring.hash(bytes)
      let partition = partitions[Store.partition(of: hash)]
      return partition.lock.pointee.withLock {
        let view = partition.pointee.view.takeUnretainedValue()
        guard view.nextQuorum == nil else { return nil }
        let participants = view.participants(ofSlot: Ring.slot(of: hash))
        var versions: [(tag: Tag, value: [UInt8]?)] = []
        for i in 0..<participants.count {
          guard let replica = partition.pointee.replica(participants.ids[i])?.takeUnretainedValue(),
            case .found(let tag, let position, let isTombstone, let value) = replica.store.read(hash, bytes),
            replica.store.log.durable > position
          else { continue }
          versions.append((tag, isTombstone ? nil : Array(value)))
        }
        versions.sort { $0.tag > $1.tag }
        return versions.count >= view.quorum.write ? versions[view.quorum.write - 1] : nil
      }
    }
  }

  package var hintsWaiting: Int {
    var count = 0
    partitions.forEach { _, partition in count += partition.pointee.hints.reduce(0) { $0 + $1.hints.count } }
    return count
  }

  /// Nodes that do not vote, and why not.
  package var suspects: [String] { roster.live.filter { $0.store.isSuspect }.map(\.name) }
  package func isSuspect(_ name: String) -> Bool { roster.node(named: name)?.replica?.store.isSuspect ?? false }

  /// How often each of the less common paths was taken, by name.
  package var branches: [(name: String, count: Int)] {
    let messages = dataPath.messages.counters
    return [
      ("write-back", messages.writeBacks), ("hint kept", hintsKept),
      ("hint replay", counters.hintsDelivered.load(ordering: .relaxed)),
      ("anti-entropy copy", counters.antiEntropyCopies.load(ordering: .relaxed)),
      ("stream", counters.keysStreamed.load(ordering: .relaxed)),
      ("drain", counters.drainsWaited.load(ordering: .relaxed)),
      ("stream again", counters.streamsRepeated.load(ordering: .relaxed)),
      ("suspect merge", counters.suspectsMerged.load(ordering: .relaxed)),
      ("withdrawal", counters.copiesWithdrawn.load(ordering: .relaxed)),
      ("hint given up", hintsDropped), ("purge", counters.tombstonesPurged.load(ordering: .relaxed)),
      ("copy healed", counters.copiesHealed.load(ordering: .relaxed)),
      ("node failed", counters.failedNodes.load(ordering: .relaxed)),
      ("suspicion", counters.suspicions.load(ordering: .relaxed)),
      ("answer of an earlier life", messages.voidAnswers), ("refusal by a former owner", messages.refusals),
    ]
  }

  private var hintsKept: Int {
    var count = 0
    partitions.forEach { _, partition in count += partition.pointee.hintsKept }
    return count
  }

  private var hintsDropped: Int {
    var count = 0
    partitions.forEach { _, partition in count += partition.pointee.hintsDropped }
    return count
  }

  package var messagesLost: Int { dataPath.messages.counters.lost }
  package var messagesDoubled: Int { dataPath.messages.counters.doubled }
}
