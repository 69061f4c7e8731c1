import KVSimulator
import Testing

@testable import KVCluster

@Suite struct CheckpointTests {
  /// What a start finds; equal for a checkpoint with the rest of the log, and for the whole log.
  private struct Index: Equatable {
    var entries: [Entry]
    var recordBytes: Int
    var deadBytes: Int
    var tombstones: [Int]
    var content: StoreContent

    struct Entry: Equatable {
      var hash: UInt64
      var position: LogPosition
      var tag: KVCluster.Tag
      var isTombstone: Bool
    }
  }

  private enum Order: CaseIterable {
    case forward, backward, shuffled
  }

  private func open(_ disk: SimulatedDisk, _ order: Order = .forward) throws -> Index {
    let opening = try StoreOpening(
      disk: disk, folder: "node1.wal", identity: StoreFixture.identity, segmentBytes: 16_384, cacheBytes: 0)
    var units = Array(0..<opening.unitCount)
    switch order {
    case .forward: break
    case .backward: units.reverse()
    case .shuffled:
      var random = SeededRandom(seed: UInt64(units.count))
      for i in units.indices.reversed() { units.swapAt(i, random.below(i + 1)) }
    }
    for unit in units { opening.run(unit) }
    let fixture = StoreFixture(disk: disk, store: opening.finish())
    defer { fixture.store.log.close() }
    #expect(fixture.store.damage.isEmpty)
    return index(fixture)
  }

  private func index(_ fixture: StoreFixture) -> Index {
    let store = fixture.store
    let entries = (0..<Store.partitionCount).flatMap { store.entries($0) }
    let size = store.log.size
    return Index(
      entries: entries.map {
        Index.Entry(
          hash: $0.hash, position: store.table.position(of: $0.location), tag: $0.tag,
          isTombstone: $0.location.isTombstone)
      }.sorted { $0.hash < $1.hash },
      recordBytes: size.recordBytes, deadBytes: size.deadBytes,
      tombstones: (0..<Store.partitionCount).map { store.stripes[$0].tombstones }, content: fixture.content())
  }

  private static let path = "node1.wal/checkpoint"

  @Test(
    "A start with a checkpoint, fresh or stale, finds what a start that reads the whole log finds",
    arguments: 1...2 as ClosedRange<UInt64>)
  func agreesWithFullReplay(seed: UInt64) throws {
    var random = SeededRandom(seed: seed &* 104_729)
    let life = try Workload(seed: seed)
    // Checkpoints of every age, some written while others write.
    var old: [[UInt8]] = []
    var cases = 0
    for _ in 0..<12 {
      try life.run(random.within(10...120))
      if random.chance(perMille: 500) { try life.checkpoint(withWrites: random.within(1...60)) }
      if let bytes = life.disk.bytes(Self.path), bytes != old.last { old.append(bytes) }
      let disk = life.disk.copy(random: random.split())
      disk.put(Self.path, nil)
      let full = try open(disk)
      var live = full
      live.content = life.history.last
      #expect(full == live, "seed \(seed): a full replay")
      let now = index(life.fixture)
      #expect(now.entries == full.entries && now.tombstones == full.tombstones, "seed \(seed): before the start")
      #expect(now.recordBytes == full.recordBytes && now.deadBytes == full.deadBytes, "seed \(seed): before the start")
      for (i, bytes) in old.enumerated() {
        for order in Order.allCases {
          cases += 1
          disk.put(Self.path, bytes)
          #expect(try open(disk, order) == full, "seed \(seed), checkpoint \(i) of \(old.count), \(order)")
        }
      }
    }
    print("checkpoints against full replay, seed \(seed): \(cases) cases, \(life.compactions) compactions")
  }

  @Test("A checkpoint with any byte changed or missing is not used")
  func refusesDamaged() throws {
    let life = try Workload(seed: 5)
    life.valueBytesMax = 20
    try life.run(200)
    try life.checkpoint()
    let bytes = try #require(life.disk.bytes(Self.path))
    life.fixture.store.log.close()
    let recovery = LogRecovery(
      disk: life.disk, folder: "node1.wal", identity: StoreFixture.identity, segmentBytes: 16_384, isExpected: true)
    let segments = try recovery.find().segments
    func isUsed() -> Bool {
      let checkpoint = Checkpoint.read(
        from: life.disk, folder: "node1.wal", identity: StoreFixture.identity, segments: segments)
      defer { checkpoint?.close() }
      return checkpoint != nil
    }
    #expect(isUsed())
    for at in bytes.indices {
      let mask = UInt8(1 << (at % 8))
      life.disk.flip(Self.path, at: at, mask: mask)
      #expect(!isUsed(), "byte \(at) of \(bytes.count)")
      life.disk.flip(Self.path, at: at, mask: mask)
    }
    for count in bytes.indices {
      life.disk.put(Self.path, Array(bytes[..<count]))
      #expect(!isUsed(), "\(count) of \(bytes.count) bytes")
    }
    #expect(try open(life.disk).content == life.history.last)
    print("damaged checkpoints: \(2 * bytes.count) cases")
  }
}
