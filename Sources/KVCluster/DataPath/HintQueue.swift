/// Missed writes of one partition that `holder` keeps for `target`, in the order of the writes. The writes themselves are
/// in the holder's store, which owned the keys when they were written; here and in its log is only which they are.
///
/// Bounded in bytes and in age. Beyond either all of the queue is given up, and counted: what is missed then is found by
/// comparing replicas, when the target is back (``CatchUp``) and ever after (``AntiEntropy``), so nothing depends on
/// hints but how soon. (To keep those there were and refuse the rest was rejected: the comparison looks at every key
/// anyway.) The age is counted from when this process took the hint up: a start knows no better, so hints may live once
/// longer for each.
package struct HintQueue {
  package struct Hint {
    var hash: UInt64
    /// Of its record in the holder's log.
    var byteCount: Int
  }

  let target: UInt16
  package let holder: UInt16
  package private(set) var hints: [Hint] = []
  private(set) var byteCount = 0
  /// When the oldest of them was taken up.
  private(set) var sinceNs: UInt64 = 0
  /// Some were given up; only a comparison of all keys can tell which.
  private(set) var isOverflowed = false

  init(target: UInt16, holder: UInt16) {
    self.target = target
    self.holder = holder
  }

  /// Bytes that a hint takes in the holder's log.
  static func byteCount(keyBytes: Int, nameBytes: Int) -> Int {
    LogFormat.recordBytes(keyBytes: keyBytes, valueBytes: nameBytes)
  }

  /// Keeps a hint in a partition, unless too many are kept already; false if it was not kept. Call with the partition's
  /// lock held.
  static func add(_ hint: Hint, target: UInt16, holder: UInt16, to partition: inout Partition) -> Bool {
    var at = partition.hints.startIndex
    while at < partition.hints.endIndex, partition.hints[at].target != target || partition.hints[at].holder != holder {
      at += 1
    }
    if at == partition.hints.endIndex { partition.hints.append(HintQueue(target: target, holder: holder)) }
    partition.rarities._withUnsafeGuaranteedRef { $0.hints.store(true, ordering: .releasing) }
    let dropped = partition.hints[at].add(hint)
    partition.hintsDropped += dropped
    return dropped == 0
  }

  /// Returns how many hints were given up.
  private mutating func add(_ hint: Hint) -> Int {
    if isOverflowed { return 1 }
    if byteCount + hint.byteCount > Limits.hintBytesPerPartitionMax { return giveUp() + 1 }
    if hints.isEmpty { sinceNs = Clock.nowNs() }
    hints.append(hint)
    byteCount += hint.byteCount
    return 0
  }

  /// Gives all of them up; returns how many there were.
  private mutating func giveUp() -> Int {
    defer { (hints, byteCount) = ([], 0) }
    isOverflowed = true
    return hints.count
  }

  /// Gives up what `holder` has kept in a partition since before `oldestNs`; returns the nodes it was for. Call with the
  /// partition's lock held.
  static func expire(heldBy holder: UInt16, since oldestNs: UInt64, in partition: inout Partition) -> [UInt16] {
    var targets: [UInt16] = []
    for i in partition.hints.indices {
      let queue = partition.hints[i]
      guard queue.holder == holder, !queue.hints.isEmpty, queue.sinceNs < oldestNs else { continue }
      partition.hintsDropped += partition.hints[i].giveUp()
      targets.append(queue.target)
    }
    return targets
  }

  /// The newest has been handed over.
  mutating func removeLast() { byteCount -= hints.removeLast().byteCount }
}

extension Partition {
  /// Notes in `holder`'s log that `target`, an owner of the key, missed the version `tag` of it. A hint that finds no room,
  /// in memory or in the log, is lost: comparing replicas closes what it leaves open. Call with the partition's lock held.
  mutating func keepHint(
    for target: UInt16, _ hash: UInt64, _ key: UnsafeRawBufferPointer, _ tag: Tag, at holder: Replica
  ) {
    let view = view.takeUnretainedValue()
    guard view.isOwner(target, ofSlot: Ring.slot(of: hash)) else { return }
    let name = view.nameBytes(of: target)
    let hint = HintQueue.Hint(
      hash: hash, byteCount: HintQueue.byteCount(keyBytes: key.count, nameBytes: name.count))
    guard HintQueue.add(hint, target: target, holder: holder.id, to: &self) else { return }
    hintsKept &+= 1
    name.withBytes { try? holder.store.appendHint(for: $0, key: key, tag: tag) }
  }
}
