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
///  97   1  how its records got into it: 1 stored in the file at once, 2 staged; 0 in files of earlier versions
///  98  26  zero
/// 124   4  CRC-32C of bytes 0 ..< 124
/// ```
///
/// A later version keeps this header and its checksum: whoever reads it must be able to tell it from a damaged one.
///
/// Then records, each on a multiple of 8 bytes. The last record of a full segment is a seal. What follows the last record
/// is zero, or left over from an earlier use of the file: segments are recycled.
///
/// ```
///   0   4  header checksum: CRC-32C of bytes 4 ..< 24, the key and what precedes the value in the payload, seeded by the
///          segment's seed and the offset
///   4   4  value checksum: CRC-32C of the payload
///   8   8  tag
///  16   4  byte count of the payload
///  20   2  byte count of the key
///  22   1  kind
///  23   1  zero
///  24      key, payload, zeros up to a multiple of 8
/// ```
///
/// The payload is the value. Before it come, if the tag says so, the anchor of a read-modify-write, 8 bytes (see ``Stamp``),
/// and the time at which the value expires, 8 bytes (see ``Expiry``). There were no anchors in version 1 and no times in
/// versions 1 and 2, which are otherwise the same.
///
/// The header checksum covers where the record lies, so left-over bytes never pass as valid. It covers the value's checksum too, which is the same on every replica: equal tags with different value
/// checksums are corruption. Header and value are checked separately, so a bad value makes one key unknown and not a log.
package enum LogFormat {
  package static let version: UInt32 = 3
  package static let magic: UInt64 = 0x0a0d_4745_5356_4b89
  package static let segmentHeaderBytes = 128
  package static let recordHeaderBytes = 24
  package static let alignment = 8

  /// No segment's file is longer: a location can point no further.
  static let segmentFileBytesMax = 128 << 20

  /// Files of text, read whole: the largest is the list of a log with 65,535 segments.
  static let textFileBytesMax = 16 << 20
  private static let textFiles: Set = ["configuration", "witness", "boot", "lease", "clock", "segments", "suspect"]

  /// - Throws: ``StorageError/unusable(path:reason:)`` if the file at `path` is longer than one of its name can be. How long
  ///   a checkpoint is depends on how many keys there are, and a journal on batches; such a file has bytes on the disk for all of it, compressed perhaps.
  static func checkLength(_ byteCount: Int, onDisk: Int, of path: String) throws(StorageError) {
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    if name == "checkpoint" || name == BatchJournal.name {
      guard byteCount > textFileBytesMax, onDisk < byteCount / 64 else { return }
      throw .unusable(
        path: path,
        reason: "it is \(byteCount) bytes long, nearly all of them missing; "
          + (name == BatchJournal.name ? BatchJournal.cure : "remove it, and the log is read instead"))
    }
    guard segmentID(ofName: name) != nil else {
      guard byteCount > textFileBytesMax, textFiles.contains(name) else { return }
      throw .unusable(
        path: path,
        reason:
          "it is \(byteCount) bytes long, and none of its kind is longer than \(textFileBytesMax). Nothing was changed")
    }
    guard byteCount > segmentFileBytesMax else { return }
    throw .unusable(
      path: path,
      reason: "it is \(byteCount) bytes long, and no segment is longer than \(segmentFileBytesMax). "
        + "Nothing was changed; cut it to that length, or remove it, and the node is rebuilt from the others")
  }

  /// Bytes a record takes in the log.
  /// - Parameter valueBytes: of its payload.
  @inline(__always)
  package static func recordBytes(keyBytes: Int, valueBytes: Int) -> Int {
    (recordHeaderBytes + keyBytes + valueBytes + alignment - 1) & ~(alignment - 1)
  }

  /// Bytes of a seal, for which every segment keeps room.
  static let sealBytes = recordBytes(keyBytes: 1, valueBytes: 0)
  /// Bytes of a sync mark.
  static let syncMarkBytes = recordBytes(keyBytes: 8, valueBytes: 0)

  /// What every header checksum of a segment starts from.
  package static func seed(clusterID: UInt64, segment: UInt64) -> UInt32 {
    withUnsafeBytes(of: (clusterID.littleEndian, segment.littleEndian)) { kv_crc32c(0, $0.baseAddress, $0.count) }
  }

  /// Distinct offsets give distinct checksums of the same bytes: CRC is a bijection of its starting value.
  /// - Parameter nameBytes: of the key, and of what precedes the value in the payload.
  @inline(__always)
  static func headerChecksum(seed: UInt32, offset: Int, record: UnsafeRawPointer, nameBytes: Int) -> UInt32 {
    kv_crc32c(seed ^ UInt32(truncatingIfNeeded: offset), record + 4, recordHeaderBytes - 4 + nameBytes)
  }

  package static func segmentName(_ id: UInt64) -> String {
    let digits = String(id)
    return String(repeating: "0", count: max(0, 12 - digits.utf8.count)) + digits + ".segment"
  }

  package static func segmentID(ofName name: String) -> UInt64? { id(name, ".segment") }

  /// A segment that was damaged and whose records were not proven to be elsewhere: kept for people to look at.
  package static func damagedName(_ id: UInt64) -> String {
    segmentName(id).replacing(".segment", with: damagedSuffix)
  }

  package static func damagedID(ofName name: String) -> UInt64? { id(name, damagedSuffix) }

  private static let damagedSuffix = ".damaged"

  /// A file that was a segment and will be one again: its space is allocated, its bytes mean nothing.
  package static func freeName(_ id: UInt64) -> String {
    segmentName(id).replacing(".segment", with: freeSuffix)
  }

  package static func freeID(ofName name: String) -> UInt64? { id(name, freeSuffix) }

  private static let freeSuffix = ".free"

  /// Ids that a segment may have: a position has 40 bits for them.
  static let segmentIDs: ClosedRange<UInt64> = 1...(1 << 40 - 1 << 20)

  private static func id(_ name: String, _ suffix: String) -> UInt64? {
    guard name.hasSuffix(suffix), let id = UInt64(name.dropLast(suffix.count)), segmentIDs.contains(id) else {
      return nil
    }
    return id
  }
}

/// How records get into a segment, which decides what a kill leaves of those that were not synced. A segment is written in
/// one way only: when the policy changes, the log goes on in a new one.
enum SegmentWriting: UInt8 {
  /// Stores reach the file at once: a kill leaves all of them.
  case stored = 1
  /// Nothing counts before it is written and synced: a kill may leave a part.
  case staged = 2
}
