import KVSimulator
import Testing

@testable import KVCluster

@Suite struct CompactionTests {
  @Test(
    "Through rounds of writing, compacting and starting the content is what it should be and space stays bounded",
    arguments: 1...4 as ClosedRange<UInt64>)
  func keepsContentAndBoundsSpace(seed: UInt64) throws {
    var random = SeededRandom(seed: seed &* 31)
    let life = try Workload(seed: seed, cacheBytes: seed % 2 == 0 ? 0 : 256 << 10)
    var operations = 0
    for round in 0..<20 {
      let count = random.within(50...400)
      operations += count
      try life.run(count)
      try life.sync()
      var rounds = 0
      while try life.compact() {
        rounds += 1; try #require(rounds < 500, "seed \(seed), round \(round): no end of compaction")
      }
      let size = life.fixture.store.log.size
      let live = size.recordBytes - size.deadBytes
      #expect(
        Double(size.recordBytes) <= 2.5 * Double(live) + 2 * 16_384,
        "seed \(seed), round \(round): \(size.recordBytes) bytes for \(live) live ones")
      let used = life.disk.usedBytes
      #expect(
        used <= size.recordBytes + 16_384 * (SegmentPool.freeFilesMax + 4),
        "seed \(seed), round \(round): \(used) on disk")
      // Hints are handed out by starts alone.
      var wanted = life.history.last
      wanted.hints = [:]
      var found = life.fixture.content()
      found.hints = [:]
      #expect(found == wanted, "seed \(seed), round \(round)")
      if random.chance(perMille: 500) {
        try life.reopen()
        #expect(life.fixture.store.damage.isEmpty)
        #expect(life.fixture.content() == life.history.last, "seed \(seed), round \(round), after a start")
        #expect(life.fixture.store.log.size == size, "seed \(seed), round \(round), after a start")
      }
    }
    print(
      "compaction, seed \(seed): \(operations) operations, \(life.compactions) compactions, \(life.checkpoints) checkpoints"
    )
  }

  @Test("A log full of hints is compacted to an end, however small its segments are")
  func endsWithHints() throws {
    let fixture = try StoreFixture(segmentBytes: 4_096)
    let (store, node) = (fixture.store, Array("node9".utf8))
    try fixture.write("a", "1", counter: 1)
    for i in 0..<400 {
      try node.withBytes { node throws(StorageError) in
        try Array("key\(i)".utf8).withBytes { key throws(StorageError) in
          try store.appendHint(for: node, key: key, tag: .none)
        }
      }
    }
    var rounds = 0
    while rounds < 200 {
      try store.log.sync()
      guard let compaction = Compaction.next(in: store) else {
        if Compaction.sealTail(of: store, for: .usual) { continue }
        break
      }
      while try compaction.step(withPartition: { $1() }) {}
      try store.log.sync()
      try compaction.finish()
      rounds += 1
    }
    #expect((1..<200).contains(rounds))
    #expect(fixture.read("a") == "1")
  }

  @Test("What was dropped stays dropped when the note of it cannot be read any more")
  func keepsUnreadableDrops() throws {
    let fixture = try StoreFixture()
    for i in 0..<30 { try fixture.write("old\(i)", String(repeating: "v", count: 300), counter: UInt64(i + 1)) }
    try fixture.store.log.sealTail()
    try fixture.store.drop(
      RingRanges { _ in true }, sync: { () throws(StorageError) in try fixture.store.log.sync() },
      withPartition: { $1() })
    let segment = fixture.store.log.end.segment
    try fixture.store.log.sealTail()
    for i in 0..<30 { try fixture.write("new\(i)", String(repeating: "w", count: 300), counter: UInt64(i + 100)) }
    try fixture.store.log.sync()
    let path = "node1.wal/\(LogFormat.segmentName(segment))"
    for at in [LogFormat.segmentHeaderBytes + 8, LogFormat.segmentHeaderBytes + 26] {
      let disk = fixture.disk.copy(random: SeededRandom(seed: 1))
      let open = try StoreFixture(disk: disk)
      try open.store.log.sync()
      disk.flip(path, at: at, mask: 1)
      // As if everything live had been moved out: the oldest goes last.
      for slot in open.store.log.settledSegments.map(\.slot).dropFirst() { open.store.log.markDamaged(slot: slot) }
      for _ in 0..<10 { _ = try open.compact() }
      open.store.log.close()
      let again = try StoreFixture(disk: disk)
      let isBack = (0..<30).contains { again.read("old\($0)") != nil }
      #expect(!isBack || again.store.isSuspect, "byte \(at)")
    }
  }

  @Test("Compaction comes to an end however many ranges were dropped")
  func ends() throws {
    let fixture = try StoreFixture()
    for i in 0..<30 { try fixture.write("key\(i)", String(repeating: "v", count: 300), counter: UInt64(i + 1)) }
    for part in 0..<4 {
      try fixture.store.drop(
        RingRanges { $0 % 64 == part }, sync: { () throws(StorageError) in try fixture.store.log.sync() },
        withPartition: { $1() })
    }
    var rounds = 0
    while rounds < 100, try fixture.compact() { rounds += 1 }
    #expect(rounds < 20)
  }
}
