import KVSimulator
import Testing

@testable import KVCluster

@Suite struct CrashTests {
  /// What is wrong with a store after a crash, if anything is.
  private func fault(
    _ disk: SimulatedDisk, _ history: StoreHistory, losingPower: Bool
  ) -> String? {
    do {
      let fixture = try StoreFixture(disk: disk)
      guard fixture.store.damage.isEmpty else { return "a crash is taken for damage: \(fixture.store.damage.places)" }
      let content = fixture.content()
      guard history.allows(content, losingPower: losingPower) else {
        return "it holds \(content), and should \(history.last)"
      }
      try fixture.write("after", "the crash", counter: 1_000_000)
      let size = fixture.store.log.size
      fixture.store.log.close()
      let again = try fixture.reopened()
      guard again.store.damage.isEmpty else { return "damage after writing again: \(again.store.damage.places)" }
      guard again.read("after") == "the crash" else { return "what was written after the crash is gone" }
      guard again.content() == content else { return "it changed with another start: \(again.content()) after \(content)" }
      guard again.store.log.size == size else { return "size \(again.store.log.size) after another start, not \(size)" }
      again.store.log.close()
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test(
    "A crash at any step leaves what was acknowledged, invents nothing, and is no damage", arguments: [1, 2, 3] as [UInt64])
  func survivesEveryStep(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let disk = SimulatedDisk(random: random.split())
    var workload: Workload?
    var cases = 0
    var faults: [String] = []
    disk.onMoment = { step, moment in
      for losingPower in [false, true] {
        for _ in 0..<(losingPower ? 2 : 1) {
          cases += 1
          let disk = disk.copy(random: random.split())
          disk.restart(losingPower: losingPower)
          if let fault = self.fault(disk, workload?.history ?? StoreHistory(), losingPower: losingPower), faults.count < 5 {
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
      "crash at every step, seed \(seed): \(cases) cases over \(disk.steps) steps, "
        + "\(life.compactions) compactions, \(life.checkpoints) checkpoints \(ContinuousClock.now - start)")
  }
}
