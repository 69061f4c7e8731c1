import Synchronization

/// Hands a node that is back the writes it missed, from the nodes that kept hints for it.
struct HintReplay {
  let partitions: PartitionTable
  let target: Replica

  struct Outcome {
    var delivered = 0
    /// Some hints were dropped because there were too many.
    var isIncomplete = false
    /// The target took no more.
    var isInterrupted = false
  }

  /// Delivers every hint whose holder answers, then notes in the holders' logs that they are settled.
  func run() -> Outcome {
    var outcome = Outcome()
    var holders: [UInt16] = []
    for number in 0..<Store.partitionCount {
      let partition = partitions[number]
      var isMore = true
      while isMore {
        isMore = partition.pointee.lock.withLock { deliverBatch(partition, &outcome, &holders) }
      }
    }
    if !outcome.isInterrupted { for id in holders { settle(id) } }
    return outcome
  }

  /// Delivers some of the partition's hints; returns whether there are more.
  private func deliverBatch(
    _ partition: UnsafeMutablePointer<Partition>, _ outcome: inout Outcome, _ holders: inout [UInt16]
  ) -> Bool {
    // Killed meanwhile: its memory is gone.
    guard partition.pointee.replica(target.id)?.takeUnretainedValue() === target else { return false }
    let at = partition.pointee.hints.firstIndex { queue in
      queue.target == target.id && partition.pointee.replica(queue.holder) != nil
    }
    guard let at else { return false }
    let queue = partition.pointee.hints[at]
    if !holders.contains(queue.holder) { holders.append(queue.holder) }
    outcome.isIncomplete = outcome.isIncomplete || queue.isOverflowed
    let holder = partition.pointee.replica(queue.holder)!.takeUnretainedValue()
    let batch = queue.hashes.suffix(Limits.moveBatchKeysMax)
    for hash in batch.reversed() {
      // No room, or the node has failed: the hint stays.
      guard let delivered = deliver(hash, from: holder, in: partition) else {
        outcome.isInterrupted = true
        return false
      }
      outcome.delivered += delivered
      partition.pointee.hints[at].hashes.removeLast()
    }
    if partition.pointee.hints[at].hashes.isEmpty { partition.pointee.hints.remove(at: at) }
    return true
  }

  /// The holder's newest version of every key with this hash goes to the target, if it still owns the key.
  /// `nil` if it could not take it.
  private func deliver(_ hash: UInt64, from holder: Replica, in partition: UnsafeMutablePointer<Partition>) -> Int? {
    let view = partition.pointee.view.takeUnretainedValue()
    guard view.isOwner(target.id, ofSlot: Ring.slot(of: hash)) else { return 0 }
    var delivered = 0
    var isRefused = false
    holder.store.forEach(withHash: hash) { slot, record in
      guard record.hasIntactValue else { return }
      let position = try? target.store.apply(
        slot.location.isTombstone ? .tombstone : .value, hash: hash, tag: slot.tag, key: record.key,
        value: record.value, valueChecksum: record.valueChecksum)
      if position != nil { delivered += 1 } else { isRefused = true }
    }
    return isRefused ? nil : delivered
  }

  private func settle(_ id: UInt16) {
    let partition = partitions[0]
    partition.pointee.lock.withLock {
      guard let holder = partition.pointee.replica(id)?.takeUnretainedValue() else { return }
      target.nameBytes.withBytes { try? holder.store.appendHintsSettled(for: $0) }
    }
  }
}
