import KVSimulator
import Testing

@testable import KVCluster

/// A store on a simulated disk, written and read with text.
struct StoreFixture {
  static let identity = LogIdentity(clusterID: 7, node: "node1")
  let disk: SimulatedDisk
  var segmentBytes = 16_384
  /// For the next start.
  var mayHaveLostPower = true
  var store: Store

  init(
    disk: SimulatedDisk = SimulatedDisk(random: SeededRandom(seed: 1)), segmentBytes: Int = 16_384, cacheBytes: Int = 0,
    mayHaveLostPower: Bool = true, known: LogPosition = .start
  ) throws {
    self.disk = disk
    self.segmentBytes = segmentBytes
    self.mayHaveLostPower = mayHaveLostPower
    store = try Store.open(
      disk: disk, folder: "node1.wal", identity: Self.identity, segmentBytes: segmentBytes, cacheBytes: cacheBytes,
      mayHaveLostPower: mayHaveLostPower, known: known)
  }

  init(disk: SimulatedDisk, store: Store) {
    self.disk = disk
    self.store = store
  }

  @discardableResult
  func write(_ key: String, _ value: String?, counter: UInt64) throws -> LogPosition {
    let (key, bytes) = (Array(key.utf8), Array((value ?? "").utf8))
    return try key.withBytes { key throws(StorageError) in
      try bytes.withBytes { bytes throws(StorageError) in
        try store.apply(
          value == nil ? .tombstone : .value, hash: Ring.hash(key),
          tag: KVCluster.Tag(counter: counter, coordinator: 0),
          key: key, value: bytes, valueChecksum: Checksum.crc32c(bytes))
      }
    }
  }

  /// The value, `nil` if absent or deleted.
  func read(_ key: String) -> String? {
    Array(key.utf8).withBytes { key -> String? in
      switch store.read(Ring.hash(key), key) {
      case .absent: return nil
      case .damaged: return "damaged"
      case .found(_, _, let isTombstone, let value): return isTombstone ? nil : String(decoding: value, as: UTF8.self)
      }
    }
  }

  func reopened(known: LogPosition = .start) throws -> StoreFixture {
    try StoreFixture(disk: disk, segmentBytes: segmentBytes, mayHaveLostPower: mayHaveLostPower, known: known)
  }

  /// The bytes of the first segment, for tests that damage them.
  func withSegment<R>(_ body: (UnsafeMutableRawPointer) throws -> R) throws -> R {
    try body(try disk.openSegment("node1.wal/\(LogFormat.segmentName(1))", capacity: 16_384).base)
  }
}

@Suite struct RecoveryTests {
  @Test("What was written is there after a start, newest version first")
  func replays() throws {
    let fixture = try StoreFixture()
    try fixture.write("a", "1", counter: 1)
    try fixture.write("b", "2", counter: 2)
    try fixture.write("a", "3", counter: 3)
    try fixture.write("b", nil, counter: 4)
    try fixture.write("empty", "", counter: 5)
    let again = try fixture.reopened()
    #expect(again.read("a") == "3")
    #expect(again.read("b") == nil)
    #expect(again.read("empty") == "")
    #expect(again.store.newestTag == KVCluster.Tag(counter: 5, coordinator: 0))
  }

  @Test("An older tag never replaces a newer one, neither live nor in replay")
  func keepsNewest() throws {
    let fixture = try StoreFixture()
    try fixture.write("a", "new", counter: 9)
    try fixture.write("a", "old", counter: 3)
    #expect(fixture.read("a") == "new")
    #expect(try fixture.reopened().read("a") == "new")
  }

  @Test("Logs roll over segments and come back whole")
  func rolls() throws {
    let fixture = try StoreFixture()
    for i in 0..<1_000 { try fixture.write("key\(i)", String(repeating: "v", count: 50), counter: UInt64(i + 1)) }
    try fixture.write("big", String(repeating: "B", count: 100_000), counter: 2_000)
    #expect(fixture.store.log.size.segments > 3)
    let again = try fixture.reopened()
    #expect((0..<1_000).allSatisfy { again.read("key\($0)")?.count == 50 })
    #expect(again.read("big")?.count == 100_000)
  }

