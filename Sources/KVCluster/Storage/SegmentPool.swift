import Synchronization

/// Where a log's segments come from and go to: it makes new ones, ahead of need too, keeps the list of those there are,
/// and the files of those that were emptied.
///
/// Everything here writes to the disk and takes milliseconds. Its lock may be taken inside the log's, never around it.
final class SegmentPool: @unchecked Sendable {
  private let disk: any Disk
  private let folder: String
  private let identity: LogIdentity
  private let segmentBytes: Int
  private let table: SegmentTable
  private let lock = Lock()
  // All below is guarded by `lock`.
  /// The next segment, made ahead of need.
  private var spare: Log.Segment? {
    didSet { spareIsThere.store(spare != nil, ordering: .relaxed) }
  }
  private let spareIsThere = Atomic<Bool>(false)
  /// Files to make segments from.
  private var free: [any SegmentFile]
  /// A segment that was made and could not be listed. The list on the disk may name it all the same, so the next one has
  /// its file and its id.
  private var unlisted: (file: any SegmentFile, id: UInt64)?
  /// How many keep segments' files as they are, and the segments given up meanwhile.
  private var holds = 0
  private var heldSegments: [Log.Segment] = []
  /// Damaged segments are kept under another name and not used again.
  private var keepsDamaged = false
  private var newestID: UInt64
  /// Segments that exist, from the oldest.
  private var manifest: [UInt64]
  private var isClosed = false

  /// Free files kept for later, beside the spare. More are removed: the log has shrunk for good.
  static let freeFilesMax = 2

  init(
    disk: any Disk, folder: String, identity: LogIdentity, segmentBytes: Int, table: SegmentTable,
    segments: [UInt64], free: [any SegmentFile], newestID: UInt64
  ) {
    self.disk = disk
    self.folder = folder
    self.identity = identity
    self.segmentBytes = segmentBytes
    self.table = table
    self.free = free
    self.newestID = newestID
    manifest = segments
  }

  /// Whether the next segment is ready; does not wait.
  var hasSpare: Bool { spareIsThere.load(ordering: .relaxed) }

  /// The file of the next segment, if it is there.
  var spareFile: (any SegmentFile)? { lock.withLock { spare?.file } }

  /// Has the next segment ready. On a full disk it is not: whoever needs it then hears so.
  func makeSpare(for use: DiskRoom.Use) {
    lock.withLock { if spare == nil { spare = try? makeSegment(record: 0, for: use) } }
  }

  /// Bytes of files that hold no records.
  var idleBytes: Int {
    lock.withLock { free.reduce(spare?.file.byteCount ?? 0) { $0 + $1.byteCount } }
  }

  /// Removes the files that are kept for later. What the list names stays if the list cannot be written.
  func giveBack() {
    lock.withLock {
      if isClosed { return }
      if let segment = spare, (try? unlist(segment.id)) != nil {
        spare = nil
        table.remove(segment.slot)
        free.append(segment.file)
      }
      for file in free { drop(file) }
      free = []
    }
  }

  private func drop(_ file: any SegmentFile) {
    file.close()
    try? disk.remove(file.path)
  }

  /// The segment to go on in; a record larger than a segment gets one of its own size.
  func next(record bytes: Int, for use: DiskRoom.Use) throws(StorageError) -> Log.Segment {
    try lock.withLock { () throws(StorageError) in
      guard let ready = spare else { return try makeSegment(record: bytes, for: use) }
      if LogFormat.segmentHeaderBytes + bytes + LogFormat.sealBytes > ready.file.capacity {
        // The spare has the usual size: its file goes back.
        try unlist(ready.id)
        spare = nil
        setFree(ready)
        return try makeSegment(record: bytes, for: use)
      }
      spare = nil
      return ready
    }
  }

  /// Takes a segment out of the list; its file stays until ``giveUp(_:)``.
  func remove(_ id: UInt64) throws(StorageError) {
    try lock.withLock { () throws(StorageError) in try unlist(id) }
  }

  /// Takes the file of a segment that is not listed any more and that nobody points into.
  func giveUp(_ segment: Log.Segment) {
    lock.withLock { if holds > 0 { heldSegments.append(segment) } else { discard(segment) } }
  }

  /// Keeps the files of all segments under their names and with their bytes, until ``unhold()``.
  func hold() { lock.withLock { holds += 1 } }

  func unhold() {
    lock.withLock {
      holds -= 1
      guard holds == 0, !isClosed else { return }
      for segment in heldSegments { discard(segment) }
      heldSegments = []
    }
  }

  /// From now on the files of damaged segments are set aside: nobody is known to have all that they held.
  func keepDamaged() { lock.withLock { keepsDamaged = true } }

  /// Call with `lock` held.
  private func discard(_ segment: Log.Segment) {
    guard segment.isDamaged, keepsDamaged else { return setFree(segment) }
    table.remove(segment.slot)
    try? disk.rename(segment.file, to: "\(folder)/\(LogFormat.damagedName(segment.id))")
    segment.file.close()
  }

  /// Writes the list again, and takes the mark away that the node may have lost records.
  func clearSuspicion() throws(StorageError) {
    try lock.withLock { () throws(StorageError) in
      try LogManifest(segments: manifest).write(to: disk, folder: folder)
      try disk.remove(SuspectMark.path(folder))
    }
  }

