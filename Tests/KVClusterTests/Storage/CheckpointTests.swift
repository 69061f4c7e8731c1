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
    let fixture = StoreFixture(disk: disk, store: try opening.finish())
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

  @Test("A checkpoint is not written when its records did not get to the disk: an older version of a key stays known")
  func needsDurableRecords() throws {
    let disk = SimulatedDisk(random: SeededRandom(seed: 1), isStaged: true)
    let fixture = try StoreFixture(disk: disk)
    try fixture.write("a", "durable", counter: 1)
    try fixture.store.log.sync()
    try fixture.write("a", "not written", counter: 2)
    // The thread that syncs has stopped: the node is being killed.
    #expect(throws: StorageError.closed) { try Checkpoint.write(fixture.store, sync: {}, withPartition: { $1() }) }
    fixture.store.log.close()
    disk.restart(losingPower: false)
    #expect(try fixture.reopened().read("a") == "durable")
  }

  /// A store whose checkpoint was written while a key got a newer version: the entry lies beyond the checkpoint's position.
  private func overtaken(_ disk: SimulatedDisk) throws -> (fixture: StoreFixture, newAt: Int) {
    let fixture = try StoreFixture(disk: disk)
    try fixture.write("a", "old", counter: 1)
    try fixture.write("b", "other", counter: 2)
    try fixture.store.log.sync()
    let newAt = fixture.store.log.end.offset
    try fixture.checkpoint { number, body in
      if number == 0 { #expect(throws: Never.self) { try fixture.write("a", "new", counter: 3) } }
      body()
    }
    fixture.store.log.close()
    return (fixture, newAt)
  }

  @Test("A log that ends before what its checkpoint names has lost records, though no mark speaks of them")
  func bearsWitness() throws {
    for isCut in [false, true] {
      let disk = SimulatedDisk(random: SeededRandom(seed: 1))
      let (fixture, newAt) = try overtaken(disk)
      #expect(try disk.verifyLog().damage.isEmpty)
      let path = "node1.wal/\(LogFormat.segmentName(1))"
      var bytes = try #require(disk.bytes(path))
      if isCut { bytes.removeSubrange(newAt...) } else { for i in newAt..<bytes.count { bytes[i] = 0 } }
      disk.put(path, bytes)
      #expect(try !disk.verifyLog().damage.isEmpty)
      let again = try fixture.reopened()
      #expect(again.store.isSuspect && again.store.hasLost)
      // What is left of the log is all there: a repair that accepts the loss goes on with it.
      again.store.isSuspect = false
      #expect(again.read("a") == "old" && again.read("b") == "other")
      again.store.log.close()
    }
  }

  @Test("A loss of records that is found only while a log is read has all of it read, without its checkpoint")
  func readsAllAfterLoss() throws {
    let disk = SimulatedDisk(random: SeededRandom(seed: 1))
    let fixture = try StoreFixture(disk: disk)
    try fixture.write("a", "old", counter: 1)
    try fixture.store.log.sealTail()
    let newAt = fixture.store.log.end.offset
    try fixture.write("a", "new", counter: 2)
    try fixture.checkpoint()
    try fixture.write("b", "1", counter: 3)
    try fixture.store.log.sealTail()
    try fixture.write("c", "2", counter: 4)
    try fixture.store.log.sync()
    fixture.store.log.close()
    // All records of the second segment are gone, those that the checkpoint covers too.
    let path = "node1.wal/\(LogFormat.segmentName(2))"
    var bytes = try #require(disk.bytes(path))
    for i in newAt..<bytes.count { bytes[i] = 0 }
    disk.put(path, bytes)
    let again = try fixture.reopened()
    #expect(again.store.isSuspect && again.store.hasLost)
    again.store.isSuspect = false
    #expect(again.read("a") == "old" && again.read("b") == nil && again.read("c") == "2")
    #expect(disk.bytes(Self.path) == nil)
    let size = again.store.log.size
    #expect(size.deadBytes < size.recordBytes)
    again.store.log.close()
  }

  @Test("The log behind a checkpoint is read although a witness knows of a later sync than any mark in the log")
  func readsLogBehindCheckpoint() throws {
    let disk = SimulatedDisk(random: SeededRandom(seed: 1), isStaged: true)
    let fixture = try StoreFixture(disk: disk)
    try fixture.write("a", "1", counter: 1)
    try fixture.store.log.sync()
    try Checkpoint.write(fixture.store, sync: {}, withPartition: { $1() })
    try fixture.write("a", "2", counter: 2)
    try fixture.store.log.sync()
    try fixture.store.log.sealTail()
    try fixture.write("b", "3", counter: 3)
    try fixture.store.log.sync()
    let synced = fixture.store.log.synced
    #expect(synced.segment == 2)
    fixture.store.log.close()
    // The mark of the last sync is not on the disk, and there is no other in the last segment.
    disk.losesAllUnsynced = true
    disk.restart(losingPower: true)
    let again = try fixture.reopened(known: synced)
    #expect(again.store.damage.isEmpty)
    #expect(again.read("a") == "2")
    #expect(again.read("b") == "3")
  }

  @Test("A killed program leaves a checkpoint that agrees with the log, at every step of writing it")
  func survivesKillWhileWritten() throws {
    var cases = 0
    for stop in 0... {
      let disk = SimulatedDisk(random: SeededRandom(seed: 1), isStaged: true)
      let life = try Workload(seed: 11, disk: disk)
      try life.run(60)
      // Hints are found only by reading the log: the engine writes no checkpoint while there are any.
      for node in StoreFixture.nodes { try life.settle(node) }
      try life.sync()
      // Which steps happen before the kill: reads of partitions with writes between them, the sync, the replacement.
      var left = stop
      let isKilled = { () -> Bool in
        left -= 1
        return left < 0
      }
      var wasKilled = false
      do throws(StorageError) {
        try Checkpoint.write(
          life.fixture.store,
          sync: { () throws(StorageError) in
            if isKilled() { wasKilled = true } else { try life.fixture.store.log.sync() }
          },
          withPartition: { number, body in
            body()
            guard number % 32 == 0 else { return }
            do { try life.write(isDelete: false) } catch { Issue.record(error) }
            if !wasKilled, isKilled() { wasKilled = true }
          })
      } catch {
        #expect(error == .closed)
      }
      let durable = life.history
      life.fixture.store.log.close()
      disk.restart(losingPower: false)
      let again = try life.fixture.reopened()
      #expect(durable.allows(again.content(), losingPower: true), "killed at step \(stop)")
      cases += 1
      if !wasKilled { break }
    }
    #expect(cases > 8)
  }

  @Test("A store that may have lost records has no checkpoint: the next start reads its log")
  func refusesSuspect() throws {
    let fixture = try StoreFixture()
    try fixture.write("a", "1", counter: 1)
    fixture.store.isSuspect = true
    #expect(throws: StorageError.closed) { try fixture.checkpoint() }
    #expect(fixture.disk.bytes(Self.path) == nil)
    fixture.store.isSuspect = false
    try fixture.checkpoint()
    #expect(fixture.disk.bytes(Self.path) != nil)
  }

  @Test("A start from a checkpoint makes tables for the keys that there are, and no others")
  func makesNoEmptyTables() throws {
    let fixture = try StoreFixture()
    try fixture.write("a", "1", counter: 1)
    try fixture.checkpoint()
    let places = { (store: Store) in (0..<Store.partitionCount).reduce(0) { $0 + store.stripes[$1].index.capacity } }
    let before = places(fixture.store)
    fixture.store.log.close()
    let again = try fixture.reopened()
    defer { again.store.log.close() }
    #expect(again.store.covered > .start)
    #expect(places(again.store) <= before)
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
