import CKernels

/// Reads all of one node's log, changes nothing, and says what is there and what is not what was written.
///
/// It shares ``SegmentScan`` and ``LogEnd`` with ``LogRecovery``, which cannot be used itself: a start repairs as it goes.
/// One segment is in memory at a time, and 24 bytes a key to tell live records from dead ones.
final class LogVerification {
  private let disk: any Disk
  private let folder: String
  private let identity: LogIdentity
  /// The log reached up to here once, says a witness or the checkpoint.
  private let known: LogPosition
  private let mayHaveLostPower: Bool
  /// What was found out about segments on the way.
  private var facts: [UInt64: LogEnd.Facts] = [:]
  private var report: VerificationReport.Node
  /// The log's segments, from the oldest. Their places here, plus one, are their slots.
  private var ids: [UInt64] = []
  /// Where the records of each segment end.
  private var ends: [UInt64: Int] = [:]
  private(set) var remarks: [String] = []
  private(set) var newestTag = Tag.none
  /// The bound of the lease, if there is one.
  private(set) var lease: UInt64?
  private var live = LiveRecords()
  private var hints: [(node: String, position: LogPosition)] = []
  private var settled: [String: LogPosition] = [:]

  private let contents: VersionContents

  /// - Parameters:
  ///   - identity: the cluster's id and the node's name, which every segment must carry.
  ///   - known: up to where the log reached once, says a ``Witness``.
  ///   - mayHaveLostPower: of what was not synced any part may be there.
  ///   - contents: collects what each version holds, over all logs.
  init(
    disk: any Disk, folder: String, identity: LogIdentity, known: LogPosition = .start, mayHaveLostPower: Bool = true,
    contents: VersionContents = VersionContents()
  ) {
    self.contents = contents
    self.disk = disk
    self.known = max(known, Checkpoint.reach(on: disk, folder: folder, identity: identity))
    self.mayHaveLostPower = mayHaveLostPower
    self.folder = folder
    self.identity = identity
    report = VerificationReport.Node(name: identity.node)
  }

  /// - Parameters:
  ///   - isExpected: the node has had a log; if it is gone, so is what the node acknowledged.
  ///   - advance: is told of bytes read; false stops.
  /// - Returns: `nil` if it was stopped.
  /// - Throws: ``StorageError/newerFormat(path:version:)``.
  func run(isExpected: Bool, advance: (_ bytes: Int) -> Bool) throws(StorageError) -> VerificationReport.Node? {
    let names = namesInFolder()
    ids = try segments(names, isExpected)
    let end = LogEnd(ids, known: known, lastMark: lastSyncMark)
    for (i, id) in ids.enumerated() where names.contains(LogFormat.segmentName(id)) {
      let bytes = try verify(id, slot: i + 1, isLast: id == ids.last, end)
      guard advance(bytes) else { return nil }
    }
    checkEnd(end)
    checkSmallFiles(names)
    let total = live.total
    report.keys = total.keys
    report.tombstones = total.tombstones
    report.liveBytes = total.bytes
    report.deadBytes -= total.bytes
    report.hints = hints.count { $0.position >= settled[$0.node] ?? .start }
    return report
  }

  private func path(_ id: UInt64) -> String { "\(folder)/\(LogFormat.segmentName(id))" }

  /// - Parameter isLoss: it may have cost records of unknown keys.
  private func damaged(_ file: String, _ offset: Int, _ reason: String, isLoss: Bool = true) {
    report.damage.append(VerificationReport.Damage(file: file, offset: offset, reason: reason))
    if isLoss { report.hasLost = true }
  }

  // MARK: - Which files there are

  private func namesInFolder() -> Set<String> {
    do throws(StorageError) {
      return Set(try disk.names(in: folder))
    } catch {
      damaged(folder, 0, error.description)
      return []
    }
  }

