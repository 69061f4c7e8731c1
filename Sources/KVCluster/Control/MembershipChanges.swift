import Text

/// Membership changes: nodes that join, leave or take the place of others, one change at a time.
package struct MembershipChanges: Sendable {
  let options: ClusterOptions
  let folder: DataFolder
  let roster: Roster
  let data: DataPath
  let nodes: NodeLifecycle
  let events: EventLog
  let counters: ClusterCounters
  let executor: any Executor
  let lifespan: Lifespan
  /// Held during a change; the next ones wait in the order in which they were asked for.
  let turn = AsyncLock()

  // MARK: - In turn

  /// Carries out a change when it is its turn. Returns when it is done.
  func change(_ wanted: QueuedChange) async throws(ClusterError) {
    try enqueue(wanted)
    await turn.lock()
    defer { turn.unlock() }
    dequeue()
    await nodes.lock.lock()
    let change: MembershipChange
    do throws(ClusterError) {
      change = try begin(wanted)
    } catch {
      nodes.lock.unlock()
      throw error
    }
    let result = await withCheckedContinuation { continuation in
      executor.run("move \(wanted.replacement ?? wanted.node)") {
        continuation.resume(returning: self.carryOut(change))
      }
      nodes.lock.unlock()
    }
    try result.get()
  }

  /// Refuses at once what makes no sense now, unless a change before it may make sense of it.
  private func enqueue(_ wanted: QueuedChange) throws(ClusterError) {
    for name in [wanted.node, wanted.replacement].compactMap({ $0 }) { try Configuration.checkName(name) }
    guard data.isServing else { throw .notServing("the cluster does not serve yet, or no more") }
    let waiting = roster.withState { state -> Int? in
      guard state.queue.count < Limits.changesQueuedMax else { return state.queue.count }
      state.queue.append(wanted)
      return nil
    }
    if let waiting {
      throw .refused(.init("\(waiting) changes wait for their turn already", advice: .listNodes))
    }
  }

  private func dequeue() { roster.withState { _ = $0.queue.removeFirst() } }

  /// Takes the turn for the change that a crash interrupted, if one was: later changes wait for it.
  func takeUpInterrupted() -> MembershipChange? {
    let joint = roster.configuration
    guard joint.change != nil else { return nil }
    turn.lockBlocking()
    let change = MembershipChange(resuming: joint)
    roster.withState { $0.move = Roster.Move(change: change, startedNs: Clock.nowNs()) }
    showChange(joint)
    return change
  }

  /// Carries out a change that was taken up.
  func resume(_ interrupted: MembershipChange) {
    executor.startLoop("move") {
      _ = self.carryOut(interrupted)
      self.turn.unlock()
    }
  }

  /// Takes the place of the one change, opens the newcomer's empty log and makes the joint configuration durable. Call
  /// with the lock of `nodes` held.
  package func begin(_ wanted: QueuedChange) throws(ClusterError) -> MembershipChange {
    guard data.isServing else { throw .notServing("the cluster does not serve yet, or no more") }
    let now = roster.configuration
    var change = MembershipChange(joint: try now.joint(for: wanted))
    try checkOwners(of: change.joint)
    let view = data.makeView(of: change.joint)
    try checkSources(view, change.joint)
    let newcomer = try change.joint.change?.newcomer.flatMap(change.joint.member).map(openNewcomer)
    do throws(StorageError) {
      try folder.write(change.joint)
    } catch {
      if let newcomer { nodes.retire(newcomer) }
      throw .storage("cannot write the configuration: \(error). The cluster is as it was")
    }
    _ = change.finishStep()
    roster.withState { [change] state in
      if let newcomer {
        state.nodes.append(
          Roster.Node(id: newcomer.id, name: newcomer.name, state: .joining, replica: newcomer))
      }
      state.configuration = change.joint
      state.move = Roster.Move(change: change, startedNs: Clock.nowNs())
    }
    data.keepView(view)
    nodes.witness(change.joint)
    showChange(change.joint)
    events.add(.changeBegan(wanted.kind, node: wanted.node, replacement: wanted.replacement))
    return change
  }

  /// Between the old owners and the new ones every write must reach a quorum of both: a change that cannot is not begun,
  /// for it would make keys unavailable that are not now.
  private func checkOwners(of joint: Configuration) throws(ClusterError) {
    guard let change = joint.change else { return }
    var live = [Bool](repeating: false, count: Int(joint.members.map(\.id).max() ?? 0) + 1)
    for id in roster.live.map(\.id) + [change.newcomer].compactMap({ $0 }) where Int(id) < live.count {
      live[Int(id)] = true
    }
    let nodes = change.nextRing.nodes
    if nodes.allSatisfy({ live[Int($0)] }) { return }
    let needed = joint.quorum.effective(nodes: nodes.count).write
    let table = change.nextRing.preferenceTable(replicas: joint.quorum.replicas)
    if table.hasEverywhere(needed, where: { live[Int($0)] }) { return }
    let leaving = change.kind == .leave ? "without \(roster.name(of: change.node))" : "after it"
    let down = joint.members.filter { !live[Int($0.id)] && $0.id != change.node }.map(\.name)
    var detail = ClusterError.Detail(
      "\(down.joined(separator: ", ")) \(Figures.word(down.count, "is", "are")) down, and \(leaving) too few of the "
        + "owners of some keys would answer", nodes: down)
    detail.advice = down.first.map { [roster.repair(of: $0)] } ?? []
    throw .refused(detail)
  }

  /// Of each key that moves, R owners must be able to say what was acknowledged, now or once they are rebuilt: a change
  /// without them would wait for as long as they are as they are.
  private func checkSources(_ view: PlacementView, _ joint: Configuration) throws(ClusterError) {
    let replicas = roster.live
    let live = Set(replicas.map(\.id))
    var sound = Set(replicas.filter { !$0.store.isSuspect }.map(\.id))
    while let rebuilt = replicas.first(where: { replica in
      !sound.contains(replica.id)
        && view.canRebuild(replica.id, hasLost: replica.store.hasLost, from: sound, live: live)
    }) {
      sound.insert(rebuilt.id)
    }
    guard !view.hasSources(sound) else { return }
    let down = joint.members.filter { !live.contains($0.id) && $0.id != joint.change?.newcomer }.map(\.name)
    let losers = replicas.filter { !sound.contains($0.id) }.map(\.name)
    var detail = ClusterError.Detail(Self.words(losers: losers, down: down), nodes: losers + down)
    detail.advice = down.first.map { [roster.repair(of: $0)] } ?? []
    if !losers.isEmpty { detail.advice += [.verify(folder: folder.path), .acceptLoss(folder: folder.path)] }
    throw .refused(detail)
  }

  private static func words(losers: [String], down: [String]) -> String {
    let areDown = "\(Names.list(down)) \(Figures.word(down.count, "is", "are")) down"
    if losers.isEmpty { return "\(areDown), and too few owners of some keys are left to copy them from" }
    return "\(Names.list(losers)) lost records and cannot be rebuilt from the owners that are left"
      + (down.isEmpty ? "" : " while \(areDown)")
      + ", so that nobody can say what was acknowledged of keys that would move"
  }

  private func openNewcomer(_ member: Configuration.Member) throws(ClusterError) -> Replica {
    do throws(StorageError) {
      // A crash before the joint configuration was durable may have left a folder behind; no configuration names it.
      try folder.disk.removeFolder(DataFolder.logFolder(member.name))
      nodes.witnesses.update { $0.logs.removeAll { $0.name == member.name } }
      let replica = try nodes.openReplica(member.id, member.name, isExpected: false)
      do throws(StorageError) {
        try data.leases.current.write(to: folder.disk, folder: replica.store.log.folder)
      } catch {
        nodes.retire(replica)
        throw error
      }
      return replica
    } catch {
      throw .storage("cannot start \(member.name): \(error). The cluster is as it was")
    }
  }

  /// Marks the nodes that join or leave.
  private func showChange(_ joint: Configuration) {
    roster.withState { state in
      for i in state.nodes.indices where state.nodes[i].state.isServing {
        state.nodes[i].state = joint.change?.state(of: state.nodes[i].id) ?? state.nodes[i].state
      }
    }
  }

  /// Does the steps of a change, one after the other. Blocks.
  private func carryOut(_ change: MembershipChange) -> Result<Void, ClusterError> {
    let execution = execution(of: change)
    let isDone = StepSchedule.drive {
      execution.step()
    } isCancelled: {
      lifespan.isClosing
    }
    return isDone
      ? .success(()) : .failure(.notServing("the cluster was closed during the change; it goes on at the next start"))
  }

  /// The steps of a change that has begun.
  package func execution(of change: MembershipChange) -> ChangeExecution { ChangeExecution(change, self) }
}
