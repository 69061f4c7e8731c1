import CKernels
import Glibc

/// A node's index on disk: makes its next start fast and is never needed for it.
///
/// It holds the index as it was at some moment, and the position from which the log must still be read. Whatever is
/// wrong with it, it is ignored and the whole log is read. File `checkpoint` in the node's folder, little-endian:
///
/// ```
///   0   8  magic 89 'K' 'V' 'I' 'D' 'X' 0D 0A
///   8   4  format version
///  12   4  CRC-32C of the node's name
///  16   8  position: records before it are in the index below
///  24   8  cluster id
///  32   8  newest tag
///  40   4  number of segments
///  44   4  CRC-32C of bytes 0 ..< 44 and of the segments
///  48      segments, 32 bytes each: slot, id, end of its records, bytes of purged tombstones in it
///          256 partitions: count (4 bytes), CRC-32C of the entries (4), entries of 24 bytes: hash, location, tag
/// ```
///
/// Locations name segments by their slot in the table above. A segment in it that the log no longer has was emptied by
/// compaction since; its entries are passed over, for what was live in it was written again beyond the position.
///
/// The table is of the moment after the entries: entries that lie beyond the position are read from the log, which had all
/// that the table names on the disk before the file was written. So a checkpoint bears witness too (``reach(on:folder:identity:)``),
/// and a log that lost records is read without it: of a key whose newest record is lost it does not know the older ones.
final class Checkpoint: @unchecked Sendable {
  static let magic: UInt64 = 0x0a0d_5844_4956_4b89
  /// Up to 2 the table was of the moment before the entries, and might name the end of a log that was on no disk.
  static let version: UInt32 = 3
  static let headerBytes = 48
  static let segmentBytes = 32
  static let entryBytes = MemoryLayout<IndexSlot>.stride

  static func path(_ folder: String) -> String { "\(folder)/checkpoint" }

  private let file: any SegmentFile
  let covers: LogPosition
  let newestTag: Tag
  /// Slot there, id, end, purged bytes; and the slot the segment has now, 0 if it is gone.
  private let segments: [(slot: Int, id: UInt64, end: Int, purged: Int, now: Int)]
  /// By slot there, up to the greatest; 0 for a segment that is gone.
  private let slots: [Int]
  /// Wrong: the slots are as they were. Only for the mistake of that name.
  var keepsSlots = false
  /// Offset of each partition's entries, and their number.
  private let sections: [(offset: Int, count: Int)]

  /// The folder's checkpoint if there is one, all of it verifies, and the log is the one it was made of.
  static func read(
    from disk: any Disk, folder: String, identity: LogIdentity, segments: [Log.Segment]
  ) -> Checkpoint? {
    guard let names = try? disk.names(in: folder), names.contains("checkpoint"),
      let file = try? disk.openSegment(path(folder), capacity: 0)
    else { return nil }
    if let checkpoint = Checkpoint(file, identity, segments) { return checkpoint }
    file.close()
    return nil
  }

  /// Up to where the log had been on the disk when the folder's checkpoint was written; the start without one that can be
  /// believed.
  static func reach(on disk: any Disk, folder: String, identity: LogIdentity) -> LogPosition {
    guard let names = try? disk.names(in: folder), names.contains("checkpoint"),
      let file = try? disk.openSegment(path(folder), capacity: 0)
    else { return .start }
    defer { file.close() }
    let base = UnsafeRawPointer(file.base)
    guard let count = segmentCount(base, file.byteCount, identity) else { return .start }
    return (0..<count).reduce(LogPosition.start) { reach, i in
      let entry = base + headerBytes + i * segmentBytes
      let (id, end) = (entry.load(fromByteOffset: 8, as: UInt64.self), entry.load(fromByteOffset: 16, as: Int.self))
      guard LogFormat.segmentIDs.contains(id), (0...LogFormat.segmentFileBytesMax).contains(end) else { return reach }
      return max(reach, LogPosition(segment: id, offset: end))
    }
  }

  /// How many segments the table has, which follows a header that verifies and is this log's; `nil` without one.
  private static func segmentCount(_ base: UnsafeRawPointer, _ byteCount: Int, _ identity: LogIdentity) -> Int? {
    guard byteCount >= headerBytes, base.load(as: UInt64.self) == magic,
      base.load(fromByteOffset: 8, as: UInt32.self) == version,
      base.load(fromByteOffset: 12, as: UInt32.self) == nameChecksum(identity),
      base.load(fromByteOffset: 24, as: UInt64.self) == identity.clusterID
    else { return nil }
    let count = Int(base.load(fromByteOffset: 40, as: UInt32.self))
    let end = headerBytes + count * segmentBytes
    guard count < SegmentTable.slotsMax, end <= byteCount,
      base.load(fromByteOffset: 44, as: UInt32.self)
        == kv_crc32c(kv_crc32c(0, base, 44), base + headerBytes, end - headerBytes)
    else { return nil }
    return count
  }