  /// The log's segments, from the oldest, those that are missing too.
  private func segments(_ names: Set<String>, _ isExpected: Bool) throws(StorageError) -> [UInt64] {
    var present = names.compactMap(LogFormat.segmentID(ofName:)).sorted()
    let fileCount = present.count
    let manifestPath = LogManifest.path(folder)
    let (manifest, fault) = content("list of segments") { () throws(StorageError) in
      try LogManifest.read(from: disk, folder: folder)
    }
    if manifest == nil {
      if try isUnlisted(present) { present = [] }
      if names.contains("segments") {
        damaged(manifestPath, 0, fault)
      } else if !present.isEmpty {
        damaged(manifestPath, 0, "the list of segments is missing, so nobody knows whether all are there")
      } else if isExpected {
        damaged(folder, 0, "the log is missing")
      }
    }
    var listed = manifest?.segments ?? present
    if let newest = manifest?.segments.max(), known.segment > newest {
      damaged(manifestPath, 0, "the list of segments is older than the log")
      listed += present.filter { $0 > newest }
    }
    for id in listed where !present.contains(id) {
      let isFree = names.contains(LogFormat.freeName(id))
      damaged(
        path(id), 0, isFree ? "the segment is in the log, and its file is marked free" : "the segment's file is missing"
      )
    }
    report.segments = listed.count
    report.freeFiles =
      names.count { LogFormat.freeID(ofName: $0) != nil } + fileCount - present.count { listed.contains($0) }
    return listed
  }

  /// A crash between making the first segment and listing it leaves one that a start makes again.
  private func isUnlisted(_ present: [UInt64]) throws(StorageError) -> Bool {
    guard present == [1] else { return false }
    let file = try disk.openSegment(path(1), capacity: 0)
    defer { file.close() }
    return identity.isUnlistedFirst(file)
  }

  private func source(_ file: any SegmentFile, _ id: UInt64, slot: Int) -> SegmentSource {
    SegmentSource(base: UnsafeRawPointer(file.base), slot: slot, id: id, clusterID: identity.clusterID)
  }

  // MARK: - Segments

  private func lastSyncMark(_ id: UInt64) -> LogPosition? {
    guard let file = try? disk.openSegment(path(id), capacity: 0) else { return nil }
    defer { file.close() }
    let scan = SegmentScan(source(file, id, slot: 1), limit: file.byteCount)
    note(scan, file, id)
    return scan.lastSyncMark(segment: id)
  }

  private func note(_ scan: SegmentScan, _ file: any SegmentFile, _ id: UInt64) {
    // How an earlier version wrote it nobody knows; a torn tail is the more likely.
    let writing = LogIdentity.writing(ofHeader: file.base, byteCount: file.byteCount, legacy: .staged)
    facts[id] = LogEnd.Facts(writing: writing, hasRecords: scan.count > 0 || !scan.notes.isEmpty)
  }

  /// What is known of the segments behind this one; those that cannot be read may hold records.
  private func facts(behind id: UInt64) -> [LogEnd.Facts] {
    ids.drop { $0 != id }.dropFirst().map { later in
      if facts[later] == nil { _ = lastSyncMark(later) }
      return facts[later] ?? LogEnd.Facts(writing: nil, hasRecords: true)
    }
  }

  /// Returns the bytes read.
  private func verify(_ id: UInt64, slot: Int, isLast: Bool, _ end: LogEnd) throws(StorageError) -> Int {
    let file: any SegmentFile
    do throws(StorageError) {
      file = try disk.openSegment(path(id), capacity: 0)
    } catch {
      if error.isRefusal { throw error }
      damaged(path(id), 0, error.description)
      return 0
    }
    defer { file.close() }
    try checkHeader(file, id)
    // Beyond the place where the log was torn nothing counts.
    if report.torn != nil { return file.byteCount }
    let source = source(file, id, slot: slot)
    let scan = SegmentScan(source, limit: file.byteCount, values: .verified)
    ends[id] = scan.end
    var torn: Int?
    switch end.verdict(scan, source, isLast: isLast) {
    case .kept: break
    case .torn(let offset):
      note(scan, file, id)
      let later = facts(behind: id)
      // The segments behind it were made ahead of need, and nothing is in them.
      if offset == scan.end, !later.contains(where: \.hasRecords) { break }
      let canBeTorn = LogEnd.canBeTorn(
        scan, at: offset, facts[id]?.writing, later: later, hasLostPower: mayHaveLostPower)
      guard canBeTorn else {
        if offset == scan.end { damaged(path(id), offset, "the segment's end is missing") }
        break
      }
      torn = offset
      report.torn = VerificationReport.Damage(
        file: path(id), offset: offset, reason: "a crash left the log torn here; nothing before it is missing")
    case .endMissing: damaged(path(id), scan.end, "the segment's end is missing")
    }
    reportDamage(scan, file, id, before: torn ?? .max)
    count(torn.map { SegmentScan(source, limit: $0) } ?? scan, source)
    return file.byteCount
  }

