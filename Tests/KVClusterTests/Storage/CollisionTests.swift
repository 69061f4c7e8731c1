import KVSimulator
import Testing

@testable import KVCluster

/// Keys that share all 64 bits of their hash.
@Suite struct CollisionTests {
  /// Keys of 16 bytes: the hash takes in one word after the other, each step can be undone, so the second word makes up
  /// for the first.
  private static let keys: [[UInt8]] = (0..<8).map { i in
    let (prime1, prime2, prime4) =
      (0x9e37_79b1_85eb_ca87, 0xc2b2_ae3d_27d4_eb4f, 0x85eb_ca77_c2b2_ae63) as (UInt64, UInt64, UInt64)
    func rotate(_ x: UInt64, _ bits: UInt64) -> UInt64 { x << bits | x >> (64 - bits) }
    func inverse(_ odd: UInt64) -> UInt64 {
      var x = odd
      for _ in 0..<6 { x = x &* (2 &- odd &* x) }
      return x
    }
    func lane(_ word: UInt64) -> UInt64 { rotate(word &* prime2, 31) &* prime1 }
    func word(_ lane: UInt64) -> UInt64 { rotate(lane &* inverse(prime1), 33) &* inverse(prime2) }
    func state(_ first: UInt64) -> UInt64 {
      rotate((0x27d4_eb2f_1656_67c5 &+ 16) ^ lane(first), 27) &* prime1 &+ prime4
    }
    let second = word(state(0) ^ state(UInt64(i)) ^ lane(77))
    return [UInt64(i), second].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
  }
  private static let hash = keys[0].withBytes { Ring.hash($0) }

  private func write(_ fixture: StoreFixture, _ key: Int, _ value: String?, _ counter: UInt64) throws {
    let bytes = Array((value ?? "").utf8)
    _ = try Self.keys[key].withBytes { key throws(StorageError) in
      try bytes.withBytes { bytes throws(StorageError) in
        try fixture.store.apply(
          value == nil ? .tombstone : .value, hash: Self.hash, tag: KVCluster.Tag(counter: counter, coordinator: 0),
          key: key, value: bytes, valueChecksum: Checksum.crc32c(bytes))
      }
    }
  }

  private func read(_ fixture: StoreFixture, _ key: Int) -> String {
    Self.keys[key].withBytes { key in
      switch fixture.store.read(Self.hash, key) {
      case .absent: "absent"
      case .damaged: "damaged"
      case .found(_, _, let isTombstone, let value): isTombstone ? "deleted" : String(decoding: value, as: UTF8.self)
      }
    }
  }

  @Test("The keys of these tests have one hash")
  func collide() { #expect(Self.keys.allSatisfy { $0.withBytes { Ring.hash($0) } == Self.hash }) }

  @Test(
    "Keys with the same hash stay keys of their own through writes, reads, deletes and the cache",
    arguments: [0, 1 << 20])
  func staysApart(cacheBytes: Int) throws {
    let fixture = try StoreFixture(cacheBytes: cacheBytes)
    var random = SeededRandom(seed: 9)
    var model: [Int: String] = [:]
    for counter in 1...2_000 as ClosedRange<UInt64> {
      let key = random.below(6)
      let value = random.chance(perMille: 200) ? nil : "\(counter)" + String(repeating: "v", count: random.below(100))
      try write(fixture, key, value, counter)
      model[key] = value ?? "deleted"
      let probe = random.below(7)
      #expect(read(fixture, probe) == model[probe] ?? "absent", "after \(counter)")
    }
    #expect(fixture.store.stripe(Self.hash).pointee.index.count == model.count)
    print("collisions, cache of \(cacheBytes) bytes: 2000 writes and reads")
  }

  @Test("A damaged record makes the keys of its hash unknown, never absent, and never an older version the newest")
  func damagedIsNeverAbsent() throws {
    var cases = 0
    let probe = try StoreFixture()
    try write(probe, 0, "first", 10)
    let length = probe.store.log.end.offset - LogFormat.segmentHeaderBytes
    for at in 0..<length {
      let fixture = try StoreFixture()
      try write(fixture, 0, "first", 10)
      try write(fixture, 1, "second", 11)
      try fixture.withSegment { base in
        let p = base + LogFormat.segmentHeaderBytes + at
        p.storeBytes(of: p.load(as: UInt8.self) ^ 0x04, as: UInt8.self)
      }
      cases += 1
      #expect(["first", "damaged"].contains(read(fixture, 0)), "byte \(at)")
      #expect(read(fixture, 1) == "second", "byte \(at)")
      #expect(["absent", "damaged"].contains(read(fixture, 2)), "byte \(at)")
      // A write that comes late must not pass for the newest.
      try write(fixture, 0, "late", 5)
      #expect(["first", "damaged"].contains(read(fixture, 0)), "byte \(at), after a late write")
      try write(fixture, 0, "newer", 20)
      #expect(["newer", "damaged"].contains(read(fixture, 0)), "byte \(at), after a newer write")
      #expect(read(fixture, 1) == "second", "byte \(at)")
    }
    print("collisions with damage: \(cases) cases")
  }

  @Test("Compaction moves keys with the same hash each by itself")
  func movesEach() throws {
    var fixture = try StoreFixture()
    let filler = String(repeating: "f", count: 1_000)
    for i in 0..<6 { try write(fixture, i, "value \(i)", UInt64(i + 1)) }
    var rounds = 0
    for round in 1...20 {
      for i in 0..<40 { try fixture.write("filler\(i % 8)", filler, counter: UInt64(round * 100 + i)) }
      try fixture.store.log.sync()
      while try fixture.compact() { rounds += 1 }
      for i in 0..<6 { #expect(read(fixture, i) == "value \(i)", "round \(round)") }
      if round % 5 == 0 {
        if round % 10 == 0 { try fixture.checkpoint() }
        fixture.store.log.close()
        fixture = try fixture.reopened()
        #expect(fixture.store.damage.isEmpty)
        for i in 0..<6 { #expect(read(fixture, i) == "value \(i)", "round \(round), after a start") }
      }
    }
    #expect(rounds > 10)
    print("collisions through \(rounds) compactions")
  }

  @Test("A healed key has one entry, whatever was written while it was damaged", arguments: [5, 10, 15] as [UInt64])
  func healsToOne(late: UInt64) throws {
    let other = try StoreFixture()
    try write(other, 0, "first", 10)
    let fixture = try StoreFixture()
    try write(fixture, 0, "first", 10)
    try write(fixture, 1, "second", 11)
    try fixture.withSegment { $0.storeBytes(of: 0xff, toByteOffset: LogFormat.segmentHeaderBytes + 26, as: UInt8.self) }
    try write(fixture, 0, "late", late)
    var failure: (any Error)?
    other.store.forEach(withHash: Self.hash) { slot, record in
      do { _ = try fixture.store.heal(record, hash: Self.hash, tag: slot.tag, isTombstone: false) } catch {
        failure = error
      }
    }
    #expect(failure == nil)
    fixture.store.removeDamaged(Self.hash)
    #expect(read(fixture, 0) == (late > 10 ? "late" : "first"))
    #expect(read(fixture, 1) == "second")
    #expect(read(fixture, 2) == "absent")
    #expect(fixture.store.stripe(Self.hash).pointee.index.count == 2)
  }
}
