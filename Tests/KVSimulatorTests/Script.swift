import KVCluster
import Synchronization

@testable import KVSimulator

/// A cluster of three nodes, of which each owns every key, driven by exact steps in virtual time: what chance would have
/// to bring together is written down. By message links take a millisecond; by direct call they are good. Nothing is done
/// in the background.
///
/// Use it on one thread, within `Clock.runVirtually`.
final class Script {
  let machine: SimulatedMachine
  private(set) var cluster: Cluster
  private let options: ClusterOptions
  private let carrier: Carrier
  private var calls: [SimulatedCall] = []
  private let answers = Answers()
  private var moments = 0
  private var endings = Endings()
  /// Disks do not sync.
  var holdsSyncs = false

  private final class Answers: Sendable {
    let list = Mutex<[(number: Int, outcome: ClientOperation.Outcome)]>([])
    let bases = Mutex<[Int: History.Contents]>([:])
  }

  /// - Parameters:
  ///   - nodes: each owns every key.
  ///   - write: W, and R is as small as linearizable allows; `nil` for majorities.
  init(
    _ mistake: PlantedMistake?, fsync: FsyncPolicy = .always, _ carrier: Carrier = .messages, nodes: Int = 3,
    write: Int? = nil, segmentBytes: Int = 65_536, checkpointBytes: Int = 1 << 28
  ) throws {
    self.carrier = carrier
    var options = ClusterOptions(
      dataFolder: "simulated", initialNodes: (1...nodes).map { "node\($0)" }, replicas: nodes,
      readQuorum: write.map { nodes - $0 + 1 }, writeQuorum: write, fsync: fsync, cacheBytes: 0,
      operationTimeoutNs: 500_000_000)
    options.segmentBytes = segmentBytes
    options.checkpointBytes = checkpointBytes
    options.mistake = mistake
    self.options = options
    machine = SimulatedMachine(random: SeededRandom(seed: 1), isStaged: fsync.stagesLogs)
    cluster = try Cluster.open(simulated: machine, options, seed: 1)
    slowLinks()
  }

  private func slowLinks() {
    guard carrier == .messages else { return }
    cluster.setLinks(lossPerMille: 0, duplicationPerMille: 0, delayNs: 1_000_000, jitterNs: 0)
  }

  // MARK: - Operations

  /// Begins an operation of a client that reaches `node` only; by direct call there is no such thing.
  /// - Parameter meanwhile: happens after a write has drawn its tag, and before it goes on.
  @discardableResult
  func begin(
    _ call: ClientOperation.Call, _ key: String = "key", via node: String? = nil, at consistency: Consistency? = nil,
    meanwhile: (() throws -> Void)? = nil
  ) throws -> Int {
    let number = calls.count
    calls.append(
      SimulatedCall(
        client: number, key: Array(key.utf8), call: call, consistency: consistency, invokedAt: moment()))
    if case .update(let update) = call {
      submit(update, number, via: node)
      return number
    }
    var drawn: Tag?
    if let meanwhile {
      drawn = try cluster.drawTag()
      try meanwhile()
    }
    cluster.setCoordinator(node)
    do throws(ClusterError) {
      try cluster.submit(call, Array(key.utf8), consistency: consistency, drawn: drawn) { [answers] outcome in
        answers.list.withLock { $0.append((number, outcome)) }
      }
    } catch {
      // Refused, and nothing was done: there is nothing to record.
      if case .indeterminate = error { answers.list.withLock { $0.append((number, .undecided)) } }
    }
    takeAnswers()
    return number
  }

  private func submit(_ update: Update, _ number: Int, via node: String?) {
    cluster.setCoordinator(node)
    do throws(ClusterError) {
      try cluster.submit(update, calls[number].key) { [answers] found in
        answers.bases.withLock { $0[number] = .some(found) }
      } completion: { [answers] outcome in
        answers.list.withLock { $0.append((number, outcome)) }
      }
    } catch {
      if case .indeterminate = error { answers.list.withLock { $0.append((number, .undecided)) } }
    }
    takeAnswers()
  }

