import CKernels
import Glibc

/// Whose log a segment belongs to; written into and checked against every segment's header.
package struct LogIdentity: Equatable, Sendable {
  package var clusterID: UInt64
  package var node: String

  package init(clusterID: UInt64, node: String) {
    self.clusterID = clusterID
    self.node = node
  }

  func writeHeader(to base: UnsafeMutableRawPointer, segment: UInt64, _ writing: SegmentWriting) {
    let bytes = LogFormat.segmentHeaderBytes
    memset(base, 0, bytes)
    base.storeBytes(of: LogFormat.magic.littleEndian, as: UInt64.self)
    base.storeBytes(of: LogFormat.version, toByteOffset: 8, as: UInt32.self)
    base.storeBytes(of: UInt32(bytes), toByteOffset: 12, as: UInt32.self)
    base.storeBytes(of: segment, toByteOffset: 16, as: UInt64.self)
    base.storeBytes(of: clusterID, toByteOffset: 24, as: UInt64.self)
    base.storeBytes(of: UInt8(node.utf8.count), toByteOffset: 32, as: UInt8.self)
    for (i, byte) in node.utf8.enumerated() { base.storeBytes(of: byte, toByteOffset: 33 + i, as: UInt8.self) }
    base.storeBytes(of: writing.rawValue, toByteOffset: LogIdentity.writingOffset, as: UInt8.self)
    base.storeBytes(of: kv_crc32c(0, base, bytes - 4), toByteOffset: bytes - 4, as: UInt32.self)
  }

  private static let writingOffset = 97

  static func version(ofHeader base: UnsafeRawPointer) -> UInt32 { base.load(fromByteOffset: 8, as: UInt32.self) }

  /// How a segment's records got into it, as its header says.
  /// - Parameter legacy: how an earlier version wrote, which did not note it.
  /// - Returns: `nil` if the header is damaged.
  static func writing(ofHeader base: UnsafeRawPointer, byteCount: Int, legacy: SegmentWriting?) -> SegmentWriting? {
    let bytes = LogFormat.segmentHeaderBytes
    guard byteCount >= bytes, kv_crc32c(0, base, bytes - 4) == base.load(fromByteOffset: bytes - 4, as: UInt32.self)
    else { return nil }
    let noted = base.load(fromByteOffset: writingOffset, as: UInt8.self)
    return noted == 0 ? legacy : SegmentWriting(rawValue: noted)
  }

  /// Whether a log's first segment, of which there is no list, was only being made when a crash came: there is no record
  /// in it, and of its header as much as had been written.
  func isUnlistedFirst(_ file: any SegmentFile) -> Bool {
    guard file.byteCount >= LogFormat.segmentHeaderBytes else { return true }
    guard isPart(ofHeader: file.base, segment: 1, .stored) || isPart(ofHeader: file.base, segment: 1, .staged) else {
      return false
    }
    let source = SegmentSource(base: UnsafeRawPointer(file.base), slot: 0, id: 1, clusterID: clusterID)
    let beforeFirst = LogFormat.segmentHeaderBytes - LogFormat.alignment
    return SegmentScan.nextRecord(source, after: beforeFirst, limit: file.byteCount) == nil
  }

  /// Whether each of these bytes is the header's or zero.
  private func isPart(ofHeader base: UnsafeRawPointer, segment: UInt64, _ writing: SegmentWriting) -> Bool {
    withUnsafeTemporaryAllocation(byteCount: LogFormat.segmentHeaderBytes, alignment: 8) { whole in
      guard let start = whole.baseAddress else { return false }
      writeHeader(to: start, segment: segment, writing)
      let bytes = UnsafeRawBufferPointer(start: base, count: whole.count)
      return zip(bytes, whole).allSatisfy { $0 == $1 || $0 == 0 }
    }
  }

  /// - Throws: ``StorageError/newerFormat(path:version:)`` or ``StorageError/damaged(path:offset:reason:)``; of a header that is
  ///   whole and another log's, ``StorageError/foreign(path:node:owner:)``.
  func checkHeader(_ base: UnsafeRawPointer, segment: UInt64, byteCount: Int, path: String) throws(StorageError) {
    let bytes = LogFormat.segmentHeaderBytes
    func damaged(_ offset: Int, _ reason: String) -> StorageError {
      .damaged(path: path, offset: offset, reason: reason)
    }
    guard byteCount >= bytes else { throw damaged(0, "\(byteCount) bytes are too few for a segment header") }
    guard base.load(as: UInt64.self) == LogFormat.magic else { throw damaged(0, "not a kvstore segment") }
    let checksum = base.load(fromByteOffset: bytes - 4, as: UInt32.self)
    guard kv_crc32c(0, base, bytes - 4) == checksum else { throw damaged(0, "header checksum does not match") }
    // Only now: a flipped bit must not pass for a newer format, whose segment would be refused and not healed.
    let version = base.load(fromByteOffset: 8, as: UInt32.self)
    guard version <= LogFormat.version else { throw .newerFormat(path: path, version: version) }
    guard base.load(fromByteOffset: 16, as: UInt64.self) == segment else { throw damaged(16, "wrong segment id") }
    guard let owner = LogIdentity(ofHeader: base, byteCount: byteCount), owner != self else { return }
    throw .foreign(path: path, node: node, owner: owner.clusterID == clusterID ? owner.node : nil)
  }

  /// Whose segment it is, as a header says that is whole; `nil` if it is not.
  init?(ofHeader base: UnsafeRawPointer, byteCount: Int) {
    let bytes = LogFormat.segmentHeaderBytes
    guard byteCount >= bytes, base.load(as: UInt64.self) == LogFormat.magic,
      kv_crc32c(0, base, bytes - 4) == base.load(fromByteOffset: bytes - 4, as: UInt32.self)
    else { return nil }
    let nameBytes = min(Int(base.load(fromByteOffset: 32, as: UInt8.self)), Limits.nodeNameBytesMax)
    let name = UnsafeRawBufferPointer(start: base + 33, count: nameBytes)
    self.init(
      clusterID: base.load(fromByteOffset: 24, as: UInt64.self), node: String(decoding: name, as: UTF8.self))
  }
}
