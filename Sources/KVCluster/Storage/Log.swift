import Synchronization

/// A node's append-only log of records in segment files; it *is* the store, the index points into it.
///
/// Writers copy their record into the mapped segment under one short lock, so records lie without gaps and everything
/// below the tail is filled: whoever kills the program finds a log that ends where it ends. (Reserving with an atomic
/// add and copying outside the lock is faster with many writers, and leaves holes that swallow acknowledged records.)
/// Durability comes later and for many at once: ``sync()`` puts all that was appended before it on the disk.
///
/// The log owns no thread. Whoever drives it (threads of the runtime, or the simulator) calls ``prepare()`` to have room
/// allocated ahead of the writers and ``sync()`` as the policy wants.
package final class Log: @unchecked Sendable {
  /// The segment being written; guarded by `lock`.
  struct Tail {
    var file: (any SegmentFile)?
    var base: UnsafeMutableRawPointer
    var segment: UInt64
    var seed: UInt32
    var offset: Int
    /// Bytes of the file that may be touched.
    var limit: Int
    /// Synced before the tail segment may count as durable.
    var sealed: [any SegmentFile] = []
    var recordBytes = 0
    var segmentCount = 1
    /// Past this offset the log asks for room ahead; `Int.max` once it has asked.
    var askRoomAt = 0
    /// Why the log takes no more records.
    var failure: StorageError?
  }

  package let folder: String
  let identity: LogIdentity
  private let disk: any Disk
  private let segmentBytes: Int
  private let lock = Lock()
  private let tail: UnsafeMutablePointer<Tail>
  private typealias Segment = (file: any SegmentFile, id: UInt64)
  /// Taken by whoever makes a segment, if need be inside `lock`, never around it.
  private let making = Lock()
  /// The next segment, made ahead of need; guarded by `making`.
  private var spare: Segment?
  /// Guarded by `making`.
  private var newestSegment: UInt64
  /// Everything below is on the disk.
  private let durableRaw: Atomic<UInt64>
  private let syncCount = Atomic<UInt64>(0)
  /// Base addresses of segments by id; see ``address(of:)``.
  let map: SegmentMap
  /// Called, with the log's lock held, when room is getting short; guarded by `lock`.
  private var requestRoom: (@Sendable () -> Void)?

  init(
    disk: any Disk, folder: String, identity: LogIdentity, segmentBytes: Int, tail: Tail, map: SegmentMap,
    durable: LogPosition
  ) {
    self.disk = disk
    self.folder = folder
    self.identity = identity
    self.segmentBytes = segmentBytes
    self.map = map
    durableRaw = Atomic(durable.rawValue)
    newestSegment = tail.segment
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

  /// Where the next record will go.
  package var end: LogPosition { withTail { LogPosition(segment: $0.segment, offset: $0.offset) } }

  package var syncs: UInt64 { syncCount.load(ordering: .relaxed) }

  var size: (recordBytes: Int, segments: Int) { withTail { ($0.recordBytes, $0.segmentCount) } }

  package var failure: StorageError? { withTail { $0.failure } }

  /// The address of a record. It stays valid until the log is closed.
  @inline(__always)
  func address(of location: Location) -> UnsafeRawPointer {
    UnsafeRawPointer(map.base(of: location.segment) + location.offset)
  }

  /// Appends one record and returns where it lies.
  ///
  /// At once safe against a crash of the program; durable only when ``durable`` has passed it.
  /// - Throws: ``StorageError/diskFull(path:)``; the log is then as it was.
  /// - Complexity: O(bytes of the record), no allocation; now and then a new segment.
  @inline(__always)
  package func append(
    _ kind: RecordKind, tag: Tag, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, valueChecksum: UInt32
  ) throws(StorageError) -> Location {
    let bytes = LogFormat.recordBytes(keyBytes: key.count, valueBytes: value.count)
    return try withTail { (tail: inout Tail) throws(StorageError) -> Location in
      if tail.offset &+ bytes > tail.limit { try makeRoom(bytes, &tail) }
      let offset = tail.offset
      RecordView.write(
        to: tail.base, at: offset, seed: tail.seed, kind: kind, tag: tag, key: key, value: value,
        valueChecksum: valueChecksum)
      tail.offset = offset &+ bytes
      tail.recordBytes &+= bytes
      if tail.offset > tail.askRoomAt { askForRoom(&tail) }
      return Location(segment: tail.segment, offset: offset, isTombstone: kind == .tombstone)
    }
  }

  /// Who is told when room is getting short; they answer with ``prepare()`` on a thread of their own.
  func setRoomRequest(_ request: @escaping @Sendable () -> Void) {
    withTail { _ in requestRoom = request }
  }

  /// Allocates room ahead of the writers, so that they seldom wait for it. Errors are left to the writer who needs it.
  package func prepare() {
    typealias Plan = (file: any SegmentFile, grown: Int)
    let plan = withTail { tail -> Plan? in
      guard let file = tail.file, tail.failure == nil else { return nil }
      return (file, min(file.capacity, tail.limit + Log.growthBytes(at: tail.limit)))
    }
    guard let plan else { return }
    if plan.grown == plan.file.byteCount {
      making.withLock { if spare == nil { spare = try? makeSegment(record: 0) } }
    } else {
      // Outside the lock: allocating takes milliseconds, writers go on meanwhile.
      try? plan.file.grow(to: plan.grown)
      withTail { tail in
        if tail.file === plan.file { setLimit(plan.file.byteCount, &tail) }
      }
    }
  }

  /// Puts everything appended before the call on the disk. One caller at a time.
  ///
  /// Leaves a mark of what it synced in front of the next batch, by which recovery tells a torn tail from corruption.
  /// - Throws: after a failed sync the log takes no more records: pages may have been dropped, trying again could
  ///   report success for bytes that are gone (ATC '20, "Can Applications Recover from fsync Failures?").
  package func sync() throws(StorageError) {
    typealias Target = (position: LogPosition, files: [any SegmentFile])
    let target = try withTail { (tail: inout Tail) throws(StorageError) -> Target? in
      if let failure = tail.failure { throw failure }
      let position = LogPosition(segment: tail.segment, offset: tail.offset)
      guard position > durable, let file = tail.file else { return nil }
      let files = tail.sealed + [file]
      tail.sealed = []
      return (position, files)
    }
    guard let target else { return }
    do {
      for file in target.files { try file.sync() }
    } catch {
      withTail {
        $0.failure = error
        $0.limit = 0
      }
      throw error
    }
    durableRaw.store(target.position.rawValue, ordering: .releasing)
    syncCount.wrappingAdd(1, ordering: .relaxed)
    markSynced(target.position)
  }

  /// The mark itself waits for the next sync, and an idle log is not synced for its mark alone: when nothing was
  /// appended in between, the durable position moves past it. A full disk may go without: the mark sharpens recovery.
  private func markSynced(_ position: LogPosition) {
    let key: [UInt8] = [0]
    key.withUnsafeBytes { key in
      let empty = UnsafeRawBufferPointer(start: key.baseAddress, count: 0)
      let mark = Tag(rawValue: position.rawValue)
      guard let at = try? append(.syncMark, tag: mark, key: key, value: empty, valueChecksum: 0),
        at.position == position
      else { return }
      let bytes = LogFormat.recordBytes(keyBytes: key.count, valueBytes: 0)
      durableRaw.store(position.rawValue + UInt64(bytes / LogFormat.alignment), ordering: .releasing)
    }
  }

  /// Takes no more records and unmaps everything. Nobody may hold a location any more.
  package func close() {
    withTail { tail in
      tail.failure = .closed
      tail.limit = 0
      tail.file = nil
      tail.sealed = []
    }
    map.closeAll()
  }
}

extension Log {
  /// As much as is there, within 1 and 16 MiB: small logs stay small, large ones grow seldom.
  private static func growthBytes(at size: Int) -> Int { min(max(size, 1 << 20), 16 << 20) }

  @inline(never)
  private func askForRoom(_ tail: inout Tail) {
    tail.askRoomAt = .max
    requestRoom?()
  }

  private func setLimit(_ limit: Int, _ tail: inout Tail) {
    tail.limit = limit
    tail.askRoomAt = limit - Log.growthBytes(at: limit) / 2
  }

  @inline(never)
  private func makeRoom(_ bytes: Int, _ tail: inout Tail) throws(StorageError) {
    if let failure = tail.failure { throw failure }
    guard let file = tail.file else { throw .closed }
    guard tail.offset + bytes <= file.capacity else { return try roll(bytes, &tail) }
    let wanted = max(tail.offset + bytes, tail.limit + Log.growthBytes(at: tail.limit))
    try file.grow(to: min(wanted, file.capacity))
    setLimit(file.byteCount, &tail)
  }

  /// Goes on in the next segment; a record larger than a segment gets one of its own size.
  private func roll(_ bytes: Int, _ tail: inout Tail) throws(StorageError) {
    let next = try making.withLock { () throws(StorageError) -> Segment in
      guard let ready = spare else { return try makeSegment(record: bytes) }
      spare = nil
      return ready
    }
    if let old = tail.file { tail.sealed.append(old) }
    tail.file = next.file
    tail.base = next.file.base
    tail.segment = next.id
    tail.seed = LogFormat.seed(clusterID: identity.clusterID, segment: next.id)
    tail.offset = LogFormat.segmentHeaderBytes
    tail.segmentCount += 1
    setLimit(next.file.byteCount, &tail)
    // A spare has the usual size; a larger record goes past it into its own segment.
    if tail.offset + bytes > tail.limit { try makeRoom(bytes, &tail) }
  }

  /// Call with `making` held.
  private func makeSegment(record bytes: Int) throws(StorageError) -> Segment {
    let capacity = max(segmentBytes, LogFormat.segmentHeaderBytes + bytes)
    let id = newestSegment + 1
    let file = try Log.createSegment(
      on: disk, folder: folder, identity: identity, segment: id, capacity: capacity,
      byteCount: min(capacity, LogFormat.segmentHeaderBytes + max(bytes, min(1 << 20, segmentBytes / 4))))
    newestSegment = id
    map.add(file, segment: id)
    return (file, id)
  }

  static func createSegment(
    on disk: any Disk, folder: String, identity: LogIdentity, segment: UInt64, capacity: Int, byteCount: Int
  ) throws(StorageError) -> any SegmentFile {
    let path = "\(folder)/\(LogFormat.segmentName(segment))"
    let file = try disk.createSegment(path, capacity: capacity)
    do {
      try file.grow(to: max(byteCount, LogFormat.segmentHeaderBytes))
      identity.writeHeader(to: file.base, segment: segment)
      // Records must never be on the disk without the header in front of them.
      try file.sync()
      return file
    } catch {
      file.close()
      try? disk.remove(path)
      throw error
    }
  }
}
