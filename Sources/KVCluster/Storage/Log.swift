import Synchronization

/// A node's append-only log of records in segment files; it *is* the store, the index points into it.
///
/// Writers copy their record into the mapped segment under one short lock, so records lie without gaps and everything
/// below the tail is filled: whoever kills the program finds a log that ends where it ends. (Reserving with an atomic
/// add and copying outside the lock is faster with many writers, and leaves holes that swallow acknowledged records.)
/// Durability comes later and for many at once: ``sync()`` puts all that was appended before it on the disk.
///
/// A full segment is sealed and stays as it is until compaction has moved what is live out of it; then its file is kept
/// free, space and page cache and all, and becomes the next new segment. (New files cost twice: they are filled with
/// zeros first, and fdatasync is slow for a while after large files were deleted.)
///
/// The log owns no thread. Whoever drives it (threads of the runtime, or the simulator) calls ``prepare()`` to have room
/// made ahead of the writers and ``sync()`` as the policy wants.
package final class Log: @unchecked Sendable {
  /// A segment of this log.
  struct Segment {
    var file: any SegmentFile
    var id: UInt64
    var slot: Int
    /// Where its records end; of the tail, where they ended when it was opened.
    var end: Int
    /// Compaction shall empty it however little of it is dead: some of it is damaged.
    var isDamaged = false
  }

  /// A part of a segment that has been written for now.
  typealias Written = (file: any SegmentFile, range: Range<Int>)

  /// The segment being written; guarded by `lock`.
  struct Tail {
    var segment: Segment?
    var base: UnsafeMutableRawPointer
    var slot: Int
    var id: UInt64
    var seed: UInt32
    var offset: Int
    /// Records may reach up to here.
    var limit: Int
    /// Pages up to here have been made ready.
    var prepared = 0
    /// Pages up to here have been given back to the readers.
    var finished = 0
    /// The rest of segments that were sealed since ``prepare()`` was last called.
    var unfinished: [Written] = []
    /// Of a staged file, what is part of the file already; and the rest of segments that were sealed since the last sync.
    var staged = 0
    var unwritten: [Written] = []
    /// Synced before the tail segment may count as durable.
    var unsynced: [any SegmentFile] = []
    /// All segments but this, from the oldest.
    var sealed: [Segment] = []
    var sealedBytes = 0
    /// Past this offset the log asks for room ahead; `Int.max` once it has asked.
    var askRoomAt = 0
    /// Why the log takes no more records.
    var failure: StorageError?
  }

  package let folder: String
  let identity: LogIdentity
  let disk: any Disk
  let segmentBytes: Int
  private let lock = Lock()
  private let tail: UnsafeMutablePointer<Tail>
  private let pool: SegmentPool
  /// Everything below is on the disk.
  private let durableRaw: Atomic<UInt64>
  /// Where the log ended at the last sync: unlike `durable`, without the mark that followed it.
  private let syncedRaw = Atomic<UInt64>(0)
  private let syncCount = Atomic<UInt64>(0)
  /// Where locations point to.
  package let table: SegmentTable
  /// Called, with the log's lock held, when room is getting short; guarded by `lock`.
  private var requestRoom: (@Sendable (Log) -> Void)?

  init(
    disk: any Disk, folder: String, identity: LogIdentity, segmentBytes: Int, segments: [Segment],
    free: [any SegmentFile], newestID: UInt64, table: SegmentTable, durable: LogPosition
  ) {
    self.disk = disk
    self.folder = folder
    self.identity = identity
    self.segmentBytes = segmentBytes
    self.table = table
    pool = SegmentPool(
      disk: disk, folder: folder, identity: identity, segmentBytes: segmentBytes, table: table,
      segments: segments.map(\.id), free: free, newestID: newestID)
    durableRaw = Atomic(durable.rawValue)
    guard let last = segments.last else { preconditionFailure("a log has a segment") }
    var tail = Tail(
      segment: last, base: last.file.base, slot: last.slot, id: last.id,
      seed: LogFormat.seed(clusterID: identity.clusterID, segment: last.id), offset: last.end,
      limit: last.file.byteCount - LogFormat.sealBytes)
    tail.finished = last.end & ~(Log.pageBytes - 1)
    tail.staged = last.end
    // What is in the page cache may not be on the disk yet: the first sync covers every segment.
    tail.unsynced = segments.dropLast().map(\.file)
    tail.sealed = Array(segments.dropLast())
    tail.sealedBytes = tail.sealed.reduce(0) { $0 + $1.end - LogFormat.segmentHeaderBytes }
    self.tail = .allocate(capacity: 1)
    self.tail.initialize(to: tail)
  }

  deinit {
    tail.deinitialize(count: 1)
    tail.deallocate()
  }

  @inline(__always)
  private func withTail<R, E: Error>(_ body: (inout Tail) throws(E) -> R) throws(E) -> R {
    try lock.withLock { () throws(E) -> R in try body(&tail.pointee) }
  }

  /// Every record that begins below is on the disk.
  @inline(__always)
  package var durable: LogPosition { LogPosition(rawValue: durableRaw.load(ordering: .acquiring)) }

  /// Everything below is on the disk, marks too.
  var synced: LogPosition { LogPosition(rawValue: syncedRaw.load(ordering: .acquiring)) }

  /// Where the next record will go.
  package var end: LogPosition { withTail { LogPosition(segment: $0.id, offset: $0.offset) } }

  package var syncs: UInt64 { syncCount.load(ordering: .relaxed) }

  package var failure: StorageError? { withTail { $0.failure } }

  /// Bytes of records, dead ones of them, and segments.
  package var size: (recordBytes: Int, deadBytes: Int, segments: Int) {
    withTail { tail in
      let dead = tail.sealed.reduce(table.deadBytes(tail.slot)) { $0 + table.deadBytes($1.slot) }
      let bytes = tail.sealedBytes + tail.offset - LogFormat.segmentHeaderBytes
      return (bytes, min(dead, bytes), tail.sealed.count + 1)
    }
  }

  // MARK: - Writing

  /// Appends one record and returns where it lies.
  ///
  /// At once safe against a crash of the program; durable only when ``durable`` has passed it.
  /// - Throws: ``StorageError/diskFull(path:)``; the log is then as it was.
  /// - Complexity: O(bytes of the record), no allocation; now and then a new segment.
  @inline(__always)
  package func append(
    _ kind: RecordKind, tag: Tag, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, valueChecksum: UInt32
  ) throws(StorageError) -> Location {
    try withTail { (tail: inout Tail) throws(StorageError) -> Location in
      try append(kind, tag: tag, key: key, value: value, valueChecksum: valueChecksum, &tail)
    }
  }

  @inline(__always)
  private func append(
    _ kind: RecordKind, tag: Tag, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, valueChecksum: UInt32,
    _ tail: inout Tail
  ) throws(StorageError) -> Location {
    let bytes = LogFormat.recordBytes(keyBytes: key.count, valueBytes: value.count)
    if tail.offset &+ bytes > tail.limit { try makeRoom(bytes, &tail) }
    let offset = tail.offset
    RecordView.write(
      to: tail.base, at: offset, seed: tail.seed, kind: kind, tag: tag, key: key, value: value,
      valueChecksum: valueChecksum)
    tail.offset = offset &+ bytes
    if tail.offset > tail.askRoomAt { askForRoom(&tail) }
    return Location(slot: tail.slot, offset: offset, byteCount: bytes, isTombstone: kind == .tombstone)
  }

  /// Appends a record that no key points to.
  package func appendNote(
    _ kind: RecordKind, tag: Tag, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer
  ) throws(StorageError) -> LogPosition {
    let location = try append(kind, tag: tag, key: key, value: value, valueChecksum: Checksum.crc32c(value))
    table.addDead(location.byteCount, slot: location.slot)
    return table.position(of: location)
  }

  /// Appends a range drop at the beginning of a new segment: records in the ranges before `effect` are void.
  /// - Parameter effect: `nil` for everything there is.
  /// - Returns: the position before which they are void.
  @discardableResult
  package func appendRangeDrop(_ ranges: RingRanges, effect: LogPosition?) throws(StorageError) -> LogPosition {
    // Not with the log's lock held: writers would wait for it, tens of milliseconds.
    pool.makeSpare()
    return try withTail { (tail: inout Tail) throws(StorageError) in
      let bytes = ranges.bytes
      let now = LogPosition(segment: tail.id, offset: tail.offset)
      try roll(LogFormat.recordBytes(keyBytes: 1, valueBytes: bytes.count), &tail)
      let key: [UInt8] = [0]
      let location = try key.withBytes { key throws(StorageError) in
        try bytes.withBytes { value throws(StorageError) in
          try append(
            .rangeDrop, tag: Tag(rawValue: (effect ?? now).rawValue), key: key, value: value,
            valueChecksum: Checksum.crc32c(value), &tail)
        }
      }
      table.addDead(location.byteCount, slot: location.slot)
      return effect ?? now
    }
  }

  // MARK: - Durability

  /// Puts everything appended before the call on the disk. One caller at a time.
  ///
  /// Leaves a mark of what it synced in front of the next batch, by which recovery tells a torn tail from corruption.
  /// - Throws: after a failed sync the log takes no more records: pages may have been dropped, trying again could
  ///   report success for bytes that are gone (ATC '20, "Can Applications Recover from fsync Failures?").
  package func sync() throws(StorageError) {
    typealias Target = (
      position: LogPosition, files: [any SegmentFile], unwritten: [Written], finished: [Written]
    )
    let target = try withTail { (tail: inout Tail) throws(StorageError) -> Target? in
      if let failure = tail.failure { throw failure }
      let position = LogPosition(segment: tail.id, offset: tail.offset)
      guard position > durable, let file = tail.segment?.file else { return nil }
      let files = tail.unsynced + [file]
      tail.unsynced = []
      let unwritten = takeUnwritten(&tail)
      return (position, files, unwritten, takeFinished(&tail, upTo: tail.offset))
    }
    guard let target else { return }
    do {
      for (file, range) in target.unwritten { try file.write(range) }
      for (file, range) in target.finished { file.finishWriting(range) }
      for file in target.files { try file.sync() }
    } catch {
      stop(error)
      throw error
    }
    syncedRaw.store(target.position.rawValue, ordering: .releasing)
    durableRaw.store(target.position.rawValue, ordering: .releasing)
    syncCount.wrappingAdd(1, ordering: .relaxed)
    try markSynced(target.position)
  }

  /// Nothing can be said any more of what was not on the disk.
  private func stop(_ error: StorageError) {
    withTail {
      $0.failure = error
      $0.limit = 0
    }
  }

  /// The mark itself waits for the next sync, and an idle log is not synced for its mark alone: when nothing was
  /// appended in between, the durable position moves past it. A full disk may go without: the mark sharpens recovery.
  /// For the same reason a staged file gets it at once: it tells a crash of the program, and what was appended before it
  /// with it, for it must not stand behind a gap.
  private func markSynced(_ position: LogPosition) throws(StorageError) {
    var unwritten: [Written] = []
    let at = withTail { tail -> LogPosition? in
      defer { unwritten = takeUnwritten(&tail) }
      var id = tail.id.littleEndian
      // The segment may be a new one by the time the mark is written.
      if tail.offset + LogFormat.syncMarkBytes > tail.limit { return nil }
      return withUnsafeBytes(of: &id) { key in
        let empty = UnsafeRawBufferPointer(start: key.baseAddress, count: 0)
        let mark = Tag(rawValue: position.rawValue)
        guard
          let location = try? append(.syncMark, tag: mark, key: key, value: empty, valueChecksum: 0, &tail)
        else { return nil }
        table.addDead(location.byteCount, slot: location.slot)
        return table.position(of: location)
      }
    }
    do {
      for (file, range) in unwritten { try file.write(range) }
    } catch {
      stop(error)
      throw error
    }
    guard at == position else { return }
    durableRaw.store(
      position.rawValue + UInt64(LogFormat.syncMarkBytes / LogFormat.alignment), ordering: .releasing)
  }

  /// Takes no more records and unmaps everything. Nobody may hold a location any more.
  package func close() {
    withTail { tail in
      tail.failure = .closed
      tail.limit = 0
      tail.segment = nil
      tail.unsynced = []
      tail.sealed = []
    }
    pool.close()
    table.closeAll()
  }
}

