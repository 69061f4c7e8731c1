import KVSimulator
import Testing

@testable import KVCluster

@Suite struct CrashTests {
  /// What is wrong with a store after a crash, if anything is.
  private func fault(
    _ disk: SimulatedDisk, _ history: StoreHistory, losingPower: Bool, isVerified: Bool
  ) -> String? {
    do {
      if isVerified {
        let seen = try disk.verifyLog()
        guard seen.damage.isEmpty else { return "verify takes a crash for damage: \(seen.damage)" }
      }
      let fixture = try StoreFixture(disk: disk)
      guard fixture.store.damage.isEmpty else { return "a crash is taken for damage: \(fixture.store.damage.places)" }
      let content = fixture.content()
      guard history.allows(content, losingPower: losingPower) else {
        return "it holds \(content), and should \(history.last)"
      }
      try fixture.write("after", "the crash", counter: 1_000_000)
      // What is staged and not synced goes with the log.
      if disk.isStaged { try fixture.store.log.sync() }
      let size = fixture.store.log.size
      fixture.store.log.close()
      let again = try fixture.reopened()
      guard again.store.damage.isEmpty else { return "damage after writing again: \(again.store.damage.places)" }
      guard again.read("after") == "the crash" else { return "what was written after the crash is gone" }
      guard again.content() == content else {
        return "it changed with another start: \(again.content()) after \(content)"
      }
      guard again.store.log.size == size else { return "size \(again.store.log.size) after another start, not \(size)" }
      again.store.log.close()
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test(
    "A crash at any step leaves what was acknowledged, invents nothing, and is no damage",
    arguments: 1...3 as ClosedRange<UInt64>, [false, true])
  func survivesEveryStep(seed: UInt64, isStaged: Bool) throws {
    var random = SeededRandom(seed: seed)
    let disk = SimulatedDisk(random: random.split(), isStaged: isStaged)
    var workload: Workload?
    var cases = 0
    var faults: [String] = []
    disk.onMoment = { step, moment in
      for losingPower in [false, true] {
        for _ in 0..<(losingPower ? 2 : 1) {
          cases += 1
          let disk = disk.copy(random: random.split())
          disk.restart(losingPower: losingPower)
          // What is staged is lost with the program.
          let isLosing = losingPower || isStaged
          let fault = self.fault(
            disk, workload?.history ?? StoreHistory(), losingPower: isLosing, isVerified: moment != .before)
          if let fault, faults.count < 5 {
            faults.append("step \(step) \(moment)\(losingPower ? ", power lost" : ""): \(fault)")
          }
        }
      }
    }
    let start = ContinuousClock.now
    let life = try Workload(seed: seed, disk: disk)
    workload = life
    try life.run(300)
    #expect(faults.isEmpty, "seed \(seed): \(faults.joined(separator: "\n"))")
    #expect(life.compactions > 3 && life.checkpoints > 1)
    print(
      "crash at every step\(isStaged ? ", staged" : ""), seed \(seed): \(cases) cases over \(disk.steps) steps, "
        + "\(life.compactions) compactions, \(life.checkpoints) checkpoints \(ContinuousClock.now - start)")
  }

  @Test(
    "A store that crashes again and again goes on as if nothing had happened", arguments: 1...6 as ClosedRange<UInt64>,
    [false, true])
  func survivesManyCrashes(seed: UInt64, isStaged: Bool) throws {
    var random = SeededRandom(seed: seed &* 7_919)
    let disk = SimulatedDisk(random: random.split(), isStaged: isStaged)
    let life = try Workload(seed: seed, disk: disk)
    var inOpening = 0
    for round in 0..<40 {
      let moment = DiskFaults.Moment.allCases[random.below(3)]
      disk.crash(atStep: disk.steps + random.within(1...60), moment)
      do { try life.run(random.within(1...200)) } catch {
        #expect(disk.isCrashed, "seed \(seed), round \(round): \(error)")
      }
      // A start may crash as well.
      var losesPower = random.chance(perMille: 500)
      var lostPower = losesPower
      disk.restart(losingPower: losesPower)
      while random.chance(perMille: 300) {
        disk.crash(atStep: disk.steps + random.within(1...4), moment)
        do {
          try StoreFixture(disk: disk).store.log.close()
        } catch {
          inOpening += 1
          #expect(disk.isCrashed, "seed \(seed), round \(round): \(error)")
        }
        losesPower = random.chance(perMille: 500)
        lostPower = lostPower || losesPower
        disk.restart(losingPower: losesPower)
      }
      let history = life.history
      try life.resume(afterPowerLoss: lostPower)
      let content = life.history.last
      try #require(
        life.fixture.store.damage.isEmpty, "seed \(seed), round \(round): \(life.fixture.store.damage.places)")
      try #require(
        // What is staged is lost with the program.
        history.allows(content, losingPower: lostPower || isStaged),
        "seed \(seed), round \(round), power lost: \(lostPower): \(content) instead of \(history.last)")
    }
    print(
      "crash after crash\(isStaged ? ", staged" : ""), seed \(seed): 40 crashes, \(inOpening) while starting, \(life.compactions) compactions, \(life.checkpoints) checkpoints"
    )
  }
}
