import KVCluster
import Synchronization
import Testing

@testable import KVSimulator

/// Batches that a crash of the program, or of the whole machine, meets at each of their steps.
@Suite struct BatchTests {
  private static let keys: [[UInt8]] = (0..<4).map { Array("member\($0)".utf8) }

  /// One life of the program: what it says of the keys together.
  private final class Life {
    let cluster: Cluster
    private let answer = Answer()
    private final class Answer: Sendable {
      let told = Mutex<(outcome: ClientOperation.Outcome, values: [[UInt8]?])?>(nil)
    }

    init(_ machine: SimulatedMachine, _ fsync: FsyncPolicy) throws {
      var options = ClusterOptions(
        dataFolder: "simulated", initialNodes: (1...5).map { "node\($0)" }, fsync: fsync, cacheBytes: 0)
      options.segmentBytes = 4_096
      cluster = try Cluster.open(simulated: machine, options, seed: 1, boot: machine.boot)
    }

    /// Syncs and ticks until the operation has ended, or the machine has stopped.
    func ends(ticking: Bool = true) {
      for _ in 0..<50 where answer.told.withLock({ $0 == nil }) {
        Clock.advance(toNs: Clock.nowNs() + 20_000_000)
        for name in cluster.nodeNames { cluster.syncIfDue(name) }
        if ticking { cluster.tickNow() }
      }
    }

    /// After a loss of power nodes vote once they have been compared.
    func care() {
      let jobs = cluster.nodeNames.compactMap { cluster.maintenance(of: $0) }
      for _ in 0..<200 where !cluster.suspects.isEmpty {
        for job in jobs { for _ in 0..<64 where job.step() != .done {} }
        Clock.advance(toNs: Clock.nowNs() + 100_000_000)
        for name in cluster.nodeNames { cluster.syncIfDue(name) }
        cluster.tickNow()
      }
    }

    func update(_ update: Update?, ticking: Bool = true) -> (outcome: ClientOperation.Outcome, values: [[UInt8]?])? {
      answer.told.withLock { $0 = nil }
      try? cluster.submit(update, all: BatchTests.keys) { _ in
      } completion: { [answer] outcome, found in
        answer.told.withLock { $0 = (outcome, found) }
      }
      ends(ticking: ticking)
      return answer.told.withLock { $0 }
    }
  }

  private static func text(_ values: [[UInt8]?]) -> [String?] {
    values.map { $0.map { String(decoding: $0, as: UTF8.self) } }
  }

  @Test(
    "A batch is there as a whole or not at all, wherever in it the program or the machine stops",
    arguments: FsyncPolicy.allCases, [false, true])
  func isWhole(_ fsync: FsyncPolicy, losesPower: Bool) throws {
    // Nothing is promised of what was not synced.
    if fsync == .never, losesPower { return }
    var found: Set<String?> = []
    for moment in DiskFaults.Moment.allCases {
      for step in 1...40 {
        try Clock.runVirtually(from: 1_000_000_000) {
          let machine = SimulatedMachine(random: SeededRandom(seed: UInt64(step)), isStaged: fsync.stagesLogs)
          var life = try Life(machine, fsync)
          #expect(life.update(.replace(Array("old".utf8)))?.outcome == .done)
          machine.stop(atStep: step, moment)
          let answer = life.update(.replace(Array("new".utf8)))
          life.cluster.vanish()
          machine.restart(losingPower: losesPower)
          machine.keepRunning()
          life = try Life(machine, fsync)
          life.care()
          let seen = try #require(life.update(nil))
          #expect(seen.outcome == .done)
          let values = Self.text(seen.values)
          guard !values.isEmpty else { return }
          #expect(values.allSatisfy { $0 == values[0] }, "\(values) after step \(step)")
          #expect(answer?.outcome != .done || values[0] == "new", "acknowledged, and lost at step \(step)")
          found.insert(values[0])
          // What was begun is done, and its journal goes once it is on the disks.
          life.ends()
          for _ in 0..<3 {
            for name in life.cluster.nodeNames { life.cluster.syncNow(name) }
            life.cluster.tickNow()
          }
          #expect(!life.cluster.hasUnfinishedBatches)
          #expect(machine.shared.bytes(BatchJournal.name) == nil)
          life.cluster.vanish()
        }
      }
    }
    #expect(found == ["old", "new"], "the stops come before the batch is decided, and after it")
  }

  @Test("A key that was deleted after a batch stays so, though the program dies before the journal is cleared")
  func doesNotBringBack() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let machine = SimulatedMachine(random: SeededRandom(seed: 1), isStaged: true)
      var life = try Life(machine, .always)
      #expect(life.update(.replace(Array("new".utf8)), ticking: false)?.outcome == .done)
      #expect(machine.shared.bytes(BatchJournal.name) != nil)
      let isDeleted = Mutex(false)
      try life.cluster.submit(.delete, Self.keys[0]) { outcome in isDeleted.withLock { $0 = outcome == .done } }
      for name in life.cluster.nodeNames { life.cluster.syncNow(name) }
      #expect(isDeleted.withLock { $0 })
      for name in life.cluster.nodeNames { life.cluster.purge(at: name) }
      life.cluster.vanish()
      machine.restart(losingPower: true)
      life = try Life(machine, .always)
      #expect(Self.text(try #require(life.update(nil)).values) == [nil, "new", "new", "new"])
      life.cluster.vanish()
    }
  }
}
