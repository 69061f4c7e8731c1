/// A client's operation over links that may fail: the decisions of ``WriteOperation`` or ``ReadOperation``, and what has
/// to be sent for them. Pure: answers, losses and time in; requests and an outcome out.
///
/// It asks all owners, and those that stay silent again and again, until it is decided or time is up. An operation that
/// has ended goes on sending to silent owners for a while, so that a lost message does not need a hint; owners that could
/// not be told in the end get one.
package struct MessageOperation: Sendable {
  /// What decides when it is done.
  package enum Decision: Sendable {
    case write(WriteOperation)
    case read(ReadOperation)
  }

  /// A version of the key.
  package struct Version: Sendable {
    package var kind: RecordKind
    package var tag: Tag
    /// Its payload in the log.
    package var value: [UInt8]

    /// Of a key that was never written.
    package static let none = Version(kind: .tombstone, tag: .none, value: [])

    package init(kind: RecordKind, tag: Tag, value: [UInt8]) {
      self.kind = kind
      self.tag = tag
      self.value = value
    }

    var stamp: Stamp { value.withBytes { Stamp(kind, tag, payload: $0) } }

    /// The value, whether or not it has expired.
    var contents: [UInt8]? {
      if kind != .value { return nil }
      let prefix = Stamp.prefixBytes(of: tag)
      return prefix == 0 ? value : Array(value.dropFirst(prefix))
    }

    /// The payload behind the anchor, of a value that expires.
    var expiringBody: ArraySlice<UInt8>? {
      kind == .value && tag.expires ? value.dropFirst(tag.isRMW ? Stamp.anchorBytes : 0) : nil
    }
  }

  package let number: Int
  package let hash: UInt64
  package let key: [UInt8]
  /// The configuration it runs under, to its end.
  package let epoch: UInt64
  /// Owners by participant.
  package let owners: [UInt16]
  package let deadlineNs: UInt64
  private var decision: Decision
  /// What a write writes; the newest that a read has heard of.
  private var version: Version
  package private(set) var outcome: ClientOperation.Outcome?
  /// Two owners have told different contents of one version: the operation cannot end well.
  package private(set) var hasHeardTwins = false
  /// Owners known to hold what a write has written, whether or not they still count.
  private var holders = ParticipantSet()

  /// - Parameter version: what a write writes; ``Version/none`` for a read.
  package init(
    number: Int, hash: UInt64, key: [UInt8], version: Version, epoch: UInt64, owners: [UInt16], _ decision: Decision,
    deadlineNs: UInt64
  ) {
    self.number = number
    self.hash = hash
    self.key = key
    self.version = version
    self.epoch = epoch
    self.owners = owners
    self.decision = decision
    self.deadlineNs = deadlineNs
  }

  /// The version that a get has found, if its value expires: the payload behind the anchor, and the tag.
  var expiring: (body: ArraySlice<UInt8>, tag: Tag)? {
    if case .found = outcome { version.expiringBody.map { ($0, version.tag) } } else { nil }
  }

  /// What to send to owners that have not answered.
  package var requests: [(to: UInt16, body: Message.Body)] {
    switch decision {
    case .write: return silent(holders).map { ($0, write) }
    case .read(let operation):
      switch operation.phase {
      case .asking: return silent(operation.answered.union(operation.lost)).map { ($0, .read) }
      // A read-modify-write is settled instead.
      case .writingBack where version.tag.isRMW: return []
      case .writingBack: return silent(operation.holders).map { ($0, write) }
      case .finished, .undecidable: return []
      }
    }
  }

  private var write: Message.Body { .write(kind: version.kind, tag: version.tag, value: version.value) }

  private func silent(_ answered: ParticipantSet) -> [UInt16] {
    owners.indices.filter { !answered.contains($0) }.map { owners[$0] }
  }

  /// Owners that may not have what was written, for hints; and one that has it.
  package var missing: (targets: [UInt16], tag: Tag, holder: UInt16)? {
    guard case .write = decision, let holder = owners.indices.first(where: holders.contains) else { return nil }
    let targets = silent(holders)
    return targets.isEmpty ? nil : (targets, version.tag, owners[holder])
  }

  /// Takes an answer; one that comes late changes nothing. Returns whether there is something new to send.
  package mutating func take(_ answer: Message.Body, from node: UInt16) -> Bool {
    guard let participant = owners.firstIndex(of: node) else {
      preconditionFailure("node \(node) answers and was not asked")
    }
    switch (decision, answer) {
    case (.write(var operation), .written):
      holders.insert(participant)
      settle(operation.acknowledge(participant))
      decision = .write(operation)
      return false
    case (.read(var operation), .written):
      settle(operation.acknowledge(participant))
      decision = .read(operation)
      return false
    case (.read(var operation), .version(let kind, let tag, let value, let isDurable)):
      guard operation.phase == .asking else { return false }
      let told = Version(kind: kind, tag: tag, value: value)
      let stamp = told.stamp
      if stamp.isNewer(than: version.stamp) {
        version = told
      } else if tag == version.tag, tag != .none, kind != version.kind || value != version.value {
        hasHeardTwins = true
      }
      let phase =
        hasHeardTwins ? operation.timeOut() : operation.answer(participant, stamp, isDurable: isDurable)
      settle(phase)
      decision = .read(operation)
      return phase == .writingBack
    case (.read(var operation), .unknown):
      // It may know later: it is asked again as long as there is time.
      if operation.phase == .asking { operation.forget(participant) }
      decision = .read(operation)
      return false
    case (.write, .version), (.write, .unknown): preconditionFailure("a write is answered like a read")
    case (_, .read), (_, .write), (_, .hint): preconditionFailure("a request is no answer")
    }
  }

  private mutating func settle(_ step: WriteOperation.Step) {
    if outcome == nil, step == .done { outcome = .done }
  }

  private mutating func settle(_ phase: ReadOperation.Phase) {
    if outcome == nil, phase == .finished { outcome = .found(version.contents) }
    if outcome == nil, phase == .undecidable { outcome = .undecided }
  }

  /// The node begins a new life: what it said in the last one counts no more.
  package mutating func forget(_ node: UInt16) {
    guard outcome == nil, let participant = owners.firstIndex(of: node) else { return }
    holders.remove(participant)
    switch decision {
    case .write(var operation):
      operation.forget(participant)
      decision = .write(operation)
    case .read(var operation):
      operation.forget(participant)
      decision = .read(operation)
    }
  }

  /// Whether it is a get that has met a read-modify-write which is not known to be on enough owners: that has to be settled
  /// before the owners are asked again.
  var isUnsettled: Bool {
    if outcome == nil, case .read(let operation) = decision { operation.isUnsettled } else { false }
  }

  /// Asks all owners anew.
  mutating func askAgain() {
    guard outcome == nil, case .read(let operation) = decision else { return }
    version = .none
    decision = .read(ReadOperation(readRule: operation.readRule, writeRule: operation.writeRule))
  }

  /// Wrong: a write that is sent again must keep its tag. Only for the mistake of that name.
  mutating func retag(_ tag: Tag) {
    guard outcome == nil, case .write(let operation) = decision else { return }
    version.tag = tag.renewing(version.tag)
    var again = WriteOperation(tag: version.tag, rule: operation.rule)
    for participant in owners.indices where operation.acknowledged.contains(participant) {
      _ = again.acknowledge(participant)
    }
    decision = .write(again)
  }

  /// Time is up.
  package mutating func timeOut() {
    guard outcome == nil else { return }
    outcome = .undecided
    switch decision {
    case .write(var operation):
      _ = operation.timeOut()
      decision = .write(operation)
    case .read(var operation):
      _ = operation.timeOut()
      decision = .read(operation)
    }
  }
}
