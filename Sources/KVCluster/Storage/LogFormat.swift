import CKernels

/// The bytes of a log, for whoever writes and whoever reads them. All integers are little-endian.
///
/// A log is a sequence of segment files `000000000001.segment`, … Each begins with a header:
///
/// ```
///   0   8  magic 89 'K' 'V' 'S' 'E' 'G' 0D 0A   (the high bit and the line end catch text-mode copies)
///   8   4  format version
///  12   4  header bytes (128)
///  16   8  segment id, from 1
///  24   8  cluster id, so that a stray file of another cluster is never replayed
///  32   1  byte count of the node's name
///  33  64  the node's name
///  97  27  zero
/// 124   4  CRC-32C of bytes 0 ..< 124
/// ```
///
/// then records, each on a multiple of 8 bytes, the rest of the file zero:
///
/// ```
///   0   4  header checksum: CRC-32C of bytes 4 ..< 24 and the key, seeded by the segment's seed and the offset
///   4   4  value checksum: CRC-32C of the value
///   8   8  tag
///  16   4  byte count of the value
///  20   2  byte count of the key
///  22   1  kind
///  23   1  zero
///  24      key, value, zeros up to a multiple of 8
/// ```
///
/// The header checksum covers where the record lies, so bytes left over from an earlier use of the file can never pass
/// as valid. It covers the value's checksum too, which is the same on every replica: equal tags with different value
/// checksums are corruption. Header and value are checked separately, so a bad value makes one key unknown and not a log.
package enum LogFormat {
  package static let version: UInt32 = 1
  package static let magic: UInt64 = 0x0a0d_4745_5356_4b89
  package static let segmentHeaderBytes = 128
  package static let recordHeaderBytes = 24
  package static let alignment = 8
  /// A segment's records fit this many bytes, unless a single record is larger and has a segment of its own.
  package static let segmentBytesDefault = 64 << 20

  /// Bytes a record takes in the log.
  @inline(__always)
  package static func recordBytes(keyBytes: Int, valueBytes: Int) -> Int {
    (recordHeaderBytes + keyBytes + valueBytes + alignment - 1) & ~(alignment - 1)
  }

  /// What every header checksum of a segment starts from.
  package static func seed(clusterID: UInt64, segment: UInt64) -> UInt32 {
    withUnsafeBytes(of: (clusterID.littleEndian, segment.littleEndian)) { kv_crc32c(0, $0.baseAddress, $0.count) }
  }

  /// Distinct offsets give distinct checksums of the same bytes: CRC is a bijection of its starting value.
  @inline(__always)
  static func headerChecksum(seed: UInt32, offset: Int, record: UnsafeRawPointer, keyBytes: Int) -> UInt32 {
    kv_crc32c(seed ^ UInt32(truncatingIfNeeded: offset), record + 4, recordHeaderBytes - 4 + keyBytes)
  }

  package static func segmentName(_ id: UInt64) -> String {
    let digits = String(id)
    return String(repeating: "0", count: max(0, 12 - digits.utf8.count)) + digits + ".segment"
  }

  package static func segmentID(ofName name: String) -> UInt64? {
    guard name.hasSuffix(".segment") else { return nil }
    return UInt64(name.dropLast(".segment".count))
  }
}

/// What a record says.
package enum RecordKind: UInt8, Sendable {
  /// Key and value.
  case value = 1
  /// The key was deleted; no value.
  case tombstone = 2
  /// Everything before the position in `tag` has been synced: damage before it is corruption, not a torn tail.
  case syncMark = 3
  /// The owner named in the value missed the write of this key; the tag is the write's.
  case hint = 4
  /// All hints before this record for the node named in the key have been handed over or given up.
  case hintsSettled = 5
  /// The node gave up these ring slots: earlier records in them are void. The value lists first and last slot in
  /// pairs of 16 bits.
  case rangeDrop = 6
}

/// A record's place: segment and offset, which also order records of one log by age.
///
/// ```
///  63              40 39                  16 15      1  0
/// ┌──────────────────┬──────────────────────┬──────────┬──┐
/// │ segment (24)     │ offset / 8 (24)      │ zero     │ T│   T: the record is a tombstone
/// └──────────────────┴──────────────────────┴──────────┴──┘
/// ```
package struct Location: Equatable, Sendable {
  package var rawValue: UInt64

  /// No record; segment ids start at 1.
  package static let none = Location(rawValue: 0)

  @inline(__always)
  package init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  @inline(__always)
  package init(segment: UInt64, offset: Int, isTombstone: Bool) {
    rawValue = segment << 40 | UInt64(offset >> 3) << 16 | (isTombstone ? 1 : 0)
  }

  @inline(__always)
  package var segment: UInt64 { rawValue >> 40 }

  @inline(__always)
  package var offset: Int { Int(rawValue >> 16 & 0xff_ffff) << 3 }

  @inline(__always)
  package var isTombstone: Bool { rawValue & 1 == 1 }

  /// The place alone: what durability is measured in. A record is durable once the log's durable position is above it.
  @inline(__always)
  package var position: LogPosition { LogPosition(rawValue: rawValue >> 16) }
}

/// A byte position in a log, over all its segments, in units of 8 bytes: segment × 2²⁴ + offset / 8.
package struct LogPosition: Comparable, Sendable {
  package var rawValue: UInt64

  package static let start = LogPosition(rawValue: 0)

  @inline(__always)
  package init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  @inline(__always)
  package init(segment: UInt64, offset: Int) {
    rawValue = segment << 24 | UInt64(offset >> 3)
  }

  package var segment: UInt64 { rawValue >> 24 }
  package var offset: Int { Int(rawValue & 0xff_ffff) << 3 }

  @inline(__always)
  package static func < (a: LogPosition, b: LogPosition) -> Bool { a.rawValue < b.rawValue }
}
