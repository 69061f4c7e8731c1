import CKernels
import Glibc

/// The file in a node's folder that says that the node may have lost records it acknowledged, until it has been rebuilt
/// from other nodes.
///
/// ```
/// kvstore suspect 1
/// lost                 or nothing: what had been on the disk may be lost
/// unsynced             only beside `lost`: what had not been synced may be lost as well
/// ```
package struct SuspectMark: Equatable {
  /// What may be lost.
  package enum Cause {
    /// At most what was not synced: the node still has all that it had on its disk.
    case unsynced
    /// Records that had been on the disk, perhaps a tombstone that hid an older version.
    case lost
  }

  var cause: Cause
  /// Of what was not synced any part may be in the log.
  var mayHaveLostPower: Bool

  private static let firstLine = "kvstore suspect 1\n"
  private static let lostLine = "lost\n"
  private static let unsyncedLine = "unsynced\n"

  package static func path(_ folder: String) -> String { "\(folder)/suspect" }

  /// `nil` without a mark. What makes no sense is one of the worst kind.
  static func read(from disk: any Disk, folder: String) throws(StorageError) -> SuspectMark? {
    guard let bytes = try disk.read(path(folder)) else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    if text == firstLine { return SuspectMark(cause: .unsynced, mayHaveLostPower: true) }
    return SuspectMark(cause: .lost, mayHaveLostPower: text.hasSuffix(unsyncedLine))
  }

  /// A mark that is there already is never weakened.
  package static func write(_ cause: Cause, to disk: any Disk, folder: String) throws(StorageError) {
    let known = try read(from: disk, folder: folder)
    let isLost = cause == .lost || known?.cause == .lost
    let mayHaveLostPower = cause == .unsynced || known?.mayHaveLostPower ?? false
    let mark = SuspectMark(cause: isLost ? .lost : .unsynced, mayHaveLostPower: mayHaveLostPower)
    if mark == known { return }
    let lines = isLost ? lostLine + (mayHaveLostPower ? unsyncedLine : "") : ""
    try disk.replace(path(folder), with: Array((firstLine + lines).utf8))
  }
}

/// Finds a log's segments and where the log ends.
///
/// A *torn tail* is cut, together with what follows. At *corruption* nothing is cut or deleted: the place is reported,
/// the rest is used. ``LogEnd`` tells which it is. (The distinction is that of "Protocol-Aware Recovery", FAST '18.)
struct LogRecovery {
  let disk: any Disk
  let folder: String
  let identity: LogIdentity
  let segmentBytes: Int
  /// The node has had a log: if it is gone, so is what the node acknowledged.
  let isExpected: Bool
  /// Of what was not synced any part may be there.
  let mayHaveLostPower: Bool
  /// The log reached up to here once, says a ``Witness`` or the checkpoint.
  let known: LogPosition
  let table: SegmentTable

  init(
    disk: any Disk, folder: String, identity: LogIdentity, segmentBytes: Int, isExpected: Bool,
    mayHaveLostPower: Bool = true,
    known: LogPosition = .start
  ) {
    (self.disk, self.folder, self.identity) = (disk, folder, identity)
    (self.segmentBytes, self.isExpected) = (segmentBytes, isExpected)
    self.known = max(known, Checkpoint.reach(on: disk, folder: folder, identity: identity))
    self.mayHaveLostPower = mayHaveLostPower
    table = SegmentTable(slotCount: disk.segmentsMax)
  }

  /// What was found.
  struct Found {
    var segments: [Log.Segment] = []
    var free: [any SegmentFile] = []
    var newestID: UInt64 = 0
    var damage = DamageReport()
    /// A torn tail was cut.
    var isCut = false
    /// The node's mark says so.
    var mayHaveLostPower = false
    /// Scans made on the way, by segment id.
    var scans: [(id: UInt64, scan: SegmentScan)] = []

    func scan(_ id: UInt64) -> SegmentScan? { scans.first { $0.id == id }?.scan }
  }

  /// Opens every segment and cuts a torn tail. The last segment of what is returned is the one to go on in.
  func find() throws(StorageError) -> Found {
    try disk.makeFolder(folder)
    var found = Found()
    try openSegments(&found)
    // What is written from here on may hide that something is missing.
    if found.damage.isSuspect { try SuspectMark.write(.lost, to: disk, folder: folder) }
    if let mark = try SuspectMark.read(from: disk, folder: folder) {
      found.mayHaveLostPower = mark.mayHaveLostPower
      found.damage.add(0, 0..<0, "records were lost before, and it was not rebuilt yet", mark.cause)
    }
    try openFree(&found)
    if found.segments.isEmpty {
      try addEmptySegment(&found)
    } else {
      try findEnd(&found)
      try leaveFullSegment(&found)
    }
    return found
  }