  @Test("A log cut at any byte of its unsynced last record loses that record and nothing else")
  func cutsTornTail() throws {
    let probe = try StoreFixture()
    try probe.write("kept", "1", counter: 1)
    let start = probe.store.log.end.offset
    try probe.write("torn", "a value of some bytes", counter: 2)
    let end = probe.store.log.end.offset
    for cut in start..<end {
      let fixture = try StoreFixture()
      try fixture.write("kept", "1", counter: 1)
      try fixture.store.log.sync()
      let begins = fixture.store.log.end.offset
      try fixture.write("torn", "a value of some bytes", counter: 2)
      let length = end - start
      try fixture.withSegment { base in
        for at in (begins + cut - start)..<(begins + length) {
          base.storeBytes(of: 0, toByteOffset: at, as: UInt8.self)
        }
      }
      let again = try fixture.reopened()
      #expect(again.read("kept") == "1")
      // A cut within the padding takes nothing away.
      #expect(
        again.read("torn") == nil || again.read("torn") == "a value of some bytes" || again.read("torn") == "damaged")
      try again.write("after", "2", counter: 3)
      #expect(try again.reopened().read("after") == "2")
    }
  }

  @Test("A flipped bit in any byte of the synced log is never taken for data")
  func detectsFlippedBits() throws {
    let probe = try StoreFixture()
    try probe.write("a", "first", counter: 1)
    try probe.write("b", "second", counter: 2)
    try probe.store.log.sync()
    let end = probe.store.log.end.offset
    for at in 0..<end {
      let fixture = try StoreFixture()
      try fixture.write("a", "first", counter: 1)
      try fixture.write("b", "second", counter: 2)
      try fixture.store.log.sync()
      try fixture.withSegment { base in
        base.storeBytes(of: base.load(fromByteOffset: at, as: UInt8.self) ^ 0x10, toByteOffset: at, as: UInt8.self)
      }
      guard let again = try? fixture.reopened() else { continue }
      #expect(["first", "damaged"].contains(again.read("a")), "byte \(at)")
      #expect(["second", "damaged"].contains(again.read("b")), "byte \(at)")
    }
  }

  @Test("Damage before a sync mark is reported and cuts nothing; the node knows that it may have lost records")
  func reportsCorruption() throws {
    for at in [8, 22] {
      let fixture = try StoreFixture()
      try fixture.write("a", "first", counter: 1)
      try fixture.store.log.sync()
      try fixture.write("b", "second", counter: 2)
      try fixture.store.log.sync()
      try fixture.write("c", "third", counter: 3)
      try fixture.store.log.sync()
      try fixture.withSegment {
        $0.storeBytes(of: 0xff, toByteOffset: LogFormat.segmentHeaderBytes + at, as: UInt8.self)
      }
      let again = try fixture.reopened()
      #expect(again.store.damage.isSuspect)
      #expect(again.store.damage.places.map(\.range.lowerBound) == [LogFormat.segmentHeaderBytes])
      #expect(again.read("b") == "damaged")
      again.store.isSuspect = false
      #expect(again.read("b") == "second")
      #expect(again.read("c") == "third")
    }
  }

  @Test(
    "Damage that a start finds in the middle of the log, or a missing end, leaves a durable mark before anything is written",
    arguments: [false, true])
  func marksWhatItFinds(isEndMissing: Bool) throws {
    let fixture = try StoreFixture()
    for i in 0..<600 { try fixture.write("key\(i)", String(repeating: "v", count: 50), counter: UInt64(i + 1)) }
    try fixture.store.log.sync()
    try fixture.write("last", "1", counter: 1_000)
    try fixture.store.log.sync()
    fixture.store.log.close()
    let path = "node1.wal/\(LogFormat.segmentName(1))"
    if isEndMissing {
      fixture.disk.put(path, Array(try #require(fixture.disk.bytes(path)).prefix(8_192)))
    } else {
      fixture.disk.flip(path, at: LogFormat.segmentHeaderBytes + 8, mask: 1)
    }
    let suspect = try fixture.reopened()
    #expect(suspect.store.isSuspect && suspect.store.hasLost)
    #expect(try SuspectMark.read(from: fixture.disk, folder: "node1.wal")?.cause == .lost)
    // Where the mark cannot be written the node does not start: what it appends might hide the loss.
    fixture.disk.put("node1.wal/suspect", nil)
    fixture.disk.capacityBytes = fixture.disk.usedBytes
    #expect(throws: StorageError.diskFull(path: "node1.wal/suspect")) { try fixture.reopened() }
  }

  @Test("A segment of a newer format, of another node or of another cluster is refused by name")
  func refusesForeignSegments() throws {
    let fixture = try StoreFixture()
    try fixture.write("a", "1", counter: 1)
    let path = "node1.wal/\(LogFormat.segmentName(1))"
    for (identity, word, advice) in [
      (LogIdentity(clusterID: 8, node: "node1"), "another cluster", Advice.repair(folder: nil)),
      (LogIdentity(clusterID: 7, node: "node2"), "not of node2", .verify(folder: nil)),
    ] {
      let error = #expect(throws: StorageError.self) {
        try Store.open(disk: fixture.disk, folder: "node1.wal", identity: identity, cacheBytes: 0)
      }
      #expect("\(error!)".contains(word) && !"\(error!)".contains("kvstore verify") && error!.detail.advice == [advice])
    }
    try write(version: LogFormat.version + 1, to: fixture)
    #expect(throws: StorageError.newerFormat(path: path, version: LogFormat.version + 1)) { try fixture.reopened() }
  }

  private func write(version: UInt32, to fixture: StoreFixture) throws {
    try fixture.withSegment { base in
      base.storeBytes(of: version, toByteOffset: 8, as: UInt32.self)
      let checked = LogFormat.segmentHeaderBytes - 4
      let checksum = Checksum.crc32c(UnsafeRawBufferPointer(start: base, count: checked))
      base.storeBytes(of: checksum, toByteOffset: checked, as: UInt32.self)
    }
  }

  @Test("A log of the version before is read, and goes on in a new segment, which its program refuses")
  func goesOnFromVersion1() throws {
    let fixture = try StoreFixture()
    try fixture.write("a", "1", counter: 1)
    try write(version: 1, to: fixture)
    let again = try fixture.reopened()
    #expect(again.read("a") == "1")
    let first = again.store.log.end.segment
    try again.write("a", "2", counter: 2)
    #expect(again.store.log.end.segment == first + 1)
    #expect(try again.reopened().read("a") == "2")
  }

  @Test("Dropped ranges stay dropped after a start, and what comes later stays")
  func dropsRanges() throws {
    let fixture = try StoreFixture()
    for i in 0..<200 { try fixture.write("key\(i)", "1", counter: UInt64(i + 1)) }
    let lower = RingRanges { $0 < Ring.slotCount / 2 }
    try fixture.store.drop(
      lower, sync: { () throws(StorageError) in try fixture.store.log.sync() }, withPartition: { $1() })
    func isLower(_ key: String) -> Bool { lower.contains(Ring.slot(of: Array(key.utf8).withBytes { Ring.hash($0) })) }
    let dropped = (0..<200).map { "key\($0)" }.filter(isLower)
    #expect(!dropped.isEmpty && dropped.count < 200)
    #expect(dropped.allSatisfy { fixture.read($0) == nil })
    try fixture.write(dropped[0], "again", counter: 1_000)
    let again = try fixture.reopened()
    for i in 0..<200 {
      let key = "key\(i)"
      #expect(again.read(key) == (key == dropped[0] ? "again" : isLower(key) ? nil : "1"))
    }
  }

  @Test("Hints come back until they are settled")
  func keepsHints() throws {
    let fixture = try StoreFixture()
    try fixture.write("a", "1", counter: 1)
    let (name, key) = (Array("node2".utf8), Array("a".utf8))
    try name.withBytes { name in try key.withBytes { try fixture.store.appendHint(for: name, key: $0, tag: .none) } }
    let again = try fixture.reopened()
    #expect(again.store.recoveredHints.map(\.node) == ["node2"])
    #expect(again.store.recoveredHints.map(\.hashes) == [[key.withBytes { Ring.hash($0) }]])
    try name.withBytes { try again.store.appendHintsSettled(for: $0) }
    #expect(try again.reopened().store.recoveredHints.isEmpty)
  }

  @Test("A write torn by a loss of power never hides the version before it", arguments: 1...100 as ClosedRange<UInt64>)
  func keepsVersionBeforeTornOne(seed: UInt64) throws {
    let disk = SimulatedDisk(random: SeededRandom(seed: seed))
    let fixture = try StoreFixture(disk: disk)
    let (old, new) = (String(repeating: "1", count: 2_000), String(repeating: "2", count: 2_000))
    try fixture.write("a", old, counter: 1)
    try fixture.store.log.sync()
    try fixture.write("a", new, counter: 2)
    fixture.store.log.close()
    disk.losePower()
    let again = try fixture.reopened()
    #expect(again.read("a") == old || again.read("a") == new)
    try again.write("b", "after", counter: 3)
    #expect(try again.reopened().read("b") == "after")
  }

  @Test(
    "A crash at random moments with torn sectors keeps every synced record", arguments: 1...50 as ClosedRange<UInt64>)
  func survivesPowerLoss(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let disk = SimulatedDisk(random: random.split())
    var model: [(key: String, value: String)] = []
    var synced = 0
    var counter: UInt64 = 0
    for _ in 0..<8 {
      let fixture = try StoreFixture(disk: disk)
      for (i, entry) in model.enumerated() where i < synced {
        #expect(fixture.read(entry.key) == entry.value, "seed \(seed)")
      }
      model.removeLast(model.count - synced)
      for _ in 0..<random.within(1...60) {
        counter += 1
        let (key, value) = ("key\(counter)", String(repeating: "x", count: random.below(300)))
        try fixture.write(key, value, counter: counter)
        model.append((key, value))
        if random.chance(perMille: 100) {
          try fixture.store.log.sync()
          synced = model.count
        }
      }
      fixture.store.log.close()
      disk.losePower()
    }
  }
}
