import KVSimulator
import Testing

@testable import KVCluster

/// Logs whose records are part of their files only once a batch of them is written.
@Suite struct StagingTests {
  private static let path = "node1.wal/\(LogFormat.segmentName(1))"

  private func stagedDisk() -> SimulatedDisk { SimulatedDisk(random: SeededRandom(seed: 1), isStaged: true) }

  /// What `verify` says about the log, but for files that only a cluster has.
  private func verify(_ disk: SimulatedDisk) throws -> (damage: [Int], torn: Int?) {
    let verification = LogVerification(disk: disk, folder: "node1.wal", identity: StoreFixture.identity)
    let report = try #require(try verification.run(isExpected: true) { _ in true })
    return (report.damage.filter { $0.file.hasSuffix(".segment") }.map(\.offset), report.torn?.offset)
  }

  /// A log with an acknowledged version of each key, and the bytes of its file before and after the next batch.
  private struct Batch {
    let disk: SimulatedDisk
    /// Everything before this offset was synced.
    let synced: Int
    let before: [UInt8]
    let after: [UInt8]
    /// Where the records of the batch end, and what the keys hold after each.
    var contents: [(end: Int, values: [String: String])]

    static let keys = ["a", "b", "c"]

    /// What a log of which `bytes` are left may hold: the versions before the batch, and those of its first records.
    func allows(_ values: [String: String]) -> Bool { contents.contains { $0.values == values } }
  }

  /// - Parameter valueBytes: of the first value of the batch; the others are longer.
  private func batch(valueBytes: Int) throws -> Batch {
    let disk = stagedDisk()
    let fixture = try StoreFixture(disk: disk)
    var values: [String: String] = [:]
    for (i, key) in Batch.keys.enumerated() {
      values[key] = "acknowledged \(key)"
      try fixture.write(key, values[key], counter: UInt64(i + 1))
    }
    try fixture.store.log.sync()
    let before = try #require(disk.bytes(Self.path))
    let end = fixture.store.log.end.offset
    var contents = [(end: end, values: values)]
    for (i, key) in (Batch.keys + ["a", "c"]).enumerated() {
      values[key] = "\(i) " + String(repeating: key, count: valueBytes * (1 + i))
      try fixture.write(key, values[key], counter: UInt64(10 + i))
      contents.append((fixture.store.log.end.offset, values))
    }
    let at = fixture.store.log.end.offset
    try fixture.store.log.sync()
    let after = try #require(disk.bytes(Self.path))
    fixture.store.log.close()
    return Batch(
      disk: disk, synced: end - LogFormat.syncMarkBytes, before: before,
      after: Array(after[..<at]) + before[at...], contents: contents)
  }

  /// What is wrong with a log of which a crash has left these bytes, if anything is.
  private func fault(_ batch: Batch, _ bytes: [UInt8]) throws -> String? {
    let disk = batch.disk.copy(random: SeededRandom(seed: 2))
    disk.put(Self.path, bytes)
    let seen = try verify(disk)
    guard seen.damage.isEmpty else { return "verify calls it damage at \(seen.damage)" }
    guard seen.torn ?? .max >= batch.synced else { return "verify calls it torn at \(seen.torn!), which was synced" }
    let fixture = try StoreFixture(disk: disk)
    guard fixture.store.damage.isEmpty else { return "a start calls it damage: \(fixture.store.damage.places)" }
    let values = Dictionary(uniqueKeysWithValues: Batch.keys.map { ($0, fixture.read($0) ?? "") })
    guard batch.allows(values) else { return "it holds \(values.mapValues { $0.prefix(20) })" }
    if let torn = seen.torn, fixture.store.log.end.offset != torn {
      return "verify ends it at \(torn), a start at \(fixture.store.log.end.offset)"
    }
    try fixture.write("a", "after", counter: 100)
    try fixture.store.log.sync()
    fixture.store.log.close()
    let again = try fixture.reopened()
    guard again.store.damage.isEmpty, again.read("a") == "after", again.read("b") == values["b"] else {
      return
        "after writing on it holds \(again.read("a") ?? ""), \(again.read("b") ?? ""), \(again.store.damage.places)"
    }
    return try verify(disk).damage.isEmpty ? nil : "after writing on, verify finds damage"
  }

