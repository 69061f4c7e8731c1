import KVCluster

/// A whole cluster's bad day in one thread, drawn from one seed: clients that put, get and delete a few hot keys over a
/// network that loses, delays, doubles and reorders messages, on nodes that crash and lose power.
///
/// What runs is what ships: the ring, the stores with their logs and recovery, and the operations' state machines. Only
/// the clock, the links and the disks are the simulator's (FoundationDB, SIGMOD '21; TigerBeetle's VOPR).
package struct Simulation {
  /// How bad the day is; each part drawn from the seed, so that some seeds have none of a fault and others much of it.
  package struct Plan: Sendable, Equatable {
    package var nodes: Int
    package var clients: Int
    package var keys: Int
    package var operationsPerClient: Int
    package var lossPerMille: Int
    package var duplicationPerMille: Int
    /// Microseconds; one message in 32 takes up to 20 times as long.
    package var delayMaxUs: Int
    /// Of a node, from one crash to the next; 0 for none.
    package var crashEveryUs: Int
    package var losesPower: Bool
    /// Clients give up after this long, and send again to silent owners this often.
    package var timeoutUs: Int
    package var retryUs: Int

    package init(seed: UInt64) {
      var random = SeededRandom(seed: seed ^ 0x706c_616e)
      nodes = random.within(3...6)
      clients = random.within(2...5)
      keys = random.within(1...4)
      operationsPerClient = random.within(20...60)
      lossPerMille = random.chance(perMille: 300) ? 0 : random.below(250)
      duplicationPerMille = random.chance(perMille: 500) ? 0 : random.below(200)
      delayMaxUs = [500, 5_000, 50_000][random.below(3)]
      crashEveryUs = random.chance(perMille: 250) ? 0 : random.within(200_000...2_000_000)
      losesPower = random.chance(perMille: 600)
      timeoutUs = random.within(100_000...5_000_000)
      retryUs = random.within(30_000...300_000)
    }
  }

  /// What a day came to.
  package struct Report: Sendable {
    package var history: History
    package var verdict: Verdict
    /// Of all events in their order: equal seeds must give equal digests.
    package var digest: UInt64 = 14_695_981_039_346_656_037
    package var virtualUs = 0
    package var crashes = 0
    package var messagesLost = 0
    package var writeBacks = 0
    package var indeterminate = 0
  }

  private enum Event {
    case toNode(node: Int, client: Int, message: Message)
    case toClient(client: Int, node: Int, incarnation: Int, message: Message)
    case think(client: Int)
    case retry(operation: Int)
    case sync(node: Int, incarnation: Int)
    case crash(node: Int)
    case restart(node: Int)
  }

  private static let quorum = QuorumSettings()

  package let plan: Plan
  private var random: SeededRandom
  private var network: SeededRandom
  private var queue = EventQueue<Event>()
  private var now = 0
  private var nodes: [SimulatedNode] = []
  private let table: PreferenceTable
  private var operations: [SimulatedOperation] = []
  /// The operation each client waits for.
  private var current: [Int?]
  private var left: [Int]
  private var counter: UInt64 = 0
  private var report: Report

  package init(seed: UInt64) throws(StorageError) {
    plan = Plan(seed: seed)
    random = SeededRandom(seed: seed)
    network = random.split()
    table = Ring.balanced(nodes: (0..<plan.nodes).map { UInt16($0) }, replicas: Simulation.quorum.replicas)
      .preferenceTable(replicas: Simulation.quorum.replicas)
    current = Array(repeating: nil, count: plan.clients)
    left = Array(repeating: plan.operationsPerClient, count: plan.clients)
    report = Report(history: History([]), verdict: .linearizable)
    for i in 0..<plan.nodes {
      nodes.append(
        try SimulatedNode(name: "node\(i + 1)", clusterID: seed, disk: SimulatedDisk(random: random.split())))
    }
  }

  /// Lives the day to its end, heals everything, reads every key once more, and checks the history.
  package mutating func run() throws -> Report {
    for client in 0..<plan.clients { queue.add(.think(client: client), at: random.below(10_000)) }
    for node in 0..<plan.nodes where plan.crashEveryUs > 0 {
      queue.add(.crash(node: node), at: random.within(plan.crashEveryUs / 2...plan.crashEveryUs * 2))
    }
    while let (at, event) = queue.next() {
      now = at
      try handle(event)
    }
    report.virtualUs = now
    report.history = History(operations.compactMap(recorded))
    report.verdict = LinearizabilityChecker.check(report.history)
    return report
  }

  private var isOver: Bool { left.allSatisfy { $0 == 0 } }

  private mutating func handle(_ event: Event) throws(StorageError) {
    switch event {
    case .think(let client): begin(client)
    case .retry(let operation): retry(operation)
    case .toNode(let node, let client, let message):
      note(1, node, client)
      if let answer = try nodes[node].handle(message, from: client) { send(answer, from: node, to: client) }
      if nodes[node].isSyncWanted {
        queue.add(.sync(node: node, incarnation: nodes[node].incarnation), at: now + random.within(50...3_000))
      }
    case .toClient(let client, let node, let incarnation, let message):
      note(2, node, client)
      if nodes[node].incarnation == incarnation { take(message, from: node) }
    case .sync(let node, let incarnation):
      guard nodes[node].incarnation == incarnation else { return }
      for answer in try nodes[node].sync() { send(answer.message, from: node, to: answer.client) }
    case .crash(let node): crash(node)
    case .restart(let node):
      note(4, node, 0)
      try nodes[node].start()
    }
  }

  // MARK: - Clients

  private mutating func begin(_ client: Int) {
    guard left[client] > 0 else { return }
    left[client] -= 1
    let key = Array("key\(random.below(plan.keys))".utf8)
    let hash = key.withBytes { Ring.hash($0) }
    let slot = Ring.slot(of: hash)
    let owners = table.owners(of: slot).map { Int($0) }
    let all = ParticipantSet(first: owners.count)
    let number = operations.count
    let write = QuorumRule(owners: all, needed: Simulation.quorum.write)
    let value = Array("v\(number)".utf8)
    let (call, machine): (History.Call, SimulatedOperation.Machine)
    switch random.below(10) {
    case 0..<4:
      (call, machine) = (.put(value), .write(WriteOperation(tag: drawTag(), rule: write), .value, value: value))
    case 4: (call, machine) = (.delete, .write(WriteOperation(tag: drawTag(), rule: write), .tombstone, value: []))
    default:
      let read = QuorumRule(owners: all, needed: Simulation.quorum.read)
      (call, machine) = (.get, .read(ReadOperation(readRule: read, writeRule: write)))
    }
    operations.append(
      SimulatedOperation(
        number: number, client: client, key: key, call: call, owners: owners, invokedAt: now,
        deadline: now + plan.timeoutUs, machine: machine))
    current[client] = number
    sendRequests(number)
    queue.add(.retry(operation: number), at: now + plan.retryUs)
  }

  private mutating func drawTag() -> Tag {
    counter += 1
    return Tag(counter: counter, coordinator: 0)
  }

  private mutating func retry(_ number: Int) {
    guard current[operations[number].client] == number else { return }
    if now >= operations[number].deadline {
      operations[number].timeOut()
      return finish(number)
    }
    sendRequests(number)
    queue.add(.retry(operation: number), at: now + plan.retryUs)
  }

  private mutating func take(_ message: Message, from node: Int) {
    let number: Int
    switch message {
    case .version(let operation, _, _, _), .written(let operation): number = operation
    case .read, .write: preconditionFailure("a request was sent to a client")
    }
    guard current[operations[number].client] == number,
      let participant = operations[number].owners.firstIndex(of: node)
    else { return }
    if operations[number].take(message, from: participant) {
      report.writeBacks += 1
      sendRequests(number)
    }
    if operations[number].outcome != nil { finish(number) }
  }

  /// When each operation ended, by number.
  private var ends: [Int: Int] = [:]

  private mutating func finish(_ number: Int) {
    let client = operations[number].client
    note(3, number, client)
    current[client] = nil
    ends[number] = now
    if operations[number].outcome == .unknown { report.indeterminate += 1 }
    if left[client] > 0 { queue.add(.think(client: client), at: now + random.below(20_000)) }
  }

  private func recorded(_ operation: SimulatedOperation) -> History.Operation? {
    guard let outcome = operation.outcome, let end = ends[operation.number] else { return nil }
    return History.Operation(
      process: operation.client, key: operation.key, call: operation.call, invokedAt: operation.invokedAt,
      returnedAt: outcome == .unknown ? nil : end, outcome: outcome)
  }

  // MARK: - Network and nodes

  private mutating func sendRequests(_ number: Int) {
    let operation = operations[number]
    for (participant, message) in operation.requests() {
      deliver(.toNode(node: operation.owners[participant], client: operation.client, message: message))
    }
  }

  private mutating func send(_ message: Message, from node: Int, to client: Int) {
    deliver(.toClient(client: client, node: node, incarnation: nodes[node].incarnation, message: message))
  }

  /// A message arrives later, twice, or never. Once all clients are through, the network is good.
  private mutating func deliver(_ event: Event) {
    if !isOver, network.chance(perMille: plan.lossPerMille) {
      report.messagesLost += 1
      return
    }
    queue.add(event, at: now + delay())
    if !isOver, network.chance(perMille: plan.duplicationPerMille) { queue.add(event, at: now + delay()) }
  }

  private mutating func delay() -> Int {
    let usual = 20 + network.below(plan.delayMaxUs)
    return network.below(32) == 0 ? usual * network.within(1...20) : usual
  }

  /// A node crashes unless the day is over, comes back later, and crashes again some time.
  private mutating func crash(_ node: Int) {
    guard !isOver else { return }
    note(5, node, 0)
    if nodes[node].store != nil {
      report.crashes += 1
      nodes[node].crash(losingPower: plan.losesPower)
      let back = now + random.within(1_000...1_500_000)
      queue.add(.restart(node: node), at: back)
      queue.add(.crash(node: node), at: back + random.within(plan.crashEveryUs / 2...plan.crashEveryUs * 2))
    }
  }

  /// Takes an event into the digest (FNV-1a).
  private mutating func note(_ kind: Int, _ a: Int, _ b: Int) {
    for word in [now, kind, a, b] {
      report.digest = (report.digest ^ UInt64(bitPattern: Int64(word))) &* 1_099_511_628_211
    }
  }
}