  private init?(_ file: any SegmentFile, _ identity: LogIdentity, _ present: [Log.Segment]) {
    let base = UnsafeRawPointer(file.base)
    let size = file.byteCount
    guard let count = Checkpoint.segmentCount(base, size, identity) else { return nil }
    var at = Checkpoint.headerBytes + count * Checkpoint.segmentBytes
    self.file = file
    covers = LogPosition(rawValue: base.load(fromByteOffset: 16, as: UInt64.self))
    newestTag = Tag(rawValue: base.load(fromByteOffset: 32, as: UInt64.self))
    segments = (0..<count).map { i in
      let entry = base + Checkpoint.headerBytes + i * Checkpoint.segmentBytes
      let id = entry.load(fromByteOffset: 8, as: UInt64.self)
      return (
        entry.load(as: Int.self), id, entry.load(fromByteOffset: 16, as: Int.self),
        entry.load(fromByteOffset: 24, as: Int.self), present.first { $0.id == id }?.slot ?? 0
      )
    }
    // Whoever reads what it names counts on the segments' bytes being there.
    let isBounded = segments.allSatisfy { segment in
      (LogFormat.segmentHeaderBytes...LogFormat.segmentFileBytesMax).contains(segment.end)
        && (0...segment.end).contains(segment.purged)
    }
    guard isBounded, covers.offset <= LogFormat.segmentFileBytesMax else { return nil }
    let known = segments.filter { (0..<SegmentTable.slotsMax).contains($0.slot) }
    var slots = [Int](repeating: 0, count: 1 + (known.map(\.slot).max() ?? 0))
    for segment in known { slots[segment.slot] = segment.now }
    self.slots = slots
    var sections: [(offset: Int, count: Int)] = []
    sections.reserveCapacity(Store.partitionCount)
    for _ in 0..<Store.partitionCount {
      guard at + 8 <= size else { return nil }
      let count = Int(base.load(fromByteOffset: at, as: UInt32.self))
      let bytes = count * Checkpoint.entryBytes
      guard at + 8 + bytes <= size,
        base.load(fromByteOffset: at + 4, as: UInt32.self) == kv_crc32c(UInt32(count), base + at + 8, bytes)
      else { return nil }
      sections.append((at + 8, count))
      at += 8 + bytes
    }
    self.sections = sections
    // Every segment older than the position must be known, and the one it lies in must be there.
    guard present.allSatisfy({ segment in segment.id > covers.segment || segments.contains { $0.id == segment.id } }),
      present.contains(where: { $0.id == covers.segment || $0.id > covers.segment })
    else { return nil }
  }

  /// Where the records of a segment before the position end.
  func end(_ id: UInt64) -> Int { segments.first { $0.id == id }?.end ?? LogFormat.segmentHeaderBytes }

  /// How much of a segment is tombstones that had been purged.
  func purgedBytes(_ id: UInt64) -> Int { segments.first { $0.id == id }?.purged ?? 0 }

  func entries(_ partition: Int) -> UnsafeBufferPointer<IndexSlot> {
    let (offset, count) = sections[partition]
    let start = UnsafeRawPointer(file.base + offset).assumingMemoryBound(to: IndexSlot.self)
    return UnsafeBufferPointer(start: start, count: count)
  }

  /// A location of the checkpoint as it is now; `nil` if its segment is gone.
  func location(_ location: Location, _ table: SegmentTable) -> Location? {
    let isKept = keepsSlots && segments.contains { $0.now == location.slot }
    let slot = isKept ? location.slot : location.slot < slots.count ? slots[location.slot] : 0
    return slot == 0 ? nil : Location(rawValue: location.rawValue & 0xffff_ffff_ffff | UInt64(slot) << 48)
  }

  func close() { file.close() }

  static func nameChecksum(_ identity: LogIdentity) -> UInt32 {
    Array(identity.node.utf8).withBytes { Checksum.crc32c($0) }
  }
}

