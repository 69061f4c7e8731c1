import CKernels
import Glibc

/// What one segment holds: its records verified and sorted by partition, in the form that recovery and compaction work
/// on, and where it is damaged.
///
/// Sorted by partition, so that whoever takes a partition's lock (or brings its index into the processor's cache) does so
/// once a segment and not once a record.
final class SegmentScan {
  /// A record that a key may point to.
  struct Entry {
    var hash: UInt64
    var tag: Tag
    var location: Location
  }

  /// A record about the log itself.
  struct Note {
    var record: RecordView
    var offset: Int
  }

  /// Bytes that are not the records they should be.
  struct Damage: Equatable {
    var range: Range<Int>
    /// The key is known, only its value is damaged.
    var isValueOnly = false
  }

  private let entries: UnsafeMutablePointer<Entry>
  private let starts: [Int]
  let count: Int
  let notes: [Note]
  let damage: [Damage]
  /// Where the records end, and whether a seal says so.
  let end: Int
  let isSealed: Bool
  let newestTag: Tag

  /// Which values to verify; headers always are. Verifying one of 100 bytes takes about 10 ns.
  enum Values {
    case trusted
    case verified
    case verifiedFrom(Int)
  }

  /// Reads the segment from `start` up to its seal, or up to `limit`.
  ///
  /// Where a record does not verify the scan looks for the next one that does: what lies between is damage, unless
  /// nothing follows; then it is where the records end.
  init(_ segment: SegmentSource, from start: Int = LogFormat.segmentHeaderBytes, limit: Int, values: Values = .trusted)
  {
    let room = max(1, (limit - start) / LogFormat.recordBytes(keyBytes: 1, valueBytes: 0))
    let unsorted = UnsafeMutablePointer<Entry>.allocate(capacity: room)
    // All of it in variables of its own: to access what belongs to an object is checked each time.
    var starts = [Int](repeating: 0, count: Store.partitionCount + 1)
    var (count, end, isSealed, newestTag) = (0, start, false, Tag.none)
    var (notes, damage): ([Note], [Damage]) = ([], [])
    var offset = start
    while !isSealed, offset < limit {
      guard let record = RecordView.checked(in: segment.base, at: offset, limit: limit, seed: segment.seed) else {
        guard let next = SegmentScan.nextRecord(segment, after: offset, limit: limit) else { break }
        damage.append(Damage(range: offset..<next))
        offset = next
        continue
      }
      let kind = record.kind
      if kind == .value || kind == .tombstone {
        let hash = Ring.hash(record.key)
        unsorted[count] = Entry(
          hash: hash, tag: record.tag,
          location: Location(
            slot: segment.slot, offset: offset, byteCount: record.byteCount, isTombstone: kind == .tombstone))
        starts[Store.partition(of: hash) + 1] += 1
        count += 1
        if record.tag > newestTag { newestTag = record.tag }
      } else {
        notes.append(Note(record: record, offset: offset))
        if kind == .seal { isSealed = true }
      }
      if SegmentScan.isDue(values, offset), !record.hasIntactValue {
        damage.append(Damage(range: offset..<offset + record.byteCount, isValueOnly: true))
      }
      offset += record.byteCount
      end = offset
    }
    for i in 1...Store.partitionCount { starts[i] += starts[i - 1] }
    let entries = UnsafeMutablePointer<Entry>.allocate(capacity: max(1, count))
    var next = starts
    next.withUnsafeMutableBufferPointer { next in
      for i in 0..<count {
        let partition = Store.partition(of: unsorted[i].hash)
        entries[next[partition]] = unsorted[i]
        next[partition] += 1
      }
    }
    unsorted.deallocate()
    self.entries = entries
    (self.starts, self.count, self.notes, self.damage) = (starts, count, notes, damage)
    (self.end, self.isSealed, self.newestTag) = (end, isSealed, newestTag)
  }

  deinit { entries.deallocate() }

  /// The partition's records, from the oldest.
  func entries(_ partition: Int) -> UnsafeBufferPointer<Entry> {
    UnsafeBufferPointer(start: entries + starts[partition], count: starts[partition + 1] - starts[partition])
  }

  @inline(__always)
  private static func isDue(_ values: Values, _ offset: Int) -> Bool {
    switch values {
    case .trusted: false
    case .verified: true
    case .verifiedFrom(let first): offset >= first
    }
  }

  /// The first record that verifies beyond a bad place. O(bytes), about 1 ns for 8 of them.
  static func nextRecord(_ segment: SegmentSource, after offset: Int, limit: Int) -> Int? {
    var at = offset + LogFormat.alignment
    while at + LogFormat.recordHeaderBytes <= limit {
      if RecordView.checked(in: segment.base, at: at, limit: limit, seed: segment.seed) != nil { return at }
      at += LogFormat.alignment
    }
    return nil
  }
}

/// Where a segment's bytes are.
struct SegmentSource {
  var base: UnsafeRawPointer
  var slot: Int
  var id: UInt64
  var seed: UInt32

  init(base: UnsafeRawPointer, slot: Int, id: UInt64, clusterID: UInt64) {
    self.base = base
    self.slot = slot
    self.id = id
    seed = LogFormat.seed(clusterID: clusterID, segment: id)
  }
}
