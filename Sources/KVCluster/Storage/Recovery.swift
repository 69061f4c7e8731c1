import CKernels
import Glibc

/// Opening a log: every segment is read once, in order, and every record's header verified.
///
/// The first record that does not verify is either the *torn tail* of a power loss, bytes that were never synced and so
/// never acknowledged under `always`; it is cut, together with what follows. Or it is *corruption*: something after it
/// says that the place had been synced. Then nothing is cut or deleted and the node does not start.
/// (The distinction is that of "Protocol-Aware Recovery", FAST '18.)
struct LogRecovery {
  let disk: any Disk
  let folder: String
  let identity: LogIdentity
  let segmentBytes: Int

  private struct Opened {
    var id: UInt64
    var file: any SegmentFile
    var seed: UInt32
    /// Where valid records end.
    var end = LogFormat.segmentHeaderBytes
  }

  /// Opens the log, calls `visit` with every valid record from the oldest to the newest, and `progress` with bytes read.
  func open(
    progress: (Int) -> Void, map: SegmentMap, visit: (RecordView, Location) -> Void
  ) throws(StorageError) -> Log {
    try disk.makeFolder(folder)
    var segments = try openSegments(map)
    guard !segments.isEmpty else { return try makeEmpty(map) }
    var unmarked = Unmarked()
    for i in segments.indices {
      scan(&segments[i]) { unmarked.take($0, $1, visit) }
      progress(segments[i].file.byteCount)
      if !hasCleanEnd(segments[i]) {
        try refuseIfSynced(segments, from: i)
        try cut(&segments, at: i)
        break
      }
    }
    if let torn = unmarked.finish(visit), let i = segments.firstIndex(where: { $0.id == torn.segment }) {
      segments[i].end = torn.offset
      try cut(&segments, at: i)
    }
    let recordBytes = segments.reduce(0) { $0 + $1.end - LogFormat.segmentHeaderBytes }
    return makeLog(segments, recordBytes: recordBytes, durable: .start, map)
  }

  /// Bytes that ``open(progress:map:visit:)`` will report as progress.
  func byteCount() throws(StorageError) -> Int {
    try disk.names(in: folder).count { LogFormat.segmentID(ofName: $0) != nil } * segmentBytes
  }

  private func openSegments(_ map: SegmentMap) throws(StorageError) -> [Opened] {
    var ids: [UInt64] = []
    for name in try disk.names(in: folder) {
      if let id = LogFormat.segmentID(ofName: name) { ids.append(id) }
    }
    var opened: [Opened] = []
    for id in ids.sorted() {
      let path = "\(folder)/\(LogFormat.segmentName(id))"
      if let last = opened.last, last.id + 1 != id {
        throw .damaged(path: path, offset: 0, reason: "segment \(last.id + 1) is missing before it")
      }
      let file = try disk.openSegment(path, capacity: segmentBytes)
      if id == ids.max(), isBlank(file, from: 0) {
        // Made just before a power loss; its header never reached the disk, so nothing in it was acknowledged.
        file.close()
        try disk.remove(path)
        continue
      }
      map.add(file, segment: id)
      try identity.checkHeader(file.base, segment: id, byteCount: file.byteCount, path: path)
      opened.append(Opened(id: id, file: file, seed: LogFormat.seed(clusterID: identity.clusterID, segment: id)))
    }
    return opened
  }

  private func scan(_ segment: inout Opened, _ visit: (RecordView, Location) -> Void) {
    let limit = segment.file.byteCount
    while let record = RecordView.checked(
      in: segment.file.base, at: segment.end, limit: limit, seed: segment.seed)
    {
      visit(record, Location(segment: segment.id, offset: segment.end, isTombstone: record.kind == .tombstone))
      segment.end += record.byteCount
    }
  }

  /// Nothing but zeros after the last valid record.
  private func hasCleanEnd(_ segment: Opened) -> Bool { isBlank(segment.file, from: segment.end) }

  private func isBlank(_ file: any SegmentFile, from offset: Int) -> Bool {
    let count = file.byteCount - offset
    guard count > 0 else { return true }
    let bytes = file.base + offset
    // All bytes equal their neighbour and the first is zero.
    return bytes.load(as: UInt8.self) == 0 && memcmp(bytes, bytes + 1, count - 1) == 0
  }

  /// Looks for a sync mark beyond the bad place that covers it: in what follows it in the segment, and in later ones.
  private func refuseIfSynced(_ segments: [Opened], from index: Int) throws(StorageError) {
    let bad = LogPosition(segment: segments[index].id, offset: segments[index].end)
    for segment in segments[index...] {
      var offset = segment.id == bad.segment ? bad.offset : LogFormat.segmentHeaderBytes
      while offset < segment.file.byteCount {
        let record = RecordView.checked(
          in: segment.file.base, at: offset, limit: segment.file.byteCount, seed: segment.seed)
        if let record, record.kind == .syncMark, record.tag.rawValue > bad.rawValue {
          throw .damaged(
            path: segments[index].file.path, offset: bad.offset,
            reason: "a record there had been synced and does not verify")
        }
        offset += record?.byteCount ?? LogFormat.alignment
      }
    }
  }

  /// Removes what follows the last valid record, later segments first, so that a crash on the way leaves a torn tail.
  private func cut(_ segments: inout [Opened], at index: Int) throws(StorageError) {
    for later in segments[(index + 1)...].reversed() { try disk.remove(later.file.path) }
    segments.removeSubrange((index + 1)...)
    let segment = segments[index]
    memset(segment.file.base + segment.end, 0, segment.file.byteCount - segment.end)
    try segment.file.sync()
  }

