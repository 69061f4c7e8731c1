import ClusterModel
import Text

/// Moves many slots one after the other, tells how far it is, and waits while the cluster is not in order.
///
/// What is to be moved is computed from the map anew after every trouble, so a failover on the way, or an earlier run that was
/// cut off, changes nothing of where it ends.
struct Mover: Sendable {
  let watcher: Watcher
  let administration: Administration
  let control: ChangeControl
  let kind: ChangeStatus.Kind
  /// The node that joins or leaves.
  let node: ClusterMap.Node
  /// The moves that are left.
  let plan: @Sendable (ClusterMap) -> [SlotMove]

  /// Parts of the whole: each slot takes about as long as moving twenty small keys.
  private static let keysPerSlot = 20

  private struct Tally {
    let start = ContinuousClock.now
    var paused = Duration.zero
    var slotsTotal = 0
    var slotsDone = 0
    var keysTotal = 0
    var keys = 0
    var bytes = 0
    var transfers: [[String]: (keys: Int, bytes: Int)] = [:]

    var fraction: Double {
      let total = slotsTotal * Mover.keysPerSlot + max(keys, keysTotal)
      return total == 0 ? 1 : min(1, Double(slotsDone * Mover.keysPerSlot + keys) / Double(total))
    }
  }

  /// Returns the number of keys moved when no move is left.
  /// - Throws: if it was cancelled, or a server refuses.
  func run() async throws(ClusterError) -> Int {
    var tally = Tally()
    var pace = MovePace()
    var isFirst = true
    defer {
      watcher.update { view in
        view.change = nil
        view.plan(nil)
      }
    }
    while true {
      let map = watcher.view.map
      let moves = plan(map)
      if tally.slotsTotal == 0 {
        tally.slotsTotal = moves.count
        tally.keysTotal = await keyCount(moves, map)
      }
      if moves.isEmpty { return tally.keys }
      watcher.update { $0.plan(SlotPlan.owners(after: moves, map)) }
      do throws(ClusterError) {
        // Of slots that are not open the first map says all; a later one may be older than what has been moved since.
        let open = Set(SlotPlan.open(map).map(\.slot))
        for move in moves {
          try await self.move(move, map, isUntouched: isFirst && !open.contains(move.slot), &pace, &tally)
        }
      } catch {
        try await recover(from: error, map, &tally)
      }
      isFirst = false
      await watcher.lookAtMap()
    }
  }

  private func move(
    _ move: SlotMove, _ map: ClusterMap, isUntouched: Bool, _ pace: inout MovePace, _ tally: inout Tally
  ) async throws(ClusterError) {
    try await waitWhilePaused(&tally)
    guard let mover = SlotMover(administration, map, move) else {
      throw .notServing("one of the two nodes of slot \(move.slot) is no member any more")
    }
    publish(tally, map, waitingFor: nil)
    var ours = tally
    try await mover.run(isUntouched: isUntouched, &pace) { progress in
      ours.keys += progress.keys
      ours.bytes += progress.bytes
      ours.transfers[[move.source, move.target], default: (0, 0)].keys += progress.keys
      ours.transfers[[move.source, move.target], default: (0, 0)].bytes += progress.bytes
      if let big = progress.big { warn(big, mover) }
      publish(ours, map, waitingFor: nil)
    }
    tally = ours
    tally.slotsDone += 1
  }

  private func warn(_ key: [UInt8], _ mover: SlotMover) {
    watcher.tell(
      .remark(
        .cluster, .warning, node: mover.source.name,
        .init(
          "the key \(String(decoding: key.prefix(64), as: UTF8.self)) has more than "
            + "\(Figures.given(bytes: SlotMover.bigKeyBytes)): while it moved, \(mover.source.name) and "
            + "\(mover.target.name) answered nobody")))
  }

  private func waitWhilePaused(_ tally: inout Tally) async throws(ClusterError) {
    let start = ContinuousClock.now
    while control.isPaused, !control.isCancelled {
      publish(tally, watcher.view.map, waitingFor: .init("paused", advice: .steer(.resume)))
      try? await Task.sleep(for: .milliseconds(50))
    }
    tally.paused += ContinuousClock.now - start
    guard !control.isCancelled else {
      throw .refused(
        .init("cancelled: \(tally.slotsDone) of \(tally.slotsTotal) slots have moved and stay where they are"))
    }
  }

  /// Waits for the cluster to be in order again; what servers refuse for another reason ends the change.
  private func recover(
    from error: ClusterError, _ map: ClusterMap, _ tally: inout Tally
  ) async throws(ClusterError) {
    guard case .notServing(let detail) = error else { throw error }
    let start = ContinuousClock.now
    publish(tally, map, waitingFor: detail)
    watcher.tell(.changeWaits(detail))
    while true {
      try await waitWhilePaused(&tally)
      try? await Task.sleep(for: .milliseconds(500))
      await watcher.lookAtMap()
      let now = watcher.view.map
      // A giver or receiver that is dead and has been replaced is not waited for.
      let needed = Set(plan(now).flatMap { [$0.source, $0.target] })
      guard let down = now.nodes.first(where: { needed.contains($0.id) && $0.isFailed }) else {
        guard let reason = await administration.obstacle(now.withoutFailed, openSlotsAreFine: true) else { break }
        publish(tally, now, waitingFor: reason)
        continue
      }
      publish(tally, now, waitingFor: .init("\(down.name) is down", nodes: [down.name]))
    }
    tally.paused += ContinuousClock.now - start
  }

  private func keyCount(_ moves: [SlotMove], _ map: ClusterMap) async -> Int {
    var count = 0
    for (source, moves) in Dictionary(grouping: moves, by: \.source) {
      guard let node = map.node(source) else { continue }
      let commands = moves.map { ["CLUSTER", "COUNTKEYSINSLOT", "\($0.slot)"].map { Array($0.utf8) } }
      let answers = (try? await administration.answers(node.address, commands)) ?? []
      for case .integer(let keys) in answers { count += keys }
    }
    return count
  }

  private func publish(_ tally: Tally, _ map: ClusterMap, waitingFor reason: ClusterError.Detail?) {
    let elapsed = ContinuousClock.now - tally.start - tally.paused
    var change = ChangeStatus(
      kind: kind, node: node.name, fraction: tally.fraction, keysMoved: tally.keys, bytesMoved: tally.bytes,
      elapsedNs: UInt64(max(0, elapsed / .nanoseconds(1))), waitingFor: reason)
    watcher.update { view in
      change.transfers = tally.transfers.compactMap { pair, moved in
        guard let to = view.numbers[pair[1]] else { return nil }
        return TransferStatus(from: view.numbers[pair[0]], to: to, keys: moved.keys, bytes: moved.bytes)
      }
      view.change = change
    }
  }
}

extension ClusterMap {
  /// The same without nodes that are down.
  var withoutFailed: ClusterMap { ClusterMap(nodes.filter { !$0.isFailed }) }
}