  func source(_ segment: Log.Segment) -> SegmentSource {
    SegmentSource(
      base: UnsafeRawPointer(segment.file.base), slot: segment.slot, id: segment.id, clusterID: identity.clusterID)
  }

  private func openSegments(_ found: inout Found) throws(StorageError) {
    var present: [UInt64] = []
    for name in try disk.names(in: folder) {
      if let id = LogFormat.segmentID(ofName: name) { present.append(id) }
    }
    present.sort()
    var manifest = try LogManifest.read(from: disk, folder: folder)
    if manifest == nil, try isUnlisted(present) {
      try disk.remove(path(1))
      present = []
    }
    // An id is never used twice: what is left of an old segment must not pass for a new one's. Nor may a log that goes on
    // after a loss end before the place it once reached.
    found.newestID = max(present.last ?? 0, manifest?.segments.max() ?? 0, known.segment)
    if let listed = manifest, let newest = listed.segments.max(), known.segment > newest {
      // What it does not name must not be taken for free files.
      found.damage.add(0, 0..<0, "the list of segments is older than the log")
      manifest?.segments += present.filter { $0 > newest }
    }
    if manifest == nil, present.isEmpty, isExpected {
      found.damage.add(0, 0..<0, "its log is missing")
    } else if manifest == nil, !present.isEmpty {
      found.damage.add(0, 0..<0, "the list of segments is missing or damaged, so nobody knows whether all are there")
    }
    for id in manifest?.segments ?? present {
      guard present.contains(id) else {
        found.damage.add(id, 0..<0, "the segment's file is missing")
        continue
      }
      let file = try disk.openSegment(path(id), capacity: segmentBytes)
      // No record is in it, and nothing may be stored where there is no file.
      if file.byteCount < LogFormat.segmentHeaderBytes {
        found.damage.add(id, 0..<file.byteCount, "the segment's file is too short for its header")
        file.close()
        continue
      }
      found.segments.append(
        Log.Segment(
          file: file, id: id, slot: try table.add(file, id: id), end: LogFormat.segmentHeaderBytes,
          writing: LogIdentity.writing(ofHeader: file.base, byteCount: file.byteCount, legacy: file.writing)))
      try checkHeader(file, id, &found)
    }
    // Made, but not yet or no longer part of the log: no record in it counts.
    for id in present where manifest.map({ !$0.segments.contains(id) }) ?? false {
      try keepFree(try disk.openSegment(path(id), capacity: segmentBytes), &found)
    }
  }

  private func path(_ id: UInt64) -> String { "\(folder)/\(LogFormat.segmentName(id))" }

  /// A crash between making the first segment and listing it leaves one without records, perhaps without its header.
  private func isUnlisted(_ present: [UInt64]) throws(StorageError) -> Bool {
    guard present == [1] else { return false }
    let file = try disk.openSegment(path(1), capacity: segmentBytes)
    defer { file.close() }
    return identity.isUnlistedFirst(file)
  }

  /// The header repeats what the file's name and the configuration say; damage to it alone costs nothing but trust.
  private func checkHeader(_ file: any SegmentFile, _ id: UInt64, _ found: inout Found) throws(StorageError) {
    do throws(StorageError) {
      try identity.checkHeader(file.base, segment: id, byteCount: file.byteCount, path: file.path)
    } catch {
      guard case .damaged(_, let offset, let reason) = error else { throw error }
      found.damage.add(id, offset..<LogFormat.segmentHeaderBytes, reason)
      found.segments[found.segments.count - 1].isDamaged = true
    }
  }

  private func openFree(_ found: inout Found) throws(StorageError) {
    for name in try disk.names(in: folder) {
      guard let id = LogFormat.freeID(ofName: name) else { continue }
      found.newestID = max(found.newestID, id)
      // Nothing is in it; what cannot be opened is not used.
      guard let file = try? disk.openSegment("\(folder)/\(name)", capacity: segmentBytes) else { continue }
      try keepFree(file, &found)
    }
  }

  private func keepFree(_ file: any SegmentFile, _ found: inout Found) throws(StorageError) {
    if file.capacity == segmentBytes, found.free.count < SegmentPool.freeFilesMax { return found.free.append(file) }
    file.close()
    try disk.remove(file.path)
  }

  private func addEmptySegment(_ found: inout Found) throws(StorageError) {
    let id = found.newestID + 1
    let file = try SegmentPool.createSegment(
      on: disk, folder: folder, identity: identity, segment: id, capacity: segmentBytes,
      byteCount: min(1 << 20, segmentBytes))
    try LogManifest(segments: found.segments.map(\.id) + [id]).write(to: disk, folder: folder)
    found.newestID = id
    found.segments.append(
      Log.Segment(
        file: file, id: id, slot: try table.add(file, id: id), end: LogFormat.segmentHeaderBytes, writing: file.writing)
    )
  }

  // MARK: - The end of the log