  private func makeEmpty(_ map: SegmentMap) throws(StorageError) -> Log {
    let file = try Log.createSegment(
      on: disk, folder: folder, identity: identity, segment: 1, capacity: segmentBytes,
      byteCount: min(1 << 20, segmentBytes / 4))
    map.add(file, segment: 1)
    let seed = LogFormat.seed(clusterID: identity.clusterID, segment: 1)
    let end = LogPosition(segment: 1, offset: LogFormat.segmentHeaderBytes)
    return makeLog([Opened(id: 1, file: file, seed: seed)], recordBytes: 0, durable: end, map)
  }

  private func makeLog(_ segments: [Opened], recordBytes: Int, durable: LogPosition, _ map: SegmentMap) -> Log {
    let last = segments[segments.count - 1]
    var tail = Log.Tail(
      file: last.file, base: last.file.base, segment: last.id, seed: last.seed, offset: last.end,
      limit: last.file.byteCount)
    // What is in the page cache may not be on the disk yet: the first sync covers every segment.
    tail.sealed = segments.dropLast().map(\.file)
    tail.recordBytes = recordBytes
    tail.segmentCount = segments.count
    return Log(
      disk: disk, folder: folder, identity: identity, segmentBytes: segmentBytes, tail: tail, map: map,
      durable: durable)
  }
}

/// Records that no sync mark covers yet. Headers alone do not show that they are whole: a loss of power can leave a
/// header on the disk without its value, and such a record must not hide the version before it, which was acknowledged.
/// So they wait until a mark says that they were synced, or for the end of the log, where their values are verified.
private struct Unmarked {
  private var records: [(record: RecordView, location: Location)] = []
  private var first = 0

  mutating func take(_ record: RecordView, _ location: Location, _ visit: (RecordView, Location) -> Void) {
    records.append((record, location))
    guard record.kind == .syncMark else { return }
    while first < records.count, records[first].location.position.rawValue < record.tag.rawValue {
      visit(records[first].record, records[first].location)
      first += 1
    }
    if first > records.count / 2 {
      records.removeFirst(first)
      first = 0
    }
  }

  /// Visits the rest; returns where the first torn record begins, which ends the log.
  mutating func finish(_ visit: (RecordView, Location) -> Void) -> LogPosition? {
    for (record, location) in records[first...] {
      guard record.hasIntactValue else { return location.position }
      visit(record, location)
    }
    return nil
  }
}

extension Store {
  /// Opens a node's storage by replaying its log.
  ///
  /// - Parameter progress: called with the number of bytes read since the last call.
  /// - Throws: ``StorageError/damaged(path:offset:reason:)`` if synced bytes are not what was written; the log is then
  ///   as it was.
  package static func open(
    disk: any Disk, folder: String, identity: LogIdentity, segmentBytes: Int = LogFormat.segmentBytesDefault,
    cacheBytes: Int, progress: (Int) -> Void = { _ in }
  ) throws(StorageError) -> Store {
    let map = SegmentMap()
    let recovery = LogRecovery(disk: disk, folder: folder, identity: identity, segmentBytes: segmentBytes)
    var replay = Replay(map: map, table: StripeTable(cacheBytes: cacheBytes))
    do {
      let log = try recovery.open(progress: progress, map: map) { replay.visit($0, $1) }
      let store = Store(log: log, table: replay.table)
      store.newestTag = replay.newestTag
      store.recoveredHints = replay.hints
      return store
    } catch {
      map.closeAll()
      throw error
    }
  }
}

/// Builds the index from a log's records.
private struct Replay {
  let map: SegmentMap
  let table: StripeTable
  private(set) var newestTag = Tag.none
  private(set) var hints: [RecoveredHints] = []

  init(map: SegmentMap, table: StripeTable) {
    self.map = map
    self.table = table
  }

  mutating func visit(_ record: RecordView, _ location: Location) {
    guard let kind = record.kind else { return }
    switch kind {
    case .value, .tombstone: index(record, location)
    case .syncMark: break
    case .hint: addHint(record)
    case .hintsSettled: hints.removeAll { record.key.elementsEqual($0.node.utf8) }
    case .rangeDrop: drop(RingRanges(bytes: record.value))
    }
  }

  private mutating func index(_ record: RecordView, _ location: Location) {
    newestTag = max(newestTag, record.tag)
    let hash = Ring.hash(record.key)
    let stripe = table.base + Store.partition(of: hash)
    let slot = IndexSlot(hash: hash, location: location, tag: record.tag)
    let found = stripe.pointee.index.find(hash) { self.record($0.location).hasKey(record.key) }
    var replaced: Location?
    if let found {
      let old = stripe.pointee.index[found]
      guard record.tag > old.tag else { return }
      stripe.pointee.index[found] = slot
      stripe.pointee.liveBytes -= self.record(old.location).byteCount
      replaced = old.location
    } else {
      stripe.pointee.index.insert(slot)
    }
    stripe.pointee.count(
      added: location, removed: replaced, keyBytes: record.keyBytes, valueBytes: record.valueBytes)
  }

  private func record(_ location: Location) -> RecordView {
    RecordView(UnsafeRawPointer(map.base(of: location.segment) + location.offset))
  }

  private mutating func addHint(_ record: RecordView) {
    let node = String(decoding: record.value, as: UTF8.self)
    let hash = Ring.hash(record.key)
    if let i = hints.firstIndex(where: { $0.node == node }) {
      hints[i].hashes.append(hash)
    } else {
      hints.append(RecoveredHints(node: node, hashes: [hash]))
    }
  }

  private func drop(_ dropped: RingRanges) {
    for partition in 0..<Store.partitionCount {
      table.base[partition].keep(where: { !dropped.contains($0) }, byteCount: { self.record($0).byteCount })
    }
  }
}
