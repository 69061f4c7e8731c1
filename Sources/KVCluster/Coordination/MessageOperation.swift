/// One put, get or delete over links that may fail: the decisions of ``WriteOperation`` or ``ReadOperation``, and what has
/// to be sent for them. Pure: answers, losses and time in; requests and an outcome out.
///
/// It asks all owners, and those that stay silent again and again, until it is decided or time is up. An operation that is
/// over goes on sending to silent owners for a while, so that a message lost does not need a hint; what nobody could be
/// told in the end gets one.
package struct MessageOperation: Sendable {
  package enum Call: Sendable, Equatable {
    case get
    case put([UInt8])
    case delete
  }

  package enum Outcome: Sendable, Equatable {
    case done
    /// A read's value; `nil` for none.
    case found([UInt8]?)
    /// Too few owners answered in time: a write may have been applied or not.
    case undecided
  }

  private enum Machine: Sendable {
    case write(WriteOperation, RecordKind, value: [UInt8])
    case read(ReadOperation)
  }

  package let number: Int
  package let hash: UInt64
  package let key: [UInt8]
  /// The configuration it runs under, to its end.
  package let epoch: UInt64
  /// Owners by participant.
  package let owners: [UInt16]
  package let deadlineNs: UInt64
  private var machine: Machine
  /// The newest version a read has heard of.
  private var newest: (kind: RecordKind, tag: Tag, value: [UInt8]) = (.tombstone, .none, [])
  package private(set) var outcome: Outcome?
  /// Two owners have told different contents of one version: the operation cannot end well.
  package private(set) var hasHeardTwins = false
  /// Owners known to hold the version that the operation leaves behind.
  private var holders = ParticipantSet()

  package init(
    number: Int, call: Call, hash: UInt64, key: [UInt8], tag: Tag, epoch: UInt64, owners: [UInt16],
    readRule: QuorumRule, writeRule: QuorumRule, deadlineNs: UInt64
  ) {
    self.number = number
    self.hash = hash
    self.key = key
    self.epoch = epoch
    self.owners = owners
    self.deadlineNs = deadlineNs
    switch call {
    case .get: machine = .read(ReadOperation(readRule: readRule, writeRule: writeRule))
    case .put(let value): machine = .write(WriteOperation(tag: tag, rule: writeRule), .value, value: value)
    case .delete: machine = .write(WriteOperation(tag: tag, rule: writeRule), .tombstone, value: [])
    }
  }

  /// The tag it writes, or writes back.
  package var tag: Tag? {
    switch machine {
    case .write(let operation, _, _): operation.tag
    case .read(let operation): operation.phase == .writingBack ? operation.newest : nil
    }
  }

  /// What to send to owners that have not answered.
  package var requests: [(to: UInt16, body: Message.Body)] {
    switch machine {
    case .write(let operation, let kind, let value):
      let body = Message.Body.write(kind: kind, tag: operation.tag, value: value)
      return silent(holders).map { ($0, body) }
    case .read(let operation):
      switch operation.phase {
      case .asking: return silent(operation.answered.union(operation.lost)).map { ($0, .read) }
      case .writingBack:
        let body = Message.Body.write(kind: newest.kind, tag: newest.tag, value: newest.value)
        return silent(operation.holders).map { ($0, body) }
      case .finished, .undecidable: return []
      }
    }
  }

  private func silent(_ answered: ParticipantSet) -> [UInt16] {
    owners.indices.filter { !answered.contains($0) }.map { owners[$0] }
  }

  /// Owners that may not have what was written, for hints; and one that has it.
  package var missing: (targets: [UInt16], tag: Tag, holder: UInt16)? {
    guard case .write(let operation, _, _) = machine, let holder = owners.indices.first(where: holders.contains) else {
      return nil
    }
    let targets = silent(holders)
    return targets.isEmpty ? nil : (targets, operation.tag, owners[holder])
  }

  /// Takes an answer. Returns whether there is something new to send.
  package mutating func take(_ body: Message.Body, from node: UInt16) -> Bool {
    guard let participant = owners.firstIndex(of: node) else { return false }
    switch (body, machine) {
    case (.written, .write(var operation, let kind, let value)):
      holders.insert(participant)
      let step = operation.acknowledge(participant)
      machine = .write(operation, kind, value: value)
      if outcome == nil, step == .done { outcome = .done }
      return false
    case (.written, .read(var operation)):
      let phase = operation.acknowledge(participant)
      machine = .read(operation)
      settle(phase)
      return false
    case (.version(let kind, let tag, let value, let isDurable), .read(var operation)):
      guard operation.phase == .asking else { return false }
      if tag > newest.tag {
        newest = (kind, tag, value)
      } else if tag == newest.tag, tag != .none, kind != newest.kind || value != newest.value {
        hasHeardTwins = true
        let phase = operation.timeOut()
        machine = .read(operation)
        settle(phase)
        return false
      }
      let phase = operation.answer(participant, tag: tag, isDurable: isDurable)
      machine = .read(operation)
      settle(phase)
      return phase == .writingBack
    case (.unknown, .read(var operation)):
      guard operation.phase == .asking else { return false }
      // It may know later: it is asked again as long as there is time.
      operation.forget(participant)
      machine = .read(operation)
      return false
    case (.version, .write), (.unknown, .write), (.read, _), (.write, _), (.hint, _): return false
    }
  }

  private mutating func settle(_ phase: ReadOperation.Phase) {
    if outcome == nil, phase == .finished { outcome = .found(newest.kind == .value ? newest.value : nil) }
    if outcome == nil, phase == .undecidable { outcome = .undecided }
  }

  /// The node begins a new life: what it said in the last one counts no more.
  package mutating func forget(_ node: UInt16) {
    guard outcome == nil, let participant = owners.firstIndex(of: node) else { return }
    holders.remove(participant)
    switch machine {
    case .write(var operation, let kind, let value):
      operation.forget(participant)
      machine = .write(operation, kind, value: value)
    case .read(var operation):
      operation.forget(participant)
      machine = .read(operation)
    }
  }

  /// Wrong: a write that is sent again must keep its tag. Only for the mistake of that name.
  mutating func retag(_ tag: Tag) {
    guard outcome == nil, case .write(let operation, let kind, let value) = machine else { return }
    var again = WriteOperation(tag: tag, rule: operation.rule)
    for participant in owners.indices where operation.acknowledged.contains(participant) {
      _ = again.acknowledge(participant)
    }
    machine = .write(again, kind, value: value)
  }

  package mutating func timeOut() {
    guard outcome == nil else { return }
    outcome = .undecided
    switch machine {
    case .write(var operation, let kind, let value):
      _ = operation.timeOut()
      machine = .write(operation, kind, value: value)
    case .read(var operation):
      _ = operation.timeOut()
      machine = .read(operation)
    }
  }
}
