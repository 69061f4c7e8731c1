import CKernels
import Synchronization

/// Opening a node's storage: the log is read, segment by segment, into the index.
///
/// The work comes in units that any number of threads may do in any order, for a key's newest record is found by its tag
/// and place, whoever comes first: ``init(disk:folder:identity:segmentBytes:cacheBytes:)`` finds the log and its end,
/// ``run(_:)`` does one unit, ``finish()`` hands over the store.
package final class StoreOpening: @unchecked Sendable {
  private let recovery: LogRecovery
  let checkpoint: Checkpoint?
  private let table: SegmentTable
  private let stripes: StripeTable
  private let cacheBytes: Int
  private let drops: [(ranges: RingRanges, effect: LogPosition)]
  /// The positions before which records are void, ascending, one a drop.
  private let effects: [LogPosition]
  /// For each ring slot, how many of ``effects`` end with its own, the last that counts; empty if nothing was ever dropped.
  private let effectCounts: [UInt16]
  private let locks: UnsafeMutablePointer<Lock>
  private let units: [Unit]
  /// How many bytes the segment in each slot has.
  private let ends: [Int]

  private enum Unit {
    /// Partitions of the checkpoint.
    case checkpoint(Range<Int>)
    /// A segment, from an offset.
    case segment(Log.Segment, from: Int)
  }

  private struct State {
    var found: LogRecovery.Found
    var newestTag = Tag.none
    var hints: [(node: String, hash: UInt64, byteCount: Int, position: LogPosition)] = []
    var settled: [String: LogPosition] = [:]
    var invertedHashes: [UInt64] = []
    var isCheckpointFalse = false
  }
  /// Guarded by `stateLock`.
  private var state: State
  private let stateLock = Lock()

  /// - Parameters:
  ///   - isExpected: the node has had a log: if it is gone, so is what the node acknowledged.
  ///   - mayHaveLostPower: false if what was stored in a file is there whether it was synced or not, unless the node's mark
  ///     says otherwise.
  ///   - known: up to where the log reached once, says a ``Witness``.
  ///   - usesCheckpoint: false reads all of the log.
  package init(
    disk: any Disk, folder: String, identity: LogIdentity, segmentBytes: Int = Limits.segmentBytesDefault,
    cacheBytes: Int, isExpected: Bool = false, mayHaveLostPower: Bool = true, known: LogPosition = .start,
    usesCheckpoint: Bool = true
  ) throws(StorageError) {
    recovery = LogRecovery(
      disk: disk, folder: folder, identity: identity, segmentBytes: segmentBytes, isExpected: isExpected,
      mayHaveLostPower: mayHaveLostPower, known: known)
    table = recovery.table
    self.cacheBytes = cacheBytes
    stripes = StripeTable(cacheBytes: cacheBytes)
    var found: LogRecovery.Found
    do {
      found = try recovery.find()
    } catch {
      recovery.table.closeAll()
      throw error
    }
    drops = StoreOpening.drops(&found, recovery)
    effects = drops.map(\.effect).sorted()
    effectCounts = StoreOpening.effectCounts(drops)
    checkpoint = found.isCut || !usesCheckpoint ? nil : StoreOpening.checkpoint(&found, recovery)
    units = StoreOpening.plan(found, checkpoint)
    var ends = [Int](repeating: 0, count: (found.segments.map(\.slot).max() ?? 0) + 1)
    for segment in found.segments { ends[segment.slot] = segment.file.byteCount }
    self.ends = ends
    locks = .allocate(capacity: Store.partitionCount)
    for i in 0..<Store.partitionCount { (locks + i).initialize(to: Lock()) }
    state = State(found: found, newestTag: checkpoint?.newestTag ?? .none)
    countDead(in: found)
  }

  /// The folder's checkpoint, unless records are lost: it may speak of more than the log has, and of a key whose newest
  /// record is among them it does not know the older ones. (A file that was cut short may look as if nothing had ever been
  /// behind its end.)
  private static func checkpoint(_ found: inout LogRecovery.Found, _ recovery: LogRecovery) -> Checkpoint? {
    let checkpoint = Checkpoint.read(
      from: recovery.disk, folder: recovery.folder, identity: recovery.identity, segments: found.segments)
    guard let checkpoint else { return nil }
    var isWhole = !found.damage.hasLost
    for (i, segment) in found.segments.enumerated() where segment.id <= checkpoint.covers.segment {
      let isLast = segment.id == checkpoint.covers.segment
      let wanted = isLast ? checkpoint.covers.offset : checkpoint.end(segment.id)
      let end = isLast ? found.scan(segment.id)?.end ?? segment.file.byteCount : segment.file.byteCount
      guard wanted > end else { continue }
      found.damage.add(segment.id, end..<wanted, "records that the checkpoint speaks of are missing")
      found.segments[i].isDamaged = true
      isWhole = false
    }
    if isWhole { return checkpoint }
    checkpoint.close()
    do throws(StorageError) {
      try SuspectMark.write(.lost, to: recovery.disk, folder: recovery.folder)
      // The mark says it from now on, until the node has been rebuilt.
      try recovery.disk.remove(Checkpoint.path(recovery.folder))
    } catch {
      // Then the next start finds it once more.
    }
    return nil
  }

  /// The store of a log that was found to have lost records, or of a checkpoint to be false, only while it was read: all
  /// of the log is read.
  private func openWithoutCheckpoint() throws(StorageError) -> Store {
    abandon()
    try? recovery.disk.remove(Checkpoint.path(recovery.folder))
    return try Store.open(
      disk: recovery.disk, folder: recovery.folder, identity: recovery.identity, segmentBytes: recovery.segmentBytes,
      cacheBytes: cacheBytes, isExpected: recovery.isExpected, mayHaveLostPower: recovery.mayHaveLostPower,
      known: recovery.known, usesCheckpoint: false)
  }

  private func withState<R>(_ body: (inout State) -> R) -> R {
    stateLock.withLock { body(&state) }
  }

  deinit {
    locks.deinitialize(count: Store.partitionCount)
    locks.deallocate()
  }

  /// Range drops, each the first record of its segment.
  private static func drops(
    _ found: inout LogRecovery.Found, _ recovery: LogRecovery
  ) -> [(ranges: RingRanges, effect: LogPosition)] {
    var drops: [(ranges: RingRanges, effect: LogPosition)] = []
    let offset = LogFormat.segmentHeaderBytes
    for segment in found.segments {
      let first = RecordView.checked(
        in: UnsafeRawPointer(segment.file.base), at: offset, limit: segment.file.byteCount,
        seed: LogFormat.seed(clusterID: recovery.identity.clusterID, segment: segment.id))
      guard let first, first.kind == .rangeDrop else { continue }
      guard first.hasIntactValue else {
        // What was given up might come back.
        found.damage.add(segment.id, offset..<offset + first.byteCount, "a note of dropped ranges is unreadable")
        continue
      }
      drops.append((RingRanges(bytes: first.value), LogPosition(rawValue: first.tag.rawValue)))
    }
    return drops
  }

  /// A drop is the first record of a segment, so their number fits.
  private static func effectCounts(_ drops: [(ranges: RingRanges, effect: LogPosition)]) -> [UInt16] {
    if drops.isEmpty { return [] }
    return [UInt16](unsafeUninitializedCapacity: Ring.slotCount) { counts, count in
      counts.initialize(repeating: 0)
      count = Ring.slotCount
      for (i, drop) in drops.sorted(by: { $0.effect < $1.effect }).enumerated() {
        for range in drop.ranges.ranges {
          counts[range.lowerBound...range.upperBound].update(repeating: UInt16(i + 1))
        }
      }
    }
  }

  /// Whether a record's range was given up after it was written.
  @inline(__always)
  private func isVoid(_ hash: UInt64, at position: LogPosition) -> Bool {
    if effectCounts.isEmpty { return false }
    let count = Int(effectCounts[Ring.slot(of: hash)])
    return count > 0 && position < effects[count - 1]
  }

  private static func plan(_ found: LogRecovery.Found, _ checkpoint: Checkpoint?) -> [Unit] {
    var units: [Unit] = []
    if checkpoint != nil {
      let part = Store.partitionCount / 16
      units = (0..<16).map { .checkpoint($0 * part..<($0 + 1) * part) }
    }
    for segment in found.segments {
      let covered = checkpoint?.covers ?? .start
      if segment.id < covered.segment { continue }
      units.append(
        .segment(segment, from: segment.id == covered.segment ? covered.offset : LogFormat.segmentHeaderBytes))
    }
    return units
  }

  /// What a checkpoint covers is dead unless one of its entries points to it.
  private func countDead(in found: LogRecovery.Found) {
    guard let checkpoint else { return }
    withState { state in
      for i in state.found.segments.indices {
        let segment = state.found.segments[i]
        if segment.id < checkpoint.covers.segment { state.found.segments[i].end = checkpoint.end(segment.id) }
        let end =
          segment.id == checkpoint.covers.segment ? checkpoint.covers.offset : state.found.segments[i].end
        if segment.id <= checkpoint.covers.segment {
          let purged = min(checkpoint.purgedBytes(segment.id), end - LogFormat.segmentHeaderBytes)
          table.addPurged(purged, slot: segment.slot)
          table.addDead(end - LogFormat.segmentHeaderBytes - purged, slot: segment.slot)
        }
      }
    }
  }

  /// How many units there are to ``run(_:)``.
  package var unitCount: Int { units.count }

  /// Does one unit; each exactly once.
  package func run(_ unit: Int) {
    switch units[unit] {
    case .checkpoint(let partitions):
      for partition in partitions { load(partition) }
    case .segment(let segment, let start):
      let known = start == LogFormat.segmentHeaderBytes ? withState { $0.found.scan(segment.id) } : nil
      replay(segment, known ?? scan(segment, from: start))
    }
  }

  /// The whole log was found already for the segments near its end; of others, and of parts, it is looked for here.
  private func scan(_ segment: Log.Segment, from start: Int) -> SegmentScan {
    let isEndKnown = withState { $0.found.scan(segment.id) != nil }
    return SegmentScan(
      recovery.source(segment), from: start, limit: isEndKnown ? segment.end : segment.file.byteCount)
  }

  private func replay(_ segment: Log.Segment, _ scan: SegmentScan) {
    for partition in 0..<Store.partitionCount {
      let entries = scan.entries(partition)
      if entries.isEmpty { continue }
      locks[partition].withLock {
        reserve(entries, partition)
        for i in entries.indices {
          // Two versions of a key are told apart by a look at both records: ask for them early.
          if i + 4 < entries.count { prefetch(entries[i + 4], partition) }
          take(entries[i], partition)
        }
      }
    }
    withState { state in
      state.newestTag = max(state.newestTag, scan.newestTag)
      if let i = state.found.segments.firstIndex(where: { $0.id == segment.id }) {
        state.found.segments[i].end = scan.end
        // Its header may have been found damaged before.
        if !scan.damage.isEmpty { state.found.segments[i].isDamaged = true }
      }
      for damage in scan.damage {
        state.found.damage.add(segment.id, damage.range, "not the records that were written")
      }
      for note in scan.notes { take(note, segment, &state) }
      let isLast = state.found.segments.last?.id == segment.id
      if !scan.isSealed, !isLast, state.found.scan(segment.id) == nil {
        state.found.damage.add(segment.id, scan.end..<segment.file.byteCount, "its end is missing")
        if let i = state.found.segments.firstIndex(where: { $0.id == segment.id }) {
          state.found.segments[i].isDamaged = true
        }
      }
    }
  }

  /// The first segment's keys find tables of the right size; those of later ones may be the same keys.
  private func reserve(_ entries: UnsafeBufferPointer<SegmentScan.Entry>, _ partition: Int) {
    guard stripes.base[partition].index.count == 0 else { return }
    var counts = [Int](repeating: 0, count: HashIndex.tableCount)
    for entry in entries { counts[HashIndex.table(of: entry.hash)] += 1 }
    for (i, count) in counts.enumerated() { stripes.base[partition].index.reserve(i, count) }
  }

  private func prefetch(_ entry: SegmentScan.Entry, _ partition: Int) {
    let index = stripes.base[partition].index
    let candidate = index.find(entry.hash) { _ in true }
    guard let candidate else { return }
    kv_prefetch(table.address(of: candidate.pointee.location))
    kv_prefetch(table.address(of: entry.location))
  }

  private func take(_ note: SegmentScan.Note, _ segment: Log.Segment, _ state: inout State) {
    let position = LogPosition(segment: segment.id, offset: note.offset)
    table.addDead(note.record.byteCount, slot: segment.slot)
    switch note.record.kind {
    case .hint where note.record.hasIntactValue:
      let node = String(decoding: note.record.value, as: UTF8.self)
      state.hints.append((node, Ring.hash(note.record.key), note.record.byteCount, position))
    case .hintsSettled:
      let node = String(decoding: note.record.key, as: UTF8.self)
      let effect = note.record.tag == .none ? position : LogPosition(rawValue: note.record.tag.rawValue)
      state.settled[node] = max(state.settled[node] ?? .start, effect)
    default: break
    }
  }

  /// Lets the index point to a record unless it knows a newer one of the key.
  private func take(_ entry: SegmentScan.Entry, _ partition: Int) {
    let stripe = stripes.base + partition
    let position = table.position(of: entry.location)
    if isVoid(entry.hash, at: position) { return countDead(entry.location) }
    let record = RecordView(table.address(of: entry.location))
    let found = stripe.pointee.index.find(entry.hash) { slot in
      slot.pointee.tag == entry.tag || RecordView(table.address(of: slot.pointee.location)).hasKey(record.key)
    }
    guard let found else {
      stripe.pointee.index.insert(IndexSlot(hash: entry.hash, location: entry.location, tag: entry.tag))
      if entry.location.isTombstone { stripe.pointee.tombstones += 1 }
      return
    }
    let old = found.pointee
    let oldPosition = table.position(of: old.location)
    // A checkpoint and the log may both name it.
    if position == oldPosition { return }
    let isNewer = isNewer(entry, old, isLater: position > oldPosition)
    if entry.tag != old.tag, isNewer != (position > oldPosition) { noteInversion(entry.hash) }
    guard isNewer else { return countDead(entry.location) }
    countDead(old.location)
    found.pointee = IndexSlot(hash: entry.hash, location: entry.location, tag: entry.tag)
    if old.location.isTombstone != entry.location.isTombstone {
      stripe.pointee.tombstones += entry.location.isTombstone ? 1 : -1
    }
  }

  /// Whether a record takes the place of one that the index has.
  @inline(__always)
  private func isNewer(_ entry: SegmentScan.Entry, _ old: IndexSlot, isLater: Bool) -> Bool {
    if entry.tag == old.tag { return isLater }
    if !entry.tag.isRMW, !old.tag.isRMW { return entry.tag > old.tag }
    let stamp = RecordView(table.address(of: entry.location)).stamp
    let other = RecordView(table.address(of: old.location)).stamp
    return isLater ? stamp.supersedes(other) : !other.supersedes(stamp)
  }

  /// Two writers met, or a crash came in between; seldom.
  private func noteInversion(_ hash: UInt64) { withState { $0.invertedHashes.append(hash) } }

  private func countDead(_ location: Location) {
    let bytes = location.byteCount
    table.addDead(
      bytes != 0 ? bytes : RecordView(table.address(of: location)).byteCount, slot: location.slot)
  }

  private func load(_ partition: Int) {
    guard let checkpoint else { return }
    let entries = checkpoint.entries(partition)
    if entries.isEmpty { return }
    locks[partition].withLock {
      var counts = [Int](repeating: 0, count: HashIndex.tableCount)
      for entry in entries { counts[HashIndex.table(of: entry.hash)] += 1 }
      for (i, count) in counts.enumerated() { stripes.base[partition].index.reserve(i, count) }
      for entry in entries {
        // What lies beyond the position is read from the log, perhaps already with what came after it.
        guard let location = checkpoint.location(entry.location, table),
          table.position(of: location) < checkpoint.covers
        else { continue }
        guard isWithin(location) else {
          // Nobody wrote that. The log has the key, and only a start without the checkpoint finds it.
          withState { $0.isCheckpointFalse = true }
          continue
        }
        // Counted dead with its segment, and alive after all.
        table.addDead(-byteCount(location), slot: location.slot)
        take(SegmentScan.Entry(hash: entry.hash, tag: entry.tag, location: location), partition)
      }
    }
  }

  /// Whether the place a checkpoint names is one in its segment.
  private func isWithin(_ location: Location) -> Bool {
    let end = ends[location.slot]
    guard !location.isCached, location.offset >= LogFormat.segmentHeaderBytes,
      location.offset + LogFormat.recordHeaderBytes <= end
    else { return false }
    return location.offset + byteCount(location) <= end
  }

  private func byteCount(_ location: Location) -> Int {
    location.byteCount != 0 ? location.byteCount : RecordView(table.address(of: location)).byteCount
  }

  /// The store, after all units.
  /// - Throws: the node may have lost records, and its folder takes no mark that says so. Nothing has been written yet that
  ///   could hide it from the next start.
  package func finish() throws(StorageError) -> Store {
    state.found.scans = []
    if state.found.damage.isSuspect {
      let cause = state.found.damage.hasLost ? SuspectMark.Cause.lost : .unsynced
      do throws(StorageError) {
        try SuspectMark.write(cause, to: recovery.disk, folder: recovery.folder)
      } catch {
        abandon()
        throw error
      }
    }
    if checkpoint != nil, state.isCheckpointFalse || state.found.damage.hasLost { return try openWithoutCheckpoint() }
    checkpoint?.close()
    let log = Log(
      disk: recovery.disk, folder: recovery.folder, identity: recovery.identity, segmentBytes: recovery.segmentBytes,
      segments: state.found.segments, free: state.found.free, newestID: state.found.newestID, table: table,
      durable: .start)
    let store = Store(
      log: log, stripes: stripes, settled: state.settled, covered: checkpoint?.covers ?? .start, drops: drops)
    store.invertedHashes = state.invertedHashes
    store.newestTag = state.newestTag
    store.damage = state.found.damage
    store.isSuspect = store.damage.isSuspect
    store.hasLost = store.damage.hasLost
    var hints: [RecoveredHints] = []
    for hint in state.hints.sorted(by: { $0.position < $1.position }) {
      if let settled = state.settled[hint.node], hint.position < settled { continue }
      if let i = hints.firstIndex(where: { $0.node == hint.node }) {
        hints[i].hashes.append(hint.hash)
        hints[i].byteCounts.append(hint.byteCount)
      } else {
        hints.append(RecoveredHints(node: hint.node, hashes: [hint.hash], byteCounts: [hint.byteCount]))
      }
    }
    store.recoveredHints = hints
    return store
  }

  /// Unmaps everything, after a failure.
  package func abandon() {
    checkpoint?.close()
    for file in state.found.free { file.close() }
    table.closeAll()
  }
}

extension Store {
  /// Opens a node's storage on the calling thread.
  package static func open(
    disk: any Disk, folder: String, identity: LogIdentity, segmentBytes: Int = Limits.segmentBytesDefault,
    cacheBytes: Int, isExpected: Bool = false, mayHaveLostPower: Bool = true, known: LogPosition = .start,
    usesCheckpoint: Bool = true
  ) throws(StorageError) -> Store {
    let opening = try StoreOpening(
      disk: disk, folder: folder, identity: identity, segmentBytes: segmentBytes, cacheBytes: cacheBytes,
      isExpected: isExpected, mayHaveLostPower: mayHaveLostPower, known: known, usesCheckpoint: usesCheckpoint)
    for unit in 0..<opening.unitCount { opening.run(unit) }
    return try opening.finish()
  }
}
