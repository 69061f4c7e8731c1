import CKernels

/// The checksum of everything stored: CRC-32C (Castagnoli), in hardware on most machines.
package enum Checksum {
  @inline(__always)
  package static func crc32c(_ bytes: UnsafeRawBufferPointer) -> UInt32 { kv_crc32c(0, bytes.baseAddress, bytes.count) }
}