  /// Makes nothing more, and closes the free files.
  func close() {
    lock.withLock {
      for file in free { file.close() }
      free = []
      unlisted?.file.close()
      unlisted = nil
      spare = nil
      isClosed = true
      // Not listed any more: the next start takes them for free files.
      heldSegments = []
    }
  }

  /// Call with `lock` held.
  private func makeSegment(record bytes: Int, for use: DiskRoom.Use) throws(StorageError) -> Log.Segment {
    if isClosed { throw .closed }
    let capacity = max(segmentBytes, LogFormat.segmentHeaderBytes + bytes + LogFormat.sealBytes)
    let (file, id) =
      if let waiting = takeUnlisted(capacity) { waiting } else { try makeFile(capacity, record: bytes, for: use) }
    do {
      // No record goes into a segment that the manifest does not name.
      try LogManifest(segments: manifest + [id]).write(to: disk, folder: folder)
    } catch {
      unlisted = (file, id)
      throw error
    }
    manifest.append(id)
    return Log.Segment(
      file: file, id: id, slot: try table.add(file, id: id), end: LogFormat.segmentHeaderBytes, writing: file.writing)
  }

  /// Call with `lock` held.
  private func takeUnlisted(_ capacity: Int) -> (file: any SegmentFile, id: UInt64)? {
    guard let segment = unlisted else { return nil }
    unlisted = nil
    if segment.file.capacity >= capacity { return segment }
    // Its file stays, and the next start takes it for an empty segment or a free one.
    segment.file.close()
    return nil
  }

  /// A file that is the next segment but for the list. Call with `lock` held.
  private func makeFile(
    _ capacity: Int, record bytes: Int, for use: DiskRoom.Use
  ) throws(StorageError) -> (file: any SegmentFile, id: UInt64) {
    let id = newestID + 1
    let file: any SegmentFile
    if capacity == segmentBytes, let recycled = free.popLast() {
      try recycle(recycled, segment: id)
      file = recycled
    } else {
      let least = use == .upkeep ? 64 << 10 : 1 << 20
      let byteCount = min(capacity, LogFormat.segmentHeaderBytes + LogFormat.sealBytes + max(bytes, least))
      guard room.isFree(byteCount, for: use) else {
        throw .diskFull(path: "\(folder)/\(LogFormat.segmentName(id))")
      }
      file = try SegmentPool.createSegment(
        on: disk, folder: folder, identity: identity, segment: id, capacity: capacity, byteCount: byteCount)
    }
    newestID = id
    return (file, id)
  }

  /// Makes a free file the segment with this id. Call with `lock` held.
  private func recycle(_ file: any SegmentFile, segment id: UInt64) throws(StorageError) {
    do {
      // A crash may have left it shorter than a header.
      try file.grow(to: LogFormat.segmentHeaderBytes + LogFormat.sealBytes)
    } catch {
      keepFree(file)
      throw error
    }
    identity.writeHeader(to: file.base, segment: id, file.writing)
    do {
      // Records must never be on the disk without the header in front of them.
      try file.write(0..<LogFormat.segmentHeaderBytes)
      try file.sync()
      try disk.rename(file, to: "\(folder)/\(LogFormat.segmentName(id))")
    } catch {
      // Pages of a file whose sync failed are not to be trusted again.
      file.close()
      try? disk.remove(file.path)
      throw error
    }
  }

  /// Takes a segment out of the list. Call with `lock` held.
  private func unlist(_ id: UInt64) throws(StorageError) {
    let left = manifest.filter { $0 != id }
    try LogManifest(segments: left).write(to: disk, folder: folder)
    manifest = left
  }

  /// Keeps the file of a segment that is not listed any more. Call with `lock` held; nobody points into it.
  private func setFree(_ segment: Log.Segment) {
    table.remove(segment.slot)
    // The name is for people: a start takes a segment that is not listed for a free file.
    try? disk.rename(segment.file, to: "\(folder)/\(LogFormat.freeName(segment.id))")
    keepFree(segment.file)
  }

  /// Call with `lock` held.
  private func keepFree(_ file: any SegmentFile) {
    let isWanted = file.capacity == segmentBytes && free.count < SegmentPool.freeFilesMax
    if isWanted, room.isFree(0, for: .records) { return free.append(file) }
    drop(file)
  }

  private var room: DiskRoom { DiskRoom(disk: disk, segmentBytes: segmentBytes) }

  static func createSegment(
    on disk: any Disk, folder: String, identity: LogIdentity, segment: UInt64, capacity: Int, byteCount: Int
  ) throws(StorageError) -> any SegmentFile {
    let path = "\(folder)/\(LogFormat.segmentName(segment))"
    let file = try disk.createSegment(path, capacity: capacity)
    do {
      try file.grow(to: max(byteCount, LogFormat.segmentHeaderBytes))
      identity.writeHeader(to: file.base, segment: segment, file.writing)
      // Records must never be on the disk without the header in front of them.
      try file.write(0..<LogFormat.segmentHeaderBytes)
      try file.sync()
      return file
    } catch {
      file.close()
      try? disk.remove(path)
      throw error
    }
  }
}
