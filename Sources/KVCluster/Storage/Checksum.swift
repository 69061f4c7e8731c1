import CKernels

/// The checksum of everything stored: CRC-32C (Castagnoli), in hardware on most machines.
package enum Checksum {
  /// - Parameter start: the checksum of what lies before the bytes.
  @inline(__always)
  package static func crc32c(_ bytes: UnsafeRawBufferPointer, from start: UInt32 = 0) -> UInt32 {
    kv_crc32c(start, bytes.baseAddress, bytes.count)
  }
}
