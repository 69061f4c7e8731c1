/// The end of a value: a time after which its key is absent, 8 bytes before the value in its record.
///
/// Replicas compare records and know nothing of time: whether a value has expired is decided where an operation has found the
/// newest version, by the one clock of the process (``ExpiryClock``). So an expired value is a version like any other until
/// the expirer replaces it by a tombstone.
package enum Expiry {
  static let byteCount = 8
  /// No clock shows a later time.
  static let timeMax: UInt64 = 1 << 62

  /// At the beginning of a body whose tag says that it expires; Unix milliseconds, ``timeMax`` at most.
  @inline(__always)
  package static func time(in body: UnsafeRawBufferPointer) -> UInt64 {
    min(UInt64(littleEndian: body.loadUnaligned(as: UInt64.self)), timeMax)
  }

  /// The value in a body.
  @inline(__always)
  package static func value(in body: UnsafeRawBufferPointer, _ tag: Tag) -> UnsafeRawBufferPointer {
    tag.expires ? UnsafeRawBufferPointer(rebasing: body.dropFirst(byteCount)) : body
  }
}

extension UnsafeRawBufferPointer {
  /// These bytes behind a number.
  func behind(_ number: UInt64) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 8 + count) { bytes, total in
      let base = UnsafeMutableRawPointer(bytes.baseAddress!)
      base.storeBytes(of: number.littleEndian, as: UInt64.self)
      if let start = baseAddress { (base + 8).copyMemory(from: start, byteCount: count) }
      total = 8 + count
    }
  }
}
