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
