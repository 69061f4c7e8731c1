/// Which owners of a range can say what was acknowledged, when some of them have damaged copies or have lost records.
///
/// An acknowledged version is on W owners, so of any N − W + 1 owners at least one had it. Hence an owner that has lost
/// records may be trusted again once it has been compared with N − W + 1 *others* that have lost nothing; one that is
/// itself among the losers proves nothing. The number is never reduced because there are fewer others: with W = 1 there
/// never are enough, for the write may have been on the loser alone.
enum Evidence: Sendable {
  /// N − W + 1 other owners of every range, by the ring in force, that answer and have lost nothing.
  case undamagedOwners
  /// All owners answer. Enough for an owner that has lost at most what was not synced: it still has all that it had on
  /// its disk, and what any disk has left of the rest, one of them has.
  case allOwners
  /// What is left counts: someone has accepted that the rest is lost.
  case whatIsLeft
}

/// How a damaged copy can be replaced.
struct Cure {
  /// Owners to take intact copies from.
  var sources: [Replica]
  /// None of them has the damaged version or a newer one: enough undamaged owners know that it was never acknowledged.
  var isOlder: Bool
}

extension PartitionTable {
  /// How to replace the node's damaged copies of this hash; `nil` if nobody can be trusted to know better.
  /// Call with the partition's lock held.
  ///
  /// Any owner will do that has the very version that is damaged here, or a newer one: a record that verifies is what was
  /// written, whatever else its node has lost. (It was not deleted and purged since: a purge looks at all owners, and this
  /// one has an older version.) Otherwise N − W + 1 undamaged others must know older versions only, or none: then the
  /// damaged one was neither acknowledged nor returned by a get.
  func cure(of hash: UInt64, at replica: Replica, _ links: Links) -> Cure? {
    let partition = self[Store.partition(of: hash)]
    let view = partition.pointee.view.takeUnretainedValue()
    let participants = view.participants(ofSlot: Ring.slot(of: hash))
    let damaged = replica.store.damagedVersions(hash)
    var (holders, voters, undamaged) = ([Replica](), [Replica](), ParticipantSet())
    for i in 0..<participants.count {
      guard let other = reached(participants.ids[i], from: replica, partition, links) else { continue }
      if other.store.isSuspect {
        if damaged.contains(where: { other.store.holdsIntact(hash, atLeast: $0) }) { holders.append(other) }
        continue
      }
      voters.append(other)
      if other.store.damagedLocations(hash).isEmpty { undamaged.insert(i) }
    }
    let sources = holders + voters
    let isHeld = damaged.allSatisfy { version in sources.contains { $0.store.holdsIntact(hash, atLeast: version) } }
    if isHeld { return Cure(sources: sources, isOlder: false) }
    return view.evidenceRule(participants).isMet(by: undamaged) ? Cure(sources: voters, isOlder: true) : nil
  }

  /// All owners that the node reaches, suspect or not: what is left where a loss was accepted. Call with the partition's
  /// lock held.
  func remains(of hash: UInt64, besides replica: Replica, _ links: Links) -> [Replica] {
    let partition = self[Store.partition(of: hash)]
    let participants = partition.pointee.view.takeUnretainedValue().participants(ofSlot: Ring.slot(of: hash))
    return (0..<participants.count).compactMap { reached(participants.ids[$0], from: replica, partition, links) }
  }

  /// Another node that answers this one.
  private func reached(
    _ id: UInt16, from replica: Replica, _ partition: UnsafeMutablePointer<Partition>, _ links: Links
  ) -> Replica? {
    guard id != replica.id, links.reaches(replica.id, id) else { return nil }
    return partition.pointee.replica(id)?.takeUnretainedValue()
  }

  /// Owners that the node reaches, and that answer and vote.
  func voters(
    _ participants: PlacementView.Participants, besides replica: Replica,
    _ partition: UnsafeMutablePointer<Partition>, _ links: Links
  ) -> (replicas: [Replica], set: ParticipantSet) {
    var (replicas, set) = ([Replica](), ParticipantSet())
    for i in 0..<participants.count {
      guard let other = reached(participants.ids[i], from: replica, partition, links), !other.store.isSuspect else {
        continue
      }
      replicas.append(other)
      set.insert(i)
    }
    return (replicas, set)
  }

  /// Whether the other owners of every slot of the partition that the node owns are such evidence.
  func has(_ evidence: Evidence, for replica: Replica, _ number: Int, _ links: Links) -> Bool {
    if case .whatIsLeft = evidence { return true }
    let partition = self[number]
    return partition.lock.pointee.withLock {
      let view = partition.pointee.view.takeUnretainedValue()
      if view.needsOthersOnly, isWhole(partition, view, links, besides: replica.id) { return true }
      return view.allLists(of: slots(number)) { slot in
        !view.isOwner(replica.id, ofSlot: slot) || has(evidence, for: replica, slot: slot, view, partition, links)
      }
    }
  }

