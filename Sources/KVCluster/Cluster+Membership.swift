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
    named name: String, _ plan: (Configuration) throws(ClusterError) -> Configuration
  ) async throws(ClusterError) {
    await lifecycle.lock()
    let change: MembershipChange
    do throws(ClusterError) {
      change = try begin(plan)
    } catch {
      lifecycle.unlock()
      throw error
    }
    let result = await withCheckedContinuation { continuation in
      spawn("move \(name)") { cluster in continuation.resume(returning: cluster.carryOut(change)) }
      lifecycle.unlock()
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

  /// Takes the place of the one change, opens the newcomer's empty log and makes the joint configuration durable. Call
  /// with `lifecycle` held.
  private func begin(
    _ plan: (Configuration) throws(ClusterError) -> Configuration
  ) throws(ClusterError) -> MembershipChange {
    guard isServing.load(ordering: .acquiring) else { throw .notServing("the cluster does not serve yet, or no more") }
    if roster.withState({ $0.move != nil }) {
      throw .refused("a node is joining or leaving; wait until that is done: `nodes` shows it")
    }
    var change = MembershipChange(joint: try plan(roster.configuration))
    try checkOwners(of: change.joint)
    guard let planned = change.joint.change, let member = change.joint.member(planned.node) else {
      preconditionFailure("not a change")
    }
    let newcomer = planned.kind == .join ? try openNewcomer(member) : nil
    do throws(StorageError) {
      try folder.write(change.joint)
    } catch {
      if let newcomer { retire(newcomer) }
      throw .storage("cannot write the configuration: \(error). The cluster is as it was")
    }
    _ = change.finishStep()
    roster.withState { [change] state in
      if let newcomer {
        state.nodes.append(
          Roster.Node(id: member.id, name: member.name, state: .joining, replica: newcomer))
      }
      state.configuration = change.joint
      state.move = Roster.Move(change: change, startedNs: Clock.nowNs())
    }
    showChange(change.joint)
    let verb = planned.kind == .join ? "joins" : "leaves"
    log(planned.kind == .join ? .join : .leave, .info, "\(member.name) \(verb): its ranges are being handed over")
    return change
  }

  /// Between the old owners and the new ones every write must reach a quorum of both: a change that cannot is not begun,
  /// for it would make keys unavailable that are not now.
  private func checkOwners(of joint: Configuration) throws(ClusterError) {
    let view = PlacementView(joint)
    guard let next = view.nextQuorum else { return }
    let newcomer = joint.change?.kind == .join ? joint.change?.node : nil
    let live = Set(roster.live.map(\.id)).union(newcomer.map { [$0] } ?? [])
    let isShort = (0..<Ring.slotCount).contains { slot in
      let participants = view.participants(ofSlot: slot)
      let answering = (0..<participants.count).count {
        participants.nextOwners.contains($0) && live.contains(participants.ids[$0])
      }
      return answering < next.write
    }
    if isShort {
      let down = joint.members.filter { !live.contains($0.id) && $0.id != joint.change?.node }.map(\.name)
      throw .refused(
        "after it some keys would have too few nodes that answer, while \(down.joined(separator: ", ")) is down: "
          + "`restart \(down.first ?? "NODE")` first")
    }
  }

  private func openNewcomer(_ member: Configuration.Member) throws(ClusterError) -> Replica {
    do throws(StorageError) {
      // A crash before the joint configuration was durable may have left a folder behind; no configuration names it.
      try folder.disk.removeFolder(DataFolder.logFolder(member.name))
      let replica = try openReplica(member.id, member.name, isExpected: false)
      do throws(StorageError) {
        try TagLease.write(coordinator.tags.lease, to: folder.disk, folder: replica.store.log.folder)
      } catch {
        retire(replica)
        throw error
      }
      return replica
    } catch {
      throw .storage("cannot start \(member.name): \(error). The cluster is as it was")
    }
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
    /// Which nodes answered when the stream began.
    var generation = partitions.currentGeneration
    while change.step != .done {
      if change.step == .stream { generation = partitions.currentGeneration }
      do throws(StorageError) {
        guard try carryOut(change.step, of: change) else { return .failure(interrupted) }
      } catch {
        if isClosing.load(ordering: .relaxed) { return .failure(interrupted) }
        wait(because: error)
        continue
      }
      if change.step == .sync, generation != partitions.currentGeneration {
        // A node came or went: what was counted on may not hold. What is in place is recognised and not copied again.
        change.streamAgain()
      } else {
        _ = change.finishStep()
      }
      roster.withState { [change] in $0.move?.change = change }
    }
    return .success(())
  }

  private var interrupted: ClusterError {
    .notServing("the cluster was closed during the change; it goes on at the next start")
  }

  /// A step failed: it is tried again in a moment, and the status says why.
  private func wait(because error: StorageError) {
    let isNews = roster.withState { state in
      defer { state.move?.waitingFor = error.description }
      return state.move?.waitingFor != error.description
    }
    if isNews { log(.storage, .failure, "the change waits: \(error)") }
    Clock.sleep(ns: 500_000_000)
  }

  /// Returns false if the cluster closes.
  private func carryOut(_ step: MembershipChange.Step, of change: MembershipChange) throws(StorageError) -> Bool {
    switch step {
    case .writeJoint: preconditionFailure("a change begins with a durable joint configuration")
    case .adoptJoint: adoptJoint(change)
    case .stream: return try stream()
    case .sync:
      for replica in roster.live {
        replica.commit.syncNow()
        if let failure = replica.store.log.failure { throw failure }
      }
    case .writeSettled: try writeSettledConfiguration()
    case .adoptSettled: partitions.adopt(PlacementView(roster.configuration))
    case .drop: try drop(change)
    case .done: break
    }
    return !isClosing.load(ordering: .relaxed)
  }

  /// Under the roster's lock nobody can mark a node killed in between and have it forgotten.
  private func writeSettledConfiguration() throws(StorageError) {
    try roster.withState { state throws(StorageError) in
      // A write that failed may have been tried before.
      let next = state.configuration.change == nil ? state.configuration : state.configuration.settled
      try folder.write(next)
      state.configuration = next
    }
  }

  private func adoptJoint(_ change: MembershipChange) {
    // The newcomer answers before anyone asks it. It may have been killed meanwhile, but not in between.
    lifecycle.lockBlocking()
    defer { lifecycle.unlock() }
    let newcomer = roster.withState { state in state.nodes.first { $0.id == change.joint.change?.node }?.replica }
    if let newcomer { partitions.add(newcomer) }
    partitions.adopt(PlacementView(roster.configuration))
  }

  private func stream() throws(StorageError) -> Bool {
    let sources = roster.configuration.members.map(\.id)
    // A damaged copy is passed over; the second pass shows whether another replica had the same version.
    for pass in 1...2 {
      let sweep = Sweep(.moveRanges, partitions) { [weak self] in
        self?.isClosing.load(ordering: .relaxed) ?? true
      }
      if pass == 1 { roster.withState { $0.move?.sweep = sweep } }
      guard try sweep.run(sources: sources, canCopy: { canMove($0) }) else { return false }
      let damaged = sweep.keysDamaged.load(ordering: .relaxed)
      if damaged == 0 { return true }
      if pass == 2 {
        throw .damaged(path: folder.path, offset: 0, reason: "\(damaged) keys that move have no intact newest copy")
      }
    }
    return true
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
        var intact = ParticipantSet()
        for i in 0..<participants.count {
          guard let replica = partition.pointee.replica(participants.ids[i])?.takeUnretainedValue() else { continue }
          live.insert(i)
          if !replica.store.isSuspect { intact.insert(i) }
        }
        return view.readRule(participants).isMet(by: intact) && view.writeRule(participants).isMet(by: live)
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
    lifecycle.lockBlocking()
    defer { lifecycle.unlock() }
    guard let plan = change.joint.change, let member = change.joint.member(plan.node) else { return }
    let moved = roster.withState { $0.move?.sweep?.keysCopied.load(ordering: .relaxed) ?? 0 }
    if plan.kind == .leave { try removeLeaver(member) }
    for replica in roster.live where plan.kind == .join && replica.id != plan.node { try dropRanges(of: replica) }
    roster.withState { state in
      state.move = nil
      if let i = state.nodes.firstIndex(where: { $0.id == plan.node }), state.nodes[i].state == .joining {
        state.nodes[i].state = .up
      }
    }
    if plan.kind == .join {
      log(.join, .success, "\(member.name) joined: \(moved) copies moved to it")
    } else {
      log(.leave, .success, "\(member.name) left: \(moved) copies moved to the others")
    }
  }

  private func removeLeaver(_ member: Configuration.Member) throws(StorageError) {
    let replica = roster.withState { state -> Replica? in
      defer { state.nodes.removeAll { $0.id == member.id } }
      return state.nodes.first { $0.id == member.id }?.replica
    }
    if let replica { retire(replica) }
    partitions.forEach { _, partition in
      partition.pointee.hints.removeAll { $0.target == member.id || $0.holder == member.id }
    }
    try folder.disk.removeFolder(DataFolder.logFolder(member.name))
  }

  private func dropRanges(of replica: Replica) throws(StorageError) {
    let view = PlacementView(roster.configuration)
    try replica.store.drop(
      RingRanges { !view.isOwner(replica.id, ofSlot: $0) }, sync: { replica.commit.syncNow() },
      withPartition: { number, body in partitions.whileServing(replica, number, body) })
  }
}
