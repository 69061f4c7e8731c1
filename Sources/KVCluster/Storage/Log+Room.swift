/// Room for a log's records: growing its last segment ahead of the writers, and going on in the next one.
extension Log {
  /// As much as is there, within 1 and 16 MiB: small logs stay small, large ones grow seldom.
  private static func growthBytes(at size: Int) -> Int { min(max(size, 1 << 20), 16 << 20) }
  /// A spare grows by so much at a time.
  private static let spareStepBytes = 2 << 20
  static let pageBytes = 4_096
  /// Copies of pages are given back so many at a time: each time costs an interrupt to every core.
  static let stagedBytes = 256 << 10
  /// Pages are made ready this far ahead of the writers. Further ahead they would be written back, clean, before they
  /// are used, and fault again.
  private static let preparedBytes = 2 << 20
  /// Files grow by as little as this for upkeep: it may be the last room there is.
  private static let upkeepStepBytes = 64 << 10

  /// Who is told when room is getting short; they answer with ``prepare()`` on a thread of their own.
  func setRoomRequest(_ request: @escaping @Sendable (Log) -> Void) {
    withTail { _ in requestRoom = request }
  }

  /// Makes room ahead of the writers, so that they seldom wait for it. A full disk is left to the writer who needs room.
  package func prepare() {
    typealias Plan = (file: any SegmentFile, offset: Int, prepared: Int, finished: [Written])
    let plan = withTail { tail -> Plan? in
      guard let file = tail.segment?.file, tail.failure == nil, !tail.endsBeforeNext else { return nil }
      // Of a staged file only who syncs knows what is part of it.
      let finished = file.isStaged ? [] : takeFinished(&tail, upTo: tail.offset & ~(Log.pageBytes - 1))
      return (file, tail.offset, tail.prepared, finished)
    }
    // All of this outside the lock: it takes milliseconds, writers go on meanwhile.
    guard let plan else { return }
    let size = plan.file.byteCount
    let hasRoom = room.isFree(Log.growthBytes(at: size), for: .records)
    if size < plan.file.capacity {
      if hasRoom, plan.offset >= growthPoint(plan.file) { grow(plan.file, to: size + Log.growthBytes(at: size)) }
    } else {
      if hasRoom, plan.offset >= growthPoint(plan.file) { pool.makeSpare(for: .records) }
      if hasRoom, let spare = pool.spareFile { grow(spare, to: Log.spareBytes(plan.offset, plan.file.capacity)) }
    }
    let ready = min(plan.offset + Log.preparedBytes, plan.file.byteCount)
    if ready > plan.prepared { plan.file.prepareToWrite(max(plan.prepared, plan.offset)..<ready) }
    for (file, range) in plan.finished { file.finishWriting(range) }
    withTail { tail in
      guard tail.segment?.file === plan.file, tail.failure == nil else { return }
      if !tail.isReserved { tail.limit = plan.file.byteCount - LogFormat.sealBytes }
      tail.prepared = max(tail.prepared, ready)
      let next = min(growthPoint(plan.file), ready < plan.file.byteCount ? ready - Log.preparedBytes / 2 : .max)
      // On a full disk the point may have been passed: then it is tried again now and then.
      tail.askRoomAt = next == .max ? .max : max(next, tail.offset + (1 << 16))
    }
  }

  /// Past this offset the file should grow, or the next segment be made.
  private func growthPoint(_ file: any SegmentFile) -> Int {
    let size = file.byteCount
    if size < file.capacity { return size - Log.growthBytes(at: size) / 2 }
    return pool.hasSpare ? .max : file.capacity / 4
  }

  /// How large the next segment should be when the one being written is full up to `offset`: it gets its space while
  /// nobody writes to it, evenly between a quarter and three quarters of this one. A file that grows while it is synced
  /// holds up each fdatasync of it: that waits for the zeros on their way to the disk as well, and for the file system's
  /// journal.
  private static func spareBytes(_ offset: Int, _ capacity: Int) -> Int {
    let wanted = 2 * (offset - capacity / 4)
    return (wanted + spareStepBytes - 1) / spareStepBytes * spareStepBytes
  }

  private func grow(_ file: any SegmentFile, to byteCount: Int) {
    do {
      try file.grow(to: min(file.capacity, byteCount))
    } catch {
      // A spare has no records that could be lost, unless it has become the segment being written meanwhile.
      withTail { if $0.segment?.file === file { fail(error, &$0) } }
    }
  }

  @inline(never)
  func askForRoom(_ tail: inout Tail) {
    tail.askRoomAt = .max
    requestRoom?(self)
  }

  /// What of the disk may be used.
  var room: DiskRoom { DiskRoom(disk: disk, segmentBytes: segmentBytes) }

  /// - Throws: ``StorageError/diskFull(path:)``; the log is then as it was.
  @inline(never)
  func makeRoom(_ bytes: Int, _ tail: inout Tail, for use: DiskRoom.Use) throws(StorageError) {
    do {
      try makeRoomNow(bytes, &tail, for: use)
    } catch {
      if case .diskFull = error { lacksRoom.store(true, ordering: .relaxed) }
      throw error
    }
  }