  private func checkHeader(_ file: any SegmentFile, _ id: UInt64) throws(StorageError) {
    do throws(StorageError) {
      try identity.checkHeader(file.base, segment: id, byteCount: file.byteCount, path: path(id))
    } catch {
      switch error {
      case .damaged(_, let offset, let reason): damaged(path(id), offset, reason)
      case .foreign(_, _, let name):
        report.foreign = report.foreign ?? .init(owner: name)
        damaged(path(id), 24, "belongs to \(name.map { "the log of \($0)" } ?? "another cluster")")
      default: throw error
      }
    }
  }

  private func reportDamage(_ scan: SegmentScan, _ file: any SegmentFile, _ id: UInt64, before end: Int) {
    let unreadable = (file as? LoadedFile)?.unreadable ?? []
    for damage in scan.damage where damage.range.lowerBound < end {
      let reason =
        unreadable.contains { $0.overlaps(damage.range) }
        ? "the disk cannot read it"
        : damage.isValueOnly
          ? "the value is not what was written: its checksum does not match"
          : "\(damage.range.count) bytes are not the records that were written"
      damaged(path(id), damage.range.lowerBound, reason, isLoss: !damage.isValueOnly)
    }
    for range in unreadable where range.lowerBound >= min(scan.end, end) && range.upperBound <= file.byteCount {
      damaged(
        path(id), range.lowerBound, "the disk cannot read \(range.count) bytes; no record is known to be there",
        isLoss: false)
    }
  }

  private func count(_ scan: SegmentScan, _ source: SegmentSource) {
    report.records += scan.count
    report.deadBytes += scan.end - LogFormat.segmentHeaderBytes
    newestTag = max(newestTag, scan.newestTag)
    for note in scan.notes { take(note, source.id) }
    for partition in 0..<Store.partitionCount {
      for entry in scan.entries(partition) {
        let record = RecordView(source.base + entry.location.offset)
        live.take(entry, record, in: partition)
        contents.take(entry.hash, record)
      }
    }
  }

  private func take(_ note: SegmentScan.Note, _ id: UInt64) {
    let position = LogPosition(segment: id, offset: note.offset)
    guard note.record.hasIntactValue else { return }
    switch note.record.kind {
    case .hint:
      hints.append((String(decoding: note.record.value, as: UTF8.self), position))
    case .hintsSettled:
      let node = String(decoding: note.record.key, as: UTF8.self)
      let effect = note.record.tag == .none ? position : LogPosition(rawValue: note.record.tag.rawValue)
      settled[node] = max(settled[node] ?? .start, effect)
    case .rangeDrop where note.offset == LogFormat.segmentHeaderBytes:
      live.drop(RingRanges(bytes: note.record.value), before: LogPosition(rawValue: note.record.tag.rawValue), ids)
    case .rangeDrop, .value, .tombstone, .syncMark, .seal, nil: break
    }
  }

  /// Whether the log ends where it ended when that was last noted.
  private func checkEnd(_ end: LogEnd) {
    guard let last = ids.last, let offset = ends[last], report.torn == nil,
      end.isShort(of: LogPosition(segment: last, offset: offset))
    else { return }
    damaged(
      path(last), offset,
      "the log ends here, and once reached byte \(end.synced.offset) of segment \(end.synced.segment): it was cut short, "
        + "or is an older copy")
  }

  // MARK: - Small files

  /// Reads a small file. Without a value, `fault` says why: no permission, no regular file, or a wrong checksum.
  private func content<Value>(
    _ name: String, _ read: () throws(StorageError) -> Value?
  ) -> (value: Value?, fault: String) {
    do throws(StorageError) {
      return (try read(), "the \(name) is not what was written: its checksum does not match, or its figures cannot be")
    } catch {
      return (nil, error.description)
    }
  }

  private func checkSmallFiles(_ names: Set<String>) {
    if names.contains("suspect") {
      let cause = ((try? SuspectMark.read(from: disk, folder: folder)) ?? nil)?.cause
      damaged(
        SuspectMark.path(folder), 0,
        cause == .unsynced
          ? "what was not synced may be lost, and the node was not compared with the others yet"
          : "records were lost before, and the node was not rebuilt yet", isLoss: cause != .unsynced)
    }
    let (lease, fault) = content("lease") { () throws(StorageError) in try TagLease.read(from: disk, folder: folder) }
    self.lease = lease?.tagsBelow
    if lease == nil, names.contains("lease") {
      damaged(TagLease.path(folder), 0, fault, isLoss: false)
    } else if lease == nil, report.records > 0 {
      damaged(TagLease.path(folder), 0, "the lease is missing", isLoss: false)
    }
    if names.contains("clock") {
      let (clock, fault) = content("clock") { () throws(StorageError) in
        try TagLease.readClock(from: disk, folder: folder)
      }
      if clock == nil { damaged(TagLease.clockPath(folder), 0, fault, isLoss: false) }
    }
    if names.contains("witness") {
      let (witness, fault) = content("witness") { () throws(StorageError) in
        try Witness.read(from: disk, folder: folder)
      }
      if witness == nil { damaged(Witness.path(folder), 0, fault) }
    }
    if names.contains("checkpoint") { checkCheckpoint() }
    for name in names.sorted() where LogFormat.damagedID(ofName: name) != nil {
      remarks.append("\(folder)/\(name) is a damaged segment that was set aside: what it held may be lost")
    }
    for name in names.sorted() where !isKnown(name) {
      remarks.append("\(folder)/\(name) is " + (name.hasSuffix(".new") ? "left over from a crash" : "not kvstore's"))
    }
  }

