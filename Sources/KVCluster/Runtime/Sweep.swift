import CKernels
import Synchronization

/// Compares the replicas of every key and brings those that lag up to the newest version any of them holds: what a
/// join or leave streams, and how a node catches up that was away too long for hints.
///
/// It goes through the partitions of each node's index a few keys at a time, each batch under the partition's lock, and
/// rests seven times as long as it works, so that clients keep most of the machine. A key may be written meanwhile: records
/// are applied by tag, so an older one never replaces a newer.
final class Sweep: Sendable {
  /// Which copies it makes.
  enum Goal: Sendable {
    /// Keys whose owners change, to all owners old and new.
    case moveRanges
    /// Keys of one node, to that node.
    case catchUp(UInt16)
  }

  private let partitions: PartitionTable
  private let goal: Goal
  /// Copies made so far, and the bytes of their records.
  let keysCopied = Atomic<Int>(0)
  let bytesCopied = Atomic<Int>(0)
  /// Newest versions that were not copied because their bytes are damaged.
  let keysDamaged = Atomic<Int>(0)
  private let stepsDone = Atomic<Int>(0)
  private let stepsTotal = Atomic<Int>(1)
  private let isCancelled: @Sendable () -> Bool
  private let isHurried: Bool

  /// Table positions looked at under one hold of the lock.
  private static let positionsPerBatch = 128
  /// A key counts once more for every so many bytes of its record, so that a batch copies about a megabyte at most.
  private static let bytesPerKey = 32_768
  /// Works about this long, then rests `restFactor` times as long.
  private static let workNs: UInt64 = 500_000
  private static let restFactor: UInt64 = 7
  private static let restMaxNs: UInt64 = 20_000_000

  /// - Parameter isHurried: no rests: no clients are served.
  init(
    _ goal: Goal, _ partitions: PartitionTable, isHurried: Bool = false, isCancelled: @escaping @Sendable () -> Bool
  ) {
    self.goal = goal
    self.isHurried = isHurried
    self.partitions = partitions
    self.isCancelled = isCancelled
  }

  /// Part of the work done, from 0 to 1.
  var fraction: Double {
    min(1, Double(stepsDone.load(ordering: .relaxed)) / Double(max(1, stepsTotal.load(ordering: .relaxed))))
  }

  /// Goes through all partitions of all nodes that answer. Returns false if it was cancelled.
  /// - Parameter canCopy: whether enough of the partition's owners answer; the sweep waits until they do.
  func run(sources: [UInt16], canCopy: (_ partition: Int) -> Bool) throws(StorageError) -> Bool {
    stepsTotal.store(max(1, sources.count * Store.partitionCount), ordering: .relaxed)
    var worker = Worker(startedNs: Clock.nowNs())
    for partition in 0..<Store.partitionCount {
      while !canCopy(partition) {
        if isCancelled() { return false }
        Clock.sleep(ns: 50_000_000)
        worker.startedNs = Clock.nowNs()
      }
      for source in sources {
        guard try sweep(partition, source, &worker) else { return false }
        stepsDone.wrappingAdd(1, ordering: .relaxed)
      }
    }
    return true
  }

  private struct Worker {
    var startedNs: UInt64

    mutating func rest() {
      let worked = Clock.nowNs() - startedNs
      guard worked > Sweep.workNs else { return }
      Clock.sleep(ns: min(worked * Sweep.restFactor, Sweep.restMaxNs))
      startedNs = Clock.nowNs()
    }
  }

  private func sweep(_ number: Int, _ source: UInt16, _ worker: inout Worker) throws(StorageError) -> Bool {
    let partition = partitions[number]
    var position: Int? = 0
    var capacity: Int?
    while let from = position {
      if isCancelled() { return false }
      position = try partition.pointee.lock.withLock { () throws(StorageError) -> Int? in
        guard let replica = partition.pointee.replica(source)?.takeUnretainedValue() else { return nil }
        let now = replica.store.stripes[number].index.capacity
        // A table that grew has moved its entries: begin again, what was copied is recognised by its tag.
        let start = capacity == nil || capacity == now ? from : 0
        capacity = now
        return try batch(number, replica, from: start)
      }
      if !isHurried { worker.rest() }
    }
    return true
  }

