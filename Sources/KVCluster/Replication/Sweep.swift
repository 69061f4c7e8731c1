import CKernels
import Synchronization

/// Compares the replicas of every key and brings those that lag up to the newest version any of them holds: what a
/// join or leave streams, how a node catches up that was away too long for hints, and how one that has lost records is
/// rebuilt.
///
/// It goes through the partitions of each node's index a few keys at a time, each batch under the partition's lock. A key
/// may be written meanwhile: records are applied by tag, so an older one never replaces a newer. Whoever drives it calls
/// ``step(canCopy:)`` again and again, and rests in between as it likes. Between nodes without a good link nothing is
/// copied; a partition during which links changed is gone over again.
final class Sweep: @unchecked Sendable {
  /// Which copies it makes.
  enum Goal: Sendable {
    /// Keys whose owners change, to all owners old and new.
    case moveRanges
    /// Keys of one node, to that node.
    case catchUp(UInt16)
  }

  enum Progress: Equatable {
    case more
    /// Too few owners answer.
    case waiting
    case done
  }

  private let partitions: PartitionTable
  private let links: Links
  private let goal: Goal
  private let sources: [UInt16]
  private let evidence: Evidence
  /// Copies made so far, and the bytes of their records.
  let keysCopied = Atomic<Int>(0)
  let bytesCopied = Atomic<Int>(0)
  /// Newest versions that were not copied because their bytes are damaged.
  let keysDamaged = Atomic<Int>(0)
  private let damaged = Mutex<[String]>([])
  private let stepsDone = Atomic<Int>(0)
  /// By who gives a range up and who gets it. A mutex a copy is nothing beside the copy.
  private let handedOver = Mutex<[TransferStatus]>([])
  /// Where it is; used by whoever drives it.
  private var place = Place()

  private struct Place {
    var partition = 0
    /// Of `sources`; `nil` before the partition is begun.
    var source: Int?
    var position = 0
    var layout: Int?
    var linksGeneration = 0
    /// Too few owners reached each other to say which version of some key counts.
    var isUnsettled = false
  }

  /// Table positions looked at under one hold of the lock.
  private static let positionsPerBatch = 128
  /// A key counts once more for every so many bytes of its record, so that a batch copies about a megabyte at most.
  private static let bytesPerKey = 32_768

  /// - Parameters:
  ///   - sources: nodes whose copies are compared.
  ///   - evidence: from ``Evidence/allOwners`` on, copies of nodes that may have lost records are compared too.
  init(
    _ goal: Goal, _ partitions: PartitionTable, _ links: Links, sources: [UInt16],
    evidence: Evidence = .undamagedOwners
  ) {
    self.evidence = evidence
    self.goal = goal
    self.partitions = partitions
    self.links = links
    self.sources = sources
  }

  var transfers: [TransferStatus] { handedOver.withLock { $0 } }

  /// Part of the work done, from 0 to 1.
  var fraction: Double {
    min(1, Double(stepsDone.load(ordering: .relaxed)) / Double(max(1, sources.count * Store.partitionCount)))
  }

  /// Looks at a few keys.
  /// - Parameter canCopy: whether enough of the partition's owners answer.
  func step(canCopy: (_ partition: Int) -> Bool = { _ in true }) throws(StorageError) -> Progress {
    guard place.partition < Store.partitionCount else { return .done }
    guard let begun = place.source else {
      guard canCopy(place.partition) else { return .waiting }
      place.linksGeneration = links.generation
      (place.source, place.position, place.layout) = (0, 0, nil)
      return .more
    }
    let at = skipEmpty(from: begun)
    guard at < sources.count else {
      // What did not get through is tried again.
      let isUnsettled = place.isUnsettled
      if place.linksGeneration == links.generation, !isUnsettled { place.partition += 1 } else { rewind() }
      (place.source, place.isUnsettled) = (nil, false)
      if isUnsettled { return .waiting }
      return place.partition < Store.partitionCount ? .more : .done
    }
    if let next = try batch(from: sources[at]) {
      place.position = next
    } else {
      (place.source, place.position, place.layout) = (at + 1, 0, nil)
      stepsDone.wrappingAdd(1, ordering: .relaxed)
    }
    return .more
  }

  /// Goes on to the first source that has anything in the partition.
  private func skipEmpty(from first: Int) -> Int {
    let partition = partitions[place.partition]
    var at = first
    partition.lock.pointee.withLock {
      while at < sources.count {
        let replica = partition.pointee.replica(sources[at])
        if let replica, replica._withUnsafeGuaranteedRef({ !$0.store.stripes[place.partition].index.isEmpty }) { break }
        at += 1
      }
    }
    if at > first { (place.source, place.position, place.layout) = (at, 0, nil) }
    stepsDone.wrappingAdd(at - first, ordering: .relaxed)
    return at
  }

  private func rewind() { stepsDone.wrappingSubtract(sources.count, ordering: .relaxed) }

  /// Steps to the end, with rests of seven times the work so that clients keep most of the machine.
  /// - Parameter rest: `nil` for work in a hurry.
  /// - Returns: false if it was cancelled, or if too few owners answered.
  func run(
    resting rest: Rest?, canCopy: (_ partition: Int) -> Bool, isCancelled: () -> Bool
  ) throws(StorageError) -> Bool {
    var rest = rest
    while true {
      switch try step(canCopy: canCopy) {
      case .done: return true
      case .waiting: return false
      case .more: break
      }
      if isCancelled() { return false }
      rest?.afterWork(factor: 7)
    }
  }