// MARK: - Room

extension Log {
  /// As much as is there, within 1 and 16 MiB: small logs stay small, large ones grow seldom.
  private static func growthBytes(at size: Int) -> Int { min(max(size, 1 << 20), 16 << 20) }
  static let pageBytes = 4_096
  /// Copies of pages are given back so many at a time: each time costs an interrupt to every core.
  private static let stagedBytes = 256 << 10
  /// Pages are made ready this far ahead of the writers. Further ahead they would be written back, clean, before they
  /// are used, and fault again.
  private static let preparedBytes = 2 << 20

  /// Who is told when room is getting short; they answer with ``prepare()`` on a thread of their own.
  func setRoomRequest(_ request: @escaping @Sendable (Log) -> Void) {
    withTail { _ in requestRoom = request }
  }

  /// Makes room ahead of the writers, so that they seldom wait for it. A full disk is left to the writer who needs room.
  package func prepare() {
    typealias Plan = (file: any SegmentFile, offset: Int, prepared: Int, finished: [Written])
    let plan = withTail { tail -> Plan? in
      guard let file = tail.segment?.file, tail.failure == nil else { return nil }
      // Of a staged file only who syncs knows what is part of it.
      let finished = file.isStaged ? [] : takeFinished(&tail, upTo: tail.offset & ~(Log.pageBytes - 1))
      return (file, tail.offset, tail.prepared, finished)
    }
    // All of this outside the lock: it takes milliseconds, writers go on meanwhile.
    guard let plan else { return }
    let size = plan.file.byteCount
    if plan.offset >= growthPoint(plan.file) {
      if size < plan.file.capacity {
        do {
          try plan.file.grow(to: min(plan.file.capacity, size + Log.growthBytes(at: size)))
        } catch {
          withTail { if $0.segment?.file === plan.file { fail(error, &$0) } }
        }
      } else {
        pool.makeSpare()
      }
    }
    let ready = min(plan.offset + Log.preparedBytes, plan.file.byteCount)
    if ready > plan.prepared { plan.file.prepareToWrite(max(plan.prepared, plan.offset)..<ready) }
    for (file, range) in plan.finished { file.finishWriting(range) }
    withTail { tail in
      guard tail.segment?.file === plan.file, tail.failure == nil else { return }
      tail.limit = plan.file.byteCount - LogFormat.sealBytes
      tail.prepared = max(tail.prepared, ready)
      let next = min(growthPoint(plan.file), ready < plan.file.byteCount ? ready - Log.preparedBytes / 2 : .max)
      // On a full disk the point may have been passed: then it is tried again now and then.
      tail.askRoomAt = next == .max ? .max : max(next, tail.offset + (1 << 16))
    }
  }