  /// Looks at some entries of `source` and copies what its other owners lack; returns where to go on.
  private func batch(_ number: Int, _ source: Replica, from: Int) throws(StorageError) -> Int? {
    let partition = partitions[number]
    var failure: StorageError?
    var budget = Limits.moveBatchKeysMax
    var position = from
    while budget > 0 {
      let next = source.store.scan(
        number, from: position, limit: 8,
        unreadable: { hash in
          if concerns(Ring.slot(of: hash), source, partition) { keysDamaged.wrappingAdd(1, ordering: .relaxed) }
        }
      ) { slot, record in
        do throws(StorageError) {
          if try copy(slot, record, from: source, in: partition) { budget -= 1 + record.byteCount / Sweep.bytesPerKey }
        } catch {
          failure = error
        }
      }
      if let failure { throw failure }
      guard let next else { return nil }
      position = next
      if position - from >= Sweep.positionsPerBatch { break }
    }
    return position
  }

  /// Whether keys of a ring slot are compared at all.
  private func concerns(_ ringSlot: Int, _ source: Replica, _ partition: UnsafeMutablePointer<Partition>) -> Bool {
    let view = partition.pointee.view.takeUnretainedValue()
    switch goal {
    case .moveRanges: return view.isMoving(ringSlot)
    case .catchUp(let node): return node != source.id && view.isOwner(node, ofSlot: ringSlot)
    }
  }

  /// Brings one key to the owners that lag behind `source`; true if anything was copied.
  private func copy(
    _ slot: IndexSlot, _ record: RecordView, from source: Replica, in partition: UnsafeMutablePointer<Partition>
  ) throws(StorageError) -> Bool {
    let view = partition.pointee.view.takeUnretainedValue()
    let ringSlot = Ring.slot(of: slot.hash)
    guard concerns(ringSlot, source, partition) else { return false }
    let participants = view.participants(ofSlot: ringSlot)
    var isCopied = false
    for i in 0..<participants.count where participants.ids[i] != source.id {
      let id = participants.ids[i]
      if case .catchUp(let node) = goal, node != id { continue }
      if let target = partition.pointee.replica(id)?.takeUnretainedValue() {
        if try copy(slot, record, to: target) { isCopied = true }
      } else if participants.nextOwners.contains(i) {
        hint(slot, record, for: id, at: source, in: partition)
      }
    }
    return isCopied
  }

  private func copy(_ slot: IndexSlot, _ record: RecordView, to target: Replica) throws(StorageError) -> Bool {
    // A target that does not know takes the copy: its own is damaged.
    let version = target.store.version(slot.hash, record.key, known: slot.tag)
    guard version.map({ $0.tag < slot.tag }) ?? true else { return false }
    // A damaged copy must not spread; its key comes from another replica.
    guard record.hasIntactValue else {
      keysDamaged.wrappingAdd(1, ordering: .relaxed)
      return false
    }
    _ = try target.store.apply(
      slot.location.isTombstone ? .tombstone : .value, hash: slot.hash, tag: slot.tag, key: record.key,
      value: record.value, valueChecksum: record.valueChecksum)
    keysCopied.wrappingAdd(1, ordering: .relaxed)
    bytesCopied.wrappingAdd(record.byteCount, ordering: .relaxed)
    return true
  }

  private func hint(
    _ slot: IndexSlot, _ record: RecordView, for target: UInt16, at holder: Replica,
    in partition: UnsafeMutablePointer<Partition>
  ) {
    guard HintQueue.add(slot.hash, target: target, holder: holder.id, to: &partition.pointee.hints) else { return }
    partition.pointee.view.takeUnretainedValue().nameBytes(of: target).withBytes {
      try? holder.store.appendHint(for: $0, key: record.key, tag: slot.tag)
    }
  }
}
