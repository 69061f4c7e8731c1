import KVSimulator
import Testing

@testable import KVCluster

/// Logs that are written in one way and opened in the other, as a change of the policy leaves them.
@Suite struct WritingTests {
  /// A log with a synced record and two that are in the file and were never synced; the header of the first of them is bad.
  private func log(isStaged: Bool) throws -> SimulatedDisk {
    let disk = SimulatedDisk(random: SeededRandom(seed: 1), isStaged: isStaged)
    let fixture = try StoreFixture(disk: disk)
    try fixture.write("a", "synced", counter: 1)
    try fixture.store.log.sync()
    let place = try fixture.write("b", "second", counter: 2)
    try fixture.write("c", "third", counter: 3)
    if isStaged {
      // The batch is written, and the machine stops before it is synced.
      disk.crash(atStep: disk.steps + 2, .before)
      #expect(throws: StorageError.self) { try fixture.store.log.sync() }
    }
    fixture.store.log.close()
    disk.restart(losingPower: false)
    disk.flip("node1.wal/\(LogFormat.segmentName(place.segment))", at: place.offset + 9, mask: 1)
    return disk
  }

  @Test("What was acknowledged at once is damaged and not torn, however it is opened", arguments: [false, true])
  func keepsStored(isStaged: Bool) throws {
    let disk = try log(isStaged: false)
    disk.change(isStaged: isStaged)
    let fixture = try StoreFixture(disk: disk, mayHaveLostPower: false)
    #expect(fixture.store.hasLost)
    fixture.store.isSuspect = false
    #expect(fixture.read("a") == "synced" && fixture.read("b") == nil && fixture.read("c") == "third")
  }

  @Test("What was never acknowledged is torn and no loss, however it is opened", arguments: [false, true])
  func cutsStaged(isStaged: Bool) throws {
    let disk = try log(isStaged: true)
    disk.change(isStaged: isStaged)
    let fixture = try StoreFixture(disk: disk, mayHaveLostPower: false)
    #expect(fixture.store.damage.isEmpty)
    #expect(fixture.read("a") == "synced" && fixture.read("b") == nil && fixture.read("c") == nil)
  }

  @Test("A log that is opened in another way is on the disk, and says so, before a record of the new kind follows")
  func changesOverOneMark() throws {
    for (before, after) in [(false, true), (true, false)] {
      let disk = SimulatedDisk(random: SeededRandom(seed: 1), isStaged: before)
      let first = try StoreFixture(disk: disk)
      try first.write("a", "1", counter: 1)
      if before { try first.store.log.sync() }
      first.store.log.close()
      disk.restart(losingPower: false)
      disk.change(isStaged: after)
      let second = try StoreFixture(disk: disk, mayHaveLostPower: false)
      #expect(second.store.log.size.segments == 1)
      try second.write("b", "2", counter: 2)
      #expect(second.store.log.size.segments == 2)
      second.store.log.close()
      disk.restart(losingPower: true)
      let third = try StoreFixture(disk: disk, mayHaveLostPower: false)
      #expect(third.store.damage.isEmpty && third.read("a") == "1")
      third.store.log.close()
    }
  }

  @Test(
    "A store whose policy changes with each start goes on after each crash as if nothing had happened",
    arguments: 1...6 as ClosedRange<UInt64>, [false, true])
  func survivesChanges(seed: UInt64, losingPower: Bool) throws {
    var random = SeededRandom(seed: seed &* 15_485_863)
    let disk = SimulatedDisk(random: random.split(), isStaged: random.chance(perMille: 500))
    let life = try Workload(seed: seed, disk: disk)
    for round in 0..<60 {
      let moment = DiskFaults.Moment.allCases[random.below(3)]
      disk.crash(atStep: disk.steps + random.within(1...60), moment)
      do { try life.run(random.within(1...120)) } catch {
        #expect(disk.isCrashed, "seed \(seed), round \(round): \(error)")
      }
      let losesPower = losingPower && random.chance(perMille: 500)
      disk.restart(losingPower: losesPower)
      var isLosing = losesPower || disk.isStaged
      if random.chance(perMille: 500) { disk.change(isStaged: !disk.isStaged) }
      // A start may crash, too, before or after it has begun a new segment.
      if random.chance(perMille: 300) {
        disk.crash(atStep: disk.steps + random.within(1...6), moment)
        life.fixture.mayHaveLostPower = losingPower
        if (try? life.resume(afterPowerLoss: losesPower)) != nil { try? life.run(1) }
        disk.restart(losingPower: false)
      }
      isLosing = isLosing || disk.isStaged
      let history = life.history
      life.fixture.mayHaveLostPower = losingPower
      try life.resume(afterPowerLoss: losesPower)
      let content = life.history.last
      try #require(
        life.fixture.store.damage.isEmpty, "seed \(seed), round \(round): \(life.fixture.store.damage.places)")
      try #require(
        history.allows(content, losingPower: isLosing),
        "seed \(seed), round \(round): \(content) instead of \(history.last)")
    }
  }

  @Test("A log that ends before it once ended has lost its end, wherever that is, and goes on behind it")
  func noticesShortLog() throws {
    let fixture = try StoreFixture()
    var ends: [LogPosition] = []
    for i in 0..<400 {
      try fixture.write("key\(i)", String(repeating: "v", count: 100), counter: UInt64(i + 1))
      ends.append(fixture.store.log.end)
    }
    fixture.store.log.close()
    let last = ends[399]
    #expect(try !fixture.reopened(known: last).store.isSuspect)
    for known in [LogPosition(segment: last.segment, offset: last.offset + 8), LogPosition(segment: 9, offset: 128)] {
      let disk = fixture.disk.copy(random: SeededRandom(seed: 1))
      let short = try StoreFixture(disk: disk, known: known)
      #expect(short.store.hasLost)
      try short.store.log.sealTail()
      #expect(short.store.log.end > known)
      short.store.log.close()
      #expect(
        try StoreFixture(disk: disk, known: known).store.damage.places.map(\.reason).contains {
          $0.contains("it was not rebuilt yet")
        })
    }
  }
}