  /// What has been written since the last call, up to an offset of the tail.
  private func takeFinished(_ tail: inout Tail, upTo end: Int) -> [Written] {
    var finished = tail.unfinished
    tail.unfinished = []
    guard let file = tail.segment?.file, end > tail.finished else { return finished }
    if file.isStaged, end - tail.finished < Log.stagedBytes { return finished }
    finished.append((file, tail.finished..<end))
    tail.finished = end & ~(Log.pageBytes - 1)
    return finished
  }

  /// What the files do not have yet.
  private func takeUnwritten(_ tail: inout Tail) -> [Written] {
    var unwritten = tail.unwritten
    tail.unwritten = []
    if let file = tail.segment?.file, file.isStaged { unwritten.append((file, tail.staged..<tail.offset)) }
    tail.staged = tail.offset
    return unwritten
  }

  /// Lets the bytes of a log that is at rest be seen as they are in its file.
  func settle() {
    withTail { tail in
      guard let file = tail.segment?.file, file.isStaged, tail.staged == tail.offset else { return }
      let end = (tail.offset + Log.pageBytes - 1) & ~(Log.pageBytes - 1)
      // Under the lock: a record stored in a page that is given back would be lost.
      if end > tail.finished { file.finishWriting(tail.finished..<end) }
      tail.finished = tail.offset & ~(Log.pageBytes - 1)
      tail.prepared = min(tail.prepared, tail.finished)
    }
  }

