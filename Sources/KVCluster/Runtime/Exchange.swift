import Synchronization

/// Operations while links are faulty: every message between nodes goes through here, and arrives late, twice or never as
/// ``Links`` decides.
///
/// Each operation is sent from a *contact*, one of the nodes that answer; sent again, it may go through another one, as a
/// client would try the next address. In the running program a thread calls ``run()`` whenever something is due; in a
/// simulation the queue of events does. What happens at a replica is decided under its partition's lock, as ever.
final class Exchange: @unchecked Sendable {
  typealias Completion = @Sendable (MessageOperation.Outcome) -> Void

  private enum Event {
    case arrival(Message)
    /// A node has had its time with a message that arrived before.
    case served(Message)
    /// Ask silent owners again, give up, or end.
    case attention(operation: Int)
  }

  private struct Entry {
    var operation: MessageOperation
    /// `nil` once it has been called.
    var completion: Completion?
    var lingersUntilNs: UInt64?
    /// Through which node it was sent last. An operation that is over goes on through that one: the client has gone.
    var contact: UInt16?
  }

  let links: Links
  private let partitions: PartitionTable
  private let policy: FsyncPolicy
  private let timeoutNs: UInt64
  private let mistake: PlantedMistake?
  private let onDamage: @Sendable (_ replica: Replica, _ hash: UInt64) -> Void
  /// Called when something is due earlier than what was before.
  private let wakeUp = Mutex<(@Sendable () -> Void)?>(nil)

  /// Answers that have become durable; taken in by ``run()``. Guards nothing else, so it may be added to anywhere.
  private let durable = Mutex<[Message]>([])
  private let lock = Lock()
  // All below is guarded by `lock`.
  private var queue = TimerQueue<Event>()
  /// From operation number `first` on; `nil` for those that are over.
  private var entries: [Entry?] = []
  private var first = 0
  /// So many of the first entries are `nil`.
  private var ended = 0
  private var held: [Message] = []
  private var random: SeededRandom
  private var isEnded = false
  private var conditions = Conditions()
  /// What has been decided, to be told without the lock.
  private var decided: [(Completion, MessageOperation.Outcome)] = []
  private(set) var counters = Counters()

  /// What a simulation prescribes.
  struct Conditions {
    /// The only node that clients reach.
    var contact: UInt16?
    /// Each node handles one request at a time, and takes so long for it.
    var serviceNs: UInt64 = 0
    /// When each node is free, by id.
    var freeNs: [UInt64] = []
  }

  func setConditions(_ change: (inout Conditions) -> Void) { lock.withLock { change(&conditions) } }

  /// How often what happened, for those who watch.
  struct Counters: Sendable, Equatable {
    var sent = 0
    var lost = 0
    var doubled = 0
    var writeBacks = 0
    var hints = 0
    var voidAnswers = 0
    var refusals = 0
  }

  /// Silent owners are asked again after so long.
  private static let retryNs: UInt64 = 100_000_000
  /// A write that is done goes on for so long, for the owners that have not answered.
  private static let lingerNs: UInt64 = 1_000_000_000
  /// What waits for a paused node; beyond it messages are lost.
  private static let heldMax = 65_536

  init(
    _ partitions: PartitionTable, _ links: Links, tags: TagSource, policy: FsyncPolicy, timeoutNs: UInt64, seed: UInt64,
    mistake: PlantedMistake? = nil, onDamage: @escaping @Sendable (_ replica: Replica, _ hash: UInt64) -> Void
  ) {
    self.partitions = partitions
    self.links = links
    self.tags = tags
    self.policy = policy
    self.timeoutNs = timeoutNs
    self.onDamage = onDamage
    self.mistake = mistake
    random = SeededRandom(seed: seed)
  }

  private let tags: TagSource

  func setWakeUp(_ body: (@Sendable () -> Void)?) { wakeUp.withLock { $0 = body } }

  // MARK: - Operations

