/// Looks for twins, a few keys at a time, through a node's index again and again.
///
/// A look at what a key holds costs a memory access at each owner, so the search has a pace of its own, apart from the
/// comparison of tags (``AntiEntropy``), which sees every key every half minute.
struct TwinSearch {
  private let replica: Replica
  private let partitions: PartitionTable
  private var number = 0
  private var position = 0
  /// How often all of the index was gone through.
  private(set) var passes = 0

  /// Table positions looked at under one hold of a lock, about 20 µs, and partitions that one step looks into.
  private static let positionsPerStep = 64
  private static let partitionsPerStep = 16

  init(_ replica: Replica, _ partitions: PartitionTable) {
    (self.replica, self.partitions) = (replica, partitions)
  }

  /// Looks at some keys; of two nodes the one with the lesser id does it.
  mutating func step() {
    for _ in 0..<TwinSearch.partitionsPerStep {
      var (next, isEmpty): (Int?, Bool) = (nil, true)
      partitions.whileServing(replica, number) {
        isEmpty = replica.store.stripes[number].index.isEmpty
        if !isEmpty { next = look() }
      }
      if let next { return position = next }
      (number, position) = ((number + 1) % Store.partitionCount, 0)
      if number == 0 { passes += 1 }
      if !isEmpty { return }
    }
  }

  /// Returns where to go on. Call with the partition's lock held.
  private func look() -> Int? {
    let partition = partitions[number]
    let store = replica.store
    let index = store.stripes[number].index
    _ = index.scan(from: position, limit: TwinSearch.positionsPerStep) { store.prefetchRecord($0.pointee.hash) }
    let view = partition.pointee.view.takeUnretainedValue()
    var found: [UInt64] = []
    let next = index.scan(from: position, limit: TwinSearch.positionsPerStep) { slot in
      let (hash, tag) = (slot.pointee.hash, slot.pointee.tag)
      let participants = view.participants(ofSlot: Ring.slot(of: hash))
      let own = RecordContent(store.record(at: store.logLocation(slot.pointee.location, store.stripe(hash))))
      for i in 0..<participants.count where participants.ids[i] > replica.id {
        let content = partition.pointee.replica(participants.ids[i])?._withUnsafeGuaranteedRef {
          $0.store.content(hash, tag)
        }
        if let content, content != own { found.append(hash) }
      }
    }
    // Of a damaged header nothing can be said: that is for the scrub.
    for hash in found where partitions.twins(hash) != nil { partition.pointee.noteTwins(hash) }
    return next
  }
}

extension Store {
  /// What the node holds of this version, unverified; `nil` if another one or none. Call with the partition's lock held.
  @inline(__always)
  fileprivate func content(_ hash: UInt64, _ tag: Tag) -> RecordContent? {
    let stripe = stripe(hash)
    return stripe.pointee.index.find(hash) { $0.pointee.tag == tag }.map {
      RecordContent(record(at: logLocation($0.pointee.location, stripe)))
    }
  }

  /// Takes another owner's copy of a version in place of its own, which is not the same. Call with the partition's lock
  /// held.
  fileprivate func replaceTwin(_ copy: RecordView, hash: UInt64, _ slot: IndexSlot) throws(StorageError) {
    let stripe = stripe(hash)
    guard let own = stripe.pointee.index.find(hash, matching: { $0.pointee.tag == slot.tag }) else { return }
    let isTombstone = slot.location.isTombstone
    let location = try log.append(
      isTombstone ? .tombstone : .value, tag: slot.tag, key: copy.key, value: copy.payload,
      valueChecksum: copy.valueChecksum)
    let old = logLocation(own.pointee.location, stripe)
    table.addDead(byteCount(old), slot: old.slot)
    if old.isTombstone != isTombstone { stripe.pointee.tombstones += isTombstone ? 1 : -1 }
    own.pointee = IndexSlot(hash: hash, location: location, tag: slot.tag)
  }
}

extension NodeMaintenance {
  /// Looking for twins takes at most this part of a core.
  private static let twinPart: UInt64 = 200

  func searchTwinsIfDue() {
    let startedNs = Clock.nowNs()
    guard startedNs >= nextTwinSearchNs else { return }
    replica.whileOpen { twinSearch.step() }
    let tookNs = Clock.nowNs() - startedNs
    nextTwinSearchNs = Clock.nowNs() + max(NodeMaintenance.pauseNs, tookNs * NodeMaintenance.twinPart)
    if startedNs >= nextTwinsNs {
      nextTwinsNs = startedNs + NodeMaintenance.retryMinNs
      _ = settleTwins()
    }
  }

  /// Looks at the whole index.
  func searchTwinsToTheEnd() {
    let pass = twinSearch.passes
    while twinSearch.passes == pass, replica.whileOpen({ twinSearch.step() }) != nil {}
  }

  /// Replaces twins of which evidence says which is right.
  /// - Parameter acceptsLoss: where nothing says it, one of the largest groups counts.
  /// - Returns: the first keys of which it cannot be said, and who holds them.
  func settleTwins(acceptsLoss: Bool = false) -> [RepairReport.TwinCopies] {
    var left: [RepairReport.TwinCopies] = []
    guard partitions.rarities.twins.exchange(false, ordering: .acquiringAndReleasing) else { return left }
    var areAnyLeft = false
    defer { if areAnyLeft { partitions.rarities.twins.store(true, ordering: .releasing) } }
    for number in 0..<Store.partitionCount {
      partitions[number].lock.pointee.withLock {
        if !partitions[number].pointee.hasTwins { return }
        areAnyLeft = true
        guard partitions[number].pointee.replica(replica.id)?.takeUnretainedValue() === replica else { return }
        for hash in partitions[number].pointee.twins {
          guard let twins = partitions.twins(hash) else {
            partitions[number].pointee.forgetTwins(hash)
            continue
          }
          // One of the owners does it.
          guard twins.groups.flatMap(\.owners).min(by: { $0.id < $1.id }) === replica else { continue }
          if let right = twins.majority ?? (acceptsLoss ? twins.groups[0].owners : nil) {
            settle(hash, twins, right[0])
          } else {
            left.append(RepairReport.TwinCopies(key: key(hash, twins), owners: twins.names))
          }
        }
      }
    }
    announceTwins(left)
    return left
  }

  private func key(_ hash: UInt64, _ twins: Twins) -> [UInt8] {
    var key: [UInt8] = []
    replica.store.forEach(withHash: hash) { slot, record in if slot.tag == twins.tag { key = Array(record.key) } }
    return key
  }

  /// Call with the partition's lock held.
  private func settle(_ hash: UInt64, _ twins: Twins, _ right: Replica) {
    var failure: StorageError?
    right.store.forEach(withHash: hash) { slot, record in
      guard slot.tag == twins.tag, slot.location.isTombstone || record.hasIntactValue else { return }
      for owner in twins.groups.filter({ $0.content != RecordContent(record) }).flatMap(\.owners) {
        do throws(StorageError) {
          try owner.store.replaceTwin(record, hash: hash, slot)
        } catch {
          failure = error
        }
      }
    }
    guard failure == nil, partitions.twins(hash) == nil else { return }
    partitions[Store.partition(of: hash)].pointee.forgetTwins(hash)
    events.add(.twinsSettled(nodes: twins.names, winner: right.name))
  }

  private func announceTwins(_ left: [RepairReport.TwinCopies]) {
    guard let first = left.first, !hasAnnouncedTwins else { return }
    hasAnnouncedTwins = true
    events.add(.twinsFound(nodes: first.owners, key: first.key, more: left.count - 1))
  }
}
