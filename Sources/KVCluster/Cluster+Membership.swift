import Synchronization

/// Nodes come and go.
extension Cluster {
  /// Adds a node and moves its share of the keys to it while reads and writes go on. Returns when the move is done:
  /// progress is in ``ClusterStatus/change``.
  /// - Parameter name: 1 to 64 letters, digits, `-`, `_` or `.`; becomes the folder `<name>.wal`.
  ///
  /// One change at a time: while another one is under way this one waits for its turn, as ``ClusterStatus/queuedChanges``
  /// shows.
  /// - Throws: ``ClusterError/refused(_:)`` if the node is a member already or too many changes wait.
  public func addNode(_ name: String) async throws(ClusterError) {
    try await change(QueuedChange(kind: .join, node: name))
  }

  /// Moves a node's keys to the others and removes it, log and all. A dead node can be removed too: its keys come from
  /// the other replicas.
  ///
  /// Waits for its turn as ``addNode(_:)`` does.
  /// - Throws: ``ClusterError/refused(_:)`` if it is the last node or unknown, or too many changes wait.
  public func removeNode(_ name: String) async throws(ClusterError) {
    try await change(QueuedChange(kind: .leave, node: name))
  }

  /// Gives all that `name` owns, dead or alive, to a new node, and removes `name`: nothing else moves, so a third node is
  /// not needed. The copies come from the other replicas, and from `name` while it answers.
  ///
  /// Waits for its turn as ``addNode(_:)`` does.
  /// - Throws: ``ClusterError/refused(_:)`` if there is no `name`, `heir` is a member, or too many changes wait.
  public func replaceNode(_ name: String, with heir: String) async throws(ClusterError) {
    try await change(QueuedChange(kind: .leave, node: name, heir: heir))
  }

  func change(_ wanted: QueuedChange) async throws(ClusterError) {
    try enqueue(wanted)
    await changes.lock()
    defer { changes.unlock() }
    dequeue()
    await lifecycle.lock()
    let change: MembershipChange
    do throws(ClusterError) {
      change = try begin(wanted)
    } catch {
      lifecycle.unlock()
      throw error
    }
    let result = await withCheckedContinuation { continuation in
      spawn("move \(wanted.heir ?? wanted.node)") { cluster in continuation.resume(returning: cluster.carryOut(change))
      }
      lifecycle.unlock()
    }
    try result.get()
  }

  /// Refuses at once what makes no sense now, unless a change before it may make sense of it.
  private func enqueue(_ wanted: QueuedChange) throws(ClusterError) {
    for name in [wanted.node, wanted.heir].compactMap({ $0 }) { try Configuration.checkName(name) }
    guard isServing else { throw .notServing("the cluster does not serve yet, or no more") }
    let waiting = roster.withState { state -> Int? in
      guard state.queue.count < Limits.changesQueuedMax else { return state.queue.count }
      state.queue.append(wanted)
      return nil
    }
    if let waiting {
      throw .refused("\(waiting) changes wait for their turn already; wait until some are done: `nodes` shows them")
    }
  }

  private func dequeue() { roster.withState { _ = $0.queue.removeFirst() } }

  /// Takes up a change that a crash interrupted.
  func resumeChange(_ joint: Configuration) {
    let change = takeUpChange(joint)
    spawn("move") { cluster in
      _ = cluster.carryOut(change)
      cluster.changes.unlock()
    }
  }

  /// Puts a change that was found in the configuration where changes under way are.
  func takeUpChange(_ joint: Configuration) -> MembershipChange {
    let change = MembershipChange(resuming: joint)
    roster.withState { $0.move = Roster.Move(change: change, startedNs: Clock.nowNs()) }
    showChange(joint)
    return change
  }

  /// Takes the place of the one change, opens the newcomer's empty log and makes the joint configuration durable. Call
  /// with `lifecycle` held.
  func begin(_ wanted: QueuedChange) throws(ClusterError) -> MembershipChange {
    guard isServing else { throw .notServing("the cluster does not serve yet, or no more") }
    let now = roster.configuration
    var change = MembershipChange(joint: try now.joint(for: wanted))
    let view = try checkOwners(of: change.joint)
    let newcomer = try change.joint.change?.newcomer.flatMap(change.joint.member).map(openNewcomer)
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
          Roster.Node(id: newcomer.id, name: newcomer.name, state: .joining, replica: newcomer))
      }
      state.configuration = change.joint
      state.move = Roster.Move(change: change, startedNs: Clock.nowNs())
    }
    dataPath.keepView(view)
    witness(change.joint)
    showChange(change.joint)
    let (kind, verb) = wanted.kind == .join ? (ClusterEvent.Kind.join, "joins") : (.leave, "leaves")
    let heir = wanted.heir.map { " to \($0)" } ?? ""
    log(kind, .info, "\(wanted.node) \(verb): its ranges are being handed over\(heir)")
    return change
  }

  /// Between the old owners and the new ones every write must reach a quorum of both: a change that cannot is not begun,
  /// for it would make keys unavailable that are not now.
  /// Returns the owners during the change.
  private func checkOwners(of joint: Configuration) throws(ClusterError) -> PlacementView {
    let view = dataPath.makeView(of: joint)
    guard let next = view.nextQuorum else { return view }
    let newcomer = joint.change?.newcomer
    var live = [Bool](repeating: false, count: Int(joint.members.map(\.id).max() ?? 0) + 1)
    for id in roster.live.map(\.id) + [newcomer].compactMap({ $0 }) where Int(id) < live.count { live[Int(id)] = true }
    if view.nextTable?.nodes.allSatisfy({ live[Int($0)] }) ?? false { return view }
    let isShort = !view.allLists(of: 0..<Ring.slotCount) { slot in
      view.countNextOwners(ofSlot: slot) { live[Int($0)] } >= next.write
    }
    if isShort {
      let leaving =
        joint.change.flatMap { $0.kind == .leave ? "without \(roster.name(of: $0.node))" : nil } ?? "after it"
      let down = joint.members.filter { !live[Int($0.id)] && $0.id != joint.change?.node }.map(\.name)
      throw .refused(
        "\(down.joined(separator: ", ")) \(down.count == 1 ? "is" : "are") down, and \(leaving) too few of the "
          + "owners of some keys would answer: `restart \(down.first ?? "NODE")` first")
    }
    return view
  }

  private func openNewcomer(_ member: Configuration.Member) throws(ClusterError) -> Replica {
    do throws(StorageError) {
      // A crash before the joint configuration was durable may have left a folder behind; no configuration names it.
      try folder.disk.removeFolder(DataFolder.logFolder(member.name))
      witnesses.update { $0.logs.removeAll { $0.name == member.name } }
      let replica = try openReplica(member.id, member.name, isExpected: false)
      do throws(StorageError) {
        try TagLease.write(dataPath.tags.lease, to: folder.disk, folder: replica.store.log.folder)
      } catch {
        retire(replica)
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

  /// Does the steps of a change, one after the other. Blocks; runs on a thread of its own.
  private func carryOut(_ change: MembershipChange) -> Result<Void, ClusterError> {
    let execution = ChangeExecution(change, self)
    while true {
      if isClosing.load(ordering: .relaxed) {
        return .failure(.notServing("the cluster was closed during the change; it goes on at the next start"))
      }
      switch execution.step() {
      case .again: break
      case .rest(let ns): Clock.sleep(ns: ns)
      case .done: return .success(())
      }
    }
  }
}
