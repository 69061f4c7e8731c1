import ClusterModel
import Text

/// Orders that change who is a member, and who is whose replica.
struct MembershipChanges: Sendable {
  let watcher: Watcher
  let administration: Administration
  let control: ChangeControl
  /// Starts and ends servers, where they belong to this program.
  let servers: (any ServerControl)?

  /// A node that was forgotten by some is told to the others by the rest, unless all forget it within a minute.
  private static let forgetTime = Duration.seconds(50)

  private var map: ClusterMap { watcher.view.map }

  private func exclusively<R: Sendable>(
    _ body: () async throws(ClusterError) -> R
  ) async throws(ClusterError) -> R {
    guard control.begin() else {
      throw .refused(.init("a change of members is under way, and there is one at a time", advice: .steer(.cancel)))
    }
    let result: Result<R, ClusterError>
    do throws(ClusterError) { result = .success(try await body()) } catch { result = .failure(error) }
    control.end()
    await watcher.lookAtMap()
    return try result.get()
  }

  private func untilInOrder(openSlotsAreFine: Bool = false) async throws(ClusterError) {
    let reason = await Administration.wait(atMost: .seconds(10)) {
      await watcher.lookAtMap()
      return await administration.obstacle(map, openSlotsAreFine: openSlotsAreFine)
    }
    guard var reason else { return }
    reason.text = "slots cannot be moved now: \(reason.text); nothing was changed"
    throw .refused(reason)
  }

  // MARK: - Joining

  /// Meets a server, waits until all members know each other, and gives it its equal share of the slots. Of a member that has
  /// less than its share the rest is moved: so a change that was cut off goes on.
  func add(_ name: String) async throws(ClusterError) {
    guard let address = Address(name), !address.host.isEmpty else {
      throw .invalidArgument("\(name) is no address; a server is added as HOST:PORT")
    }
    try await exclusively { () throws(ClusterError) in
      // Slots that an earlier change to this node left open are no obstacle: they are moved first.
      let isMember = map.nodes.contains { $0.isMember && ($0.address == address || $0.name == name) }
      try await untilInOrder(openSlotsAreFine: isMember)
      if !isMember {
        try await servers?.startIfNeeded(address)
        try await meet(address)
      }
      guard let node = map.nodes.first(where: { $0.address == address || $0.name == name }) else {
        throw .notServing(.init("\(name) is no member yet; try again"))
      }
      guard node.isMaster else { throw .refused(.init("\(name) is a replica, and owns no slots of its own")) }
      watcher.tell(.changeBegan(.join, node: node.name, replacement: nil))
      let keys = try await Mover(
        watcher: watcher, administration: administration, control: control, kind: .join, node: node,
        plan: { map in
          let open = SlotPlan.open(map).filter { $0.target == node.id }
          let slots = Set(open.map(\.slot))
          return open + SlotPlan.joining(node.id, map).filter { !slots.contains($0.slot) }
        }
      ).run()
      watcher.tell(.joined(node: node.name, copiesMoved: keys))
    }
  }

  private func meet(_ address: Address) async throws(ClusterError) {
    let info = try await administration.info(address, "INFO", "all")
    guard info.flag("cluster_enabled") == true else {
      throw .refused(.init("\(address) runs without cluster-enabled yes; nothing was changed"))
    }
    let own = try await administration.map(address)
    guard own.nodes.count == 1, own.nodes[0].slots.isEmpty, info.keys == 0 else {
      throw .refused(
        .init("\(address) is not empty: it has keys or slots, or knows other nodes already; nothing was changed"))
    }
    guard let member = map.masters.first else { throw .notServing("no master serves") }
    try await administration.ask(member.address, "CLUSTER", "MEET", address.host, "\(address.port)")
    let id = own.nodes[0].id
    let reason = await Administration.wait { () -> ClusterError.Detail? in
      await watcher.lookAtMap()
      guard map.node(id)?.isMember == true else { return "\(member.name) has not met \(address) yet" }
      return await administration.obstacle(map)
    }
    guard var reason else { return }
    reason.text = "\(address) was told to the cluster, which is not in order yet: \(reason.text)"
    throw .notServing(reason)
  }

  // MARK: - Leaving

  /// Moves a node's slots to the others, gives its replicas to other masters, and lets all members forget it.
  func remove(_ node: ClusterMap.Node) async throws(ClusterError) {
    try await exclusively { () throws(ClusterError) in
      var keys = 0
      await watcher.lookAtMap()
      if let move = SlotPlan.open(map).first(where: { $0.target == node.id }) {
        throw .refused(
          .init(
            "slot \(move.slot) is open towards \(node.name), which may have keys of it; nothing was changed",
            nodes: [node.name], advice: .steer(.finish), .steer(.undo)))
      }
      if node.isMaster, !node.slots.isEmpty {
        guard !node.isFailed else {
          throw .refused(.init("\(node.name) is down, and its slots have no other owner; nothing was changed"))
        }
        guard map.owningMasters.count > 1 else {
          throw .refused(.init("\(node.name) is the only master; nothing was changed"))
        }
        try await untilInOrder(openSlotsAreFine: true)
        watcher.tell(.changeBegan(.leave, node: node.name, replacement: nil))
        keys = try await Mover(
          watcher: watcher, administration: administration, control: control, kind: .leave, node: node,
          plan: { map in
            let open = SlotPlan.open(map).filter { $0.source == node.id && map.ownerID(ofSlot: $0.slot) == node.id }
            let slots = Set(open.map(\.slot))
            return open + SlotPlan.leaving(node.id, map).filter { !slots.contains($0.slot) }
          }
        ).run()
      }
      try await replaceMasterOfReplicas(of: node)
      try await refuseToLose(node)
      try await forget(node)
      watcher.tell(.left(node: node.name, copiesMoved: keys, replacement: nil))
    }
  }