  /// Past this offset the file should grow, or the next segment be made.
  private func growthPoint(_ file: any SegmentFile) -> Int {
    let size = file.byteCount
    if size < file.capacity { return size - Log.growthBytes(at: size) / 2 }
    return pool.hasSpare ? .max : size - Log.growthBytes(at: size)
  }

  @inline(never)
  private func askForRoom(_ tail: inout Tail) {
    tail.askRoomAt = .max
    requestRoom?(self)
  }

  @inline(never)
  private func makeRoom(_ bytes: Int, _ tail: inout Tail) throws(StorageError) {
    if let failure = tail.failure { throw failure }
    guard let file = tail.segment?.file else { throw .closed }
    let needed = tail.offset + bytes + LogFormat.sealBytes
    guard needed <= file.capacity else { return try roll(bytes, &tail) }
    let size = file.byteCount
    do {
      try file.grow(to: min(max(needed, size + Log.growthBytes(at: size)), file.capacity))
    } catch {
      fail(error, &tail)
      throw error
    }
    tail.limit = file.byteCount - LogFormat.sealBytes
    tail.askRoomAt = min(tail.askRoomAt, tail.offset)
  }

  /// The segment could not grow. If that was not for want of space, records may be lost that an earlier or later sync
  /// answers for: growing syncs, and a failed sync reports to one caller only what it has dropped for all.
  private func fail(_ error: StorageError, _ tail: inout Tail) {
    if case .diskFull = error { return }
    tail.failure = tail.failure ?? error
    tail.limit = 0
  }