  private func isKnown(_ name: String) -> Bool {
    ["segments", "suspect", "lease", "clock", "checkpoint", "witness"].contains(name)
      || LogFormat.segmentID(ofName: name) != nil
      || LogFormat.freeID(ofName: name) != nil || LogFormat.damagedID(ofName: name) != nil
  }

  private func checkCheckpoint() {
    let path = Checkpoint.path(folder)
    do throws(StorageError) {
      let file = try disk.openSegment(path, capacity: 0)
      defer { file.close() }
      if let damage = Checkpoint.damage(file.base, byteCount: file.byteCount, identity) {
        damaged(path, damage.offset, damage.reason, isLoss: false)
      } else if report.torn == nil, file.byteCount > 24 {
        let covers = LogPosition(rawValue: file.base.load(fromByteOffset: 16, as: UInt64.self))
        if let end = ends[covers.segment], end < covers.offset {
          damaged(self.path(covers.segment), end, "records that the checkpoint speaks of are missing")
        }
      }
    } catch {
      damaged(path, 0, error.description, isLoss: false)
    }
  }
}

/// Each key's newest record, to tell live bytes from dead ones. Keys are told apart by their hashes alone: two of a
/// hundred million share one with a chance of 1 in 4,000, and then the count is off by one.
private struct LiveRecords: ~Copyable {
  private let stripes = StripeTable(cacheBytes: 0)
  /// Bytes of the records whose size an index entry cannot hold, by hash.
  private var large: [UInt64: Int] = [:]
  /// Of keys whose newest record is a read-modify-write, by hash.
  private var anchors: [UInt64: Tag] = [:]

  /// Takes a record; those of a key come from the oldest place to the newest.
  mutating func take(_ entry: SegmentScan.Entry, _ record: RecordView, in partition: Int) {
    if entry.location.byteCount == 0 { large[entry.hash] = record.byteCount }
    if let known = stripes.base[partition].index.find(entry.hash, matching: { _ in true }) {
      guard entry.tag == known.pointee.tag || record.stamp.supersedes(stamp(known.pointee)) else { return }
      known.pointee = IndexSlot(hash: entry.hash, location: entry.location, tag: entry.tag)
    } else {
      stripes.base[partition].index.insert(IndexSlot(hash: entry.hash, location: entry.location, tag: entry.tag))
    }
    if record.isRMW { anchors[entry.hash] = record.stamp.anchor }
  }

  private func stamp(_ slot: IndexSlot) -> Stamp {
    let anchor = slot.tag.isRMW ? anchors[slot.hash] ?? slot.tag : slot.tag
    return Stamp(slot.tag, anchor: anchor, isTombstone: slot.location.isTombstone)
  }

  /// Takes out what lies before `effect` in the ranges: the node gave it up.
  mutating func drop(_ ranges: RingRanges, before effect: LogPosition, _ segments: [UInt64]) {
    for partition in 0..<Store.partitionCount {
      stripes.base[partition].index.filter { slot in
        let position = LogPosition(segment: segments[slot.location.slot - 1], offset: slot.location.offset)
        return position >= effect || !ranges.contains(Ring.slot(of: slot.hash))
      }
    }
  }

  var total: (keys: Int, tombstones: Int, bytes: Int) {
    var total = (keys: 0, tombstones: 0, bytes: 0)
    for partition in (0..<Store.partitionCount).map({ stripes.base[$0].index }) {
      for table in 0..<HashIndex.tableCount {
        partition.forEach(inTable: table) { slot in
          if slot.location.isTombstone { total.tombstones += 1 } else { total.keys += 1 }
          total.bytes += slot.location.byteCount != 0 ? slot.location.byteCount : large[slot.hash] ?? 0
        }
      }
    }
    return total
  }
}