  /// Begins an operation; `completion` hears once how it ended, perhaps before this returns.
  func begin(
    _ call: MessageOperation.Call, hash: UInt64, key: [UInt8], tag: Tag, consistency: Consistency? = nil,
    completion: @escaping Completion
  ) {
    let isRefused = lock.withLock { () -> Bool in
      if self.isEnded { return true }
      let now = Clock.nowNs()
      // Looked up and registered as one: a change of owners that does not find the operation here comes before it, and
      // has let every partition use its view.
      let (view, purged) = look(at: hash)
      guard let tag = tag == .none || tag > purged ? tag : try? tags.draw() else { return true }
      let participants = view.participants(ofSlot: Ring.slot(of: hash))
      let number = first + entries.count
      let operation = MessageOperation(
        number: number, call: call, hash: hash, key: key, tag: tag, epoch: view.epoch,
        owners: (0..<participants.count).map { participants.ids[$0] },
        readRule: readRule(view, participants, consistency),
        writeRule: writeRule(view, participants, call, consistency), deadlineNs: now + timeoutNs)
      entries.append(Entry(operation: operation, completion: completion, contact: drawContact()))
      sendRequests(number - first, now)
      queue.add(.attention(operation: number), at: now + min(Exchange.retryNs, timeoutNs))
      return false
    }
    if isRefused { return completion(.undecided) }
    run()
    wakeUp.withLock { $0 }?()
  }

  private func readRule(
    _ view: PlacementView, _ participants: PlacementView.Participants, _ consistency: Consistency?
  ) -> QuorumRule {
    if let consistency { return view.readRule(participants, consistency) }
    var rule = view.readRule(participants)
    if mistake == .readsOne { rule.needed = 1 }
    return rule
  }

  private func writeRule(
    _ view: PlacementView, _ participants: PlacementView.Participants, _ call: MessageOperation.Call,
    _ consistency: Consistency?
  ) -> QuorumRule {
    if let consistency {
      return call == .get
        ? view.writeBackRule(participants, consistency) : view.writeRule(participants, consistency)
    }
    var rule = view.writeRule(participants)
    if mistake == .noWriteBack || mistake == .readsOne, call == .get { (rule.needed, rule.nextNeeded) = (0, 0) }
    if mistake == .writesNewOwnersOnly, rule.nextNeeded > 0 { rule.needed = 0 }
    return rule
  }

  /// The owners, and the tag above which a new write must be.
  private func look(at hash: UInt64) -> (view: PlacementView, purged: Tag) {
    let partition = partitions[Store.partition(of: hash)]
    return partition.lock.pointee.withLock {
      (partition.pointee.view.takeUnretainedValue(), partition.pointee.purged)
    }
  }

  /// Runs `body` while no operation begins or goes on and no message arrives.
  /// - Parameter isBusy: whether an operation on a key with this hash is under way, or a message of one: it may bring an
  ///   older version of the key to any of its owners.
  func whileStill(_ body: (_ isBusy: (_ hash: UInt64) -> Bool) -> Void) {
    lock.withLock {
      var busy = Set(entries.compactMap { $0?.operation.hash })
      for message in held { busy.insert(message.hash) }
      for case .arrival(let message) in queue.all { busy.insert(message.hash) }
      body { busy.contains($0) }
    }
  }

  /// Whether an operation of an epoch before this one can still succeed.
  func hasOperations(before epoch: UInt64) -> Bool {
    lock.withLock {
      entries.contains { entry in entry.map { $0.completion != nil && $0.operation.epoch < epoch } ?? false }
    }
  }

  /// A node has begun a new life.
  func nodeStarted(_ id: UInt16) {
    lock.withLock {
      for i in entries.indices { entries[i]?.operation.forget(id) }
    }
  }

  /// Ends everything, for good: operations under way, and those that come too late, are undecided.
  func endAll() {
    lock.withLock {
      isEnded = true
      for i in entries.indices {
        entries[i]?.operation.timeOut()
        complete(i)
      }
      first += entries.count
      entries = []
      ended = 0
      queue.removeAll()
      held = []
      durable.withLock { $0 = [] }
    }
    tell()
  }

  // MARK: - Time

  /// When ``run()`` has something to do.
  var nextDueNs: UInt64? {
    if durable.withLock({ !$0.isEmpty }) { return Clock.nowNs() }
    return lock.withLock { queue.nextDue }
  }

  /// Does everything that is due.
  func run() {
    lock.withLock {
      let now = Clock.nowNs()
      let answers = durable.withLock { answers in
        defer { answers = [] }
        return answers
      }
      for answer in answers { send(answer, now) }
      while let event = queue.pop(dueBy: now) { handle(event, now) }
    }
    tell()
  }

