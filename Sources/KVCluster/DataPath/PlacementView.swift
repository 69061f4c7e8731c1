/// Who owns each ring slot, in the form the hot path reads: flat tables and quorum sizes, made once an epoch.
///
/// Partitions point to the view in force; it is freed once no partition does.
package final class PlacementView: @unchecked Sendable {
  /// Owners of one operation, by rank; during a change those of both rings, the ones they share first.
  package struct Participants {
    package var ids: InlineArray<14, UInt16>
    package var count: Int
    var owners: ParticipantSet
    var nextOwners: ParticipantSet
  }

  let epoch: UInt64
  let table: PreferenceTable
  let nextTable: PreferenceTable?
  package let quorum: QuorumSettings
  package let nextQuorum: QuorumSettings?
  /// Everyone who owns anything, or will.
  let members: [UInt16]
  /// By id.
  private let names: [String]
  private let namesBytes: [[UInt8]]
  /// Owners by place, see ``place(_:)``; a table of some tens of kilobytes, which stays in the processor's cache.
  private let owners: UnsafeMutablePointer<UInt16>
  private let nextOwners: UnsafeMutablePointer<UInt16>?
  /// During a change: the owners that stay owners, by place, `ranks` entries each, and how many they are.
  private let sharedOwners: UnsafeMutablePointer<UInt16>?
  private let sharedCounts: UnsafeMutablePointer<UInt8>?
  let needs: Needs
  /// See ``Needs/agreement``.
  let agreement: Int
  /// The first so many slots of each block have lists of their own; all after them share one. Tokens lie on the last
  /// slots of blocks and the first few after them (see ``RingBlocks``), so it is N − 1 for the rings that we make; any
  /// other arrangement works, with a larger table.
  private let ownSlots: Int
  private let ranks: Int
  private let nextRanks: Int

  private static let slotsPerBlock = RingBlocks.slotsPerBlock
  private static let blockShift = slotsPerBlock.trailingZeroBitCount

  init(_ configuration: Configuration, _ mistake: PlantedMistake?) {
    epoch = configuration.epoch
    members = configuration.members.map(\.id)
    names = (0...Int(configuration.members.last?.id ?? 0)).map { configuration.member(UInt16($0))?.name ?? "" }
    namesBytes = names.map { Array($0.utf8) }
    table = configuration.ring.preferenceTable(replicas: configuration.quorum.replicas)
    quorum = configuration.quorum.effective(nodes: table.nodes.count)
    ranks = table.ranks
    let nextRing = configuration.change?.nextRing
    nextTable = nextRing?.preferenceTable(replicas: configuration.quorum.replicas)
    nextQuorum = nextTable.map { configuration.quorum.effective(nodes: $0.nodes.count) }
    nextRanks = nextTable?.ranks ?? 0
    // A list may begin where a token's slot ends.
    let beginnings = [configuration.ring, nextRing].compactMap { $0 }.flatMap { $0.tokens.map { Int($0.slot) + 1 } }
    ownSlots = beginnings.map { $0 % PlacementView.slotsPerBlock }.max() ?? 0
    owners = PlacementView.lists(of: table, ownSlots)
    nextOwners = nextTable.map { [ownSlots] in PlacementView.lists(of: $0, ownSlots) }
    needs = Needs(quorum, next: nextQuorum, mistake)
    agreement = needs.agreement
    guard let nextOwners else {
      (sharedOwners, sharedCounts) = (nil, nil)
      return
    }
    let places = RingBlocks.count * (ownSlots + 1)
    let shared = UnsafeMutablePointer<UInt16>.allocate(capacity: max(1, places * ranks))
    let counts = UnsafeMutablePointer<UInt8>.allocate(capacity: places)
    for place in 0..<places {
      let (now, next) = (owners + place * ranks, nextOwners + place * nextRanks)
      var count = 0
      for rank in 0..<ranks {
        shared[place * ranks + count] = now[rank]
        for other in 0..<nextRanks where next[other] == now[rank] {
          count += 1
          break
        }
      }
      counts[place] = UInt8(count)
    }
    (sharedOwners, sharedCounts) = (shared, counts)
  }

  deinit {
    owners.deallocate()
    nextOwners?.deallocate()
    sharedOwners?.deallocate()
    sharedCounts?.deallocate()
  }

  private static func lists(of table: PreferenceTable, _ ownSlots: Int) -> UnsafeMutablePointer<UInt16> {
    let places = RingBlocks.count * (ownSlots + 1)
    let lists = UnsafeMutablePointer<UInt16>.allocate(capacity: max(1, places * table.ranks))
    let ranks = table.ranks
    var next = 0
    table.forEachArc { end, owners in
      let first = next
      // Places whose slots are in the arc: those of whole blocks, and the first of the block in which it ends.
      next = min(places, place(end, ownSlots) + 1)
      if next == first { return }
      for rank in 0..<ranks { lists[first * ranks + rank] = owners[rank] }
      for i in (first + 1) * ranks..<next * ranks { lists[i] = lists[i - ranks] }
    }
    return lists
  }

  /// Where a slot's list is.
  @inline(__always)
  private func place(_ slot: Int) -> Int { PlacementView.place(slot, ownSlots) }

  @inline(__always)
  private static func place(_ slot: Int, _ ownSlots: Int) -> Int {
    (slot &>> blockShift) &* (ownSlots &+ 1) &+ min(slot & (slotsPerBlock &- 1), ownSlots)
  }

  /// Slots of the range, a multiple of blocks, that between them have every list that occurs in it.
  func representatives(of slots: Range<Int>) -> [Int] {
    stride(from: slots.lowerBound, to: slots.upperBound, by: PlacementView.slotsPerBlock).flatMap { first in
      first...first + ownSlots
    }
  }

  /// Whether `isTrue` of every list that occurs in the range, a multiple of blocks: it is asked about a slot of each.
  @inline(__always)
  func allLists(of slots: Range<Int>, _ isTrue: (_ slot: Int) -> Bool) -> Bool {
    allLists(of: slots) { slot, _ in isTrue(slot) }
  }

  /// ``allLists(of:_:)``, which tells how many slots the list is for as well.
  @inline(__always)
  func allLists(of slots: Range<Int>, _ isTrue: (_ slot: Int, _ slotCount: Int) -> Bool) -> Bool {
    var first = slots.lowerBound
    while first < slots.upperBound {
      for slot in first...first + ownSlots {
        let slotCount = slot == first + ownSlots ? PlacementView.slotsPerBlock - ownSlots : 1
        guard isTrue(slot, slotCount) else { return false }
      }
      first += PlacementView.slotsPerBlock
    }
    return true
  }

  /// All slots that the node does not own. O(lists).
  func slotsNotOwned(by node: UInt16) -> RingRanges {
    var ranges = RingRanges()
    for first in stride(from: 0, to: Ring.slotCount, by: PlacementView.slotsPerBlock) {
      for slot in first...first + ownSlots where !isOwner(node, ofSlot: slot) {
        ranges.append(slot...(slot == first + ownSlots ? first + PlacementView.slotsPerBlock - 1 : slot))
      }
    }
    return ranges
  }

  func name(of id: UInt16) -> String { Int(id) < names.count ? names[Int(id)] : "node \(id)" }
  /// The name as hints carry it.
  func nameBytes(of id: UInt16) -> [UInt8] {
    precondition(Int(id) < namesBytes.count, "no node has the id \(id)")
    return namesBytes[Int(id)]
  }

  @inline(__always)
  package func participants(ofSlot slot: Int) -> Participants {
    var participants = Participants(
      ids: InlineArray(repeating: 0), count: ranks, owners: ParticipantSet(first: ranks), nextOwners: ParticipantSet())
    for rank in 0..<ranks { participants.ids[rank] = owners[place(slot) &* ranks &+ rank] }
    if nextOwners != nil { addNextOwners(&participants, slot) }
    return participants
  }

  /// Owners of a key in the order in which a read asks them, during a change only those that stay owners; possibly fewer
  /// than have to agree. Keys of one slot begin with different owners, so that each node serves its part of the reads of
  /// every range, and caches that part.
  @inline(__always)
  func readOrder(_ hash: UInt64) -> (owners: UnsafePointer<UInt16>, count: Int, first: Int) {
    let place = place(Ring.slot(of: hash))
    let count = sharedCounts.map { Int($0[place]) } ?? ranks
    let first = Int(truncatingIfNeeded: ((hash & 0xffff_ffff) &* UInt64(truncatingIfNeeded: count)) >> 32)
    return (UnsafePointer((sharedOwners ?? owners) + place &* ranks), count, first)
  }

  @inline(never)
  private func addNextOwners(_ participants: inout Participants, _ slot: Int) {
    for rank in 0..<nextRanks {
      let id = nextOwners![place(slot) * nextRanks + rank]
      var at = 0
      while at < participants.count, participants.ids[at] != id { at += 1 }
      if at == participants.count {
        participants.ids[at] = id
        participants.count += 1
      }
      participants.nextOwners.insert(at)
    }
    if participants.owners != participants.nextOwners { putSharedFirst(&participants) }
  }

  /// Owners before and after count for both quorums: asked first, a quorum of them is all that a read needs.
  private func putSharedFirst(_ participants: inout Participants) {
    let old = participants
    participants.owners = ParticipantSet()
    participants.nextOwners = ParticipantSet()
    var at = 0
    for wantsShared in [true, false] {
      for i in 0..<old.count where (old.owners.contains(i) && old.nextOwners.contains(i)) == wantsShared {
        participants.ids[at] = old.ids[i]
        if old.owners.contains(i) { participants.owners.insert(at) }
        if old.nextOwners.contains(i) { participants.nextOwners.insert(at) }
        at += 1
      }
    }
  }

  /// How many of a slot's owners satisfy `isMatch`.
  @inline(__always)
  func countOwners(ofSlot slot: Int, where isMatch: (UInt16) -> Bool) -> Int {
    let first = place(slot) &* ranks
    var count = 0
    for rank in 0..<ranks where isMatch(owners[first &+ rank]) { count &+= 1 }
    return count
  }

  /// How many of those who own the slot after the change satisfy `isMatch`.
  @inline(__always)
  func countNextOwners(ofSlot slot: Int, where isMatch: (UInt16) -> Bool) -> Int {
    guard let nextOwners else { return 0 }
    let first = place(slot) &* nextRanks
    var count = 0
    for rank in 0..<nextRanks where isMatch(nextOwners[first &+ rank]) { count &+= 1 }
    return count
  }

  /// Whether the slot's owners change.
  func isMoving(_ slot: Int) -> Bool {
    guard let nextOwners else { return false }
    guard ranks == nextRanks else { return true }
    let first = place(slot) * ranks
    return (0..<ranks).contains { owners[first + $0] != nextOwners[first + $0] }
  }

  func isOwner(_ node: UInt16, ofSlot slot: Int) -> Bool {
    let place = place(slot)
    return (0..<ranks).contains { owners[place * ranks + $0] == node }
      || (0..<nextRanks).contains { nextOwners![place * nextRanks + $0] == node }
  }
}
