import KVCluster
import Synchronization

/// A whole cluster's bad day in one thread, drawn from one seed: clients that put, get and delete a few hot keys while
/// links, disks, nodes, the program and the machine fail, and nodes join and leave. Then everything heals, and the cluster
/// must converge.
///
/// What runs is what ships: the cluster as programs open it, with its coordinator, message exchange, replicas, logs,
/// recovery, membership changes, hints, healing and comparison of replicas. Only time, chance and disks are the
/// simulator's, and what threads do in the running program is driven here by events, step by step
/// (FoundationDB, SIGMOD '21; TigerBeetle's VOPR).
package final class Simulation {
  /// What a day came to.
  package struct Report: Sendable {
    package var history = History([])
    package var verdict = Verdict.linearizable
    /// What did not become equal in time, or was not over.
    package var unconverged: String?
    /// Of all events in their order: equal seeds must give equal digests.
    package var digest: UInt64 = 14_695_981_039_346_656_037
    package var virtualUs = 0
    package var indeterminate = 0
    package var refused = 0
    package var changes = 0
    package var faults = [Int](repeating: 0, count: SimulationPlan.Fault.allCases.count)
    package var messagesLost = 0
    package var messagesDoubled = 0
    package var branches: [(name: String, count: Int)] = []
  }

  enum Event {
    case think(client: Int)
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
    case resume(node: String)
    case room(node: String)
    case restartCrashed(node: String)
    case speed(node: String)
    /// The second and third act of a loss of acknowledged writes, see ``Simulation/beginLoss()``.
    case loss(isolated: String)
    case lossEnds(isolated: String)
  }

  package let plan: SimulationPlan
  /// Hears of everything that happens, a line each.
  package var onTrace: ((String) -> Void)?
  var random: SeededRandom
  var faultRandom: SeededRandom
  var queue = TimerQueue<Event>()
  let machine: SimulatedMachine
  var cluster: Cluster!
  var report = Report()
  private let seed: UInt64
  private let options: ClusterOptions

  // Clients.
  private var operations: [SimulatedCall] = []
  private var left: Int
  private let finished = Finished()

  // Background work under way, by number; `nil` once it is done.
  private var jobs: [(name: String, steps: Cluster.Steps)?] = []
  /// Nodes for which a sync is planned, and how long theirs take.
  private var planned: [String] = []
  var slowDisks: [String] = []
  var isHealing = false
  var deadlineNs = UInt64.max
  var nextNode: Int
  /// The node whose disk may damage what it holds; one a day, so that other copies are good.
  let rotten: String
  var changeSteps: Int?
  /// The node that joins.
  var newcomer: String?

  /// Answers come here from within the cluster.
  private final class Finished: Sendable {
    let list = Mutex<[(number: Int, outcome: MessageOperation.Outcome)]>([])
  }

  package init(seed: UInt64, mistake: PlantedMistake? = nil) {
    self.seed = seed
    plan = SimulationPlan(seed: seed)
    random = SeededRandom(seed: seed)
    faultRandom = random.split()
    machine = SimulatedMachine(random: random.split(), isStaged: plan.fsync.stagesLogs)
    left = plan.operations
    nextNode = plan.nodes + 1
    rotten = "node\(1 + faultRandom.below(plan.nodes))"
    var options = ClusterOptions(
      dataFolder: "simulated", initialNodes: (1...plan.nodes).map { "node\($0)" }, fsync: plan.fsync,
      cacheBytes: plan.cacheBytes, operationTimeoutNs: UInt64(plan.timeoutUs) * 1_000)
    // In small segments compaction is always at work.
    options.segmentBytes = seed.isMultiple(of: 4) ? 4_096 : 16_384
    options.mistake = mistake
    // Every other day hints grow old.
    if seed.isMultiple(of: 2) { options.hintAgeMaxNs = 2_000_000_000 }
    self.options = options
  }

  /// Lives the day to its end, heals everything, waits until the cluster has converged, and checks the history.
  package func run() throws -> Report {
    try Clock.runVirtually(from: 1_000_000_000) {
      try open()
      for client in 0..<plan.clients { queue.add(.think(client: client), at: after(random.below(10_000))) }
      for (fault, everyUs) in plan.faults {
        queue.add(.strike(fault), at: after(faultRandom.within(everyUs / 2...everyUs * 2)))
      }
      queue.add(.change, at: after(faultRandom.within(1...plan.changeEveryUs)))
      setLinks()
      while let due = nextDue() {
        Clock.advance(toNs: max(due, Clock.nowNs()))
        step()
        if isHealing, report.unconverged != nil || isOver { break }
      }
      report.virtualUs = Int(Clock.nowNs() / 1_000)
      collectCounts()
      cluster.vanish()
      // Writes that were under way to the end may have taken effect.
      takeAnswers()
    }
    report.history = History(operations.compactMap(\.recorded))
    report.verdict = LinearizabilityChecker.check(report.history)
    return report
  }

  private var isOver = false

  // MARK: - Time

  func after(_ us: Int) -> UInt64 { Clock.nowNs() + UInt64(us) * 1_000 }

  private func nextDue() -> UInt64? {
    let message = cluster.nextMessageNs
    return [queue.nextDue, message].compactMap { $0 }.min()
  }

  /// Does what is due first.
  private func step() {
    let now = Clock.nowNs()
    if let message = cluster.nextMessageNs, message <= now, message <= queue.nextDue ?? .max {
      cluster.runMessages()
    } else if let (_, event) = queue.pop(dueBy: now) {
      handle(event)
    }
    takeAnswers()
    planSyncs()
  }

  private func handle(_ event: Event) {
    switch event {
    case .think(let client): begin(client)
    case .job(let number): work(number)
    case .sync(let node):
      planned.removeAll { $0 == node }
      cluster.syncIfDue(node)
    case .tick:
      cluster.tickNow()
      queue.add(.tick, at: after(100_000))
    case .strike(let fault):
      guard !isHealing else { return }
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
    cluster.forEachDueSync { name, due in
      if planned.contains(name) { return }
      planned.append(name)
      let latency = slowDisks.contains(name) ? random.within(20_000...400_000) : random.within(50...3_000)
      queue.add(.sync(node: name), at: max(due, after(latency)))
    }
  }

  // MARK: - The cluster

  func open() throws {
    cluster = try Cluster.open(simulated: machine, options, seed: seed)
    jobs = jobs.map { _ in nil }
    changeSteps = nil
    planned = []
    for name in cluster.nodeNames { startMaintenance(of: name) }
    if let steps = cluster.resumeChange() { changeSteps = add("change", steps) }
    queue.add(.tick, at: after(100_000))
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
      switch job.steps.step() {
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

  /// Everything in memory is gone.
  func restartProgram(losingPower: Bool) {
    collectCounts()
    cluster.vanish()
    takeAnswers()
    machine.restart(losingPower: losingPower)
    queue.removeAll { event in
      switch event {
      case .job, .sync, .tick: true
      case .think, .strike, .undo, .change, .check: false
      }
    }
    do {
      try open()
    } catch {
      fatalError("seed \(seed): the program does not start again: \(error)")
    }
    if !isHealing { setLinks() }
  }

  private func setLinks() {
    cluster.setLinks(
      lossPerMille: plan.lossPerMille, duplicationPerMille: plan.duplicationPerMille,
      delayNs: UInt64(plan.delayUs) * 1_000, jitterNs: UInt64(plan.jitterUs) * 1_000)
  }

  private func collectCounts() {
    report.messagesLost += cluster.messagesLost
    report.messagesDoubled += cluster.messagesDoubled
    for (name, count) in cluster.branches {
      if let i = report.branches.firstIndex(where: { $0.name == name }) {
        report.branches[i].count += count
      } else {
        report.branches.append((name, count))
      }
    }
  }

  // MARK: - Clients

  private func begin(_ client: Int) {
    guard left > 0 else { return }
    left -= 1
    let key = Array("key\(random.below(plan.keys))".utf8)
    let number = operations.count
    let call: MessageOperation.Call
    switch random.below(10) {
    case 0..<4: call = .put(Array("v\(number)".utf8))
    case 4: call = .delete
    default: call = .get
    }
    let consistency = drawConsistency()
    operations.append(
      SimulatedCall(client: client, key: key, call: call, consistency: consistency, invokedAt: time()))
    do throws(ClusterError) {
      try cluster.submit(call, key, consistency: consistency) { [finished] outcome in
        finished.list.withLock { $0.append((number, outcome)) }
      }
    } catch {
      if case .indeterminate = error { end(number, .undecided) } else { refuse(number) }
    }
  }

  /// Every third day some operations have a level of their own.
  private func drawConsistency() -> Consistency? {
    guard seed.isMultiple(of: 3) else { return nil }
    switch random.below(30) {
    case 0: return .one
    case 1: return .all
    case 2: return .quorum
    default: return nil
    }
  }

  /// Every invocation and return has a time of its own, so that the checker need not guess.
  private var moments = 0
  private func time() -> Int {
    moments += 1
    return moments
  }

  private func takeAnswers() {
    let answers = finished.list.withLock { list in
      defer { list = [] }
      return list
    }
    for (number, outcome) in answers { end(number, outcome) }
  }

  private func end(_ number: Int, _ outcome: MessageOperation.Outcome) {
    operations[number].outcome = outcome
    operations[number].returnedAt = time()
    if outcome == .undecided { report.indeterminate += 1 }
    trace("client \(operations[number].client): \(operations[number].words)")
    next(operations[number].client)
  }

  /// Nothing was done: there is nothing to record.
  private func refuse(_ number: Int) {
    report.refused += 1
    trace("client \(operations[number].client): \(operations[number].words)refused")
    next(operations[number].client)
  }

  private func next(_ client: Int) {
    if left > 0 {
      queue.add(.think(client: client), at: after(random.below(plan.thinkMaxUs)))
    } else if !isHealing {
      heal()
    }
  }

  // MARK: - The end

  /// Once everybody has been served, everything becomes good, and the cluster has a bounded time to converge.
  private func heal() {
    isHealing = true
    trace("everything heals")
    endFaults()
    deadlineNs = after(Simulation.convergenceUs)
    queue.add(.check, at: after(500_000))
  }

  private static let convergenceUs = 300_000_000

  private func check() {
    let reason = unfinished()
    if reason == nil { return isOver = true }
    if Clock.nowNs() > deadlineNs { return report.unconverged = reason }
    for name in cluster.nodeNames where !cluster.isUp(name) { start(name) }
    queue.add(.check, at: after(500_000))
  }

  /// What is not as it should be at the end; `nil` if all is well.
  private func unfinished() -> String? {
    if report.changes < 2 {
      if !cluster.isChanging, changeSteps == nil { change() }
      return "\(report.changes) membership changes"
    }
    if cluster.isChanging { return "a change is under way" }
    if let down = cluster.nodeNames.first(where: { !cluster.isUp($0) }) { return "\(down) is down" }
    if let suspect = cluster.suspects.first { return "\(suspect) does not vote" }
    if cluster.hintsWaiting > 0 { return "\(cluster.hintsWaiting) hints wait" }
    for number in 0..<plan.keys {
      let copies = cluster.copies(of: Array("key\(number)".utf8))
      guard let first = copies[0] else { return "key\(number): an owner does not know" }
      for copy in copies
      where copy?.tag != first.tag || copy?.checksum != first.checksum || copy?.isTombstone != first.isTombstone {
        return "key\(number) differs: \(copies)"
      }
    }
    return nil
  }

  // MARK: - The record

  func trace(_ text: @autoclosure () -> String) {
    let line = "\(Clock.nowNs() / 1_000) \(text())"
    for byte in line.utf8 { report.digest = (report.digest ^ UInt64(byte)) &* 1_099_511_628_211 }
    onTrace?(line)
  }
}

/// What a client asked, and was told.
struct SimulatedCall {
  let client: Int
  let key: [UInt8]
  let call: MessageOperation.Call
  let consistency: Consistency?
  let invokedAt: Int
  var returnedAt: Int?
  var outcome: MessageOperation.Outcome?

  /// For the checker; `nil` for what was refused.
  var recorded: History.Operation? {
    guard let outcome, let returnedAt else { return nil }
    // One owner may be behind, and promises nothing about the others: such a read says nothing, and such a write may
    // take effect at any time.
    if consistency == .one, self.call == .get { return nil }
    let call: History.Call
    switch self.call {
    case .get: call = .get
    case .put(let value): call = .put(value)
    case .delete: call = .delete
    }
    let result: History.Outcome
    switch outcome {
    case .done: result = consistency == .one ? .unknown : .done
    case .found(let value): result = .found(value)
    case .undecided: result = .unknown
    }
    return History.Operation(
      process: client, key: key, call: call, invokedAt: invokedAt, returnedAt: result == .unknown ? nil : returnedAt,
      outcome: result)
  }

  var words: String {
    let key = String(decoding: key, as: UTF8.self)
    let level = consistency.map { " at \($0.rawValue)" } ?? ""
    let asked: String
    switch call {
    case .get: asked = "get \(key)" + level
    case .put(let value): asked = "put \(key) \(String(decoding: value, as: UTF8.self))" + level
    case .delete: asked = "del \(key)" + level
    }
    switch outcome {
    case .done: return asked + " → done"
    case .found(let value): return asked + " → " + (value.map { String(decoding: $0, as: UTF8.self) } ?? "nothing")
    case .undecided: return asked + " → unknown"
    case nil: return asked + " → "
    }
  }
}
