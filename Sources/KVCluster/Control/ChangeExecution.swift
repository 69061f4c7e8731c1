import Synchronization

/// Carries out the steps of one membership change, which ``MembershipChange`` orders.
///
/// A job in steps, none of which waits. A step that fails is tried again in a moment, and the status says why.
package final class ChangeExecution {
  private let changes: MembershipChanges
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

  init(_ change: MembershipChange, _ changes: MembershipChanges) {
    self.change = change
    self.changes = changes
  }

  private var plan: Configuration.Change {
    guard let plan = change.joint.change else { preconditionFailure("not a change") }
    return plan
  }

  private var member: Configuration.Member {
    guard let member = change.joint.member(plan.node) else { preconditionFailure("a change of an unknown node") }
    return member
  }

  package func step() -> StepSchedule {
    guard change.step != .done else { return .done }
    do throws(StorageError) {
      if let schedule = try carryOut(change.step) { return schedule }
    } catch {
      return wait(because: error)
    }
    if change.step == .sync, generation != changes.data.partitions.currentGeneration,
      changes.options.mistake != .streamsOnce
    {
      // A node came or went: what was counted on may not hold. What is in place is recognised and not copied again.
      change.streamAgain()
      changes.counters.streamsRepeated.wrappingAdd(1, ordering: .relaxed)
    } else {
      _ = change.finishStep()
    }
    changes.roster.withState { [change] in $0.move?.change = change }
    if change.step == .done { end() }
    return change.step == .done ? .done : .again
  }

  private func wait(because error: StorageError) -> StepSchedule {
    let reason = ClusterError.Detail(error.description)
    let isNews = changes.roster.withState { state in
      defer { state.move?.waitingFor = reason }
      return state.move?.waitingFor != reason
    }
    if isNews { changes.events.add(.changeWaits(reason)) }
    return .rest(ns: ChangeExecution.retryNs)
  }

  /// Does the step, or a part of it: returns `nil` when it is done.
  private func carryOut(_ step: MembershipChange.Step) throws(StorageError) -> StepSchedule? {
    switch step {
    case .writeJoint: preconditionFailure("a change begins with a durable joint configuration")
    case .adoptJoint: adoptJoint()
    case .drainOld, .drainJoint:
      if changes.data.messages.hasOperations(before: changes.roster.configuration.epoch) {
        changes.counters.drainsWaited.wrappingAdd(1, ordering: .relaxed)
        return .rest(ns: ChangeExecution.waitNs)
      }
    case .stream:
      if changes.options.mistake != .dropsBeforeStream { return try stream() }
      generation = changes.data.partitions.currentGeneration
    case .sync:
      if changes.options.mistake == .settlesUnsynced { break }
      for replica in changes.roster.live {
        replica.commit.syncNow()
        if let failure = replica.store.log.failure { throw failure }
      }
    case .writeSettled:
      try writeSettledConfiguration()
      changes.nodes.witness(changes.roster.configuration)
    case .adoptSettled: changes.data.partitions.adopt(changes.data.view(of: changes.roster.configuration))
    case .drop: try drop()
    case .done: break
    }
    return nil
  }

  private func adoptJoint() {
    // The newcomer answers before anyone asks it. It may have been killed meanwhile, but not in between.
    changes.nodes.lock.lockBlocking()
    defer { changes.nodes.lock.unlock() }
    let id = plan.newcomer
    let newcomer = changes.roster.withState { state in state.nodes.first { $0.id == id }?.replica }
    if let newcomer { changes.data.partitions.add(newcomer) }
    changes.data.partitions.adopt(changes.data.view(of: changes.roster.configuration))
  }

  /// Under the roster's lock nobody can mark a node killed in between and have it forgotten.
  private func writeSettledConfiguration() throws(StorageError) {
    try changes.roster.withState { state throws(StorageError) in
      // A write that failed may have been tried before.
      let next = state.configuration.change == nil ? state.configuration : state.configuration.settled
      try changes.folder.write(next)
      state.configuration = next
    }
  }

  // MARK: - Streaming

  private func stream() throws(StorageError) -> StepSchedule? {
    let sweep = self.sweep ?? beginSweep()
    let rest = self.rest ?? Rest(changes.executor)
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
    changes.counters.keysStreamed.wrappingAdd(sweep.keysCopied.load(ordering: .relaxed), ordering: .relaxed)
    let damaged = sweep.keysDamaged.load(ordering: .relaxed)
    let wasSecondPass = isSecondPass
    isSecondPass = damaged > 0 && !wasSecondPass
    if isSecondPass { return .again }
    if damaged > 0 {
      throw .damaged(
        path: changes.folder.path, offset: 0, reason: "\(damaged) keys that move have no intact newest copy")
    }
    return nil
  }

  private func beginSweep() -> Sweep {
    generation = changes.data.partitions.currentGeneration
    let sources = changes.roster.configuration.members.map(\.id)
    let sweep = Sweep(.moveRanges, changes.data.partitions, changes.data.links, sources: sources)
    self.sweep = sweep
    if !isSecondPass { changes.roster.withState { $0.move?.sweep = sweep } }
    return sweep
  }

  /// Whether the partition's moving slots can be copied now; says whom it waits for if not.
  private func canMove(_ number: Int) -> Bool {
    let isReady = changes.data.partitions.canMove(number, changes.data.links)
    let reason = isReady ? nil : obstacle
    changes.roster.withState { $0.move?.waitingFor = reason }
    return isReady
  }

  /// Why owners cannot say what was acknowledged.
  private var obstacle: ClusterError.Detail {
    let silence = changes.roster.silence(changes.data.links)
    let suspects = changes.roster.live.filter { $0.store.isSuspect }.map(\.name)
    let lacking = suspects.isEmpty ? "" : "; not rebuilt after a loss of records: \(suspects.joined(separator: ", "))"
    var detail = ClusterError.Detail(
      "too few owners can tell what was acknowledged\(silence.words)\(lacking); it goes on when they can",
      nodes: silence.down.map(\.name) + silence.paused + suspects)
    detail.advice = silence.advice + (suspects.isEmpty ? [] : [.verify(folder: changes.folder.path)])
    if detail.advice.isEmpty { detail.advice = [.listNodes] }
    return detail
  }

  // MARK: - The end

  /// Losers give up their ranges; a node that left is closed and its folder removed.
  private func drop() throws(StorageError) {
    changes.nodes.lock.lockBlocking()
    defer { changes.nodes.lock.unlock() }
    if plan.kind == .leave { try removeLeaver() }
    for replica in changes.roster.live where replica.id != plan.node {
      try changes.nodes.dropForeignRanges(of: replica)
    }
  }

  private func removeLeaver() throws(StorageError) {
    let member = member
    let replica = changes.roster.withState { state -> Replica? in
      defer { state.nodes.removeAll { $0.id == member.id } }
      return state.nodes.first { $0.id == member.id }?.replica
    }
    if let replica { changes.nodes.retire(replica) }
    changes.data.links.forget(member.id)
    changes.data.partitions.forEach { _, partition in
      partition.pointee.hints.removeAll { $0.target == member.id || $0.holder == member.id }
    }
    try changes.folder.disk.removeFolder(DataFolder.logFolder(member.name))
  }

  private func end() {
    let (plan, member) = (plan, member)
    let moved = changes.roster.withState { state -> Int in
      defer { state.move = nil }
      if let i = state.nodes.firstIndex(where: { $0.id == plan.newcomer }), state.nodes[i].state == .joining {
        state.nodes[i].state = .up
      }
      return state.move?.sweep?.keysCopied.load(ordering: .relaxed) ?? 0
    }
    if plan.kind == .join {
      changes.events.add(.joined(node: member.name, copiesMoved: moved))
    } else {
      let replacement = plan.replacement.map(changes.roster.name)
      changes.events.add(.left(node: member.name, copiesMoved: moved, replacement: replacement))
      sayIfTooFew()
    }
  }

  /// Fewer nodes than copies are wanted: each key has one on every node.
  private func sayIfTooFew() {
    let configuration = changes.roster.configuration
    let (nodes, wanted) = (configuration.members.count, configuration.quorum.replicas)
    guard nodes < wanted else { return }
    changes.events.add(.underReplicated(nodes: nodes, replicas: wanted))
  }
}
