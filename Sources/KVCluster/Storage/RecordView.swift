import CKernels
import Glibc

/// A record in a mapped segment, read in place.
///
/// Unsafe by nature: it is valid while the segment stays mapped, which the holder of a partition's lock may rely on
/// (a store unmaps its segments only after it has left every partition).
package struct RecordView {
  let base: UnsafeRawPointer

  @inline(__always)
  init(_ base: UnsafeRawPointer) {
    self.base = base
  }

  @inline(__always)
  var headerChecksum: UInt32 { base.load(as: UInt32.self) }
  @inline(__always)
  package var valueChecksum: UInt32 { base.load(fromByteOffset: 4, as: UInt32.self) }
  @inline(__always)
  package var tag: Tag { Tag(rawValue: base.load(fromByteOffset: 8, as: UInt64.self)) }
  @inline(__always)
  package var payloadBytes: Int { Int(base.load(fromByteOffset: 16, as: UInt32.self)) }
  @inline(__always)
  package var keyBytes: Int { Int(base.load(fromByteOffset: 20, as: UInt16.self)) }
  @inline(__always)
  var kindByte: UInt8 { base.load(fromByteOffset: 22, as: UInt8.self) }
  package var kind: RecordKind? { RecordKind(rawValue: kindByte) }
  /// Bytes in the log, padding included.
  @inline(__always)
  package var byteCount: Int { LogFormat.recordBytes(keyBytes: keyBytes, valueBytes: payloadBytes) }

  /// Whether it is a version of a key made by a read-modify-write.
  @inline(__always)
  var isRMW: Bool { tag.isRMW && kindByte <= RecordKind.tombstone.rawValue }

  @inline(__always)
  var anchorBytes: Int { isRMW ? Stamp.anchorBytes : 0 }

  /// Bytes before the value in the payload: anchor and expiry, where there are any.
  @inline(__always)
  private var prefixBytes: Int {
    kindByte <= RecordKind.tombstone.rawValue ? Stamp.prefixBytes(of: tag) : 0
  }

  /// When its value expires, in Unix milliseconds; `nil` if it does not, or there is none.
  package var expiry: UInt64? {
    guard kindByte == RecordKind.value.rawValue, tag.expires else { return nil }
    return Expiry.time(in: body)
  }

  /// The payload behind the anchor.
  @inline(__always)
  package var body: UnsafeRawBufferPointer {
    let start = LogFormat.recordHeaderBytes + keyBytes + anchorBytes
    return UnsafeRawBufferPointer(start: base + start, count: payloadBytes - anchorBytes)
  }

  /// Of a version of a key.
  @inline(__always)
  package var stamp: Stamp {
    let isTombstone = kindByte == RecordKind.tombstone.rawValue
    guard isRMW else { return Stamp(tag, isTombstone: isTombstone) }
    return Stamp(tag, anchor: Stamp.anchor(in: payload), isTombstone: isTombstone)
  }

  @inline(__always)
  package var key: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base + LogFormat.recordHeaderBytes, count: keyBytes)
  }

  /// What copies of the record carry beside key and tag.
  @inline(__always)
  package var payload: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base + LogFormat.recordHeaderBytes + keyBytes, count: payloadBytes)
  }

  @inline(__always)
  package var value: UnsafeRawBufferPointer {
    let start = LogFormat.recordHeaderBytes + keyBytes + prefixBytes
    return UnsafeRawBufferPointer(start: base + start, count: valueBytes)
  }

  @inline(__always)
  package var valueBytes: Int { payloadBytes - prefixBytes }

  @inline(__always)
  package func hasKey(_ other: UnsafeRawBufferPointer) -> Bool {
    keyBytes == other.count && memcmp(base + LogFormat.recordHeaderBytes, other.baseAddress!, other.count) == 0
  }

  /// Whether the value is what was written. About 10 ns for 100 bytes.
  @inline(__always)
  package var hasIntactValue: Bool { kv_crc32c(0, payload.baseAddress, payloadBytes) == valueChecksum }

  /// The record at `offset` of a segment of `limit` bytes, if its header and key are what was written there.
  static func checked(
    in segment: UnsafeRawPointer, at offset: Int, limit: Int, seed: UInt32
  ) -> RecordView? {
    guard offset + LogFormat.recordHeaderBytes <= limit else { return nil }
    let record = RecordView(segment + offset)
    // Every record has a key: whoever reads a segment counts on a record taking 32 bytes at least.
    guard record.kind != nil, record.keyBytes > 0, offset + record.byteCount <= limit,
      record.payloadBytes >= record.prefixBytes
    else { return nil }
    let checksum = LogFormat.headerChecksum(
      seed: seed, offset: offset, record: segment + offset, nameBytes: record.keyBytes + record.prefixBytes)
    return checksum == record.headerChecksum ? record : nil
  }

  /// Writes a record. The value's checksum is given because all replicas share it.
  /// - Parameter value: the payload.
  @inline(__always)
  static func write(
    to segment: UnsafeMutableRawPointer, at offset: Int, seed: UInt32, kind: RecordKind, tag: Tag,
    key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, valueChecksum: UInt32
  ) {
    let p = segment + offset
    p.storeBytes(of: valueChecksum, toByteOffset: 4, as: UInt32.self)
    p.storeBytes(of: tag.rawValue, toByteOffset: 8, as: UInt64.self)
    p.storeBytes(of: UInt32(value.count), toByteOffset: 16, as: UInt32.self)
    p.storeBytes(of: UInt32(key.count) | UInt32(kind.rawValue) << 16, toByteOffset: 20, as: UInt32.self)
    memcpy(p + LogFormat.recordHeaderBytes, key.baseAddress!, key.count)
    if value.count > 0 { memcpy(p + LogFormat.recordHeaderBytes + key.count, value.baseAddress!, value.count) }
    let checksum = LogFormat.headerChecksum(
      seed: seed, offset: offset, record: p, nameBytes: key.count + RecordView(p).prefixBytes)
    p.storeBytes(of: checksum, as: UInt32.self)
  }
}

/// What tells copies of one version apart.
struct RecordContent: Equatable {
  var kind: UInt8
  var payloadBytes: Int
  var valueChecksum: UInt32

  init(_ record: RecordView) {
    (kind, payloadBytes, valueChecksum) = (record.kindByte, record.payloadBytes, record.valueChecksum)
  }
}

extension Array where Element == UInt8 {
  /// `withUnsafeBytes`, with the error's type kept.
  @inline(__always)
  package func withBytes<R, E>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    try withUnsafeBufferPointer { buffer throws(E) in try body(UnsafeRawBufferPointer(buffer)) }
  }
}
