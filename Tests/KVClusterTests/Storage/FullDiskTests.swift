import KVSimulator
import Testing

@testable import KVCluster

@Suite struct FullDiskTests {
  @Test("A full disk refuses writes, serves reads, loses nothing, and takes writes again when there is space")
  func recovers() throws {
    var cases = 0
    // Full at every size, so that each call in turn is the one that finds no space.
    for spare in stride(from: 0, through: 40_000, by: 331) {
      cases += 1
      let disk = SimulatedDisk(random: SeededRandom(seed: 1))
      let fixture = try StoreFixture(disk: disk)
      disk.capacityBytes = disk.usedBytes + spare
      var stored: [String] = []
      var refused = 0
      for i in 0..<120 {
        do {
          try fixture.write("key\(i)", String(repeating: "v", count: 500), counter: UInt64(i + 1))
          stored.append("key\(i)")
        } catch StorageError.diskFull {
          refused += 1
        }
      }
      #expect(refused > 0, "\(spare) bytes")
      #expect(fixture.store.log.failure == nil)
      try fixture.store.log.sync()
      #expect(disk.usedBytes <= disk.capacityBytes)
      #expect(stored.allSatisfy { fixture.read($0)?.count == 500 })
      disk.capacityBytes = .max
      try fixture.write("after", "space", counter: 1_000)
      fixture.store.log.close()
      let again = try fixture.reopened()
      #expect(again.store.damage.isEmpty)
      #expect(again.read("after") == "space")
      #expect(stored.allSatisfy { again.read($0)?.count == 500 }, "\(spare) bytes")
    }
    print("full disk: \(cases) cases")
  }

  @Test("After a failed sync the log takes nothing more and says why; a power loss leaves all that was synced")
  func stopsAfterFailedSync() throws {
    var cases = 0
    for number in 1...25 {
      for seed in 1...8 as ClosedRange<UInt64> {
        cases += 1
        let life = try Workload(seed: seed)
        life.disk.fail(.sync, number: number)
        do { try life.run(400) } catch StorageError.io {}
        let log = life.fixture.store.log
        if let failure = log.failure {
          guard case .io = failure else { Issue.record("seed \(seed), sync \(number): \(failure)"); continue }
          #expect(throws: failure) { try log.sync() }
          #expect(throws: failure) { for i in 0..<200 { try life.fixture.write("more\(i)", "x", counter: 10_000) } }
        }
        let history = life.history
        life.disk.restart(losingPower: true)
        let again = try StoreFixture(disk: life.disk)
        #expect(again.store.damage.isEmpty, "seed \(seed), sync \(number)")
        #expect(history.allows(again.content(), losingPower: true), "seed \(seed), sync \(number)")
      }
    }
    print("failed syncs: \(cases) cases")
  }

  @Test("A sync that fails while a segment grows stops the log: records of before may be lost with it")
  func stopsAfterFailedGrowth() throws {
    let fixture = try StoreFixture(segmentBytes: 8 << 20)
    fixture.disk.fail(.sync)
    let value = String(repeating: "v", count: 60_000)
    #expect(throws: StorageError.self) {
      for i in 0..<100 { try fixture.write("key\(i)", value, counter: UInt64(i + 1)) }
    }
    #expect(fixture.store.log.failure != nil)
    #expect(throws: StorageError.self) { try fixture.store.log.sync() }
  }

  @Test("A disk that dead records fill takes writes again, as long as what is live fits twice", arguments: 1...12)
  func makesRoom(seed: Int) throws {
    let capacity = 1 << 20
    let disk = SimulatedDisk(random: SeededRandom(seed: UInt64(seed)))
    let fixture = try StoreFixture(disk: disk, segmentBytes: [16_384, 32_768, 65_536][seed % 3])
    disk.capacityBytes = capacity
    var random = SeededRandom(seed: UInt64(seed))
    var counter: UInt64 = 0
    var held: [String: UInt64] = [:]
    // What is live takes a quarter of the disk, in records of many sizes; each round writes as much as the disk holds.
    for _ in 0..<6 {
      var written = 0
      while written < capacity {
        let key = "key\(random.below(64))"
        counter += 1
        let value = "\(counter)-" + String(repeating: "v", count: random.below(8_000))
        do {
          try fixture.write(key, value, counter: counter)
          held[key] = counter
          written += value.utf8.count
        } catch StorageError.diskFull {
          try fixture.write(key, "small", counter: counter, orRelieving: disk)
          held[key] = nil
          written += 100
        }
      }
    }
    #expect(disk.usedBytes <= capacity)
    for (key, counter) in held { #expect(fixture.read(key)?.hasPrefix("\(counter)-") == true) }
    fixture.store.log.close()
    let again = try fixture.reopened()
    #expect(again.store.damage.isEmpty)
    for (key, counter) in held { #expect(again.read(key)?.hasPrefix("\(counter)-") == true) }
  }

  @Test("Deletes are taken where puts are refused, and make room")
  func takesDeletes() throws {
    let disk = SimulatedDisk(random: SeededRandom(seed: 1))
    let fixture = try StoreFixture(disk: disk, segmentBytes: 65_536)
    disk.capacityBytes = 1 << 20
    let value = String(repeating: "v", count: 1_000)
    var counter: UInt64 = 0
    #expect(throws: StorageError.self) {
      for _ in 0..<2_000 {
        counter += 1
        try fixture.write("key\(counter)", value, counter: counter)
      }
    }
    let keys = counter
    for i in 1..<keys {
      counter += 1
      try fixture.write("key\(i)", nil, counter: counter)
    }
    while try fixture.compact(for: .pressing) {}
    fixture.store.log.giveBack()
    #expect(disk.usedBytes < 300_000, "\(disk.usedBytes)")
    try fixture.write("after", value, counter: counter + 1)
  }

  @Test("A log that was filled and emptied within one segment gives the space back")
  func sealsDeadTail() throws {
    let fixture = try StoreFixture(segmentBytes: 1 << 20)
    let value = String(repeating: "v", count: 1_000)
    for i in 0..<800 { try fixture.write("key\(i)", value, counter: UInt64(i + 1)) }
    for i in 0..<790 { try fixture.write("key\(i)", nil, counter: UInt64(1_000 + i)) }
    try fixture.store.log.sync()
    while try fixture.compact(for: .usual) {}
    fixture.store.log.giveBack()
    #expect(fixture.store.log.fileBytes < 200_000, "\(fixture.store.log.fileBytes)")
    for i in 790..<800 { #expect(fixture.read("key\(i)") == value) }
    fixture.store.log.close()
    let again = try fixture.reopened()
    #expect(again.store.damage.isEmpty)
    for i in 0..<800 { #expect(again.read("key\(i)") == (i < 790 ? nil : value)) }
  }
}

extension StoreFixture {
  /// What maintenance does for space; false when there is nothing more to do.
  fileprivate func compact(for need: Compaction.Need) throws -> Bool {
    try store.log.sync()
    guard let compaction = Compaction.next(in: store, for: need) else {
      guard Compaction.sealTail(of: store, for: need) else { return false }
      try store.log.sync()
      return true
    }
    while try compaction.step(withPartition: { $1() }) {}
    guard compaction.isComplete else { return false }
    try store.log.sync()
    try compaction.finish()
    return true
  }

  /// Writes a value, after maintenance has made room for it.
  fileprivate func write(_ key: String, _ value: String, counter: UInt64, orRelieving disk: SimulatedDisk) throws {
    store.log.giveBack()
    while try compact(for: .pressing) {}
    try write(key, value, counter: counter)
  }
}