  /// Reads the segments from the newest back to the one that the newest mark speaks of, and acts on what ``LogEnd`` says
  /// about each: beyond the mark everything must verify, values too.
  private func findEnd(_ found: inout Found) throws(StorageError) {
    var scans = found.scans
    let segments = found.segments
    let scan = { (id: UInt64) -> SegmentScan? in
      if let known = scans.first(where: { $0.id == id })?.scan { return known }
      guard let segment = segments.first(where: { $0.id == id }) else { return nil }
      let scan = SegmentScan(source(segment), limit: segment.file.byteCount)
      scans.append((id, scan))
      return scan
    }
    let end = LogEnd(segments.map(\.id), known: known) { scan($0)?.lastSyncMark(segment: $0) }
    // Those from the synced position on, and those that were read in search of it: a witness may know of more than they.
    for segment in segments where segment.id >= end.synced.segment { _ = scan(segment.id) }
    let toCheck = segments.indices.filter { i in scans.contains { $0.id == segments[i].id } }
    found.scans = scans
    for i in toCheck {
      let segment = segments[i]
      guard let scan = found.scan(segment.id) else { continue }
      found.segments[i].end = scan.end
      switch end.verdict(scan, source(segment), isLast: i == segments.count - 1) {
      case .kept: continue
      case .torn(let offset):
        if canBeTorn(found, at: i, offset, scan) { return try cut(&found, at: i, offset: offset) }
        if scan.end == offset { try noteMissingEnd(&found, at: i, scan) }
      case .endMissing: try noteMissingEnd(&found, at: i, scan)
      }
    }
    if let last = found.segments.indices.last, let scan = found.scan(found.segments[last].id),
      end.isShort(of: LogPosition(segment: found.segments[last].id, offset: scan.end))
    {
      try noteMissingEnd(&found, at: last, scan)
    }
    // Sealed, and the next is gone: the log goes on in a new one.
    if found.scans.contains(where: { $0.id == found.segments.last?.id && $0.scan.isSealed }) {
      try addEmptySegment(&found)
    }
  }

  /// Every segment keeps room for its seal. One that has none was not left so by a log, and takes no more.
  private func leaveFullSegment(_ found: inout Found) throws(StorageError) {
    guard let last = found.segments.indices.last, let scan = found.scan(found.segments[last].id), !scan.isSealed,
      found.segments[last].end + LogFormat.sealBytes > found.segments[last].file.capacity
    else { return }
    try noteMissingEnd(&found, at: last, scan)
    try addEmptySegment(&found)
  }

  private func canBeTorn(_ found: Found, at index: Int, _ offset: Int, _ scan: SegmentScan) -> Bool {
    let later = found.segments[(index + 1)...].map { segment in
      LogEnd.Facts(
        writing: segment.writing,
        hasRecords: found.scan(segment.id).map { $0.count > 0 || !$0.notes.isEmpty } ?? true)
    }
    return LogEnd.canBeTorn(
      scan, at: offset, found.segments[index].writing, later: later,
      hasLostPower: mayHaveLostPower || found.mayHaveLostPower)
  }

  private func noteMissingEnd(_ found: inout Found, at index: Int, _ scan: SegmentScan) throws(StorageError) {
    let segment = found.segments[index]
    let end = max(scan.end, segment.file.byteCount, known.segment == segment.id ? known.offset : 0)
    found.damage.add(segment.id, scan.end..<end, "its end is missing")
    found.segments[index].isDamaged = true
    // Before anything is cut or appended, which may hide it.
    try SuspectMark.write(.lost, to: disk, folder: folder)
  }

  /// Ends the log at `offset` of a segment: what follows is made unreadable, so that it can never follow what will be
  /// written there.
  private func cut(_ found: inout Found, at index: Int, offset: Int) throws(StorageError) {
    // A segment made ahead of need and not used yet is no loss.
    var hadRecords = false
    for segment in found.segments[(index + 1)...] {
      if let scan = found.scan(segment.id), scan.count > 0 || !scan.notes.isEmpty { hadRecords = true }
      table.remove(segment.slot)
      found.scans.removeAll { $0.id == segment.id }
    }
    let later = found.segments[(index + 1)...].map(\.file)
    found.segments.removeSubrange((index + 1)...)
    let segment = found.segments[index]
    let valid = found.scan(segment.id)?.end ?? offset
    if valid > offset {
      memset(segment.file.base + offset, 0, valid - offset)
      try segment.file.write(offset..<valid)
      try segment.file.sync()
    }
    try LogManifest(segments: found.segments.map(\.id)).write(to: disk, folder: folder)
    for file in later { try keepFree(file, &found) }
    found.segments[index].end = offset
    found.isCut = hadRecords || valid > offset
    found.scans.removeAll { $0.id == segment.id }
    found.scans.append((segment.id, SegmentScan(source(segment), limit: offset)))
  }
}
