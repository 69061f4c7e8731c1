import Synchronization

/// Carries operations while links are faulty: every message between nodes goes through here, and arrives late, twice or
/// never as ``Links`` decides.
///
/// A *coordinator*, one of the nodes that answer, sends each operation's messages; sent again, they may come from another
/// one, as a client would try the next address. In the running program a thread calls ``run()`` whenever something is
/// due; in a simulation the queue of events does. What replicas do is in ``ReplicaService``, under their partition's lock
/// as ever.
package final class MessageCarrier: @unchecked Sendable {
  enum Event {
    case arrival(Message)
    /// A node has had its time with a message that arrived before.
    case served(Message)
    /// Ask silent owners again, give up, or end.
    case attention(operation: Int)
    /// See ``MessageCarrier/Exchange``.
    case exchange(Int, with: [[UInt16]])
    /// Ask the owners for an exchange again.
    case asking(Int)
  }

  private struct Entry {
    var operation: MessageOperation
    /// The caller; `nil` once it has its answer.
    var caller: PendingOperation?
    /// When it was asked for, by the clock of values that expire.
    let asked: UInt64
    /// When an operation that has ended stops sending to silent owners.
    var lingersUntilNs: UInt64?
    /// Which node sent it last; `nil` if none answered. An operation that has ended keeps its coordinator: its client has
    /// gone.
    var coordinator: UInt16?
  }

  let links: Links
  let partitions: PartitionTable
  private let service: ReplicaService
  private let tags: TagSource
  private let visibility: Visibility
  let timeoutNs: UInt64
  private let mistake: PlantedMistake?
  /// Rung when something is due earlier than what was before.
  let bell = Bell()

  /// Answers that have become durable; taken in by ``run()``. Guards nothing else, so it may be added to anywhere.
  private let durable = Mutex<[Message]>([])
  /// Read-modify-writes that have been carried out, and how they ended; the same.
  let exchanged = Mutex<[(caller: PendingOperation, outcome: ClientOperation.Outcome)]>([])
  /// Nobody calls ``run()`` any more.
  let hasEnded = Atomic<Bool>(false)
  let lock = Lock()
  // All below is guarded by `lock`.
  var queue = TimerQueue<Event>()
  private var entries = NumberedEntries<Entry>()
  var exchanges = NumberedEntries<Exchange>()
  /// Messages to and from paused nodes.
  private var held: [Message] = []
  private var random: SeededRandom
  var isEnded = false
  private var conditions = Conditions()
  /// What has been decided, to be told without the lock.
  var decided: [(caller: PendingOperation, outcome: ClientOperation.Outcome)] = []
  package internal(set) var counters = Counters()

  /// What a simulation prescribes.
  package struct Conditions {
    /// The only node that clients reach.
    package var coordinator: UInt16?
    /// How long each node takes for a request; it handles one at a time.
    package var serviceNs: UInt64 = 0
    /// When each node is free, by id.
    var freeNs: [UInt64] = []
    /// Hears of each message that is sent, and when it will arrive; `nil`: it is lost. Called with the lock held.
    package var onSent: ((Message, _ arrivesNs: UInt64?) -> Void)?
  }

  package func setConditions(_ change: (inout Conditions) -> Void) { lock.withLock { change(&conditions) } }

  /// How often each of the less common paths was taken.
  package struct Counters: Sendable, Equatable {
    var sent = 0
    package var lost = 0
    package var doubled = 0
    package var writeBacks = 0
    /// Answers of a replica's earlier life.
    package var voidAnswers = 0
    /// Requests to nodes that are not owners any more.
    package var refusals = 0
  }

  /// Time after which silent owners are asked again.
  static let retryNs: UInt64 = 100_000_000
  /// How long a completed operation keeps sending to owners that have not answered.
  private static let lingerNs: UInt64 = 1_000_000_000
  /// Messages held for paused nodes; those beyond are lost.
  private static let heldMax = 65_536

  init(
    _ partitions: PartitionTable, _ links: Links, _ tags: TagSource, _ visibility: Visibility,
    _ service: ReplicaService, _ settings: DataPath.Settings
  ) {
    self.partitions = partitions
    self.links = links
    self.tags = tags
    self.visibility = visibility
    self.service = service
    timeoutNs = settings.timeoutNs
    mistake = settings.mistake
    random = SeededRandom(seed: ~settings.seed)
  }

  // MARK: - Operations

  /// Begins an operation.
  /// - Parameter tag: of a write; ``Tag/none`` for a get.
  /// - Returns: what to wait for; it may have ended already.
  func begin(
    _ client: ClientOperation, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ tag: Tag
  ) -> PendingOperation {
    let pending = PendingOperation()
    let isRefused = lock.withLock { () -> Bool in
      if isEnded { return true }
      let now = Clock.nowNs()
      // Looked up and registered as one: a change of owners that does not find the operation here comes before it, and
      // has let every partition use its view.
      let (view, purged) = look(at: client.hash)
      let isValid = tag == .none || tag > purged || mistake == .keepsPurgedTag
      guard let tag = isValid ? tag : try? tags.draw().renewing(tag) else { return true }
      let operation = MessageCarrier.operation(
        entries.next, client, key, value, tag, view, deadlineNs: now + timeoutNs)
      entries.append(
        Entry(operation: operation, caller: pending, asked: visibility.clock.now, coordinator: drawCoordinator()))
      sendRequests(operation.number, now)
      queue.add(.attention(operation: operation.number), at: now + min(MessageCarrier.retryNs, timeoutNs))
      return false
    }
    if isRefused {
      pending.decide(.undecided)
      return pending
    }
    run()
    bell.ring()
    return pending
  }

  private static func operation(
    _ number: Int, _ client: ClientOperation, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer,
    _ tag: Tag, _ view: PlacementView, deadlineNs: UInt64
  ) -> MessageOperation {
    let participants = view.participants(ofSlot: Ring.slot(of: client.hash))
    let version: MessageOperation.Version
    let decision: MessageOperation.Decision
    switch client.kind {
    case .get:
      version = .none
      decision = .read(view.readOperation(participants, client.consistency))
    case .update, .expiry: preconditionFailure("a read-modify-write has no messages of its own")
    case .put, .delete:
      let kind = client.kind == .delete ? RecordKind.tombstone : .value
      version = MessageOperation.Version(kind: kind, tag: tag, value: Array(value))
      decision = .write(WriteOperation(tag: tag, rule: view.writeRule(participants, client.consistency)))
    }
    return MessageOperation(
      number: number, hash: client.hash, key: Array(key), version: version, epoch: view.epoch,
      owners: (0..<participants.count).map { participants.ids[$0] }, decision, deadlineNs: deadlineNs)
  }

  /// The owners, and the tag above which a new write must be.
  func look(at hash: UInt64) -> (view: PlacementView, purged: Tag) {
    let partition = partitions[Store.partition(of: hash)]
    return partition.lock.pointee.withLock {
      (partition.pointee.view.takeUnretainedValue(), partition.pointee.purged)
    }
  }

  /// Runs `body` while no operation begins or goes on and no message arrives.
  /// - Parameters:
  ///   - isBusy: whether an operation on a key with this hash is under way, or a message of one: it may bring an older version
  ///     of the key to any of its owners.
  ///   - isAnyBusy: the same of any key of a partition.
  func whileStill(_ body: (_ isBusy: (_ hash: UInt64) -> Bool, _ isAnyBusy: (_ partition: Int) -> Bool) -> Void) {
    lock.withLock {
      var busy = Set(entries.all.map(\.operation.hash))
      for message in held { busy.insert(message.hash) }
      for case .arrival(let message) in queue.all { busy.insert(message.hash) }
      body({ busy.contains($0) }, { number in busy.contains { Store.partition(of: $0) == number } })
    }
  }

  /// Whether an operation of an epoch before this one can still succeed.
  func hasOperations(before epoch: UInt64) -> Bool {
    lock.withLock {
      entries.all.contains { $0.caller != nil && $0.operation.epoch < epoch }
    }
  }

  /// A node has begun a new life.
  func nodeStarted(_ id: UInt16) {
    lock.withLock {
      for number in entries.numbers { entries[number]?.operation.forget(id) }
    }
  }

  /// Ends every operation as undecided, those that begin later too.
  package func endAll() {
    lock.withLock {
      isEnded = true
      for number in entries.numbers {
        entries[number]?.operation.timeOut()
        complete(number)
      }
      entries.removeAll()
      for exchange in exchanges.all { decided.append((exchange.caller, .unmet)) }
      exchanges.removeAll()
      queue.removeAll()
      held = []
      durable.withLock { $0 = [] }
      hasEnded.store(true, ordering: .sequentiallyConsistent)
    }
    tell()
    tellExchanged()
  }

  // MARK: - Time

  /// When ``run()`` has something to do.
  package var nextDueNs: UInt64? {
    if durable.withLock({ !$0.isEmpty }) || exchanged.withLock({ !$0.isEmpty }) { return Clock.nowNs() }
    return lock.withLock { queue.nextDue }
  }

  /// Does everything that is due, and sleeps while nothing is, until it is told to end. Blocks.
  /// - Parameter isOver: looked at whenever ``wake()`` was called.
  func run(until isOver: () -> Bool) {
    while !isOver() {
      run()
      bell.wait(untilNs: nextDueNs)
    }
  }

  /// Has the thread in ``run(until:)`` look around.
  func wake() { bell.ring() }

  /// Does everything that is due.
  package func run() {
    lock.withLock {
      let now = Clock.nowNs()
      let answers = durable.withLock { answers in
        defer { answers = [] }
        return answers
      }
      for answer in answers { send(answer, now) }
      decided += takeExchanged()
      while let event = queue.pop(dueBy: now) { handle(event, now) }
    }
    tell()
  }

  /// Delivers messages that were held for nodes that are not paused any more.
  package func deliverHeld() {
    lock.withLock {
      let now = Clock.nowNs()
      let ready = held.filter { !links.isPaused($0.to) && !links.isPaused($0.from) }
      held.removeAll { !links.isPaused($0.to) && !links.isPaused($0.from) }
      for message in ready { queue.add(.arrival(message), at: now) }
    }
    run()
  }

  private func tell() {
    while true {
      let decided = lock.withLock {
        defer { self.decided = [] }
        return self.decided
      }
      if decided.isEmpty { return }
      for (caller, outcome) in decided { caller.decide(outcome) }
    }
  }

  private func takeExchanged() -> [(caller: PendingOperation, outcome: ClientOperation.Outcome)] {
    exchanged.withLock { ended in
      defer { ended = [] }
      return ended
    }
  }

  func tellExchanged() { for (caller, outcome) in takeExchanged() { caller.decide(outcome) } }

  private func handle(_ event: Event, _ now: UInt64) {
    switch event {
    case .arrival(let message):
      if conditions.serviceNs > 0, message.isRequest { return queueUp(message, now) }
      arrive(message, now)
    case .served(let message): arrive(message, now)
    case .attention(let number): attend(number, now)
    case .exchange(let number, let owners): exchange(number, with: owners, now)
    case .asking(let number): ask(number, now)
    }
  }

  /// Call with `lock` held, as everything below.
  private func attend(_ number: Int, _ now: UInt64) {
    guard var operation = entries[number]?.operation else { return }
    if operation.isUnsettled { settle(&operation) }
    if operation.outcome == nil, now >= operation.deadlineNs { operation.timeOut() }
    if let mistake { plant(mistake, in: &operation) }
    entries[number]?.operation = operation
    complete(number)
    guard let entry = entries[number] else { preconditionFailure("an operation under attention is there") }
    if let end = entry.lingersUntilNs, now >= end || operation.requests.isEmpty {
      sendHints(entry, now)
      entries.remove(number)
      return
    }
    if entry.lingersUntilNs == nil { entries[number]?.coordinator = drawCoordinator() }
    sendRequests(number, now)
    let next = entry.lingersUntilNs ?? operation.deadlineNs
    queue.add(.attention(operation: number), at: max(now + 1, min(next, now + MessageCarrier.retryNs)))
  }

  private func plant(_ mistake: PlantedMistake, in operation: inout MessageOperation) {
    if mistake == .hintCountsAsAck, let missing = operation.missing {
      for target in missing.targets { _ = operation.take(.written, from: target) }
    }
    if mistake == .retriesWithNewTag, let tag = try? tags.draw() { operation.retag(tag) }
  }

  /// Takes note of an operation that has just been decided.
  private func complete(_ number: Int) {
    guard let entry = entries[number], let caller = entry.caller, let outcome = entry.operation.outcome else { return }
    decided.append((caller, visible(outcome, of: entry)))
    entries[number]?.caller = nil
    entries[number]?.lingersUntilNs = Clock.nowNs() + MessageCarrier.lingerNs
  }

  /// What a client may see of what a get has found. That may have been replaced since it was read: so it counts what had expired
  /// when the get was asked for, for then it had when it was read.
  private func visible(_ outcome: ClientOperation.Outcome, of entry: Entry) -> ClientOperation.Outcome {
    let operation = entry.operation
    guard let (body, tag) = operation.expiring else { return outcome }
    return operation.key.withBytes { key in
      body.withUnsafeBytes { body in
        do throws(StorageError) {
          let value = try visibility.value(ofExpiring: body, tag, operation.hash, key, asked: entry.asked)
          return value == nil ? .found(nil) : outcome
        } catch {
          return .undecided
        }
      }
    }
  }

  // MARK: - Messages

  private func sendRequests(_ number: Int, _ now: UInt64) {
    guard let entry = entries[number], let coordinator = entry.coordinator else { return }
    let operation = entry.operation
    for (to, body) in operation.requests {
      send(
        Message(
          operation: operation.number, from: coordinator, to: to, hash: operation.hash, key: operation.key, body: body),
        now)
    }
  }

  /// A node that answers; a client finds one by trying.
  func drawCoordinator() -> UInt16? {
    if let coordinator = conditions.coordinator { return coordinator }
    let candidates = partitions.attachedIDs.filter { !links.isPaused($0) }
    return candidates.isEmpty ? nil : candidates[random.below(candidates.count)]
  }

  private func sendHints(_ entry: Entry, _ now: UInt64) {
    guard let missing = entry.operation.missing, let coordinator = entry.coordinator else { return }
    let operation = entry.operation
    for target in missing.targets {
      send(
        Message(
          operation: operation.number, from: coordinator, to: missing.holder, hash: operation.hash, key: operation.key,
          body: .hint(target: target, tag: missing.tag)), now)
    }
  }

  private func send(_ message: Message, _ now: UInt64) {
    counters.sent += 1
    switch links.fate(from: message.from, to: message.to) {
    case .lost:
      counters.lost += 1
      conditions.onSent?(message, nil)
    case .arrives(let after, let again):
      queue.add(.arrival(message), at: now + after)
      conditions.onSent?(message, now + after)
      guard let again else { return }
      counters.doubled += 1
      queue.add(.arrival(message), at: now + again)
      conditions.onSent?(message, now + again)
    }
  }

  private func queueUp(_ message: Message, _ now: UInt64) {
    let to = Int(message.to)
    while conditions.freeNs.count <= to { conditions.freeNs.append(0) }
    conditions.freeNs[to] = max(now, conditions.freeNs[to]) + conditions.serviceNs
    queue.add(.served(message), at: conditions.freeNs[to])
  }

  private func arrive(_ message: Message, _ now: UInt64) {
    if links.isPaused(message.to) || links.isPaused(message.from) {
      if held.count < MessageCarrier.heldMax { held.append(message) }
      return
    }
    switch message.body {
    case .read, .write, .hint: serve(message, now)
    case .version, .unknown, .written: take(message, now)
    }
  }

  private func take(_ message: Message, _ now: UInt64) {
    guard entries[message.operation] != nil else { return }
    guard mistake == .believesPastLives || partitions.incarnation(of: message.from) == message.incarnation else {
      return counters.voidAnswers += 1
    }
    let hasNews = entries[message.operation]?.operation.take(message.body, from: message.from) ?? false
    if entries[message.operation]?.operation.hasHeardTwins ?? false {
      let partition = partitions[Store.partition(of: message.hash)]
      partition.lock.pointee.withLock { partition.pointee.noteTwins(message.hash) }
    }
    complete(message.operation)
    if hasNews {
      counters.writeBacks += 1
      sendRequests(message.operation, now)
    }
  }

  /// A get has met a read-modify-write that may be on few owners.
  private func settle(_ operation: inout MessageOperation) {
    let partition = partitions[Store.partition(of: operation.hash)]
    let isSettled = partition.lock.pointee.withLock {
      operation.key.withBytes { (try? partitions.settle(operation.hash, $0, links)) ?? false }
    }
    if isSettled { operation.askAgain() }
  }

  // MARK: - Replicas

  /// A request arrives at its node.
  private func serve(_ request: Message, _ now: UInt64) {
    let partition = partitions[Store.partition(of: request.hash)]
    let answer = partition.lock.pointee.withLock { () -> Message? in
      guard let replica = partition.pointee.replica(request.to)?.takeUnretainedValue() else { return nil }
      let view = partition.pointee.view.takeUnretainedValue()
      // It has given the range up since, or never had it.
      guard view.isOwner(request.to, ofSlot: Ring.slot(of: request.hash)) else {
        counters.refusals += 1
        return nil
      }
      switch service.serve(request, at: replica, in: partition) {
      case .answer(let body): return request.answer(body, incarnation: replica.incarnation)
      case .onceDurable(let position):
        answerOnceDurable(request, replica, position)
        return nil
      case .none: return nil
      }
    }
    if let answer { send(answer, now) }
  }

  private func answerOnceDurable(_ request: Message, _ replica: Replica, _ position: LogPosition) {
    let answer = request.answer(.written, incarnation: replica.incarnation)
    let wait = PendingOperation(
      WriteOperation(tag: .none, rule: QuorumRule(owners: ParticipantSet(first: 1), needed: 1)))
    wait.onDecision { [weak self] outcome in
      guard outcome == .done, let self else { return }
      self.durable.withLock { $0.append(answer) }
      self.bell.ring()
    }
    replica.commit.register(wait, participant: 0, position: position, isUrgent: true)
  }
}