  private func makeRoomNow(_ bytes: Int, _ tail: inout Tail, for use: DiskRoom.Use) throws(StorageError) {
    if let failure = tail.failure { throw failure }
    guard let file = tail.segment?.file else { throw .closed }
    let needed = tail.offset + bytes + LogFormat.sealBytes
    guard needed <= file.capacity, !tail.endsBeforeNext else { return try roll(bytes, &tail, for: use) }
    let size = file.byteCount
    let step = use == .upkeep ? Log.upkeepStepBytes : Log.growthBytes(at: size)
    var wanted = needed <= size ? size : min(max(needed, size + step), file.capacity)
    if !room.isFree(wanted - size, for: use) { wanted = max(needed, size) }
    guard room.isFree(wanted - size, for: use) else { throw .diskFull(path: file.path) }
    do {
      try file.grow(to: wanted)
    } catch {
      fail(error, &tail)
      throw error
    }
    setLimit(&tail, for: use)
    tail.askRoomAt = min(tail.askRoomAt, tail.offset)
  }

  /// Room that upkeep makes of the last there is, is not for others.
  private func setLimit(_ tail: inout Tail, for use: DiskRoom.Use) {
    guard let file = tail.segment?.file else { return }
    tail.isReserved = use != .records && !room.isFree(0, for: .records)
    tail.limit = tail.isReserved ? 0 : file.byteCount - LogFormat.sealBytes
  }

  /// Appends a record that compaction moves, or a note that lets others go: it may take the last room there is.
  func appendUpkeep(
    _ kind: RecordKind, tag: Tag, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, valueChecksum: UInt32
  ) throws(StorageError) -> Location {
    try withTail { (tail: inout Tail) throws(StorageError) in
      try appendUpkeep(kind, tag: tag, key: key, value: value, valueChecksum: valueChecksum, &tail)
    }
  }

  func appendUpkeep(
    _ kind: RecordKind, tag: Tag, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, valueChecksum: UInt32,
    _ tail: inout Tail
  ) throws(StorageError) -> Location {
    let bytes = LogFormat.recordBytes(keyBytes: key.count, valueBytes: value.count)
    let isReserved = tail.isReserved && tail.failure == nil
    let limit = isReserved ? tail.segment.map { $0.file.byteCount - LogFormat.sealBytes } ?? 0 : tail.limit
    if tail.offset + bytes > limit { try makeRoom(bytes, &tail, for: .upkeep) }
    return place(kind, tag: tag, key: key, value: value, valueChecksum: valueChecksum, byteCount: bytes, &tail)
  }

  /// The segment could not grow. If that was not for want of space, records may be lost that an earlier or later sync
  /// answers for: growing syncs, and a failed sync reports to one caller only what it has dropped for all.
  private func fail(_ error: StorageError, _ tail: inout Tail) {
    if case .diskFull = error { return }
    tail.failure = tail.failure ?? error
    tail.limit = 0
  }

  /// Seals the segment and goes on in the next; a record larger than a segment gets one of its own size.
  func roll(_ bytes: Int, _ tail: inout Tail, for use: DiskRoom.Use) throws(StorageError) {
    guard var old = tail.segment else { throw .closed }
    // A file that was cut short from outside has no room for its seal, and storing beyond its end would end the program.
    let sealed = tail.offset + LogFormat.sealBytes
    if sealed > old.file.byteCount, sealed <= old.file.capacity { try old.file.grow(to: sealed) }
    precondition(sealed <= old.file.byteCount, "a segment without room for its seal was opened to be written")
    let next = try pool.next(record: bytes, for: use)
    seal(&tail, next: next.id)
    let wasOtherwise = tail.endsBeforeNext
    if wasOtherwise { try finishOtherWriting(&tail, old.file) }
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
    setLimit(&tail, for: use)
    tail.unfinished.append((old.file, tail.finished..<old.end))
    tail.finished = 0
    if old.file.isStaged { tail.unwritten.append((old.file, tail.staged..<old.end)) }
    tail.staged = LogFormat.segmentHeaderBytes
    tail.written = LogFormat.segmentHeaderBytes
    tail.prepared = 0
    tail.askRoomAt = 0
    if wasOtherwise { noteSynced(&tail) }
    let limit = next.file.byteCount - LogFormat.sealBytes
    if tail.offset + bytes > limit { try makeRoom(bytes, &tail, for: use) }
  }

  /// Puts all that was written in another way on the disk. With the log's lock held; once in the life of a store.
  private func finishOtherWriting(_ tail: inout Tail, _ last: any SegmentFile) throws(StorageError) {
    do {
      try last.write(tail.staged..<tail.offset)
      for segment in tail.sealed { try segment.file.sync() }
      try last.sync()
    } catch {
      tail.failure = error
      tail.limit = 0
      throw error
    }
    tail.staged = tail.offset
    tail.endsBeforeNext = false
  }

  /// Notes at the head of a new segment that everything before it is on the disk.
  private func noteSynced(_ tail: inout Tail) {
    let position = LogPosition(segment: tail.id, offset: tail.offset)
    var id = tail.id.littleEndian
    withUnsafeBytes(of: &id) { key in
      RecordView.write(
        to: tail.base, at: tail.offset, seed: tail.seed, kind: .syncMark, tag: Tag(rawValue: position.rawValue),
        key: key,
        value: UnsafeRawBufferPointer(start: key.baseAddress, count: 0), valueChecksum: 0)
    }
    tail.offset += LogFormat.syncMarkBytes
    table.addDead(LogFormat.syncMarkBytes, slot: tail.slot)
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