  /// What waited for a node that goes on now.
  func deliverHeld() {
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
      for (completion, outcome) in decided { completion(outcome) }
    }
  }

  private func handle(_ event: Event, _ now: UInt64) {
    switch event {
    case .arrival(let message):
      if conditions.serviceNs > 0, message.isRequest { return queueUp(message, now) }
      arrive(message, now)
    case .served(let message): arrive(message, now)
    case .attention(let number): attend(number, now)
    }
  }

  /// Call with `lock` held, as everything below.
  private func attend(_ number: Int, _ now: UInt64) {
    let i = number - first
    guard entries.indices.contains(i), var entry = entries[i] else { return }
    if entry.completion != nil, now >= entry.operation.deadlineNs { entry.operation.timeOut() }
    if mistake == .hintCountsAsAck, let missing = entry.operation.missing {
      for target in missing.targets { _ = entry.operation.take(.written, from: target) }
    }
    if mistake == .retriesWithNewTag, let tag = try? tags.draw() { entry.operation.retag(tag) }
    entries[i] = entry
    complete(i)
    entry = entries[i]!
    if let end = entry.lingersUntilNs, now >= end || entry.operation.requests.isEmpty {
      sendHints(entry, now)
      entries[i] = nil
      dropEnded()
      return
    }
    if entry.lingersUntilNs == nil { entries[i]!.contact = drawContact() }
    sendRequests(i, now)
    let next = entry.lingersUntilNs ?? entry.operation.deadlineNs
    queue.add(.attention(operation: number), at: max(now + 1, min(next, now + Exchange.retryNs)))
  }

  /// Forgets the oldest operations that are over, once they are half of all: each entry is moved once on average.
  private func dropEnded() {
    while ended < entries.count, entries[ended] == nil { ended += 1 }
    guard ended * 2 >= entries.count else { return }
    entries.removeFirst(ended)
    first += ended
    ended = 0
  }

  /// Takes note of an operation that has just been decided.
  private func complete(_ i: Int) {
    guard let entry = entries[i], let completion = entry.completion, let outcome = entry.operation.outcome else {
      return
    }
    decided.append((completion, outcome))
    entries[i]!.completion = nil
    entries[i]!.lingersUntilNs = Clock.nowNs() + Exchange.lingerNs
  }

  // MARK: - Messages

  private func sendRequests(_ i: Int, _ now: UInt64) {
    guard let entry = entries[i], let contact = entry.contact else { return }
    let operation = entry.operation
    for (to, body) in operation.requests {
      send(
        Message(
          operation: operation.number, from: contact, to: to, hash: operation.hash, key: operation.key, body: body),
        now)
    }
  }

  /// A node that answers; a client finds one by trying.
  private func drawContact() -> UInt16? {
    if let contact = conditions.contact { return contact }
    let candidates = partitions.attachedIDs.filter { !links.isPaused($0) }
    return candidates.isEmpty ? nil : candidates[random.below(candidates.count)]
  }

  private func sendHints(_ entry: Entry, _ now: UInt64) {
    guard let missing = entry.operation.missing, let contact = entry.contact else { return }
    let operation = entry.operation
    for target in missing.targets {
      send(
        Message(
          operation: operation.number, from: contact, to: missing.holder, hash: operation.hash, key: operation.key,
          body: .hint(target: target, tag: missing.tag)), now)
    }
  }

  private func send(_ message: Message, _ now: UInt64) {
    counters.sent += 1
    switch links.fate(from: message.from, to: message.to) {
    case .lost: counters.lost += 1
    case .arrives(let after, let again):
      queue.add(.arrival(message), at: now + after)
      guard let again else { return }
      counters.doubled += 1
      queue.add(.arrival(message), at: now + again)
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
      if held.count < Exchange.heldMax { held.append(message) }
      return
    }
    switch message.body {
    case .read, .write, .hint: serve(message, now)
    case .version, .unknown, .written: take(message, now)
    }
  }

  private func take(_ message: Message, _ now: UInt64) {
    let i = message.operation - first
    guard entries.indices.contains(i), entries[i] != nil else { return }
    guard partitions.incarnation(of: message.from) == message.incarnation else { return counters.voidAnswers += 1 }
    let hasNews = entries[i]!.operation.take(message.body, from: message.from)
    if entries[i]!.operation.hasHeardTwins {
      let partition = partitions[Store.partition(of: message.hash)]
      partition.lock.pointee.withLock { partition.pointee.noteTwins(message.hash) }
    }
    complete(i)
    if hasNews {
      counters.writeBacks += 1
      sendRequests(i, now)
    }
  }

  // MARK: - Replicas

  /// A request arrives at its node.
  private func serve(_ message: Message, _ now: UInt64) {
    let partition = partitions[Store.partition(of: message.hash)]
    let answer = partition.lock.pointee.withLock { () -> Message? in
      guard let replica = partition.pointee.replica(message.to)?.takeUnretainedValue() else { return nil }
      let view = partition.pointee.view.takeUnretainedValue()
      // It has given the range up since, or never had it.
      guard view.isOwner(message.to, ofSlot: Ring.slot(of: message.hash)) else {
        counters.refusals += 1
        return nil
      }
      guard let body = handle(message, at: replica, partition) else { return nil }
      return Exchange.answer(body, to: message, incarnation: replica.incarnation)
    }
    if let answer { send(answer, now) }
  }

  private static func answer(_ body: Message.Body, to request: Message, incarnation: Int) -> Message {
    Message(
      operation: request.operation, from: request.to, to: request.from, incarnation: incarnation, hash: request.hash,
      key: request.key, body: body)
  }

  /// What the replica answers now; `nil` if later or never. Call with the partition's lock held.
  private func handle(
    _ message: Message, at replica: Replica, _ partition: UnsafeMutablePointer<Partition>
  ) -> Message.Body? {
    message.key.withBytes { key -> Message.Body? in
      switch message.body {
      case .read:
        if partition.pointee.hasTwins, partition.pointee.twins.contains(message.hash),
          partitions.twins(message.hash) != nil
        {
          return .unknown
        }
        return read(message.hash, key, at: replica)
      case .write(let kind, let tag, let value):
        // A node without room, or that has failed, does not answer.
        let position = value.withBytes { value in
          try? replica.store.apply(
            kind, hash: message.hash, tag: tag, key: key, value: value, valueChecksum: Checksum.crc32c(value))
        }
        guard let position else { return nil }
        if mistake == .acknowledgesEarly || policy != .always || replica.store.log.durable > position {
          return .written
        }
        answerOnceDurable(message, replica, position)
        return nil
      case .hint(let target, let tag):
        keepHint(message, for: target, tag, key, at: replica, partition)
        return nil
      case .version, .unknown, .written: preconditionFailure("an answer was sent to a replica")
      }
    }
  }

  private func read(_ hash: UInt64, _ key: UnsafeRawBufferPointer, at replica: Replica) -> Message.Body {
    switch replica.store.read(hash, key) {
    case .absent: return .version(kind: .tombstone, tag: .none, value: [], isDurable: true)
    case .damaged where mistake == .damagedIsAbsent:
      return .version(kind: .tombstone, tag: .none, value: [], isDurable: true)
    case .damaged:
      if !replica.store.isSuspect { onDamage(replica, hash) }
      return .unknown
    case .found(let tag, let position, let isTombstone, let value):
      let isDurable = policy != .always || replica.store.log.durable > position
      return .version(kind: isTombstone ? .tombstone : .value, tag: tag, value: Array(value), isDurable: isDurable)
    }
  }

  private func answerOnceDurable(_ message: Message, _ replica: Replica, _ position: LogPosition) {
    let incarnation = replica.incarnation
    let all = ParticipantSet(first: 1)
    let wait = DurabilityWait(WriteOperation(tag: .none, rule: QuorumRule(owners: all, needed: 1)))
    wait.onDecision { [weak self] step in
      guard step == .done, let self else { return }
      self.durable.withLock { $0.append(Exchange.answer(.written, to: message, incarnation: incarnation)) }
      self.wakeUp.withLock { $0 }?()
    }
    replica.commit.register(wait, participant: 0, position: position, isUrgent: true)
  }

  private func keepHint(
    _ message: Message, for target: UInt16, _ tag: Tag, _ key: UnsafeRawBufferPointer, at holder: Replica,
    _ partition: UnsafeMutablePointer<Partition>
  ) {
    let view = partition.pointee.view.takeUnretainedValue()
    let name = view.nameBytes(of: target)
    let byteCount = HintQueue.byteCount(keyBytes: key.count, nameBytes: name.count)
    let hint = HintQueue.Hint(hash: message.hash, byteCount: byteCount)
    guard view.isOwner(target, ofSlot: Ring.slot(of: message.hash)),
      HintQueue.add(hint, target: target, holder: holder.id, to: &partition.pointee)
    else { return }
    counters.hints += 1
    name.withBytes { try? holder.store.appendHint(for: $0, key: key, tag: tag) }
  }
}
