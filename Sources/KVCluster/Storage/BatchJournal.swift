import CKernels
import Synchronization

/// A write of a batch: the record as its owners get it, and the place that it has among versions of its key.
struct BatchedWrite: Sendable, Equatable {
  let key: [UInt8]
  let hash: UInt64
  let stamp: Stamp
  /// The payload behind the anchor: the value, and before it the time at which it expires, if it does.
  let body: [UInt8]

  var byteCount: Int { BatchJournal.entryHeaderBytes + key.count + body.count }
}

/// The file `batches` beside the configuration: writes of batches, durable before the first of them is in any log. After a
/// crash it says what must be done to the end, so that nobody sees half of a batch.
///
/// ```
/// "kvbatch1"  cluster id u64  count u32
/// count × { tag u64  anchor u64  key bytes u32  body bytes u32  tombstone u8  key  body }
/// CRC-32C of all before u32                                              little-endian
/// ```
///
/// It is replaced as a whole. Writes leave it once they are on the disks of their owners, and it is gone when there are none.
package struct BatchJournal: Sendable {
  package static let name = "batches"
  static let entryHeaderBytes = 25
  static let cure =
    "remove it to go on without it: a batch that was under way when the program ended may then be half done"
  private static let magic = Array("kvbatch1".utf8)
  private static let headerBytes = 20

  let disk: any Disk
  let clusterID: UInt64

  /// Durable on return.
  func replace(with writes: [BatchedWrite]) throws(StorageError) {
    if writes.isEmpty { return try disk.remove(Self.name) }
    try disk.replace(Self.name, with: encode(writes))
  }

  func encode(_ writes: [BatchedWrite]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(writes.reduce(Self.headerBytes + 4) { $0 + $1.byteCount })
    bytes += Self.magic
    bytes.append(little: clusterID)
    bytes.append(little: UInt32(writes.count))
    for write in writes {
      bytes.append(little: write.stamp.tag.rawValue)
      bytes.append(little: write.stamp.anchor.rawValue)
      bytes.append(little: UInt32(write.key.count))
      bytes.append(little: UInt32(write.body.count))
      bytes.append(write.stamp.isTombstone ? 1 : 0)
      bytes += write.key
      bytes += write.body
    }
    bytes.append(little: bytes.withUnsafeBytes { kv_crc32c(0, $0.baseAddress, $0.count) })
    return bytes
  }

  /// What a crash has left; empty if there is no journal, `nil` if it cannot be read.
  func read() throws(StorageError) -> [BatchedWrite]? {
    guard let bytes = try disk.read(Self.name) else { return [] }
    return Self.decode(bytes, of: clusterID)
  }

  /// `nil` if these are not the bytes of a journal of this cluster; of any cluster if `clusterID` is `nil`.
  static func decode(_ bytes: [UInt8], of clusterID: UInt64?) -> [BatchedWrite]? {
    bytes.withUnsafeBytes { bytes -> [BatchedWrite]? in
      guard bytes.count >= headerBytes + 4, bytes.starts(with: magic) else { return nil }
      let end = bytes.count - 4
      func number<T: FixedWidthInteger>(_ type: T.Type, at offset: Int) -> T {
        T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
      }
      guard number(UInt32.self, at: end) == kv_crc32c(0, bytes.baseAddress, end) else { return nil }
      if let clusterID, number(UInt64.self, at: 8) != clusterID { return nil }
      var writes: [BatchedWrite] = []
      var at = headerBytes
      for _ in 0..<number(UInt32.self, at: 16) {
        guard end - at >= entryHeaderBytes else { return nil }
        let tag = Tag(rawValue: number(UInt64.self, at: at))
        let anchor = Tag(rawValue: number(UInt64.self, at: at + 8))
        let (keyBytes, bodyBytes) = (Int(number(UInt32.self, at: at + 16)), Int(number(UInt32.self, at: at + 20)))
        let isTombstone = bytes[at + 24] == 1
        at += entryHeaderBytes
        guard tag.isRMW, (1...Limits.keyBytesMax).contains(keyBytes),
          bodyBytes <= Limits.valueBytesMax + Expiry.byteCount, end - at >= keyBytes + bodyBytes,
          !tag.expires || bodyBytes >= Expiry.byteCount
        else { return nil }
        let key = UnsafeRawBufferPointer(rebasing: bytes[at..<at + keyBytes])
        let body = UnsafeRawBufferPointer(rebasing: bytes[at + keyBytes..<at + keyBytes + bodyBytes])
        writes.append(
          BatchedWrite(
            key: Array(key), hash: Ring.hash(key), stamp: Stamp(tag, anchor: anchor, isTombstone: isTombstone),
            body: Array(body)))
        at += keyBytes + bodyBytes
      }
      return at == end ? writes : nil
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append(little number: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
  }
}
