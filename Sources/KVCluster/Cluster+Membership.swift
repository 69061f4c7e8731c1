import Synchronization

/// Nodes come and go.
extension Cluster {
  /// Adds a node and moves its share of the keys to it while reads and writes go on. Returns when the move is done:
  /// progress is in ``ClusterStatus/change``.
  /// - Parameter name: 1 to 64 letters, digits, `-`, `_` or `.`; becomes the folder `<name>.wal`.
  /// - Throws: ``ClusterError/refused(_:)`` if the node is a member already or another change is under way.
  public func addNode(_ name: String) async throws(ClusterError) {
    try await change(named: name) { configuration throws(ClusterError) in try configuration.joining(name) }
  }

  /// Moves a node's keys to the others and removes it, log and all. A dead node can be removed too: its keys come from
  /// the other replicas.
  /// - Throws: ``ClusterError/refused(_:)`` if it is the last node, unknown, or another change is under way.
  public func removeNode(_ name: String) async throws(ClusterError) {
    try await change(named: name) { configuration throws(ClusterError) in try configuration.leaving(name) }
  }

  private func change(
    named name: String, _ plan: @Sendable (Configuration) throws(ClusterError) -> Configuration
  ) async throws(ClusterError) {
    guard isServing.load(ordering: .acquiring) else { throw .notServing("the cluster does not serve yet") }
    await lifecycle.lock()
    let joint: Configuration
    do throws(ClusterError) {
      joint = try plan(roster.configuration)
      try begin(MembershipChange(joint: joint))
      lifecycle.unlock()
    } catch {
      lifecycle.unlock()
      throw error
    }
    let result = await withCheckedContinuation { continuation in
      spawn("move \(name)") { cluster in
        continuation.resume(returning: cluster.carryOut(MembershipChange(joint: joint)))
      }
    }
    try result.get()
  }

  /// Takes up a change that a crash interrupted.
  func resumeChange(_ joint: Configuration) {
    let change = MembershipChange(resuming: joint)
    roster.withState { $0.move = Roster.Move(change: change, startedNs: Clock.nowNs()) }
    showChange(joint)
    spawn("move") { cluster in _ = cluster.carryOut(change) }
  }

  /// Reserves the place of the one change; opens the newcomer's empty log.
  private func begin(_ change: MembershipChange) throws(ClusterError) {
    let joint = change.joint
    guard let plan = joint.change, let member = joint.member(plan.node) else { preconditionFailure("not a change") }
    if plan.kind == .join {
      // A crash before the joint configuration was durable may have left a folder behind; no configuration names it.
      do {
        try folder.disk.removeFolder(DataFolder.logFolder(member.name))
        let replica = try openReplica(member.id, member.name) { _ in }
        try TagLease.write(coordinator.tags.lease, to: folder.disk, folder: replica.store.log.folder)
        roster.withState { state in
          state.nodes.append(Roster.Node(id: member.id, name: member.name, state: .joining, replica: replica))
        }
      } catch {
        throw .storage("cannot start \(member.name): \(error). The cluster is as it was")
      }
    }
    roster.withState { state in
      state.configuration = joint
      state.move = Roster.Move(change: change, startedNs: Clock.nowNs())
    }
    showChange(joint)
    let verb = plan.kind == .join ? "joins" : "leaves"
    log(plan.kind == .join ? .join : .leave, .info, "\(member.name) \(verb): its ranges are being handed over")
  }

  /// Marks the node that joins or leaves.
  private func showChange(_ joint: Configuration) {
    guard let plan = joint.change else { return }
    roster.withState { state in
      guard let i = state.nodes.firstIndex(where: { $0.id == plan.node }), state.nodes[i].state.isServing else {
        return
      }
      state.nodes[i].state = plan.kind == .join ? .joining : .leaving
    }
  }

  /// Does the steps of a change, one after the other. Blocks; runs on a thread of its own.
  private func carryOut(_ change: MembershipChange) -> Result<Void, ClusterError> {
    var change = change
    while change.step != .done {
      do throws(StorageError) {
        guard try carryOut(change.step, of: change) else {
          return .failure(.notServing("the cluster was closed during the change; it goes on at the next start"))
        }
      } catch {
        let message = "the change waits: \(error)"
        roster.withState { $0.move?.waitingFor = error.description }
        log(.storage, .failure, message)
        Clock.sleep(ns: 1_000_000_000)
        continue
      }
      _ = change.finishStep()
      roster.withState { [change] in $0.move?.change = change }
    }
    return .success(())
  }