  /// Seals the segment and goes on in the next; a record larger than a segment gets one of its own size.
  private func roll(_ bytes: Int, _ tail: inout Tail) throws(StorageError) {
    guard var old = tail.segment else { throw .closed }
    let next = try pool.next(record: bytes)
    seal(&tail, next: next.id)
    old.end = tail.offset
    tail.unsynced.append(old.file)
    tail.sealed.append(old)
    tail.sealedBytes += old.end - LogFormat.segmentHeaderBytes
    tail.segment = next
    tail.base = next.file.base
    tail.slot = next.slot
    tail.id = next.id
    tail.seed = LogFormat.seed(clusterID: identity.clusterID, segment: next.id)
    tail.offset = LogFormat.segmentHeaderBytes
    tail.limit = next.file.byteCount - LogFormat.sealBytes
    tail.unfinished.append((old.file, tail.finished..<old.end))
    tail.finished = 0
    if old.file.isStaged { tail.unwritten.append((old.file, tail.staged..<old.end)) }
    tail.staged = LogFormat.segmentHeaderBytes
    tail.prepared = 0
    tail.askRoomAt = 0
    if tail.offset + bytes > tail.limit { try makeRoom(bytes, &tail) }
  }

  private func seal(_ tail: inout Tail, next: UInt64) {
    let key: [UInt8] = [0]
    key.withBytes { key in
      RecordView.write(
        to: tail.base, at: tail.offset, seed: tail.seed, kind: .seal, tag: Tag(rawValue: next), key: key,
        value: UnsafeRawBufferPointer(start: key.baseAddress, count: 0), valueChecksum: 0)
    }
    tail.offset += LogFormat.sealBytes
    table.addDead(LogFormat.sealBytes, slot: tail.slot)
  }
}

// MARK: - Compaction's view

extension Log {
  /// Segments that are sealed and on the disk, from the oldest.
  var settledSegments: [Segment] {
    let durable = durable
    return withTail { tail in
      tail.sealed.filter { LogPosition(segment: $0.id, offset: $0.end) <= durable || $0.id < durable.segment }
    }
  }

  /// Where the log ends, and its segments, from the oldest.
  var segmentsNow: (end: LogPosition, segments: [Segment]) {
    withTail { tail in
      var segments = tail.sealed
      if var last = tail.segment {
        last.end = tail.offset
        segments.append(last)
      }
      return (LogPosition(segment: tail.id, offset: tail.offset), segments)
    }
  }

  /// Goes on in a new segment, so that this one can be compacted.
  func sealTail() throws(StorageError) {
    pool.makeSpare()
    try withTail { (tail: inout Tail) throws(StorageError) in
      if let failure = tail.failure { throw failure }
      try roll(0, &tail)
    }
  }

  /// Whether the segment being written is to be emptied.
  var isTailDamaged: Bool { withTail { $0.segment?.isDamaged ?? false } }

  /// The node has been rebuilt: what is missing from now on was not there before.
  func clearSuspicion() throws(StorageError) {
    try pool.clearSuspicion()
  }

  /// Says that compaction shall empty the segment.
  func markDamaged(slot: Int) {
    withTail { tail in
      for i in tail.sealed.indices where tail.sealed[i].slot == slot { tail.sealed[i].isDamaged = true }
      if tail.slot == slot { tail.segment?.isDamaged = true }
    }
  }

  /// Gives up a sealed segment that nothing points into any more; what was copied from it is on the disk.
  /// - Throws: the segment is then still part of the log.
  func release(_ segment: Segment) throws(StorageError) {
    try pool.remove(segment.id)
    withTail { tail in
      tail.sealed.removeAll { $0.id == segment.id }
      tail.sealedBytes -= segment.end - LogFormat.segmentHeaderBytes
    }
    pool.giveUp(segment)
  }

  /// Keeps the files of all segments under their names and with their bytes, until ``unhold()``: compaction goes on, and
  /// what it gives up is freed afterwards.
  func hold() { pool.hold() }
  func unhold() { pool.unhold() }
}