  @Test("A kill at any byte of a batch's write leaves a torn tail: no damage, nothing acknowledged lost")
  func survivesKillAtEveryByte() throws {
    let batch = try batch(valueBytes: 30)
    var cases = 0
    for written in batch.contents[0].end...batch.contents[batch.contents.count - 1].end {
      cases += 1
      let fault = try fault(batch, Array(batch.after[..<written] + batch.before[written...]))
      #expect(fault == nil, "\(written) bytes: \(fault ?? "")")
    }
    print("kill in a staged batch: \(cases) cases")
  }

  @Test(
    "Whatever sectors of a batch a loss of power leaves, they are a torn tail: no damage, nothing acknowledged lost")
  func survivesAnySectors() throws {
    let batch = try batch(valueBytes: 200)
    let sectors = stride(from: 0, to: batch.after.count, by: 512)
      .map { $0..<min($0 + 512, batch.after.count) }
      .filter { batch.after[$0] != batch.before[$0] }
    #expect(sectors.count > 5)
    for subset in 0..<1 << sectors.count {
      var bytes = batch.before
      for (i, sector) in sectors.enumerated() where subset >> i & 1 == 1 {
        bytes.replaceSubrange(sector, with: batch.after[sector])
      }
      let fault = try fault(batch, bytes)
      #expect(fault == nil, "sectors \(String(subset, radix: 2)): \(fault ?? "")")
    }
    print("power lost in a staged batch: \(1 << sectors.count) cases")
  }

  @Test("Behind a mark, a byte that changed is damage however the batch after it was torn; nothing is cut for it")
  func tellsDamageFromTornTail() throws {
    let batch = try batch(valueBytes: 200)
    let torn = batch.contents[2].end - 100
    var cases = 0
    for at in LogFormat.segmentHeaderBytes..<batch.synced {
      cases += 1
      let disk = batch.disk.copy(random: SeededRandom(seed: 2))
      var bytes = Array(batch.after[..<torn] + batch.before[torn...])
      bytes[at] ^= 0x10
      disk.put(Self.path, bytes)
      let seen = try verify(disk)
      // The padding of a record is not covered: nothing reads it.
      if seen.damage.isEmpty, isPadding(at, batch.before) { continue }
      #expect(seen.damage.count == 1 && seen.damage[0] <= at, "byte \(at): \(seen.damage)")
      #expect(seen.torn == batch.contents[1].end, "byte \(at)")
      let fixture = try StoreFixture(disk: disk)
      #expect(fixture.store.log.end.offset == batch.contents[1].end, "byte \(at)")
    }
    print("damage before a torn batch: \(cases) cases")
  }

  private func isPadding(_ at: Int, _ bytes: [UInt8]) -> Bool {
    bytes.withBytes { bytes in
      var offset = LogFormat.segmentHeaderBytes
      while true {
        let record = RecordView(bytes.baseAddress! + offset)
        if at < offset + record.byteCount {
          let inside = at - offset
          return inside >= LogFormat.recordHeaderBytes + record.keyBytes + record.valueBytes
        }
        offset += record.byteCount
      }
    }
  }

  @Test("A scrub at any moment of a sync takes no page that is not written yet")
  func settlesOnlyWhatIsWritten() throws {
    let disk = stagedDisk()
    let fixture = try StoreFixture(disk: disk)
    var moments = 0
    var isSyncing = false
    disk.onMoment = { _, _ in
      guard isSyncing else { return }
      moments += 1
      fixture.store.log.settle()
    }
    let value = String(repeating: "v", count: 3_000)
    for i in 0..<4 {
      try fixture.write("key\(i)", value + "\(i)", counter: UInt64(i + 1))
      isSyncing = true
      try fixture.store.log.sync()
      isSyncing = false
      #expect((0...i).allSatisfy { fixture.read("key\($0)") == value + "\($0)" }, "after write \(i)")
    }
    #expect(moments > 20)
    disk.restart(losingPower: false)
    let seen = try verify(disk)
    #expect(seen.damage.isEmpty && seen.torn == nil)
    let again = try fixture.reopened()
    #expect((0..<4).allSatisfy { again.read("key\($0)") == value + "\($0)" })
  }
}
