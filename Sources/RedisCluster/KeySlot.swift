/// The slot of a key: CRC16 (XMODEM) of its hash tag modulo 16,384, as the Redis Cluster specification says.
enum KeySlot {
  /// Slots of every cluster.
  static let count = 16_384

  /// The slot of a key. Where it has a `{`, a later `}` and at least a byte between, only those bytes count.
  static func of(_ key: [UInt8]) -> Int {
    Int(crc16(tag(of: key))) % count
  }

  private static func tag(of key: [UInt8]) -> ArraySlice<UInt8> {
    guard let open = key.firstIndex(of: UInt8(ascii: "{")) else { return key[...] }
    let rest = key[(open + 1)...]
    guard let close = rest.firstIndex(of: UInt8(ascii: "}")), close > open + 1 else { return key[...] }
    return rest[..<close]
  }

  private static func crc16(_ bytes: ArraySlice<UInt8>) -> UInt16 {
    bytes.reduce(0) { crc, byte in (crc << 8) ^ table[Int(UInt8(truncatingIfNeeded: crc >> 8) ^ byte)] }
  }

  /// The remainder of each byte by the polynomial 0x1021.
  private static let table: [UInt16] = (0..<256).map { byte in
    (0..<8).reduce(UInt16(byte) << 8) { crc, _ in crc & 0x8000 == 0 ? crc << 1 : (crc << 1) ^ 0x1021 }
  }
}