extension Checkpoint {
  /// Writes the index of `store`.
  ///
  /// Partition by partition, each under its lock, so the checkpoint is of no single moment; what changed meanwhile lies
  /// beyond the position taken at the beginning and is read from the log again. There is no checkpoint of a suspect store:
  /// a start that believed it would not see what is missing in the log.
  /// - Parameters:
  ///   - sync: puts the log on the disk: a checkpoint must not speak of records that a crash can take.
  ///   - withPartition: runs a body with a partition's lock held.
  static func write(
    _ store: Store, sync: () throws(StorageError) -> Void,
    withPartition: (_ partition: Int, _ body: () -> Void) -> Void
  ) throws(StorageError) {
    let log = store.log
    let begin = log.end
    var sections: [[IndexSlot]] = []
    sections.reserveCapacity(Store.partitionCount)
    for partition in 0..<Store.partitionCount {
      var entries: [IndexSlot]?
      withPartition(partition) { entries = store.entries(partition) }
      // A node that was stopped meanwhile has nothing to say, which must not look like an empty partition.
      guard let entries else { throw .closed }
      sections.append(entries)
    }
    // A slot whose segment is gone by now, and another's, is that of entries which are read from the log again.
    let (wanted, present) = log.segmentsNow
    try sync()
    // Whoever syncs for others stops when the node is killed, and then returns without a sync. An entry whose record is not
    // on the disk would hide the older version of its key, which is: with the record lost, the key would be too.
    guard log.durable >= wanted, !store.isSuspect else { throw .closed }
    // The log may end with a mark that is not on the disk, although nothing waits for a sync.
    let synced = min(wanted, log.synced)
    let covers = min(begin, synced)
    let newestTag = sections.joined().reduce(store.newestTag) { max($0, $1.tag) }
    let segments = present.filter { $0.id <= synced.segment }.map { segment in
      var segment = segment
      if segment.id == synced.segment { segment.end = min(segment.end, synced.offset) }
      return segment
    }
    let header = header(store, covers, segments, newestTag)
    try log.disk.replace(path(log.folder)) { write throws(StorageError) in
      try header.withBytes(write)
      for entries in sections {
        try entries.withUnsafeBufferPointer { entries throws(StorageError) in
          let bytes = UnsafeRawBufferPointer(entries)
          let head = [UInt32(entries.count), kv_crc32c(UInt32(entries.count), bytes.baseAddress, bytes.count)]
          try head.withUnsafeBufferPointer { head throws(StorageError) in try write(UnsafeRawBufferPointer(head)) }
          if bytes.count > 0 { try write(bytes) }
        }
      }
    }
  }

  private static func header(_ store: Store, _ covers: LogPosition, _ segments: [Log.Segment], _ newestTag: Tag)
    -> [UInt8]
  {
    let count = headerBytes + segments.count * segmentBytes
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
      let base = UnsafeMutableRawPointer(buffer.baseAddress!)
      base.storeBytes(of: magic, as: UInt64.self)
      base.storeBytes(of: version, toByteOffset: 8, as: UInt32.self)
      base.storeBytes(of: nameChecksum(store.log.identity), toByteOffset: 12, as: UInt32.self)
      base.storeBytes(of: covers.rawValue, toByteOffset: 16, as: UInt64.self)
      base.storeBytes(of: store.log.identity.clusterID, toByteOffset: 24, as: UInt64.self)
      base.storeBytes(of: newestTag.rawValue, toByteOffset: 32, as: UInt64.self)
      base.storeBytes(of: UInt32(segments.count), toByteOffset: 40, as: UInt32.self)
      for (i, segment) in segments.enumerated() {
        let at = headerBytes + i * segmentBytes
        base.storeBytes(of: segment.slot, toByteOffset: at, as: Int.self)
        base.storeBytes(of: segment.id, toByteOffset: at + 8, as: UInt64.self)
        base.storeBytes(of: segment.end, toByteOffset: at + 16, as: Int.self)
        base.storeBytes(of: store.table.purgedBytes(segment.slot), toByteOffset: at + 24, as: Int.self)
      }
      let checksum = kv_crc32c(kv_crc32c(0, base, 44), base + headerBytes, count - headerBytes)
      base.storeBytes(of: checksum, toByteOffset: 44, as: UInt32.self)
      written = count
    }
  }
}

extension Store {
  /// A partition's entries with their places in the log. Call with its lock held.
  func entries(_ partition: Int) -> [IndexSlot] {
    let stripe = stripes + partition
    var entries: [IndexSlot] = []
    entries.reserveCapacity(stripe.pointee.index.count)
    for table in 0..<HashIndex.tableCount {
      stripe.pointee.index.forEach(inTable: table) { slot in
        entries.append(IndexSlot(hash: slot.hash, location: logLocation(slot.location, stripe), tag: slot.tag))
      }
    }
    return entries
  }
}