  private func replaceMasterOfReplicas(of node: ClusterMap.Node) async throws(ClusterError) {
    await watcher.lookAtMap()
    for replica in map.replicas(of: node.id) where !replica.isFailed {
      let masters = map.owningMasters.filter { $0.id != node.id }
      guard let poorest = masters.min(by: { map.replicas(of: $0.id).count < map.replicas(of: $1.id).count }) else {
        continue
      }
      try await administration.ask(replica.address, "CLUSTER", "REPLICATE", poorest.id)
    }
    let members = map.live
    let reason = await Administration.wait { () -> String? in
      for member in members where member.id != node.id {
        guard let own = try? await administration.map(member.address) else { return "\(member.name) does not answer" }
        // A replica whose master it knows no more copies nobody that it knows.
        let stray = own.nodes.first {
          $0.isMember && !$0.isFailed && $0.id != node.id && !$0.isMaster && $0.masterID == node.id
        }
        if let stray { return "\(member.name) takes \(stray.name) for a replica of \(node.name)" }
      }
      return nil
    }
    if let reason { throw .notServing(.init("\(node.name) owns nothing any more, but is a member still: \(reason)")) }
  }

  /// Keys that a master without slots has are no other node's.
  private func refuseToLose(_ node: ClusterMap.Node) async throws(ClusterError) {
    guard node.isMaster, !node.isFailed,
      case .integer(let keys) = try await administration.ask(node.address, "DBSIZE"), keys > 0
    else { return }
    throw .refused(
      .init(
        "\(node.name) owns no slots, but \(Figures.count(keys, "key")) of slots that others own; it stays a member: "
          + "look at them before it goes"))
  }

  /// All at once: members that know a node tell those that have just forgotten it.
  private func forget(_ node: ClusterMap.Node) async throws(ClusterError) {
    let others = map.live.filter { $0.id != node.id }
    let failures = await withTaskGroup(of: String?.self) { group in
      for other in others {
        group.addTask {
          await Administration.wait(atMost: Self.forgetTime) {
            do throws(ClusterError) {
              let order = ["CLUSTER", "FORGET", node.id].map { Array($0.utf8) }
              switch ServerError(try await administration.answer(other.address, order)) {
              // It never knew it, or has been told to forget it before.
              case nil, .unknownNode?: return nil
              case let error?: return "\(other.name) refuses CLUSTER FORGET: \(error.words)"
              }
            } catch {
              return error.description
            }
          }
        }
      }
      return await group.reduce(into: [String]()) { if let reason = $1 { $0.append(reason) } }
    }
    // What has been forgotten must not call again: it knows the others still.
    let reset = try? await administration.answer(node.address, ["CLUSTER", "RESET", "HARD"].map { Array($0.utf8) })
    if let error = reset.flatMap(ServerError.init) {
      throw .refused(.init("\(node.name) is forgotten, but was not reset: \(error.words)", nodes: [node.name]))
    }
    if let servers { try? servers.kill(node.address) }
    if let reason = failures.first {
      throw .refused(
        .init(
          "\(node.name) owns nothing any more, but not all members have forgotten it: \(reason)", nodes: [node.name],
          advice: .removeNode(node.name)))
    }
    _ = await Administration.wait(atMost: .seconds(5)) {
      await watcher.lookAtMap()
      return map.node(node.id) == nil ? nil : "not yet"
    }
  }

  // MARK: - Failover

  /// Lets a replica take over, in step with its master, so that nothing is lost. Of a master the replica that is least behind.
  func failOver(_ node: ClusterMap.Node) async throws(ClusterError) {
    let view = watcher.view
    let replica: ClusterMap.Node
    if node.isMaster {
      let master = view.reports[node.id]?.info
      let offsets = Dictionary((master?.replicas ?? []).map { ($0.address, $0.offset) }) { $1 }
      let candidates = map.replicas(of: node.id).filter { !$0.isFailed }
      guard let best = candidates.max(by: { offsets[$0.address] ?? 0 < offsets[$1.address] ?? 0 }) else {
        throw .refused(.init("\(node.name) has no replica that could take over; nothing was changed"))
      }
      replica = best
    } else {
      replica = node
    }
    try await administration.ask(replica.address, "CLUSTER", "FAILOVER")
    let reason = await Administration.wait(atMost: .seconds(10)) { () -> String? in
      await watcher.lookAtMap()
      return map.node(replica.id)?.isMaster == true ? nil : "\(replica.name) has not taken over within 10 s"
    }
    if let reason { throw .indeterminate(.init(reason)) }
  }

  // MARK: - What others left

  /// Moves slots that are open on to where they go, or back.
  func close(openSlots isFinished: Bool) async throws(ClusterError) {
    try await exclusively { () throws(ClusterError) in
      await watcher.lookAtMap()
      let moves = SlotPlan.open(map)
      guard !moves.isEmpty else { throw .refused("no slot is open") }
      var pace = MovePace()
      for move in moves {
        guard let mover = SlotMover(administration, map, move) else {
          throw .refused(
            .init("slot \(move.slot) is open towards a node that is no member", advice: .closeSlots))
        }
        if isFinished { try await mover.run(&pace) { _ in } } else { try await mover.undo() }
      }
      watcher.tell(
        .remark(
          .cluster, .success, node: nil,
          .init(
            "\(Figures.count(moves.count, "slot that was open is", plural: "slots that were open are")) closed: "
              + (isFinished ? "moved on" : "back where it was"))))
    }
  }
}