  /// A batch, or without an update a get of all members.
  func update(_ update: Update?, of group: SimulatedGroup, ms: Int = 20) {
    let number = calls.count
    let call: ClientOperation.Call = update.map { .update($0) } ?? .get
    calls.append(
      SimulatedCall(
        client: number, key: group.name, scope: .group(group.members), call: call, invokedAt: moment()))
    cluster.setCoordinator(nil)
    do throws(ClusterError) {
      try cluster.submit(update, all: group.members) { [answers] found in
        if update != nil { answers.bases.withLock { $0[number] = .some(SimulatedGroup.contents(found)) } }
      } completion: { [answers] outcome, found in
        let outcome = outcome == .done ? .found(SimulatedGroup.contents(found)) : outcome
        answers.list.withLock { $0.append((number, outcome)) }
      }
    } catch {
      if case .indeterminate = error { answers.list.withLock { $0.append((number, .undecided)) } }
    }
    takeAnswers()
    run(ms: ms)
  }

  /// A read-modify-write; returns what it found, `.none` if it does not know.
  @discardableResult
  func update(_ update: Update, _ key: String = "key", via node: String? = nil, ms: Int = 20) throws -> String?? {
    let number = try begin(.update(update), key, via: node)
    run(ms: ms)
    guard case .found(let value) = calls[number].outcome else { return .none }
    return .some(value.map { String(decoding: $0, as: UTF8.self) })
  }

  func put(
    _ value: String, _ key: String = "key", via node: String? = nil, at consistency: Consistency? = nil, ms: Int = 20
  ) throws {
    try begin(.put(Array(value.utf8)), key, via: node, at: consistency)
    run(ms: ms)
  }

  /// A put of a value that ends after so long.
  func put(_ value: String, _ key: String = "key", via node: String? = nil, endingAfterMs life: Int) throws {
    let end = cluster.clock.now + UInt64(life)
    endings.add(Array(value.utf8), of: Array(key.utf8), end: end)
    try begin(.put(Array(value.utf8), .at(unixMilliseconds: Int64(end))), key, via: node)
    run(ms: 20)
  }

  func delete(_ key: String = "key", via node: String? = nil, ms: Int = 20) throws {
    try begin(.delete, key, via: node)
    run(ms: ms)
  }

  /// What a get finds within the time that an operation has; `.none` if it does not know.
  @discardableResult
  func get(_ key: String = "key", via node: String? = nil) throws -> String?? {
    let number = try begin(.get, key, via: node)
    for _ in 0..<60 where calls[number].outcome == nil { run(ms: 10) }
    guard case .found(let value) = calls[number].outcome else { return .none }
    return .some(value.map { String(decoding: $0, as: UTF8.self) })
  }

  /// Long enough for operations to time out, and to stop telling owners that do not answer.
  func waitUntilForgotten() { run(ms: 2_000) }

  private func moment() -> Int {
    moments += 1
    return moments
  }

  private func takeAnswers() {
    let list = answers.list.withLock { list in
      defer { list = [] }
      return list
    }
    for (number, outcome) in list {
      calls[number].outcome = outcome
      if case .found(let value?) = outcome, endings.isGone(value, at: calls[number].invokedAt) {
        calls[number].hasFoundEnded = true
      }
      calls[number].base = answers.bases.withLock { $0.removeValue(forKey: number) }
      calls[number].returnedAt = moment()
    }
  }

  // MARK: - Time

