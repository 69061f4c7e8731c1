import CKernels

extension Checkpoint {
  /// What of a checkpoint's file is not what was written; `nil` if all of it is. (A checkpoint that the log has outgrown
  /// is as good as none, and no damage.)
  static func damage(
    _ base: UnsafeRawPointer, byteCount: Int, _ identity: LogIdentity
  ) -> (offset: Int, reason: String)? {
    guard byteCount >= headerBytes, base.load(as: UInt64.self) == magic else { return (0, "not a checkpoint") }
    // One of a newer version is ignored by this one.
    guard base.load(fromByteOffset: 8, as: UInt32.self) <= version else { return nil }
    let count = Int(base.load(fromByteOffset: 40, as: UInt32.self))
    var at = headerBytes + count * segmentBytes
    guard count < SegmentTable.slotsMax, at <= byteCount,
      base.load(fromByteOffset: 44, as: UInt32.self)
        == kv_crc32c(kv_crc32c(0, base, 44), base + headerBytes, at - headerBytes)
    else { return (0, "the checkpoint's header is not what was written: its checksum does not match") }
    guard base.load(fromByteOffset: 24, as: UInt64.self) == identity.clusterID else {
      return (24, "belongs to another cluster")
    }
    guard base.load(fromByteOffset: 12, as: UInt32.self) == nameChecksum(identity) else {
      return (12, "belongs to another node")
    }
    for partition in 0..<Store.partitionCount {
      guard at + 8 <= byteCount else { return (at, "the checkpoint ends in partition \(partition)") }
      let count = Int(base.load(fromByteOffset: at, as: UInt32.self))
      let bytes = count * entryBytes
      guard at + 8 + bytes <= byteCount,
        base.load(fromByteOffset: at + 4, as: UInt32.self) == kv_crc32c(UInt32(count), base + at + 8, bytes)
      else {
        return (at, "the checkpoint's partition \(partition) is not what was written: its checksum does not match")
      }
      at += 8 + bytes
    }
    return nil
  }
}
