/// Errors of operations that too few owners take part in, read against the state that they met.
extension DirectCarrier {
  @inline(never)
  func undecidable(
    _ participants: PlacementView.Participants, _ partition: UnsafeMutablePointer<Partition>, _ live: ParticipantSet,
    _ failure: StorageError?
  ) -> ClusterError {
    let reason = failure.map(String.init(describing:)) ?? ""
    let advice = failure.map { self.advice($0, participants, partition) } ?? []
    guard live.isEmpty else {
      return .undecidedWrite("\(live.count) of \(participants.count) owners took the write: \(reason)", advice: advice)
    }
    var detail = ClusterError.Detail("\(reason). Nothing was written")
    detail.advice = advice
    return .storage(detail)
  }

  /// What makes room on a full disk; nothing where hardly any records are dead.
  private func advice(
    _ failure: StorageError, _ participants: PlacementView.Participants, _ partition: UnsafeMutablePointer<Partition>
  ) -> [Advice] {
    guard failure.isDiskFull else { return [] }
    let hasDead = (0..<participants.count).contains { i in
      partition.pointee.replica(participants.ids[i])?._withUnsafeGuaranteedRef {
        $0.store.log.size.deadBytes >= DiskRoom.deadBytesWorthACompaction
      } ?? false
    }
    return hasDead ? [.compact] : []
  }

  /// - Parameters:
  ///   - hash: the key's, if it was to be read: then owners that answer may not know.
  ///   - failures: owners that answer and could not take what a get has found.
  ///   - reached: owners whose messages get through; `nil` for all that are up.
  @inline(never)
  func unavailable(
    _ participants: PlacementView.Participants, _ partition: UnsafeMutablePointer<Partition>, _ rule: QuorumRule,
    _ consistency: Consistency?, readOf hash: UInt64? = nil, failures: [(name: String, failure: StorageError)] = [],
    among reached: ParticipantSet? = nil
  ) -> ClusterError {
    var live = self.live(participants, partition)
    if let reached { live = live.intersection(reached) }
    // During a change there are two sets of owners; the figures are those of the one that lacks some.
    let lacksNext = rule.needed <= live.intersection(rule.owners).count && rule.nextNeeded > 0
    let owners = lacksNext ? rule.nextOwners : rule.owners
    let view = partition.pointee.view.takeUnretainedValue()
    var refusal = Refusal(
      needed: lacksNext ? rule.nextNeeded : rule.needed, owners: owners.count, consistency: consistency, folder: folder,
      failures: failures.map { ($0.name, $0.failure.isDiskFull ? "disk full" : $0.failure.description) })
    refusal.room = failures.first { $0.failure.isDiskFull }.map { advice($0.failure, participants, partition) }
    refusal.silence = silence(participants, partition, among: owners.subtracting(live))
    for i in 0..<participants.count where owners.contains(i) {
      let name = view.name(of: participants.ids[i])
      guard let replica = partition.pointee.replica(participants.ids[i])?.takeUnretainedValue() else { continue }
      if !live.contains(i) { refusal.unreached.append(name) }
      guard let hash else { continue }
      if replica.store.isSuspect {
        refusal.suspects.append(name)
      } else if !replica.store.damagedSegments(hash).isEmpty {
        refusal.damaged.append(name)
      }
    }
    if hash != nil { refusal.lost = partitions.lostRange(participants, partition) }
    return refusal.error
  }

  /// Why owners of the key do not answer.
  func silence(ofOwnersOf hash: UInt64) -> Silence {
    let partition = partitions[Store.partition(of: hash)]
    return partition.lock.pointee.withLock {
      let participants = partition.pointee.view.takeUnretainedValue().participants(ofSlot: Ring.slot(of: hash))
      return silence(participants, partition, among: ParticipantSet(first: participants.count))
    }
  }

  /// Why some of the owners do not answer. Call with the partition's lock held.
  private func silence(
    _ participants: PlacementView.Participants, _ partition: UnsafeMutablePointer<Partition>,
    among owners: ParticipantSet
  ) -> Silence {
    let view = partition.pointee.view.takeUnretainedValue()
    let ids = (0..<participants.count).filter(owners.contains).map { participants.ids[$0] }
    let down = ids.compactMap { id -> (id: UInt16, Silence.Down)? in
      guard let replica = partition.pointee.replica(id)?.takeUnretainedValue() else {
        return (id, Silence.Down(view.name(of: id), failure(id)))
      }
      // Its disk has failed just now, and it is about to be taken out.
      guard let error = replica.store.log.failure else { return nil }
      return (id, Silence.Down(replica.name, .init(reason: error.description, cannotStart: false)))
    }
    let up = ids.filter { id in !down.contains { $0.id == id } }
    return Silence(
      down: down.map(\.1).sorted { Configuration.countsBefore($0.name, $1.name) },
      paused: up.filter(links.isPaused).map(view.name(of:)).sorted(by: Configuration.countsBefore),
      hasFaultyLinks: links.areFaulty(up))
  }
}

extension Silence.Down {
  /// A node that does not run, and why it failed, if it did.
  init(_ name: String, _ failure: Refusal.Failure?) {
    self.init(name, failure: failure?.words, cannotStart: failure?.cannotStart ?? false)
  }
}
