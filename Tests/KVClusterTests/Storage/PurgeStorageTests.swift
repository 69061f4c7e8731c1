import KVSimulator
import Testing

@testable import KVCluster

extension StoreFixture {
  /// Takes every tombstone from the index, as the cluster does once nobody needs them.
  func purge() {
    for partition in 0..<Store.partitionCount {
      for table in 0..<HashIndex.tableCount { store.purge(partition, table: table) { _ in true } }
    }
  }

  var entryCount: Int { (0..<Store.partitionCount).reduce(0) { $0 + store.stripes[$1].index.count } }
  var purgedBytes: Int { store.log.segmentsNow.segments.reduce(0) { $0 + store.table.purgedBytes($1.slot) } }

  /// Empties the segment with this place in the list of settled ones, whatever is in it.
  func empty(_ number: Int) throws {
    store.log.markDamaged(slot: store.log.settledSegments[number].slot)
    #expect(try compact())
  }
}

@Suite struct PurgeStorageTests {
  /// A value of `a` in the oldest segment, its tombstone in the next, and more behind.
  private func fixture() throws -> StoreFixture {
    let fixture = try StoreFixture()
    try fixture.write("a", "old", counter: 1)
    try fixture.write("other", "1", counter: 2)
    try fixture.store.log.sealTail()
    try fixture.write("a", nil, counter: 3)
    try fixture.write("another", "2", counter: 4)
    try fixture.store.log.sealTail()
    try fixture.store.log.sync()
    return fixture
  }

  @Test("A purged tombstone leaves the index, and the next start finds it again")
  func leavesIndex() throws {
    let fixture = try fixture()
    #expect(fixture.entryCount == 3)
    fixture.purge()
    #expect(fixture.entryCount == 2)
    #expect(fixture.purgedBytes == 32)
    #expect(fixture.read("a") == nil)
    let again = try fixture.reopened()
    #expect(again.entryCount == 3)
    #expect(again.read("a") == nil)
  }

  @Test(
    "A purged tombstone is carried on while the log has older segments, and goes with the oldest",
    arguments: [false, true])
  func isCarried(isPlanted: Bool) throws {
    let fixture = try fixture()
    fixture.purge()
    fixture.store.buriesEarly.store(isPlanted, ordering: .relaxed)
    try fixture.empty(1)
    let again = try fixture.reopened()
    // The mistake of that name brings the value back.
    #expect(again.read("a") == (isPlanted ? "old" : nil))
    if isPlanted { return }
    #expect(fixture.purgedBytes == 32)
    try fixture.empty(0)
    try fixture.store.log.sealTail()
    try fixture.store.log.sync()
    while fixture.store.log.settledSegments.count > 1 { try fixture.empty(0) }
    try fixture.empty(0)
    #expect(fixture.purgedBytes == 0)
    let last = try fixture.reopened()
    #expect(last.read("a") == nil)
    #expect(last.entryCount == 2)
    #expect(last.read("other") == "1")
  }

  @Test("A log of little else than purged tombstones is emptied from the oldest segment on")
  func isEmptied() throws {
    let fixture = try StoreFixture()
    for i in 0..<3_000 { try fixture.write("key\(i)", nil, counter: UInt64(i + 1)) }
    try fixture.write("last", "1", counter: 9_000)
    try fixture.store.log.sealTail()
    try fixture.store.log.sync()
    fixture.purge()
    #expect(fixture.purgedBytes > 90_000)
    var rounds = 0
    while rounds < 100, try fixture.compact() { rounds += 1 }
    #expect(rounds < 20)
    #expect(fixture.purgedBytes == 0)
    #expect(try fixture.reopened().read("last") == "1")
  }

  @Test("A tombstone is written again behind an older version that came late")
  func staysLast() throws {
    let fixture = try StoreFixture()
    try fixture.write("a", nil, counter: 5)
    // A direct write appends before it looks.
    try appendLate("a", counter: 3, fixture)
    try fixture.store.log.sealTail()
    try fixture.store.log.sync()
    fixture.purge()
    // Only the tombstone that lies last is carried on.
    try fixture.empty(0)
    #expect(try fixture.reopened().read("a") == nil)
    #expect(fixture.entryCount == 0)
  }

  private func appendLate(_ key: String, counter: UInt64, _ fixture: StoreFixture) throws {
    let (key, value) = (bytes(key), bytes("late"))
    let tag = KVCluster.Tag(counter: counter, coordinator: 0)
    try key.withBytes { key throws(StorageError) in
      try value.withBytes { value throws(StorageError) in
        let location = try fixture.store.log.append(
          .value, tag: tag, key: key, value: value, valueChecksum: Checksum.crc32c(value))
        var known = KVCluster.Tag.none
        let old = fixture.store.version(Ring.hash(key), key, known: .none)!.location
        _ = fixture.store.publish(location, hash: Ring.hash(key), tag: tag, key: key, known: &known)
        let new = fixture.store.version(Ring.hash(key), key, known: .none)!.location
        #expect(new.isTombstone && fixture.store.table.position(of: new) > fixture.store.table.position(of: old))
      }
    }
  }

  @Test("A start puts tombstones behind older versions that a crash left behind them")
  func mendsOrder() throws {
    let fixture = try StoreFixture()
    try fixture.write("a", nil, counter: 5)
    let (key, value) = (bytes("a"), bytes("late"))
    try key.withBytes { key throws(StorageError) in
      try value.withBytes { value throws(StorageError) in
        _ = try fixture.store.log.append(
          .value, tag: KVCluster.Tag(counter: 3, coordinator: 0), key: key, value: value,
          valueChecksum: Checksum.crc32c(value))
      }
    }
    try fixture.store.log.sync()
    let again = try fixture.reopened()
    #expect(again.store.invertedHashes == [StoreFixture.hash("a")])
    let before = again.store.log.end
    again.store.mendOrder()
    #expect(again.store.log.end > before)
    #expect(again.read("a") == nil)
    #expect(try again.reopened().store.invertedHashes == [StoreFixture.hash("a")])
  }

  @Test(
    "Through rounds of writing, purging, compacting and starting no deleted key comes back",
    arguments: 1...6 as ClosedRange<UInt64>)
  func nothingComesBack(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var fixture = try StoreFixture()
    var values: [String: String] = [:]
    var counter: UInt64 = 0
    for round in 0..<60 {
      for _ in 0..<random.within(20...120) {
        counter += 1
        let key = "key\(random.below(30))"
        let isDelete = random.chance(perMille: 400)
        let value = isDelete ? nil : "\(counter)" + String(repeating: "x", count: random.below(400))
        try fixture.write(key, value, counter: counter)
        values[key] = value
      }
      try fixture.store.log.sync()
      if random.chance(perMille: 700) { fixture.purge() }
      var rounds = 0
      while random.chance(perMille: 900), try fixture.compact() {
        rounds += 1
        try #require(rounds < 200, "seed \(seed): no end of compaction")
      }
      if random.chance(perMille: 300) { try fixture.checkpoint { $1() } }
      if random.chance(perMille: 400) { fixture = try fixture.reopened() }
      for i in 0..<30 { #expect(fixture.read("key\(i)") == values["key\(i)"], "seed \(seed), round \(round), key\(i)") }
    }
  }
}
