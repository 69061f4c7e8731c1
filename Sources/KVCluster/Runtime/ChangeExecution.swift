import Synchronization

/// Carries out the steps of one membership change, which ``MembershipChange`` orders.
///
/// Whoever drives it calls ``step()`` again and again; no step waits. A step that fails is tried again in a moment, and
/// the status says why.
final class ChangeExecution {
  private unowned let cluster: Cluster
  private(set) var change: MembershipChange
  /// Which nodes answered when the stream began.
  private var generation = 0
  private var sweep: Sweep?
  /// A damaged copy is passed over; the second pass shows whether another replica had the same version.
  private var isSecondPass = false
  /// `nil` after a rest: work begins with the next step.
  private var rest: Rest?

  private static let waitNs: UInt64 = 50_000_000
  private static let retryNs: UInt64 = 500_000_000
  /// Copying takes an eighth of a core at most.
  private static let restFactor: UInt64 = 7

  init(_ change: MembershipChange, _ cluster: Cluster) {
    self.change = change
    self.cluster = cluster
  }

  private var plan: Configuration.Change {
    guard let plan = change.joint.change else { preconditionFailure("not a change") }
    return plan
  }

  private var member: Configuration.Member {
    guard let member = change.joint.member(plan.node) else { preconditionFailure("a change of an unknown node") }
    return member
  }

  func step() -> Pace {
    guard change.step != .done else { return .done }
    do throws(StorageError) {
      if let pace = try carryOut(change.step) { return pace }
    } catch {
      return wait(because: error)
    }
    if change.step == .sync, generation != cluster.partitions.currentGeneration,
      cluster.options.mistake != .streamsOnce
    {
      // A node came or went: what was counted on may not hold. What is in place is recognised and not copied again.
      change.streamAgain()
      cluster.counters.streamsRepeated.wrappingAdd(1, ordering: .relaxed)
    } else {
      _ = change.finishStep()
    }
    cluster.roster.withState { [change] in $0.move?.change = change }
    if change.step == .done { end() }
    return change.step == .done ? .done : .again
  }

  private func wait(because error: StorageError) -> Pace {
    let isNews = cluster.roster.withState { state in
      defer { state.move?.waitingFor = error.description }
      return state.move?.waitingFor != error.description
    }
    if isNews { cluster.log(.storage, .failure, "the change waits: \(error)") }
    return .rest(ns: ChangeExecution.retryNs)
  }

  /// Does the step, or a part of it: returns `nil` when it is done.
  private func carryOut(_ step: MembershipChange.Step) throws(StorageError) -> Pace? {
    switch step {
    case .writeJoint: preconditionFailure("a change begins with a durable joint configuration")
    case .adoptJoint: adoptJoint()
    case .drainOld, .drainJoint:
      if cluster.dataPath.messages.hasOperations(before: cluster.roster.configuration.epoch) {
        cluster.counters.drainsWaited.wrappingAdd(1, ordering: .relaxed)
        return .rest(ns: ChangeExecution.waitNs)
      }
    case .stream:
      if cluster.options.mistake != .dropsBeforeStream { return try stream() }
      generation = cluster.partitions.currentGeneration
    case .sync:
      for replica in cluster.roster.live {
        replica.commit.syncNow()
        if let failure = replica.store.log.failure { throw failure }
      }
    case .writeSettled: try writeSettledConfiguration()
    case .adoptSettled: cluster.partitions.adopt(cluster.viewNow)
    case .drop: try drop()
    case .done: break
    }
    return nil
  }

  private func adoptJoint() {
    // The newcomer answers before anyone asks it. It may have been killed meanwhile, but not in between.
    cluster.lifecycle.lockBlocking()
    defer { cluster.lifecycle.unlock() }
    let id = plan.newcomer
    let newcomer = cluster.roster.withState { state in state.nodes.first { $0.id == id }?.replica }
    if let newcomer { cluster.partitions.add(newcomer) }
    cluster.partitions.adopt(cluster.viewNow)
  }

  /// Under the roster's lock nobody can mark a node killed in between and have it forgotten.
  private func writeSettledConfiguration() throws(StorageError) {
    try cluster.roster.withState { state throws(StorageError) in
      // A write that failed may have been tried before.
      let next = state.configuration.change == nil ? state.configuration : state.configuration.settled
      try cluster.folder.write(next)
      state.configuration = next
    }
  }

  // MARK: - Streaming

  private func stream() throws(StorageError) -> Pace? {
    let sweep = self.sweep ?? beginSweep()
    let rest = self.rest ?? Rest()
    switch try sweep.step(canCopy: canMove) {
    case .waiting:
      self.rest = nil
      return .rest(ns: ChangeExecution.waitNs)
    case .more:
      let ns = rest.due(factor: ChangeExecution.restFactor)
      self.rest = ns > 0 ? nil : rest
      return ns > 0 ? .rest(ns: ns) : .again
    case .done: break
    }
    self.sweep = nil
    cluster.counters.keysStreamed.wrappingAdd(sweep.keysCopied.load(ordering: .relaxed), ordering: .relaxed)
    let damaged = sweep.keysDamaged.load(ordering: .relaxed)
    let wasSecondPass = isSecondPass
    isSecondPass = damaged > 0 && !wasSecondPass
    if isSecondPass { return .again }
    if damaged > 0 {
      throw .damaged(
        path: cluster.folder.path, offset: 0, reason: "\(damaged) keys that move have no intact newest copy")
    }
    return nil
  }