  /// Lets virtual time pass, with the messages and syncs that are due in it.
  func run(ms: Int) {
    let end = Clock.nowNs() + UInt64(ms) * 1_000_000
    while true {
      var next = cluster.nextMessageNs ?? .max
      var syncs: [String] = []
      if !holdsSyncs {
        cluster.forEachDueSync { name, due in
          next = min(next, max(due, Clock.nowNs()))
          if due <= Clock.nowNs() { syncs.append(name) }
        }
      }
      guard next <= end else { break }
      Clock.advance(toNs: max(next, Clock.nowNs()))
      lookAtClock()
      cluster.runMessages()
      for name in syncs { cluster.syncIfDue(name) }
      takeAnswers()
    }
    // Direct calls may have been answered without any of that.
    takeAnswers()
    Clock.advance(toNs: end)
    lookAtClock()
  }

  private func lookAtClock() {
    endings.take(now: cluster.clock.now, durable: cluster.clock.durable, moment: moment) { key, value in
      var end = SimulatedCall(
        client: calls.count, key: key, call: .update(.swap(expected: value, to: nil)), invokedAt: moment())
      (end.base, end.outcome, end.returnedAt) = (.some(value), .undecided, moment())
      calls.append(end)
    }
  }

  /// The machine's clock is set back or forth.
  func turnClock(ms: Int) {
    Clock.setUnix(zeroMs: Clock.unixZeroMs + Int64(ms))
    lookAtClock()
  }

  /// - Parameter steps: at most so many of them.
  func carryOut(_ steps: Cluster.Steps, atMost count: Int = .max) {
    for _ in 0..<count {
      switch steps.step() {
      case .again: continue
      case .rest(let ns): run(ms: Int(ns / 1_000_000) + 1)
      case .done: return
      }
    }
  }

  // MARK: - Faults

  /// Cuts a node off from all others, or ends that.
  func isolate(_ node: String, _ isCut: Bool = true) {
    for other in cluster.nodeNames where other != node {
      cluster.cutLink(node, other, isCut)
      cluster.cutLink(other, node, isCut)
    }
  }

  func cut(_ a: String, _ b: String, _ isCut: Bool = true) {
    cluster.cutLink(a, b, isCut)
    cluster.cutLink(b, a, isCut)
  }

  func slow(_ a: String, _ b: String, ms: Int) {
    cluster.slowLink(a, b, byNs: UInt64(ms) * 1_000_000)
    cluster.slowLink(b, a, byNs: UInt64(ms) * 1_000_000)
  }

  /// A node's process dies; what it has written stays.
  func crash(_ node: String) {
    cluster.crashNode(node)
    machine.disk(of: node).restart(losingPower: false)
  }

  /// A node that is down answers again, and does not catch up.
  func start(_ node: String) throws { _ = try cluster.startNode(node) }

  /// Closes the program in order; returns false if it died meanwhile.
  func close() -> Bool {
    let closing = cluster.beginClosing()
    while closing.step() != .done, !machine.isStopped {}
    takeAnswers()
    return !machine.isStopped
  }

  /// The program dies, with `losingPower` the machine, and starts again.
  /// - Parameters:
  ///   - meanwhile: happens to the disks before the machine starts.
  ///   - prepare: is called before the program starts.
  func restartProgram(
    losingPower: Bool = false, meanwhile: () throws -> Void = {}, prepare: () -> Void = {}
  ) throws {
    cluster.vanish()
    takeAnswers()
    try meanwhile()
    machine.restart(losingPower: losingPower)
    prepare()
    cluster = try Cluster.open(simulated: machine, options, seed: 1, boot: machine.boot)
    slowLinks()
  }

  /// Opens the program again after an orderly end.
  func reopen() throws {
    machine.restart(losingPower: false)
    cluster = try Cluster.open(simulated: machine, options, seed: 1, boot: machine.boot)
    slowLinks()
  }

  // MARK: - The verdict

  /// How often one of the less common paths was taken, by its name in the summary.
  func count(_ branch: String) -> Int? { cluster.branches.first { $0.name == branch }?.count }

  /// What the checker says to all that clients were told.
  func verdict() -> Verdict {
    cluster.vanish()
    takeAnswers()
    return LinearizabilityChecker.check(History(calls.compactMap(\.recorded)))
  }
}