  /// Returns false if the cluster closes.
  private func carryOut(_ step: MembershipChange.Step, of change: MembershipChange) throws(StorageError) -> Bool {
    switch step {
    case .writeJoint: try writeConfiguration(isJoint: true)
    case .adoptJoint: adoptJoint(change)
    case .stream: return try stream(change)
    case .sync: for replica in roster.live { replica.commit.syncNow() }
    case .writeSettled: try writeConfiguration(isJoint: false)
    case .adoptSettled: partitions.adopt(PlacementView(roster.configuration))
    case .drop: try drop(change)
    case .done: break
    }
    return !isClosing.load(ordering: .relaxed)
  }

  /// Writes the configuration of the roster, settled if the change is at its end. Under the roster's lock nobody can
  /// mark a node killed in between and have it forgotten.
  private func writeConfiguration(isJoint: Bool) throws(StorageError) {
    try roster.withState { state throws(StorageError) in
      let next = isJoint ? state.configuration : state.configuration.settled
      try folder.write(next)
      state.configuration = next
    }
  }

  private func adoptJoint(_ change: MembershipChange) {
    // The newcomer answers before anyone asks it.
    let newcomer = roster.withState { state in state.nodes.first { $0.id == change.joint.change?.node }?.replica }
    if let newcomer { partitions.add(newcomer) }
    partitions.adopt(PlacementView(roster.configuration))
  }

  private func stream(_ change: MembershipChange) throws(StorageError) -> Bool {
    let sweep = Sweep(.moveRanges, partitions, nodeName: { [roster] in roster.name(of: $0) }) { [weak self] in
      self?.isClosing.load(ordering: .relaxed) ?? true
    }
    roster.withState { $0.move?.sweep = sweep }
    let sources = roster.configuration.members.map(\.id)
    return try sweep.run(sources: sources) { canMove($0) }
  }

  /// Whether R old and W new owners of every moving slot of the partition answer; says whom it waits for if not.
  private func canMove(_ number: Int) -> Bool {
    let partition = partitions[number]
    let isReady = partition.pointee.lock.withLock { () -> Bool in
      let view = partition.pointee.view.takeUnretainedValue()
      let perPartition = Ring.slotCount / Store.partitionCount
      return (number * perPartition..<(number + 1) * perPartition).allSatisfy { slot in
        guard view.isMoving(slot) else { return true }
        let participants = view.participants(ofSlot: slot)
        var live = ParticipantSet()
        for i in 0..<participants.count where partition.pointee.replica(participants.ids[i]) != nil { live.insert(i) }
        return view.readRule(participants).isMet(by: live) && view.writeRule(participants).isMet(by: live)
      }
    }
    let down =
      isReady
      ? []
      : roster.withState { state in
        state.nodes.filter { !$0.state.isServing }.map(\.name)
      }
    roster.withState {
      $0.move?.waitingFor = isReady ? nil : "too few owners answer; down: \(down.joined(separator: ", "))"
    }
    return isReady
  }

  /// Losers give up their ranges; a node that left is closed and its folder removed.
  private func drop(_ change: MembershipChange) throws(StorageError) {
    guard let plan = change.joint.change else { return }
    let moved = roster.withState { $0.move?.sweep?.keysCopied.load(ordering: .relaxed) ?? 0 }
    let name = roster.name(of: plan.node)
    if plan.kind == .leave { try removeLeaver(plan.node, name) }
    for replica in roster.live where plan.kind == .join && replica.id != plan.node { try dropRanges(of: replica) }
    roster.withState { state in
      state.move = nil
      if let i = state.nodes.firstIndex(where: { $0.id == plan.node }), state.nodes[i].state == .joining {
        state.nodes[i].state = .up
      }
    }
    let message =
      plan.kind == .join
      ? "\(name) joined: \(moved) copies moved to it" : "\(name) left: \(moved) copies moved to the others"
    log(plan.kind == .join ? .join : .leave, .success, message)
  }

  private func removeLeaver(_ id: UInt16, _ name: String) throws(StorageError) {
    let replica = roster.withState { state -> Replica? in
      defer { state.nodes.removeAll { $0.id == id } }
      return state.nodes.first { $0.id == id }?.replica
    }
    partitions.remove(id)
    if let replica {
      replica.commit.stop(syncing: false)
      replica.store.log.close()
    }
    partitions.forEach { _, partition in
      partition.pointee.hints.removeAll { $0.target == id || $0.holder == id }
    }
    try folder.disk.removeFolder(DataFolder.logFolder(name))
  }

  private func dropRanges(of replica: Replica) throws(StorageError) {
    let view = PlacementView(roster.configuration)
    let lost = RingRanges { !view.isOwner(replica.id, ofSlot: $0) }
    guard !lost.isEmpty else { return }
    try replica.store.appendRangeDrop(lost)
    replica.commit.syncNow()
    partitions.forEach { number, _ in replica.store.forget(number) { view.isOwner(replica.id, ofSlot: $0) } }
  }
}