  /// Looks at some entries of the source in the current partition; returns where to go on.
  private func batch(from source: UInt16) throws(StorageError) -> Int? {
    let number = place.partition
    let partition = partitions[number]
    return try partition.lock.pointee.withLock { () throws(StorageError) -> Int? in
      // What a node has that may have lost records may have been deleted; what it lacks it gets as a target.
      guard let replica = partition.pointee.replica(source)?.takeUnretainedValue(),
        evidence != .undamagedOwners || !replica.store.isSuspect
      else { return nil }
      if replica.store.stripes[number].index.isEmpty { return nil }
      let layout = replica.store.stripes[number].index.layout
      // A table that grew has moved its entries: begin again, what was copied is recognised by its tag.
      let start = place.layout == nil || place.layout == layout ? place.position : 0
      place.layout = layout
      return try batch(number, replica, from: start)
    }
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
        unreadable: { slot in if isMissed(slot, source, partition) { noteDamaged(nil, source) } }
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

  /// Whether an entry whose key cannot be read may be a version that the node to be brought up to date lacks.
  private func isMissed(
    _ slot: IndexSlot, _ source: Replica, _ partition: UnsafeMutablePointer<Partition>
  ) -> Bool {
    guard concerns(Ring.slot(of: slot.hash), source, partition) else { return false }
    guard case .catchUp(let node) = goal, let target = partition.pointee.replica(node)?.takeUnretainedValue() else {
      return true
    }
    return !target.store.holdsIntact(slot.hash, atLeast: DamagedVersion(unreadable: slot.tag))
  }

  private func noteDamaged(_ key: UnsafeRawBufferPointer?, _ source: Replica) {
    keysDamaged.wrappingAdd(1, ordering: .relaxed)
    let text = key.map { "\"\(String(decoding: $0, as: UTF8.self))\"" } ?? "an unreadable key"
    damaged.withLock { if $0.count < 3 { $0.append("\(text) on \(source.name)") } }
  }

  /// Some of the newest versions that were not copied because their bytes are damaged, and where they are.
  var damagedCopies: [String] { damaged.withLock { $0 } }

  /// Whether a copy of a node that lost records is taken only if its key is known to an owner that has not. What it alone
  /// has may have been deleted: its own tombstone may be among what it lost, and the others have purged theirs.
  private func isDoubtful(
    _ slot: IndexSlot, _ record: RecordView, _ source: Replica, _ partition: UnsafeMutablePointer<Partition>
  ) -> Bool {
    guard source.store.hasLost, evidence != .whatIsLeft else { return false }
    let participants = partition.pointee.view.takeUnretainedValue().participants(ofSlot: Ring.slot(of: slot.hash))
    return !(0..<participants.count).contains { i in
      guard let owner = partition.pointee.replica(participants.ids[i])?.takeUnretainedValue(), !owner.store.hasLost
      else { return false }
      return owner.store.version(slot.hash, record.key, known: .none).map { $0.tag != .none } ?? true
    }
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
    guard concerns(ringSlot, source, partition), !isDoubtful(slot, record, source, partition) else { return false }
    let participants = view.participants(ofSlot: ringSlot)
    var isCopied = false
    for i in 0..<participants.count where participants.ids[i] != source.id {
      let id = participants.ids[i]
      if case .catchUp(let node) = goal, node != id { continue }
      if let target = partition.pointee.replica(id)?.takeUnretainedValue(), links.reaches(source.id, id) {
        guard try copy(slot, record, from: source, to: target) else { continue }
        isCopied = true
        if case .moveRanges = goal { note(record.byteCount, to: i, of: participants) }
      } else if participants.nextOwners.contains(i) {
        partition.pointee.keepHint(for: id, slot.hash, record.key, slot.tag, at: source)
      }
    }
    return isCopied
  }

  /// Counts a copy for the node that gives its range up: the first that gives to the first that gets, and so on. Who the
  /// copy was read from is another matter: any owner will do.
  private func note(_ bytes: Int, to getter: Int, of participants: PlacementView.Participants) {
    let (owners, next) = (participants.owners, participants.nextOwners)
    guard next.contains(getter), !owners.contains(getter) else { return }
    let turn = (0..<getter).count { next.contains($0) && !owners.contains($0) }
    let giver = (0..<participants.count).filter { owners.contains($0) && !next.contains($0) }.dropFirst(turn).first
    let (from, to) = (giver.map { Int(participants.ids[$0]) }, Int(participants.ids[getter]))
    handedOver.withLock { transfers in
      let known = transfers.firstIndex { $0.from == from && $0.to == to }
      let place = known ?? transfers.count
      if known == nil { transfers.append(TransferStatus(from: from, to: to, keys: 0, bytes: 0)) }
      transfers[place].keys += 1
      transfers[place].bytes += bytes
    }
  }

  private func copy(
    _ slot: IndexSlot, _ record: RecordView, from source: Replica, to target: Replica
  ) throws(StorageError) -> Bool {
    // A target that does not know takes the copy: its own is damaged.
    guard target.store.lacks(record.stamp, slot.hash, record.key) ?? true else { return false }
    // A damaged copy must not spread; its key comes from another replica.
    guard record.hasIntactValue else {
      noteDamaged(record.key, source)
      return false
    }
    guard partitions.mayCopy(slot.hash) else { return false }
    guard try partitions.copy(slot, record, from: source, to: target, links, comparesAll: evidence != .undamagedOwners)
    else {
      place.isUnsettled = true
      return false
    }
    keysCopied.wrappingAdd(1, ordering: .relaxed)
    bytesCopied.wrappingAdd(record.byteCount, ordering: .relaxed)
    return true
  }
}
