@testable import KVCluster

/// Makes the checksums of hostile bytes right: what is behind a checksum would never be reached otherwise.
enum Checksums {
  /// Of a segment's header.
  static func mendHeader(_ bytes: inout [UInt8]) {
    let end = LogFormat.segmentHeaderBytes
    guard bytes.count >= end else { return }
    store(bytes[..<(end - 4)].withUnsafeBytes { Checksum.crc32c($0) }, in: &bytes, at: end - 4)
  }

  /// Of every record that fits where it is.
  static func mendRecords(_ bytes: inout [UInt8], _ identity: LogIdentity, segment: UInt64) {
    let seed = LogFormat.seed(clusterID: identity.clusterID, segment: segment)
    var at = LogFormat.segmentHeaderBytes
    while at + LogFormat.recordHeaderBytes <= bytes.count {
      let length = bytes.withUnsafeBytes { buffer -> (key: Int, prefix: Int, payload: Int, all: Int) in
        let record = RecordView(buffer.baseAddress! + at)
        let isVersion = record.kind == .value || record.kind == .tombstone
        let prefix = isVersion ? Stamp.prefixBytes(of: record.tag) : 0
        return (record.keyBytes, min(prefix, record.payloadBytes), record.payloadBytes, record.byteCount)
      }
      guard bytes[at + 22] != 0, at + length.all <= bytes.count else {
        at += LogFormat.alignment
        continue
      }
      let payload = at + LogFormat.recordHeaderBytes + length.key
      store(bytes[payload..<payload + length.payload].withUnsafeBytes { Checksum.crc32c($0) }, in: &bytes, at: at + 4)
      let header = bytes.withUnsafeBytes {
        LogFormat.headerChecksum(
          seed: seed, offset: at, record: $0.baseAddress! + at, nameBytes: length.key + length.prefix)
      }
      store(header, in: &bytes, at: at)
      at += length.all
    }
  }

  /// Of a checkpoint's head and of each of its partitions.
  static func mendCheckpoint(_ bytes: inout [UInt8]) {
    let head = Checkpoint.headerBytes
    guard bytes.count >= head else { return }
    var at = head + Int(load(bytes, at: 40)) * Checkpoint.segmentBytes
    guard at <= bytes.count else { return }
    let table = bytes[head..<at].withUnsafeBytes { table in
      bytes[..<44].withUnsafeBytes { Checksum.crc32c(table, from: Checksum.crc32c($0)) }
    }
    store(table, in: &bytes, at: 44)
    while at + 8 <= bytes.count {
      let count = load(bytes, at: at)
      let end = at + 8 + Int(count) * Checkpoint.entryBytes
      guard end <= bytes.count else { return }
      store(bytes[(at + 8)..<end].withUnsafeBytes { Checksum.crc32c($0, from: count) }, in: &bytes, at: at + 4)
      at = end
    }
  }

  /// Of a journal of batches: its last four bytes.
  static func mendJournal(_ bytes: inout [UInt8]) {
    guard bytes.count >= 4 else { return }
    let end = bytes.count - 4
    store(bytes[..<end].withUnsafeBytes { Checksum.crc32c($0) }, in: &bytes, at: end)
  }

  /// Of lines of words: a last line is added that is their checksum.
  static func mendText(_ bytes: [UInt8]) -> [UInt8] {
    let isWhole = bytes.last == UInt8(ascii: "\n")
    let body = isWhole ? bytes : bytes + [UInt8(ascii: "\n")]
    let checksum = body.withUnsafeBytes { Checksum.crc32c($0) }
    return body + Array("checksum \(String(checksum, radix: 16))\n".utf8)
  }

  private static func load(_ bytes: [UInt8], at offset: Int) -> UInt32 {
    bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
  }

  private static func store(_ word: UInt32, in bytes: inout [UInt8], at offset: Int) {
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: word, toByteOffset: offset, as: UInt32.self) }
  }
}
