import Synchronization

/// Hands a node that is back the writes it missed, from the nodes that kept hints for it.
///
/// Whoever drives it calls ``step()`` until it is done; each step holds one partition's lock for some tens of keys.
final class HintReplay {
  let partitions: PartitionTable
  let links: Links
  let target: Replica

  private(set) var delivered = 0
  /// Some hints were dropped because there were too many.
  private(set) var isIncomplete = false
  /// The target took no more.
  private var isInterrupted = false
  private var holders: [UInt16] = []
  private var number = 0

  init(_ partitions: PartitionTable, _ links: Links, to target: Replica) {
    self.partitions = partitions
    self.links = links
    self.target = target
  }

  /// Delivers some of the hints whose holders answer; when all are delivered, notes in the holders' logs that they are
  /// settled. Returns false at the end.
  func step() -> Bool {
    guard number < Store.partitionCount, !isInterrupted else { return false }
    // Most partitions have none: go on to one that has.
    while number < Store.partitionCount, !isInterrupted {
      let partition = partitions[number]
      if partition.lock.pointee.withLock({ deliverBatch(partition) }) { return true }
      number += 1
    }
    if !isInterrupted { for id in holders { settle(id) } }
    return false
  }

  func run() { while step() {} }

  /// Delivers some of the partition's hints; returns whether there are more.
  private func deliverBatch(_ partition: UnsafeMutablePointer<Partition>) -> Bool {
    guard !partition.pointee.hints.isEmpty else { return false }
    // Killed meanwhile: its memory is gone.
    guard partition.pointee.replica(target.id)?.takeUnretainedValue() === target else { return false }
    let at = partition.pointee.hints.firstIndex { queue in
      guard queue.target == target.id, let holder = partition.pointee.replica(queue.holder) else { return false }
      // What a suspect holder has may have been deleted: its hints wait until it has been rebuilt.
      return !holder.takeUnretainedValue().store.isSuspect && links.reaches(queue.holder, target.id)
    }
    guard let at else { return false }
    let queue = partition.pointee.hints[at]
    if !holders.contains(queue.holder) { holders.append(queue.holder) }
    isIncomplete = isIncomplete || queue.isOverflowed
    let holder = partition.pointee.replica(queue.holder)!.takeUnretainedValue()
    let batch = queue.hints.suffix(Limits.moveBatchKeysMax)
    for hint in batch.reversed() {
      // No room, or the node has failed: the hint stays.
      guard let delivered = deliver(hint.hash, from: holder, in: partition) else {
        isInterrupted = true
        return false
      }
      self.delivered += delivered
      partition.pointee.hints[at].removeLast()
    }
    if partition.pointee.hints[at].hints.isEmpty { partition.pointee.hints.remove(at: at) }
    return true
  }

  /// The holder's newest version of every key with this hash goes to the target, if it still owns the key.
  /// `nil` if it could not take it.
  private func deliver(_ hash: UInt64, from holder: Replica, in partition: UnsafeMutablePointer<Partition>) -> Int? {
    let view = partition.pointee.view.takeUnretainedValue()
    guard view.isOwner(target.id, ofSlot: Ring.slot(of: hash)) else { return 0 }
    // The hint has done its work once the twins are settled.
    guard partitions.mayCopy(hash) else { return 0 }
    var delivered = 0
    var isRefused = false
    holder.store.forEach(withHash: hash) { slot, record in
      guard record.hasIntactValue else { return }
      do throws(StorageError) {
        // What cannot be settled now is found by comparing replicas.
        if try partitions.copy(slot, record, from: holder, to: target, links) { delivered += 1 }
      } catch {
        isRefused = true
      }
    }
    return isRefused ? nil : delivered
  }

  private func settle(_ id: UInt16) {
    let partition = partitions[0]
    partition.lock.pointee.withLock {
      guard let holder = partition.pointee.replica(id)?.takeUnretainedValue() else { return }
      target.nameBytes.withBytes { try? holder.store.appendHintsSettled(for: $0) }
    }
  }
}
