/// XXH64, the 64-bit xxHash (specification: xxhash_spec.md 0.2.0, Yann Collet): where a key lies on the ring.
///
/// Chosen for published test vectors, good avalanche down to one-byte keys and no allocation; 8 ns for 16 bytes. XXH3 is
/// faster on long keys and a thousand lines longer. It is not keyed: whoever picks keys to collide slows their own store.
package enum XXHash64 {
  private static let prime1: UInt64 = 0x9e37_79b1_85eb_ca87
  private static let prime2: UInt64 = 0xc2b2_ae3d_27d4_eb4f
  private static let prime3: UInt64 = 0x1656_67b1_9e37_79f9
  private static let prime4: UInt64 = 0x85eb_ca77_c2b2_ae63
  private static let prime5: UInt64 = 0x27d4_eb2f_1656_67c5

  /// The hash of the bytes. O(bytes).
  @inline(__always)
  package static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
    var at = 0
    var h = bytes.count >= 32 ? stripes(bytes, &at, seed) : seed &+ prime5
    h = h &+ UInt64(truncatingIfNeeded: bytes.count)
    while at &+ 8 <= bytes.count {
      h = rotate(h ^ round(0, load8(bytes, at)), 27) &* prime1 &+ prime4
      at &+= 8
    }
    if at &+ 4 <= bytes.count {
      let word = UInt64(bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self).littleEndian)
      h = rotate(h ^ (word &* prime1), 23) &* prime2 &+ prime3
      at &+= 4
    }
    while at < bytes.count {
      h = rotate(h ^ (UInt64(bytes[at]) &* prime5), 11) &* prime1
      at &+= 1
    }
    h = (h ^ (h >> 33)) &* prime2
    h = (h ^ (h >> 29)) &* prime3
    return h ^ (h >> 32)
  }

  /// The first step for 32 bytes and more: four lanes over stripes of 32 bytes, then merged.
  @inline(never)
  private static func stripes(_ bytes: UnsafeRawBufferPointer, _ at: inout Int, _ seed: UInt64) -> UInt64 {
    var a = seed &+ prime1 &+ prime2
    var b = seed &+ prime2
    var c = seed
    var d = seed &- prime1
    while at &+ 32 <= bytes.count {
      a = round(a, load8(bytes, at))
      b = round(b, load8(bytes, at &+ 8))
      c = round(c, load8(bytes, at &+ 16))
      d = round(d, load8(bytes, at &+ 24))
      at &+= 32
    }
    var h = rotate(a, 1) &+ rotate(b, 7) &+ rotate(c, 12) &+ rotate(d, 18)
    h = merge(merge(merge(merge(h, a), b), c), d)
    return h
  }

  @inline(__always)
  private static func load8(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> UInt64 {
    bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self).littleEndian
  }

  @inline(__always)
  private static func rotate(_ x: UInt64, _ bits: UInt64) -> UInt64 { x << bits | x >> (64 &- bits) }

  @inline(__always)
  private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    rotate(lane &+ word &* prime2, 31) &* prime1
  }

  @inline(__always)
  private static func merge(_ h: UInt64, _ lane: UInt64) -> UInt64 { (h ^ round(0, lane)) &* prime1 &+ prime4 }
}
