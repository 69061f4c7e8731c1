/// What owners of a range may be asked when one of them has damaged copies or has lost records.
extension PartitionTable {
  /// The other owners to heal the node's damaged copies of this hash from; `nil` if none can be trusted to know better.
  /// Call with the partition's lock held.
  ///
  /// Either one of them has the very version that is damaged here. Or enough of them, N − W + 1 with intact copies or
  /// none, know that a later one, or none, is what was acknowledged: then the damaged one never was.
  func sources(toHeal hash: UInt64, at replica: Replica, _ links: Links) -> [Replica]? {
    let partition = self[Store.partition(of: hash)]
    let view = partition.pointee.view.takeUnretainedValue()
    let participants = view.participants(ofSlot: Ring.slot(of: hash))
    let others = voters(participants, besides: replica, partition, links)
    let tags = replica.store.damagedTags(hash)
    let have = { (other: Replica, tag: Tag) in other.store.holdsIntact(hash, tag) }
    if tags.allSatisfy({ tag in others.contains { have($0, tag) } }) { return others }
    let sure = others.filter { $0.store.damagedSegments(hash).isEmpty }
    return sure.count >= participants.owners.count - view.quorum.write + 1 ? others : nil
  }

  /// Owners that the node reaches, and that answer and vote.
  func voters(
    _ participants: PlacementView.Participants, besides replica: Replica,
    _ partition: UnsafeMutablePointer<Partition>, _ links: Links
  ) -> [Replica] {
    (0..<participants.count).compactMap { i in
      guard participants.ids[i] != replica.id, participants.owners.contains(i),
        let other = partition.pointee.replica(participants.ids[i])?.takeUnretainedValue(), !other.store.isSuspect,
        links.reaches(replica.id, other.id)
      else { return nil }
      return other
    }
  }

  /// Whether other owners of the slot are enough to know every acknowledged version: N − W + 1 that answer and vote, or
  /// all there are. If those are too few, all owners of both rings, voting or not: what a loss of power of the machine
  /// has left somewhere, one of them has. Call with the partition's lock held.
  private func areOthersEnough(
    _ slot: Int, besides replica: Replica, _ partition: UnsafeMutablePointer<Partition>, _ links: Links,
    fromVotersOnly: Bool
  ) -> Bool {
    let view = partition.pointee.view.takeUnretainedValue()
    let participants = view.participants(ofSlot: slot)
    // Asked for every list of the ring: without arrays.
    var (others, voting, isComplete) = (0, 0, true)
    for i in 0..<participants.count where participants.ids[i] != replica.id {
      let id = participants.ids[i]
      let other = links.reaches(replica.id, id) ? partition.pointee.replica(id) : nil
      if other == nil { isComplete = false }
      guard participants.owners.contains(i) else { continue }
      others += 1
      if let other, other._withUnsafeGuaranteedRef({ !$0.store.isSuspect }) { voting += 1 }
    }
    if voting >= min(others, participants.owners.count - view.quorum.write + 1) { return true }
    return isComplete && !fromVotersOnly
  }

  /// Whether enough other owners of every slot of the partition that the node owns answer.
  func canRebuild(_ replica: Replica, _ number: Int, _ links: Links, fromVotersOnly: Bool = false) -> Bool {
    let partition = self[number]
    return partition.lock.pointee.withLock {
      let view = partition.pointee.view.takeUnretainedValue()
      if isWhole(partition, view, links, besides: replica.id) { return true }
      return view.allLists(of: slots(number)) { slot in
        !view.isOwner(replica.id, ofSlot: slot)
          || areOthersEnough(slot, besides: replica, partition, links, fromVotersOnly: fromVotersOnly)
      }
    }
  }

  /// Whether each slot of the partition that the node owns has an owner that answers and has lost nothing that was on
  /// its disk; it may be the node itself.
  func isHeldWhole(_ replica: Replica, _ number: Int) -> Bool {
    let partition = self[number]
    return partition.lock.pointee.withLock {
      let view = partition.pointee.view.takeUnretainedValue()
      return view.allLists(of: slots(number)) { slot in
        !view.isOwner(replica.id, ofSlot: slot) || isHeldWhole(view.participants(ofSlot: slot), partition)
      }
    }
  }

  /// Whether any owner has not lost anything that was on its disk. Owners that do not answer may be such. Call with the
  /// partition's lock held.
  func isHeldWhole(_ participants: PlacementView.Participants, _ partition: UnsafeMutablePointer<Partition>) -> Bool {
    (0..<participants.count).contains { i in
      guard participants.owners.contains(i) else { return false }
      guard let owner = partition.pointee.replica(participants.ids[i]) else { return true }
      return owner._withUnsafeGuaranteedRef { !$0.store.hasLost }
    }
  }

  /// The most owners that any slot of the partition has beside the node.
  func ownersElsewhere(_ replica: Replica, _ number: Int) -> Int {
    let partition = self[number]
    return partition.lock.pointee.withLock {
      let view = partition.pointee.view.takeUnretainedValue()
      return view.representatives(of: slots(number)).map { slot in
        let participants = view.participants(ofSlot: slot)
        return (0..<participants.count).count { participants.ids[$0] != replica.id }
      }.max() ?? 0
    }
  }

  private func slots(_ number: Int) -> Range<Int> {
    let perPartition = Ring.slotCount / Store.partitionCount
    return number * perPartition..<(number + 1) * perPartition
  }
}
