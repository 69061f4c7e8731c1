import KVCluster

/// How bad a simulated day is; every part drawn from the seed, so that some seeds have none of a fault and others much of
/// it (swarm testing: Groce et al., ISSTA '12). Times are virtual microseconds.
package struct SimulationPlan: Sendable, Equatable {
  package var nodes: Int
  /// Nodes leave only while there are more than this.
  package var nodesMin: Int
  /// Nodes join only while there are fewer, unless the fewest are left.
  package var nodesMax: Int
  /// N, R and W. Where R + W ≤ N the day is judged by convergence, and by values that nobody wrote.
  package var quorum: QuorumSettings
  package var clients: Int
  package var keys: Int
  /// Keys that are seldom asked for and deleted as often as written, so that their tombstones are purged.
  package var briefKeys: Int
  package var operations: Int
  /// The policy of the day's first life of the program.
  package var fsync: FsyncPolicy
  /// Each life of the program may have another policy.
  package var turnsPolicy: Bool
  /// Links are never faulty, so every operation is a direct call, whatever nodes and disks do.
  package var isDirect: Bool
  package var segmentBytes: Int
  /// A checkpoint is written after so much more log.
  package var checkpointBytes: Int
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
    /// The program is closed in order, or dies at some step of that, and is opened again.
    case close
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
    /// A file of a node's folder is gone when the node starts again.
    case lostFile
    /// A file that all nodes share is gone when the program starts again.
    case lostSharedFile
    /// The folder is repaired while nobody has it open.
    case repair
    /// The folder is copied while it is open.
    case backup
    /// The copy takes the place of the folder.
    case restore
    case fullDisk
    case slowDisk
    /// The machine's clock jumps forward, as after a machine was suspended: everything is due at once.
    case clockJump

    /// Starting everything again is the dearest of faults to simulate, and a jump of the clock makes all others strike.
    var isCostly: Bool {
      [.programCrash, .blackout, .close, .clockJump, .lostSharedFile, .repair, .restore].contains(self)
    }

    /// On a day: one on which everything is refused for hours, or the clock jumps often, tells nothing new by the hundredth.
    var strikesMax: Int { isCostly ? 12 : 50 }

    /// Makes links faulty.
    var isOfLinks: Bool { [.partition, .deafness, .isolation, .clog, .pause].contains(self) }
  }

  /// Kinds of days that the engine does not live through yet.
  enum Switches {
    /// Logs are opened under another policy than the one they were written under, whatever their ends.
    static let turnsPolicyAnyTime = true
    /// The program is closed while nodes do not vote.
    static let closesSuspects = true
    /// More owners of a key than the promise covers lose records, though it has several.
    static let losesBeyond = false
    /// Disks lose records while a change is under way, or while other nodes are down.
    static let (losesInChanges, losesWhileDown) = (false, false)
    /// After an orderly end a log's last records are gone, or a node has its folder of an older copy.
    static let (losesTails, restoresNodes) = (true, true)
    /// After an orderly end the folder has the configuration of an older copy.
    static let restoresConfigurations = true
  }

  package static func == (a: SimulationPlan, b: SimulationPlan) -> Bool { a.summary == b.summary }

  package init(seed: UInt64) {
    var random = SeededRandom(seed: seed ^ 0x706c_616e)
    quorum = SimulationPlan.drawQuorum(&random)
    nodes = SimulationPlan.drawNodes(&random)
    nodesMin = random.within(max(1, nodes - 2)...nodes)
    nodesMax = nodes + random.within(1...2)
    clients = random.within(3...8)
    keys = random.within(2...20)
    briefKeys = random.chance(perMille: 500) ? 0 : random.within(1...3)
    operations = random.within(700...800)
    fsync = SimulationPlan.drawPolicy(&random)
    turnsPolicy = random.chance(perMille: 500)
    isDirect = random.chance(perMille: 350)
    // In small segments compaction is always at work.
    segmentBytes = [4_096, 16_384, 16_384, 32_768][random.below(4)]
    checkpointBytes = random.chance(perMille: 300) ? 1 << 28 : random.within(1...32) << 10
    thinkMaxUs = [5_000, 20_000, 100_000][random.below(3)]
    timeoutUs = random.within(300_000...3_000_000)
    // The least that is a cache at all.
    cacheBytes = random.chance(perMille: 500) ? 0 : 1 << 18
    dayUs = operations / clients * (thinkMaxUs / 2 + 2_000)
    changeEveryUs = random.within(dayUs / 5...dayUs / 2)
    if !isDirect, random.chance(perMille: 800) { drawLinks(&random) }
    // Fewer kinds can strike on a direct day: each is likelier.
    for fault in Fault.allCases where random.chance(perMille: isDirect ? 600 : 450) {
      guard !isDirect || !fault.isOfLinks else { continue }
      faults.append((fault, random.within(fault.isCostly ? dayUs / 3...dayUs : dayUs / 10...dayUs / 2)))
    }
  }

  private mutating func drawLinks(_ random: inout SeededRandom) {
    lossPerMille = random.chance(perMille: 400) ? 0 : random.below(300)
    duplicationPerMille = random.chance(perMille: 500) ? 0 : random.below(200)
    delayUs = random.chance(perMille: 500) ? 0 : random.below(5_000)
    jitterUs = random.chance(perMille: 300) ? 0 : [500, 5_000, 50_000][random.below(3)]
  }

  /// Half of all days have three copies and majorities; of the others, one in five gives linearizability up.
  private static func drawQuorum(_ random: inout SeededRandom) -> QuorumSettings {
    if random.chance(perMille: 500) { return QuorumSettings(replicas: 3, read: 2, write: 2) }
    let isLinearizable = random.chance(perMille: 800)
    while true {
      let n = random.within(1...5)
      let quorum = QuorumSettings(replicas: n, read: random.within(1...n), write: random.within(1...n))
      // One copy has no other quorum than itself.
      if (quorum.guarantee == .linearizable) == isLinearizable || n == 1 { return quorum }
    }
  }

  /// 1 to 9, most of them with room for a node to fail.
  private static func drawNodes(_ random: inout SeededRandom) -> Int {
    random.chance(perMille: 700) ? random.within(3...6) : random.within(1...9)
  }

  static func drawPolicy(_ random: inout SeededRandom) -> FsyncPolicy {
    random.chance(perMille: 600) ? .always : random.chance(perMille: 700) ? .everysec : .never
  }

  /// The key that ``Simulation/beginBurial()`` writes and deletes; clients only read it.
  static let buriedKey = Array("buried".utf8)

  /// The names of all keys.
  var keyNames: [[UInt8]] {
    (0..<keys).map { Array("key\($0)".utf8) } + (0..<briefKeys).map { Array("brief\($0)".utf8) }
      + [SimulationPlan.buriedKey]
  }

  package var summary: String {
    let kinds = faults.map { "\($0.fault) every \($0.everyUs / 1_000) ms" }.joined(separator: ", ")
    return
      "\(nodes) nodes, N=\(quorum.replicas) R=\(quorum.read) W=\(quorum.write), \(clients) clients, "
      + "\(keys)+\(briefKeys) keys, \(operations) operations, "
      + "fsync \(fsync.rawValue)\(turnsPolicy ? " and others" : ""), \(isDirect ? "direct calls, " : "")"
      + "segments of \(segmentBytes >> 10) KiB, checkpoints after \(checkpointBytes >> 10) KiB, "
      + "\(cacheBytes >> 10) KiB of cache, "
      + "loss \(lossPerMille) ‰, doubled \(duplicationPerMille) ‰, delay \(delayUs)+\(jitterUs) µs; "
      + (kinds.isEmpty ? "no other faults" : kinds)
  }
}
