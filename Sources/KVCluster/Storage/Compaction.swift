import CKernels

/// Emptying one segment: what is live in it is written again at the end of the log, then its file is free.
///
/// Whoever drives it calls ``step(_:withPartition:)`` until it says that all is moved, puts the log on the disk, and calls
/// ``finish()``. A crash at any moment leaves a record in both places, or in one; equal tags are the same write, so a
/// start takes either. A partition's lock is held for at most ``entriesPerStep`` records (and at most about a megabyte of
/// them) at a time.
package final class Compaction: @unchecked Sendable {
  private let store: Store
  let segment: Log.Segment
  private let scan: SegmentScan
  private var partition = 0
  private var next = 0
  /// There may be older records that purged tombstones of this segment hide.
  private var mayHideOlder = true
  /// Live records that do not verify: they cannot be moved, and must come from other replicas.
  package private(set) var damagedHashes: [UInt64] = []
  /// The segment may say what was dropped, unreadably: it stays until nothing older is left that could come back.
  private var isDropLost = false
  /// Bytes written again.
  package private(set) var movedBytes = 0
  /// Older records that the segment's tombstones hid may come back with the next start; the node is marked, so that it is
  /// compared with the others then.
  private(set) var mayUncoverOlder = false

  private static let entriesPerStep = 64
  private static let bytesPerStep = 1 << 20
  /// Hints carried on from one segment; more are dropped, as hints may be. Without a bound, or with one that small segments
  /// never reach, a log full of them would be written round and round for as long as the node they are for is away.
  private var hintBytesMax: Int { min(1 << 20, store.log.segmentBytes / 8) }

  private init(_ store: Store, _ segment: Log.Segment) {
    self.store = store
    self.segment = segment
    let source = SegmentSource(
      base: UnsafeRawPointer(segment.file.base), slot: segment.slot, id: segment.id,
      clusterID: store.log.identity.clusterID)
    scan = SegmentScan(source, limit: segment.end)
  }

  /// The segment to empty next, if it is worth while.
  ///
  /// The one of which most is dead, once more than half of the log is (or of which all is dead, or some damaged):
  /// greedy choice is within a few percent of the best for uniform updates (Rosenblum and Ousterhout, TOCS 10(1)).
  /// Once purged tombstones are more than half of what is not dead, the oldest ones are emptied in their order until
  /// they are gone.
  /// - Parameters:
  ///   - need: how much space is wanted.
  ///   - withDamaged: whether segments that are damaged may be chosen.
  ///   - besides: slots of segments that may not.
  package static func next(
    in store: Store, for need: Need = .usual, withDamaged: Bool = true, besides: Set<Int> = []
  ) -> Compaction? {
    let log = store.log
    let size = log.size
    let live = size.recordBytes - size.deadBytes
    let isWorthWhile = need != .usual || size.deadBytes > max(live, log.segmentBytes / 2)
    var best: (segment: Log.Segment, deadPart: Double)?
    let segments = log.settledSegments
    let purged = segments.reduce(0) { $0 + store.table.purgedBytes($1.slot) }
    let isInOrder = !store.isDisordered.load(ordering: .relaxed)
    let mustBury = purged > max(live - purged, log.segmentBytes / 2)
    for segment in segments where (withDamaged || !segment.isDamaged) && !besides.contains(segment.slot) {
      if isKeptForDrop(segment, segments, log) || !need.reaches(segment.id) { continue }
      let used = max(1, segment.end - LogFormat.segmentHeaderBytes)
      var deadBytes = store.table.deadBytes(segment.slot)
      // Purged tombstones go with the oldest segment; they have nothing left to hide.
      let isOldest = isInOrder && segment.id == segments[0].id
      if isOldest { deadBytes += store.table.purgedBytes(segment.slot) }
      if isOldest, mustBury { deadBytes = max(deadBytes, used) }
      let deadPart = segment.isDamaged ? 2 : Double(deadBytes) / Double(used)
      if deadPart > best?.deadPart ?? 0 { best = (segment, deadPart) }
    }
    guard let best, best.deadPart >= 1 || isWorthWhile && best.deadPart > need.deadPartMin else { return nil }
    return Compaction(store, best.segment)
  }

  /// A damaged segment, the oldest first.
  static func nextDamaged(in store: Store, besides: Set<Int>) -> Compaction? {
    store.log.settledSegments.first { $0.isDamaged && !besides.contains($0.slot) }.map { Compaction(store, $0) }
  }

  /// How much space is wanted.
  package enum Need: Equatable {
    /// As much as does not cost clients more than it brings.
    case usual
    /// Clients are refused for want of room.
    case pressing
    /// All that there is, of segments below this one: someone asked for it.
    case all(below: UInt64)

    /// To write more than this part again is not worth what it frees: greedy choice finds better segments as long as half
    /// of the log is dead.
    fileprivate var deadPartMin: Double { if case .all = self { 0.02 } else { 0.3 } }

    fileprivate func reaches(_ segment: UInt64) -> Bool { if case .all(let end) = self { segment < end } else { true } }
  }

  /// Goes on in a new segment if the one being written is what keeps the space: a log that was filled and emptied within one
  /// segment would keep it for ever.
  /// - Returns: whether there is a segment more to empty, once the log has been put on the disk.
  package static func sealTail(of store: Store, for need: Need) -> Bool {
    let log = store.log
    let (tail, all) = (log.tailSize, log.size)
    let leastBytes = need == .usual ? log.segmentBytes / 4 : min(64 << 10, log.segmentBytes / 4)
    let isWorthWhile = need != .usual || all.deadBytes > max(all.recordBytes - all.deadBytes, log.segmentBytes / 2)
    let deadPartMin = need == .usual ? 0.5 : need.deadPartMin
    guard isWorthWhile, tail.deadBytes > leastBytes,
      Double(tail.deadBytes) > deadPartMin * Double(tail.recordBytes)
    else { return false }
    return (try? log.sealTail()) != nil
  }

  /// Whether the segment is little more than the note of a range drop that is still needed. To carry that on would seal
  /// the next segment as early: with two such notes there would be no end to it.
  private static func isKeptForDrop(_ segment: Log.Segment, _ segments: [Log.Segment], _ log: Log) -> Bool {
    guard !segment.isDamaged, segment.end < log.segmentBytes / 2 else { return false }
    let first = RecordView(segment.file.base + LogFormat.segmentHeaderBytes)
    guard first.kind == .rangeDrop else { return false }
    let effect = LogPosition(rawValue: first.tag.rawValue)
    return segments.contains { $0.id <= effect.segment && $0.id != segment.id }
  }

  /// Moves some records; false when there are no more.
  /// - Throws: the log takes no more records. The segment stays as it is.
  package func step(
    withPartition: (_ partition: Int, _ body: () -> Void) -> Void
  ) throws(StorageError) -> Bool {
    while partition < Store.partitionCount, next >= scan.entries(partition).count {
      if mayLeaveEntries { withPartition(partition) { findLeft() } }
      partition += 1
      next = 0
    }
    guard partition < Store.partitionCount else {
      try moveNotes()
      return false
    }
    var failure: StorageError?
    store.relocating.withLock {
      withPartition(partition) {
        do throws(StorageError) { try moveSome() } catch { failure = error }
      }
    }
    if let failure { throw failure }
    return true
  }

  /// An index made of the log's records has no others; one made of a checkpoint may, if the checkpoint is a forged one.
  private var mayLeaveEntries: Bool { !scan.damage.isEmpty || segment.id <= store.covered.segment }

  /// Entries of the segment that are left point to where the scan found no record. Without its file, they would point to
  /// memory that is not there.
  private func findLeft() {
    for hash in store.hashes(partition, inSlot: segment.slot) where !damagedHashes.contains(hash) {
      damagedHashes.append(hash)
    }
  }

  private func moveSome() throws(StorageError) {
    let entries = scan.entries(partition)
    mayHideOlder = isAnythingOlderHidden
    let end = min(next + Compaction.entriesPerStep, entries.count)
    let last = movedBytes + Compaction.bytesPerStep
    while next < end, movedBytes < last {
      try move(entries[next])
      next += 1
    }
  }

  private func move(_ entry: SegmentScan.Entry) throws(StorageError) {
    let stripe = store.stripes + partition
    let found = stripe.pointee.index.find(entry.hash) { slot in
      slot.pointee.tag == entry.tag && store.logLocation(slot.pointee.location, stripe) == entry.location
    }
    guard let found else { return try carry(entry) }
    let record = store.record(at: entry.location)
    guard record.hasIntactValue, store.hasIntactHeader(entry.location) else {
      damagedHashes.append(entry.hash)
      return
    }
    let moved = try store.log.appendUpkeep(
      entry.location.isTombstone ? .tombstone : .value, tag: entry.tag, key: record.key, value: record.payload,
      valueChecksum: record.valueChecksum)
    movedBytes += record.byteCount
    if found.pointee.location.isCached {
      stripe.pointee.cache.entry(found.pointee.location).setLogLocation(moved)
    } else {
      found.pointee.location = moved
    }
    store.table.addDead(record.byteCount, slot: entry.location.slot)
  }

  /// A tombstone that was purged still hides records of its key in older segments, should a start read them: it is
  /// carried on while there are any (see `Store+Purge.swift`).
  private func carry(_ entry: SegmentScan.Entry) throws(StorageError) {
    guard entry.location.isTombstone, mayHideOlder, !store.buriesEarly.load(ordering: .relaxed),
      store.hasIntactHeader(entry.location), !store.isVoid(entry.hash, store.table.position(of: entry.location))
    else { return }
    let record = store.record(at: entry.location)
    // Whatever the index has of the key hides as much.
    if let version = store.version(entry.hash, record.key, known: .none), version.tag != .none { return }
    let moved = try store.log.appendUpkeep(
      .tombstone, tag: entry.tag, key: record.key, value: record.payload, valueChecksum: record.valueChecksum)
    store.table.addPurged(record.byteCount, slot: moved.slot)
    movedBytes += record.byteCount
  }

  private var isAnythingOlderHidden: Bool {
    store.isDisordered.load(ordering: .relaxed) || isOlderLeft(than: LogPosition(segment: segment.id, offset: 0))
  }

  /// What the log says about itself is carried on while there is anything older that it speaks of.
  private func moveNotes() throws(StorageError) {
    let isFirstDamaged = scan.damage.first?.range.lowerBound == LogFormat.segmentHeaderBytes
    isDropLost = isFirstDamaged && isOlderLeft(than: LogPosition(segment: segment.id, offset: 0))
    var hintBytes = 0
    for note in scan.notes {
      let record = note.record
      let position = LogPosition(segment: segment.id, offset: note.offset)
      switch record.kind {
      case .hint:
        if record.hasIntactValue, store.isHintOpen(for: record.value, at: position),
          hintBytes < hintBytesMax
        {
          hintBytes += record.byteCount
          _ = try store.log.appendNote(.hint, tag: record.tag, key: record.key, value: record.value, isUpkeep: true)
        }
      case .hintsSettled:
        let effect = record.tag == .none ? position : LogPosition(rawValue: record.tag.rawValue)
        if isOlderLeft(than: effect) {
          _ = try store.log.appendNote(
            .hintsSettled, tag: Tag(rawValue: effect.rawValue), key: record.key, value: record.value, isUpkeep: true)
        }
      case .rangeDrop:
        let effect = LogPosition(rawValue: record.tag.rawValue)
        if isOlderLeft(than: effect), !record.hasIntactValue {
          isDropLost = true
        } else if isOlderLeft(than: effect) {
          try store.log.appendRangeDrop(RingRanges(bytes: record.value), effect: effect)
        }
      case .value, .tombstone, .syncMark, .seal, nil: break
      }
    }
  }

  private func isOlderLeft(than position: LogPosition) -> Bool {
    store.log.settledSegments.contains { $0.id <= position.segment && $0.id != segment.id }
  }

  /// Whether everything live has been moved, so that the segment may go once the log is on the disk.
  package var isComplete: Bool { damagedHashes.isEmpty && !isDropLost && partition >= Store.partitionCount }

  /// Gives the segment's file back. Call after what was moved has been put on the disk.
  package func finish() throws(StorageError) {
    // What could not be read may have been a purged tombstone, and what it hid may come back with a start: after that
    // start the node is compared with N − W + 1 undamaged others before it votes.
    if scan.damage.contains(where: { !$0.isValueOnly }), store.table.purgedBytes(segment.slot) > 0,
      isAnythingOlderHidden
    {
      try SuspectMark.write(.lost, to: store.log.disk, folder: store.log.folder)
      mayUncoverOlder = true
    }
    try store.log.release(segment)
    store.trimDrops()
  }
}