  private func beginSweep() -> Sweep {
    generation = cluster.partitions.currentGeneration
    let sources = cluster.roster.configuration.members.map(\.id)
    let sweep = Sweep(.moveRanges, cluster.partitions, cluster.links, sources: sources)
    self.sweep = sweep
    if !isSecondPass { cluster.roster.withState { $0.move?.sweep = sweep } }
    return sweep
  }

  /// Whether the partition's moving slots can be copied now; says whom it waits for if not.
  private func canMove(_ number: Int) -> Bool {
    let isReady = cluster.partitions.canMove(number, cluster.links)
    let down =
      isReady
      ? []
      : cluster.roster.withState { state in
        state.nodes.filter { !$0.state.isServing }.map(\.name)
      }
    let reason =
      isReady
      ? nil
      : down.isEmpty
        ? "too few owners reach each other" : "too few owners answer; down: \(down.joined(separator: ", "))"
    cluster.roster.withState { $0.move?.waitingFor = reason }
    return isReady
  }

  // MARK: - The end

  /// Losers give up their ranges; a node that left is closed and its folder removed.
  private func drop() throws(StorageError) {
    cluster.lifecycle.lockBlocking()
    defer { cluster.lifecycle.unlock() }
    if plan.kind == .leave { try removeLeaver() }
    for replica in cluster.roster.live where replica.id != plan.node { try cluster.dropForeignRanges(of: replica) }
  }

  private func removeLeaver() throws(StorageError) {
    let member = member
    let replica = cluster.roster.withState { state -> Replica? in
      defer { state.nodes.removeAll { $0.id == member.id } }
      return state.nodes.first { $0.id == member.id }?.replica
    }
    if let replica { cluster.retire(replica) }
    cluster.links.forget(member.id)
    cluster.partitions.forEach { _, partition in
      partition.pointee.hints.removeAll { $0.target == member.id || $0.holder == member.id }
    }
    try cluster.folder.disk.removeFolder(DataFolder.logFolder(member.name))
  }

  private func end() {
    let (plan, member) = (plan, member)
    let moved = cluster.roster.withState { state -> Int in
      defer { state.move = nil }
      if let i = state.nodes.firstIndex(where: { $0.id == plan.newcomer }), state.nodes[i].state == .joining {
        state.nodes[i].state = .up
      }
      return state.move?.sweep?.keysCopied.load(ordering: .relaxed) ?? 0
    }
    let copies = "\(moved) \(moved == 1 ? "copy" : "copies")"
    if plan.kind == .join {
      cluster.log(.join, .success, "\(member.name) joined: \(copies) moved to it")
    } else {
      let heirs = plan.heir.map(cluster.roster.name) ?? "the others"
      cluster.log(.leave, .success, "\(member.name) left: \(copies) moved to \(heirs)")
      sayIfTooFew()
    }
  }

  /// Fewer nodes than copies are wanted: each key has one on every node.
  private func sayIfTooFew() {
    let configuration = cluster.roster.configuration
    let (nodes, wanted) = (configuration.members.count, configuration.quorum.replicas)
    guard nodes < wanted else { return }
    cluster.log(
      .leave, .warning,
      "N is \(nodes) now: of the \(wanted) copies that each key should have, \(nodes) \(nodes == 1 ? "node keeps 1" : "nodes keep \(nodes)"); "
        + "`addnode` brings them back")
  }
}

extension PartitionTable {
  /// Whether of every moving slot of the partition enough owners answer and reach each other: R intact old owners, each
  /// of whom reaches W new ones. Then whatever is newest among any R old owners gets to a write quorum of the new.
  func canMove(_ number: Int, _ links: Links) -> Bool {
    let partition = self[number]
    return partition.lock.pointee.withLock {
      let view = partition.pointee.view.takeUnretainedValue()
      if isWhole(partition, view, links) { return true }
      let perPartition = Ring.slotCount / Store.partitionCount
      return view.allLists(of: number * perPartition..<(number + 1) * perPartition) { slot in
        !view.isMoving(slot) || canMove(slot, view, partition, links)
      }
    }
  }

  private func canMove(
    _ slot: Int, _ view: PlacementView, _ partition: UnsafeMutablePointer<Partition>, _ links: Links
  ) -> Bool {
    let needed = view.nextQuorum?.write ?? 0
    let isAnyCut = links.isAnyCut
    let sources = view.countOwners(ofSlot: slot) { from in
      guard partition.pointee.replica(from)?._withUnsafeGuaranteedRef({ !$0.store.isSuspect }) ?? false else {
        return false
      }
      let reached = view.countNextOwners(ofSlot: slot) { to in
        partition.pointee.replica(to) != nil && (!isAnyCut || links.reaches(from, to))
      }
      return reached >= needed
    }
    return sources >= view.quorum.read
  }
}
