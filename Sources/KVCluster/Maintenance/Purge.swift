/// Takes tombstones away that nobody needs any more.
///
/// A tombstone keeps older versions of its key from coming back. It may go when there are none left that could. One step
/// looks at tombstones of one node's index and drops each from the indexes of all its owners *at once*, with the lock of
/// its partition held, if
///
/// 1. every member of the cluster serves and reaches every other, none is suspect, and no change of members is under way;
/// 2. each owner of the key holds this very tombstone on its disk, or nothing of the key at all; and no node that is not
///    an owner holds anything of it;
/// 3. the journal of batches does not name it (``Batches``): what it names may be done again, and must find the tombstone;
/// 4. no operation on the key goes by message, and no message of one is on its way (``MessageCarrier/whileStill(_:)``).
///
/// Why no older version V of the key can then come back, way by way:
/// - *a lagging message*, or a read that has heard of V and would write it back: there is none (4). A direct operation
///   touches all owners under the same lock. An operation that has drawn its tag and done nothing else may still be older
///   than the tombstone: ``Partition/purged`` remembers that, and it draws a new tag before it begins. So whatever comes
///   later is newer than the tombstone, wherever that reappears.
/// - *a hint* names a key, and its holder hands over what it holds then: no holder holds V (2).
/// - *a dead node* may hold V, so nothing is purged while one is dead (1); a node that was dead for long and owns the range
///   no more gives it up before it serves, and is looked at as well (2).
/// - *a restarted node with an old log*: the tombstone was on its disk (2) and stays in its log for as long as anything
///   older of the key does (`Store+Purge.swift`), so its start finds the tombstone again. It spreads, and is purged again.
/// - *a checkpoint* is overruled by the log behind it, and what it says of segments that are gone is passed over.
/// - *a move* copies what intact owners hold; those that receive a range begin it empty, or are looked at (2). A change
///   that begins meanwhile lets the partition adopt its owners under the same lock, and it copies after that.
/// - *a node that lost records* may have lost the tombstone and kept V. It does not vote, streams nothing and hands over no
///   hints until it has been compared with N − W + 1 intact others; a copy that none of them knows is withdrawn then
///   (`Withdrawal.swift`). With W = 1 there are not so many others, so nothing is purged, unless N = 1. (After a loss of
///   power of the machine nobody may vote; then all owners are compared, and a tombstone that is damaged on top of that
///   would be missed. It was on the disk, so the loss of power alone does not take it.)
/// - *a backup* is of one moment, between two operations.
///
/// Rejected: a floor, a tag below which absence means deleted. It needs all owners equal for a whole range and a refusal
/// of late writes in the path of every write, and buys a purge by message; here all replicas are in one process.
package struct Purge {
  package enum Progress {
    case more
    /// The whole index was looked at, or nothing can be purged now.
    case passed
    /// Only the disks are in the way, and nobody else puts logs there.
    case mustSync
  }

  private let replica: Replica
  private let data: DataPath
  private let roster: Roster
  private let options: ClusterOptions
  private var number = 0
  private var table = 0
  private var wantsSync = false
  /// Tombstones taken away, each counted once.
  private(set) var purged = 0

  package init(_ replica: Replica, _ data: DataPath, _ roster: Roster, _ options: ClusterOptions) {
    self.replica = replica
    self.data = data
    self.roster = roster
    self.options = options
  }

  /// The nodes that must agree, and the configuration they belong to.
  private struct Arena {
    var members: [Replica]
    var epoch: UInt64
  }

  /// Looks at some tombstones of the node's index.
  package mutating func step() -> Progress {
    let partitions = data.partitions
    while number < Store.partitionCount, tombstones(number, partitions) == 0 { number += 1 }
    guard number < Store.partitionCount, let arena = arena() else { return pass() }
    let partition = partitions[number]
    data.messages.whileStill { isBusy, isAnyBusy in
      // What is forgotten here is no news to updates of any key of the partition: no older write of one may be on its way.
      if isAnyBusy(number), options.mistake != .purgesEarly { return table = HashIndex.tableCount }
      partition.lock.pointee.withLock {
        let view = partition.pointee.view.takeUnretainedValue()
        // A batch may have to be done again, below what is forgotten here.
        if partition.pointee.hasUnfinished { return table = HashIndex.tableCount }
        // Nodes and owners are those that were asked for above.
        let isSame =
          view.epoch == arena.epoch
          && arena.members.allSatisfy { partition.pointee.replica($0.id)?.takeUnretainedValue() === $0 }
        if isSame { lookAtTables(arena, view, partition, isBusy) } else { table = HashIndex.tableCount }
      }
    }
    if table == HashIndex.tableCount { (number, table) = (number + 1, 0) }
    return .more
  }

  private mutating func pass() -> Progress {
    (number, table) = (0, 0)
    defer { wantsSync = false }
    return wantsSync ? .mustSync : .passed
  }

  private func tombstones(_ number: Int, _ partitions: PartitionTable) -> Int {
    var count = 0
    partitions.whileServing(replica, number) { count = replica.store.stripes[number].tombstones }
    return count
  }

  /// `nil` if nothing can be purged now.
  private func arena() -> Arena? {
    let (nodes, configuration, isMoving) = roster.withState { ($0.nodes, $0.configuration, $0.move != nil) }
    let members = nodes.compactMap(\.replica)
    let isWhole = !isMoving && configuration.change == nil && members.count == nodes.count
    if options.mistake == .purgesEarly { return Arena(members: members, epoch: configuration.epoch) }
    guard isWhole, members.allSatisfy({ !$0.store.isSuspect }) else { return nil }
    let quorum = configuration.quorum.effective(nodes: nodes.count)
    guard quorum.write > 1 || quorum.replicas == 1 else { return nil }
    let links = data.links
    let isConnected = members.allSatisfy { a in members.allSatisfy { links.reaches(a.id, $0.id) } }
    return isConnected ? Arena(members: members, epoch: configuration.epoch) : nil
  }

  /// Call with the partition's lock held.
  private mutating func lookAtTables(
    _ arena: Arena, _ view: PlacementView, _ partition: UnsafeMutablePointer<Partition>,
    _ isBusy: (_ hash: UInt64) -> Bool
  ) {
    var left = Limits.purgeBatchMax
    while table < HashIndex.tableCount, left > 0 {
      // By tag: no two writes have the same.
      var tags: Set<UInt64> = []
      var newest = Tag.none
      replica.store.forEachTombstone(number, table: table) { slot, record in
        left -= 1
        if isBusy(slot.hash) && options.mistake != .purgesEarly { return left > 0 }
        guard mayGo(slot, record, arena, view) else { return left > 0 }
        tags.insert(slot.tag.rawValue)
        newest = max(newest, slot.tag)
        return left > 0
      }
      if !tags.isEmpty {
        for member in arena.members { member.store.purge(number, table: table) { tags.contains($0.rawValue) } }
        partition.pointee.purged = max(partition.pointee.purged, newest)
        purged += tags.count
      }
      // Those that were not reached come next, unless none of these could go.
      if left > 0 || tags.isEmpty { table += 1 }
    }
  }

  /// Whether every owner has the tombstone on its disk or nothing of the key, and nobody else has anything.
  private mutating func mayGo(_ slot: IndexSlot, _ record: RecordView, _ arena: Arena, _ view: PlacementView) -> Bool {
    if options.mistake == .purgesEarly { return true }
    if data.batches.names(slot.hash) { return false }
    for member in arena.members {
      guard let version = member.store.version(slot.hash, record.key, known: slot.tag) else { return false }
      if version.tag == .none { continue }
      guard version.tag == slot.tag, view.isOwner(member.id, ofSlot: Ring.slot(of: slot.hash)) else { return false }
      let isDurable = member.store.log.durable > member.store.position(version.location, slot.hash)
      guard isDurable || options.mistake == .purgesUnsynced else {
        wantsSync = wantsSync || options.fsync == .never
        return false
      }
    }
    return true
  }
}
