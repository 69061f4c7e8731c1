import KVCluster
import Synchronization

/// A whole cluster's bad day in one thread, drawn from one seed: clients that put, get and delete a few hot keys while
/// links, disks, nodes, the program and the machine fail, and nodes join and leave. Then everything heals, and the cluster
/// must converge.
///
/// What runs is what ships: the cluster as programs open it, with its data path, replicas, logs, recovery, membership
/// changes, hints, healing and comparison of replicas. Only time, chance and disks are the simulator's, and what threads
/// do in the running program is driven here by events, step by step (FoundationDB, SIGMOD '21; TigerBeetle's VOPR).
package final class Simulation {
  /// What a day came to.
  package struct Report: Sendable {
    package var history = History([])
    package var verdict = Verdict.linearizable
    /// What did not become equal in time, or was not over.
    package var unconverged: String?
    /// Of all events in their order, if it was asked for: equal seeds must give equal digests.
    package var digest: UInt64 = 14_695_981_039_346_656_037
    package var virtualUs = 0
    package var indeterminate = 0
    package var refused = 0
    package var changes = 0
    package var faults = [Int](repeating: 0, count: SimulationPlan.Fault.allCases.count)
    package var messagesLost = 0
    package var messagesDoubled = 0
    package var branches: [(name: String, count: Int)] = []

    mutating func add(branch name: String, _ count: Int) {
      if let i = branches.firstIndex(where: { $0.name == name }) {
        branches[i].count += count
      } else {
        branches.append((name, count))
      }
    }
  }

  enum Event {
    case think(client: Int)
    /// A write goes on whose thread was held up when it had drawn its tag.
    case goOn(operation: Int, tag: Tag, life: Int)
    case job(Int)
    case sync(node: String)
    case tick
    case strike(SimulationPlan.Fault)
    case undo(Remedy)
    case change
    case check
  }

  /// What ends a fault.
  enum Remedy {
    case start(node: String)
    case link(from: String, to: String)
    /// The middle of a fault: one link of many becomes slow.
    case clog(from: String, to: String, byNs: UInt64)
    case resume(node: String)
    case room(node: String)
    case restartCrashed(node: String)
    case speed(node: String)
    /// The next look at what became of a deleted key, see ``Simulation/beginBurial()``.
    case burial(looks: Int)
    /// The second and third act of a loss of acknowledged writes, see ``Simulation/beginLoss()``.
    case loss(at: String, isolated: String)
    case lossEnds(at: String, isolated: String)
  }

  package let plan: SimulationPlan
  /// Hears of everything that happens, a line each.
  package var onTrace: ((String) -> Void)?
  /// Watches the day, and changes nothing in it.
  var observer = DayObserver()
  /// Whether to work out ``Report/digest``: to put everything into words takes time.
  package var keepsDigest = false
  var random: SeededRandom
  var faultRandom: SeededRandom
  /// Decides which operations are read-modify-writes, so that all else is as on a day without.
  var updateRandom: SeededRandom
  /// Whether there are any.
  var updatesKeys: Bool { seed % 2 == 1 }
  /// Whether values end by themselves, on some of the days with updates.
  var endsValues: Bool { seed % 4 == 3 }
  var endings = Endings()
  /// Keys that are written together.
  let groups: [SimulatedGroup]
  var queue = EventQueue()
  let machine: SimulatedMachine
  /// Hot keys first, then the brief ones.
  let keys: [[UInt8]]
  var cluster: Cluster!
  var report = Report()
  let seed: UInt64
  var options: ClusterOptions

  // Clients.
  var operations: [SimulatedCall] = []
  var left: Int
  /// Every invocation and return has a time of its own, so that the checker need not guess.
  var moments = 0
  let finished = Finished()
  var eras = Eras()
  /// The machine may lose its power while writes are in memory only.
  private let losesWrites: Bool
  /// Writes of an earlier life of the program may be in memory only.
  var isUnsafe = false
  /// A life of the program had the policy `never`.
  var hasNeverSynced = false
  /// Rounds of reads through every quorum that have been made since everything healed.
  var finalRounds = 0

  // Background work under way, by number; `nil` once it is done.
  var jobs: [(name: String, steps: Cluster.Steps)?] = []
  /// Nodes for which a sync is planned, and how long theirs take.
  var planned: [String] = []
  /// Disks that are slow, and how long a sync takes there at most.
  var slowDisks: [(node: String, syncUs: Int)] = []
  var isHealing = false
  /// It has converged.
  var isOver = false
  /// Its observer has ended it.
  private var isAbandoned = false
  var deadlineNs = UInt64.max
  var nextNode: Int
  let atlas = FaultAtlas()
  /// More was lost than the promise covers: keys may be refused until someone accepts that.
  var isBeyond = false
  /// It was so once: keys may be left that no owner can read.
  var wasBeyond = false
  /// What has been tried since everything healed to get beyond that.
  var attempts = 0
  /// The newest copy of the folder.
  var backup: Backup?
  /// A node that loses its power right after its next sync, and the one that is cut off meanwhile.
  var lossAfterSync: (node: String, isolated: String)?
  var changeSteps: Int?
  /// Whether a node has lost what it was given in the change under way.
  var hasLostCopies = false
  /// The node that joins.
  var newcomer: String?
  /// When the program dies in the change under way, if it does: after so many parts of this step.
  var plannedDeath: (step: MembershipChange.Step, parts: Int)?
  var counts = Counts()
  /// How often the program was opened.
  private(set) var lives = 0

  /// How often what happened that the cluster does not count itself.
  struct Counts {
    var replacedLiving = 0
    var replacedDead = 0
    var replacementsResumed = 0
    var deathsInChanges = 0
    var writersHeldBack = 0
    var writersHeldUp = 0
    var closes = 0
    var deathsInCloses = 0
    var deathsInStarts = 0
    var policyTurns = 0
    var finalReads = 0
    var refusedFolders = 0
    var repairs = 0
    var acceptedLosses = 0
    var backups = 0
    var restores = 0
    var tailsLost = 0
    var nodesRestored = 0
  }

  /// Answers come here from within the cluster.
  final class Finished: Sendable {
    let list = Mutex<[(number: Int, outcome: ClientOperation.Outcome)]>([])
    /// What updates have found, by number.
    let bases = Mutex<[Int: History.Contents]>([:])
  }

  /// - Parameters:
  ///   - seed: everything about the day is drawn from it.
  ///   - mistake: is planted in the cluster.
  ///   - carrier: how all operations of the day go; `nil`: as its faults will have it.
  package init(seed: UInt64, mistake: PlantedMistake? = nil, carrier: Carrier? = nil) {
    self.seed = seed
    var plan = SimulationPlan(seed: seed)
    if let carrier { plan.force(carrier) }
    self.plan = plan
    keys = plan.keyNames
    groups = Simulation.groups(seed, plan.quorum)
    random = SeededRandom(seed: seed)
    faultRandom = random.split()
    updateRandom = SeededRandom(seed: seed ^ 0x5eed_0f0d)
    machine = SimulatedMachine(random: random.split(), isStaged: plan.fsync.stagesLogs)
    left = plan.operations
    losesWrites =
      (plan.fsync != .always || plan.turnsPolicy)
      && plan.faults.contains { $0.fault == .blackout || $0.fault == .close }
    nextNode = plan.nodes + 1
    var options = ClusterOptions(
      dataFolder: "simulated", initialNodes: (1...plan.nodes).map { "node\($0)" },
      replicas: plan.quorum.replicas, readQuorum: plan.quorum.read, writeQuorum: plan.quorum.write, fsync: plan.fsync,
      cacheBytes: plan.cacheBytes, operationTimeoutNs: UInt64(plan.timeoutUs) * 1_000)
    options.segmentBytes = plan.segmentBytes
    options.checkpointBytes = plan.checkpointBytes
    options.mistake = mistake
    // Every other day hints grow old.
    if seed.isMultiple(of: 2) { options.hintAgeMaxNs = 2_000_000_000 }
    self.options = options
  }

  /// Lives the day to its end, heals everything, waits until the cluster has converged, and checks the history.
  package func run() -> Report {
    Clock.runVirtually(from: 1_000_000_000) {
      guard open() else { return }
      for client in 0..<plan.clients { queue.add(.think(client: client), at: after(random.below(10_000))) }
      for (fault, everyUs) in plan.faults {
        queue.add(.strike(fault), at: after(faultRandom.within(everyUs / 2...everyUs * 2)))
      }
      queue.add(.change, at: after(faultRandom.within(1...plan.changeEveryUs)))
      setLinks()
      while true {
        if let onStep = observer.onStep, !onStep() {
          isAbandoned = true
          break
        }
        guard !isOver, step() else { break }
      }
      report.virtualUs = Int(Clock.nowNs() / 1_000)
      collectCounts()
      addOwnCounts()
      cluster.vanish()
      // Writes that were under way to the end may have taken effect.
      takeAnswers()
    }
    guard !isAbandoned else { return report }
    report.history = History(operations.compactMap(\.recorded))
    report.verdict =
      plan.quorum.guarantee == .linearizable ? eras.verdict(operations) : Invention.verdict(operations)
    return report
  }

  // MARK: - Time

  func after(_ us: Int) -> UInt64 { Clock.nowNs() + UInt64(us) * 1_000 }

  /// Does what is due next; false if nothing ever is.
  private func step() -> Bool {
    let (message, event) = (cluster.nextMessageNs, queue.nextDue)
    guard let due = message.map({ min($0, event ?? .max) }) ?? event else { return false }
    let now = max(due, Clock.nowNs())
    Clock.advance(toNs: now)
    lookAtClock()
    if let message, message <= now, message <= event ?? .max {
      cluster.runMessages()
    } else if let event = queue.pop(dueBy: now) {
      handle(event)
    }
    takeAnswers()
    lookAtClock()
    planSyncs()
    return true
  }

  /// Takes note of what has ended.
  private func lookAtClock() {
    guard endsValues else { return }
    endings.take(now: cluster.clock.now, durable: cluster.clock.durable, moment: time) { key, value in
      var end = SimulatedCall(
        client: plan.clients + 2, key: key, call: .update(.swap(expected: value, to: nil)), invokedAt: time())
      end.base = .some(value)
      end.outcome = .undecided
      end.returnedAt = time()
      operations.append(end)
    }
  }

  private func handle(_ event: Event) {
    switch event {
    case .think(let client): begin(client)
    case .goOn(let operation, let tag, let life): goOn(operation, tag, life: life)
    case .job(let number): work(number)
    case .sync(let node):
      planned.removeAll { $0 == node }
      // A client may come between the end of the sync and the answers that wait for it.
      let loss = lossAfterSync.flatMap { $0.node == node ? $0 : nil }
      machine.power.onSynced = { [unowned self] in
        // What the client does may sync as well, with the log's lock held.
        let hook = machine.power.onSynced
        machine.power.onSynced = nil
        // Nor is a client's turn while what it began before is carried out.
        if !cluster.isStepping { return machine.power.onSynced = hook }
        if loss != nil || random.chance(perMille: 200) { begin(plan.clients) }
        machine.power.onSynced = hook
      }
      cluster.syncIfDue(node)
      machine.power.onSynced = nil
      takeAnswers()
      if let loss, left > 0 { lose(loss.node, loss.isolated) }
      if losesWrites { eras.noteDurable(operations, cluster, keys) }
    case .tick:
      if endsValues, !isHealing { turnClock(within: 2_000) }
      cluster.tickNow()
      queue.add(.tick, at: after(100_000))
    case .strike(let fault):
      guard !isHealing, report.faults[fault.rawValue] < fault.strikesMax else { return }
      strike(fault)
      let everyUs = plan.faults.first { $0.fault == fault }!.everyUs
      queue.add(.strike(fault), at: after(faultRandom.within(everyUs / 2...everyUs * 2)))
    case .undo(let remedy): undo(remedy)
    case .change: change()
    case .check: check()
    }
  }

  /// Disks take their time to sync.
  private func planSyncs() {
    cluster.forEachDueSync(besides: planned) { name, due in
      planned.append(name)
      let slowUs = slowDisks.first { $0.node == name }?.syncUs
      let latency = slowUs.map { random.within(20_000...$0) } ?? random.within(50...3_000)
      queue.add(.sync(node: name), at: max(due, after(latency)))
    }
  }

  // MARK: - The cluster

  /// Opens the cluster; false if the program died meanwhile, or cannot start at all, which ends the day.
  func open() -> Bool {
    do {
      cluster = try Cluster.open(simulated: machine, options, seed: seed, boot: machine.boot)
      lives += 1
    } catch {
      if machine.isStopped { return false }
      report.unconverged = "the program does not start: \(error)"
      isOver = true
      return false
    }
    if machine.isStopped {
      cluster.vanish()
      return false
    }
    machine.keepRunning()
    cluster.setMessageListener(observer.onMessage)
    // No event names an old one any more.
    jobs = []
    changeSteps = nil
    lossAfterSync = nil
    planned = []
    for name in cluster.nodeNames { startMaintenance(of: name) }
    newcomer = nil
    plannedDeath = nil
    if let steps = cluster.resumeChange() {
      changeSteps = add("change", steps)
      if cluster.isReplacing { counts.replacementsResumed += 1 }
    }
    queue.add(.tick, at: after(100_000))
    return true
  }

  func startMaintenance(of name: String) {
    if let steps = cluster.maintenance(of: name) { _ = add("care of \(name)", steps) }
  }

  func add(_ name: String, _ steps: Cluster.Steps) -> Int {
    jobs.append((name, steps))
    queue.add(.job(jobs.count - 1), at: after(random.below(1_000)))
    return jobs.count - 1
  }

  /// Some steps of a piece of background work.
  private func work(_ number: Int) {
    guard let job = jobs[number] else { return }
    for _ in 0..<random.within(1...64) {
      let pace = job.steps.step()
      if number == changeSteps, diesInChange() { return }
      if number == changeSteps { loseCopies() }
      switch pace {
      case .again: continue
      case .rest(let ns):
        return queue.add(.job(number), at: Clock.nowNs() + ns + UInt64(random.below(200_000)) * 1_000)
      case .done:
        jobs[number] = nil
        trace("\(job.name) is done")
        if number == changeSteps { changeDone() }
        return
      }
    }
    queue.add(.job(number), at: after(random.within(10...2_000)))
  }

  func setLinks() {
    cluster.setLinks(
      lossPerMille: plan.lossPerMille, duplicationPerMille: plan.duplicationPerMille,
      delayNs: UInt64(plan.delayUs) * 1_000, jitterNs: UInt64(plan.jitterUs) * 1_000)
  }

  func collectCounts() {
    report.messagesLost += cluster.messagesLost
    report.messagesDoubled += cluster.messagesDoubled
    for (name, count) in cluster.branches { report.add(branch: name, count) }
  }

  private func addOwnCounts() {
    report.add(branch: "replace of a living node", counts.replacedLiving)
    report.add(branch: "replace of a dead node", counts.replacedDead)
    report.add(branch: "replace resumed", counts.replacementsResumed)
    report.add(branch: "death in a change", counts.deathsInChanges)
    report.add(branch: "writer held back", counts.writersHeldBack)
    report.add(branch: "writer held up", counts.writersHeldUp)
    report.add(branch: "orderly close", counts.closes)
    report.add(branch: "death in a close", counts.deathsInCloses)
    report.add(branch: "death in a start", counts.deathsInStarts)
    report.add(branch: "another policy", counts.policyTurns)
    report.add(branch: "final read", counts.finalReads)
    report.add(branch: "folder refused", counts.refusedFolders)
    report.add(branch: "repair at rest", counts.repairs)
    report.add(branch: "loss accepted", counts.acceptedLosses)
    report.add(branch: "restore of all", counts.restores)
    if SimulationPlan.Switches.losesTails { report.add(branch: "tail lost", counts.tailsLost) }
    if SimulationPlan.Switches.restoresNodes { report.add(branch: "restore of one", counts.nodesRestored) }
  }

  // MARK: - The record

  func trace(_ text: @autoclosure () -> String) {
    guard keepsDigest || onTrace != nil else { return }
    let line = "\(Clock.nowNs() / 1_000) \(text())"
    for byte in line.utf8 { report.digest = (report.digest ^ UInt64(byte)) &* 1_099_511_628_211 }
    onTrace?(line)
  }
}