  /// Asked for every list of the ring: without arrays.
  private func has(
    _ evidence: Evidence, for replica: Replica, slot: Int, _ view: PlacementView,
    _ partition: UnsafeMutablePointer<Partition>, _ links: Links
  ) -> Bool {
    let participants = view.participants(ofSlot: slot)
    var (voting, isComplete) = (ParticipantSet(), true)
    for i in 0..<participants.count where participants.ids[i] != replica.id {
      let id = participants.ids[i]
      guard let other = links.reaches(replica.id, id) ? partition.pointee.replica(id) : nil else {
        isComplete = false
        continue
      }
      if other._withUnsafeGuaranteedRef({ !$0.store.isSuspect }) { voting.insert(i) }
    }
    switch evidence {
    case .undamagedOwners: return view.evidenceRule(participants).isMet(by: voting)
    case .allOwners: return isComplete
    case .whatIsLeft: return true
    }
  }

  /// Whether so many of a slot's owners have lost records which were on their disks that the others cannot say what was
  /// acknowledged, even once all of them answer. Call with the partition's lock held.
  func isLost(_ participants: PlacementView.Participants, _ partition: UnsafeMutablePointer<Partition>) -> Bool {
    var lost = ParticipantSet()
    for i in 0..<participants.count {
      guard let owner = partition.pointee.replica(participants.ids[i]) else { continue }
      if owner._withUnsafeGuaranteedRef({ $0.store.hasLost }) { lost.insert(i) }
    }
    if lost.isEmpty { return false }
    let view = partition.pointee.view.takeUnretainedValue()
    return !view.evidenceRule(participants).canBeMet(without: lost)
  }

  /// The slot's range, if ``isLost(_:_:)``. Call with the partition's lock held.
  func lostRange(
    _ participants: PlacementView.Participants, _ partition: UnsafeMutablePointer<Partition>
  ) -> [LostRange] {
    guard isLost(participants, partition) else { return [] }
    var range = range(participants, partition, slotCount: 1)
    range.share = nil
    return [range]
  }

  private func range(
    _ participants: PlacementView.Participants, _ partition: UnsafeMutablePointer<Partition>, slotCount: Int
  ) -> LostRange {
    let hasLost = { (id: UInt16) in
      partition.pointee.replica(id)?._withUnsafeGuaranteedRef { $0.store.hasLost } ?? false
    }
    let view = partition.pointee.view.takeUnretainedValue()
    let rule = view.evidenceRule(participants)
    let ids = (0..<participants.count).filter(rule.owners.contains).map { participants.ids[$0] }
    return LostRange(
      owners: ids.map(view.name(of:)), losers: ids.filter(hasLost).map(view.name(of:)),
      needed: rule.needed, slotCount: slotCount)
  }

  /// The owners, by name, of a range none of whose owners answers; `nil` if there is no such range. O(lists of the ring).
  var ownersOfUnserved: [String]? {
    for number in 0..<Store.partitionCount {
      let partition = self[number]
      let owners: [String]? = partition.lock.pointee.withLock {
        let view = partition.pointee.view.takeUnretainedValue()
        var unserved: [String]?
        _ = view.allLists(of: slots(number)) { slot in
          let participants = view.participants(ofSlot: slot)
          let ids = (0..<participants.count).filter(participants.owners.contains).map { participants.ids[$0] }
          guard ids.allSatisfy({ partition.pointee.replica($0) == nil }) else { return true }
          unserved = ids.map(view.name(of:)).sorted(by: Configuration.countsBefore)
          return false
        }
        return unserved
      }
      if let owners { return owners }
    }
    return nil
  }

  /// The ranges that the node owns of which ``isLost(_:_:)`` is true, by their owners. O(lists of the ring).
  func lostRanges(of replica: Replica) -> [LostRange] {
    // Names are made and sorted once a list of owners, not once a slot.
    var places: [[UInt16]: Int] = [:]
    var ranges: [LostRange] = []
    for number in 0..<Store.partitionCount {
      let partition = self[number]
      partition.lock.pointee.withLock {
        let view = partition.pointee.view.takeUnretainedValue()
        _ = view.allLists(of: slots(number)) { slot, slotCount in
          let participants = view.participants(ofSlot: slot)
          guard view.isOwner(replica.id, ofSlot: slot), isLost(participants, partition) else { return true }
          let owners = (0..<participants.count).map { participants.ids[$0] }.sorted()
          if let place = places[owners] {
            ranges[place].add(slotCount: slotCount)
          } else {
            places[owners] = ranges.count
            ranges.append(range(participants, partition, slotCount: slotCount))
          }
          return true
        }
      }
    }
    return ranges
  }

  /// Whether ``lostRanges(of:)`` has any.
  func hasLostRanges(_ replica: Replica) -> Bool {
    guard replica.store.hasLost else { return false }
    return (0..<Store.partitionCount).contains { number in
      let partition = self[number]
      return partition.lock.pointee.withLock {
        let view = partition.pointee.view.takeUnretainedValue()
        return !view.allLists(of: slots(number)) { slot in
          !view.isOwner(replica.id, ofSlot: slot) || !isLost(view.participants(ofSlot: slot), partition)
        }
      }
    }
  }

  /// The epoch whose owners all partitions use; `nil` while they adopt another.
  var epochInForce: UInt64? {
    let epochs = [0, Store.partitionCount - 1].map { number in
      let partition = self[number]
      return partition.lock.pointee.withLock { partition.pointee.view._withUnsafeGuaranteedRef { $0.epoch } }
    }
    return epochs[0] == epochs[1] ? epochs[0] : nil
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
