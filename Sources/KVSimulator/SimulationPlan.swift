import KVCluster

/// How bad a simulated day is; every part drawn from the seed, so that some seeds have none of a fault and others much of
/// it (swarm testing: Groce et al., ISSTA '12). Times are virtual microseconds.
package struct SimulationPlan: Sendable, Equatable {
  package var nodes: Int
  package var nodesMax: Int
  package var clients: Int
  package var keys: Int
  /// Keys that are seldom asked for and deleted as often as written, so that their tombstones are purged.
  package var briefKeys: Int
  package var operations: Int
  package var fsync: FsyncPolicy
  package var thinkMaxUs: Int
  /// 0 in half of all days: then every read looks at the log.
  package var cacheBytes: Int
  package var timeoutUs: Int
  package var lossPerMille = 0
  package var duplicationPerMille = 0
  package var delayUs = 0
  package var jitterUs = 0
  /// From one fault of a kind to the next, by kind; kinds that are not here do not strike.
  package var faults: [(fault: Fault, everyUs: Int)] = []
  package var changeEveryUs: Int
  /// About how long the day would be if nothing went wrong.
  package var dayUs: Int

  /// Kinds of faults that strike now and then.
  package enum Fault: Int, Sendable, CaseIterable {
    /// A node's process dies; its page cache stays.
    case crash
    /// A node's machine loses its power: what was not synced is gone, torn or there.
    case powerLoss
    /// A node's machine stops within a call to its disk.
    case crashInDisk
    case kill
    /// The program that all nodes live in dies.
    case programCrash
    /// The whole machine loses its power.
    case blackout
    /// Two groups of nodes cannot talk.
    case partition
    /// What a node says is not heard, but it hears.
    case deafness
    /// Nobody reaches one node.
    case isolation
    /// Links become slow one by one, and good again in another order.
    case clog
    case pause
    /// Bits of a node's log flip on its disk.
    case bitRot
    case failedSync
    case fullDisk
    case slowDisk
    /// The machine's clock jumps forward, as after a machine was suspended: everything is due at once.
    case clockJump
  }

  package static func == (a: SimulationPlan, b: SimulationPlan) -> Bool { a.summary == b.summary }

  package init(seed: UInt64) {
    var random = SeededRandom(seed: seed ^ 0x706c_616e)
    nodes = random.within(5...7)
    nodesMax = nodes + random.within(1...3)
    clients = random.within(3...8)
    keys = random.within(2...20)
    briefKeys = random.chance(perMille: 500) ? 0 : random.within(1...3)
    operations = random.within(1_000...1_100)
    fsync = random.chance(perMille: 600) ? .always : random.chance(perMille: 700) ? .everysec : .never
    thinkMaxUs = [5_000, 20_000, 100_000][random.below(3)]
    timeoutUs = random.within(300_000...3_000_000)
    // The least that is a cache at all.
    cacheBytes = random.chance(perMille: 500) ? 0 : 1 << 18
    dayUs = operations / clients * (thinkMaxUs / 2 + 2_000)
    if random.chance(perMille: 700) {
      lossPerMille = random.chance(perMille: 400) ? 0 : random.below(300)
      duplicationPerMille = random.chance(perMille: 500) ? 0 : random.below(200)
      delayUs = random.chance(perMille: 500) ? 0 : random.below(5_000)
      jitterUs = random.chance(perMille: 300) ? 0 : [500, 5_000, 50_000][random.below(3)]
    }
    for fault in Fault.allCases where random.chance(perMille: 450) {
      // Starting everything again is the dearest of faults to simulate, and a jump of the clock makes all others strike.
      let isCostly = fault == .programCrash || fault == .blackout || fault == .clockJump
      faults.append((fault, random.within(isCostly ? dayUs / 3...dayUs : dayUs / 10...dayUs / 2)))
    }
    changeEveryUs = random.within(dayUs / 5...dayUs / 2)
  }

  /// The names of all keys.
  var keyNames: [[UInt8]] {
    (0..<keys).map { Array("key\($0)".utf8) } + (0..<briefKeys).map { Array("brief\($0)".utf8) }
  }

  package var summary: String {
    let kinds = faults.map { "\($0.fault) every \($0.everyUs / 1_000) ms" }.joined(separator: ", ")
    return
      "\(nodes) nodes, \(clients) clients, \(keys)+\(briefKeys) keys, \(operations) operations, fsync \(fsync.rawValue), "
      + "\(cacheBytes >> 10) KiB of cache, "
      + "loss \(lossPerMille) ‰, doubled \(duplicationPerMille) ‰, delay \(delayUs)+\(jitterUs) µs; "
      + (kinds.isEmpty ? "no other faults" : kinds)
  }
}
