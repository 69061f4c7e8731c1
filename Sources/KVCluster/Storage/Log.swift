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
    /// How its records got into it; `nil` if nobody knows.
    var writing: SegmentWriting?
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
    /// Of a staged file, what a sync has taken to make it part of the file, and what is part of it.
    var staged = 0
    var written = 0
    /// The rest of segments that were sealed since the last sync.
    var unwritten: [Written] = []
    /// Synced before the tail segment may count as durable.
    var unsynced: [any SegmentFile] = []
    /// All segments but this, from the oldest.
    var sealed: [Segment] = []
    var sealedBytes = 0
    /// The tail was written in another way than the disk writes now: it takes no more, and once all of it is on the disk
    /// the log goes on in a new segment.
    var endsBeforeNext = false
    /// Past this offset the log asks for room ahead; `Int.max` once it has asked.
    var askRoomAt = 0
    /// Its room was taken from what is kept for upkeep, and is for nothing else.
    var isReserved = false
    /// Why the log takes no more records.
    var failure: StorageError?
  }

  package let folder: String
  let identity: LogIdentity
  let disk: any Disk
  let segmentBytes: Int
  private let lock = Lock()
  private let tail: UnsafeMutablePointer<Tail>
  let pool: SegmentPool
  /// Everything below is on the disk.
  let durableRaw: Atomic<UInt64>
  /// Where the log ended at the last sync: unlike `durable`, without the mark that followed it.
  let syncedRaw = Atomic<UInt64>(0)
  let syncCount = Atomic<UInt64>(0)
  /// A mistake, for a test: a sync leaves out what was sealed since the last one.
  let leavesSealedUnsynced = Atomic<Bool>(false)
  /// A record was refused for want of room since ``noteRelief()``.
  let lacksRoom = Atomic<Bool>(false)
  /// Where locations point to.
  package let table: SegmentTable
  /// Called, with the log's lock held, when room is getting short; guarded by `lock`.
  var requestRoom: (@Sendable (Log) -> Void)?

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
    tail.written = last.end
    // What is in the page cache may not be on the disk yet: the first sync covers every segment.
    tail.unsynced = segments.dropLast().map(\.file)
    tail.sealed = Array(segments.dropLast())
    tail.sealedBytes = tail.sealed.reduce(0) { $0 + $1.end - LogFormat.segmentHeaderBytes }
    let noted = LogIdentity.writing(ofHeader: last.file.base, byteCount: last.file.byteCount, legacy: nil)
    // A program of an earlier version would take what it does not know for damage; a segment of this one it refuses.
    if noted != last.file.writing || LogIdentity.version(ofHeader: last.file.base) != LogFormat.version {
      tail.endsBeforeNext = true
      tail.limit = 0
    }
    self.tail = .allocate(capacity: 1)
    self.tail.initialize(to: tail)
  }

  deinit {
    tail.deinitialize(count: 1)
    tail.deallocate()
  }

  @inline(__always)
  func withTail<R, E: Error>(_ body: (inout Tail) throws(E) -> R) throws(E) -> R {
    try lock.withLock { () throws(E) -> R in try body(&tail.pointee) }
  }

  /// Every record that begins below is on the disk.
  @inline(__always)
  package var durable: LogPosition { LogPosition(rawValue: durableRaw.load(ordering: .acquiring)) }

  /// Everything below is on the disk, marks too.
  var synced: LogPosition { LogPosition(rawValue: syncedRaw.load(ordering: .acquiring)) }

  /// Up to here a kill of the program leaves everything, and at least what was synced.
  var written: LogPosition {
    let (end, isStored) = withTail { tail in
      (LogPosition(segment: tail.id, offset: tail.offset), tail.segment.map { !$0.file.isStaged } ?? false)
    }
    return isStored ? end : synced
  }

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
  func append(
    _ kind: RecordKind, tag: Tag, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, valueChecksum: UInt32,
    _ tail: inout Tail
  ) throws(StorageError) -> Location {
    let bytes = LogFormat.recordBytes(keyBytes: key.count, valueBytes: value.count)
    if tail.offset &+ bytes > tail.limit {
      try makeRoom(bytes, &tail, for: kind == .tombstone ? .tombstones : .records)
    }
    return place(kind, tag: tag, key: key, value: value, valueChecksum: valueChecksum, byteCount: bytes, &tail)
  }

  /// Appends a record where there is room for it.
  @inline(__always)
  func place(
    _ kind: RecordKind, tag: Tag, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, valueChecksum: UInt32,
    byteCount bytes: Int, _ tail: inout Tail
  ) -> Location {
    let offset = tail.offset
    RecordView.write(
      to: tail.base, at: offset, seed: tail.seed, kind: kind, tag: tag, key: key, value: value,
      valueChecksum: valueChecksum)
    tail.offset = offset &+ bytes
    if tail.offset > tail.askRoomAt { askForRoom(&tail) }
    return Location(slot: tail.slot, offset: offset, byteCount: bytes, isTombstone: kind == .tombstone)
  }

  /// Appends a record that no key points to.
  /// - Parameter isUpkeep: compaction carries it on, and may take the last room there is.
  package func appendNote(
    _ kind: RecordKind, tag: Tag, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, isUpkeep: Bool = false
  ) throws(StorageError) -> LogPosition {
    let checksum = Checksum.crc32c(value)
    let location =
      isUpkeep
      ? try appendUpkeep(kind, tag: tag, key: key, value: value, valueChecksum: checksum)
      : try append(kind, tag: tag, key: key, value: value, valueChecksum: checksum)
    table.addDead(location.byteCount, slot: location.slot)
    return table.position(of: location)
  }

  /// Appends a range drop at the beginning of a new segment: records in the ranges before `effect` are void.
  /// - Parameter effect: `nil` for everything there is.
  /// - Returns: the position before which they are void.
  @discardableResult
  package func appendRangeDrop(_ ranges: RingRanges, effect: LogPosition?) throws(StorageError) -> LogPosition {
    // Not with the log's lock held: writers would wait for it, tens of milliseconds.
    pool.makeSpare(for: .upkeep)
    return try withTail { (tail: inout Tail) throws(StorageError) in
      let bytes = ranges.bytes
      // It begins with a mark, and a drop must be the first of its segment.
      if tail.endsBeforeNext { try roll(0, &tail, for: .upkeep) }
      let now = LogPosition(segment: tail.id, offset: tail.offset)
      try roll(LogFormat.recordBytes(keyBytes: 1, valueBytes: bytes.count), &tail, for: .upkeep)
      let key: [UInt8] = [0]
      let location = try key.withBytes { key throws(StorageError) in
        try bytes.withBytes { value throws(StorageError) in
          try appendUpkeep(
            .rangeDrop, tag: Tag(rawValue: (effect ?? now).rawValue), key: key, value: value,
            valueChecksum: Checksum.crc32c(value), &tail)
        }
      }
      table.addDead(location.byteCount, slot: location.slot)
      return effect ?? now
    }
  }

  // MARK: - Closing

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
