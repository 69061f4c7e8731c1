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
}
