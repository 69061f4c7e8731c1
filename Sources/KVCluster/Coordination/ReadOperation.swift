/// The coordinator's side of one get: owners report the newest tag they hold, R answers of the (old) owners decide,
/// and the value may be returned only when a write quorum holds that tag; until then it is written back first, so that
/// no later read can miss what this one returned (Attiya, Bar-Noy, Dolev, JACM 42(1), 1995). Pure.
///
/// Legal exits: `asking` → `finished` | `writingBack` | `undecidable`; `writingBack` → `finished` | `undecidable`.
package struct ReadOperation: Sendable {
  package enum Phase: Equatable, Sendable {
    /// Fewer than R owners have answered.
    case asking
    /// The newest tag is known; it goes to every participant that is not known to hold it.
    case writingBack
    /// The newest tag may be returned; `.none` says the key was never written.
    case finished
    /// Too many owners are lost.
    case undecidable
  }

  /// R of the owners in force; during a change these are the *old* owners.
  package let readRule: QuorumRule
  /// W of the owners in force, and during a change also of the next ones.
  package let writeRule: QuorumRule
  package private(set) var phase = Phase.asking
  /// The newest version reported so far.
  private var newestStamp = Stamp.none
  package var newest: Tag { newestStamp.tag }
  /// Participants known to hold ``newest`` up to their durability point.
  package private(set) var holders = ParticipantSet()
  package private(set) var answered = ParticipantSet()
  package private(set) var lost = ParticipantSet()

  @inline(__always)
  package init(readRule: QuorumRule, writeRule: QuorumRule) {
    self.readRule = readRule
    self.writeRule = writeRule
  }

  /// `participant` holds the put `tag`, durably enough to be returned if `isDurable`.
  @inline(__always)
  package mutating func answer(_ participant: Int, tag: Tag, isDurable: Bool = true) -> Phase {
    answer(participant, Stamp(tag, isTombstone: tag == .none), isDurable: isDurable)
  }

  /// `participant` holds this version, durably enough to be returned if `isDurable`.
  @inline(__always)
  package mutating func answer(_ participant: Int, _ stamp: Stamp, isDurable: Bool = true) -> Phase {
    guard phase == .asking, !lost.contains(participant) else { return phase }
    answered.insert(participant)
    if stamp.isNewer(than: newestStamp) {
      newestStamp = stamp
      holders = ParticipantSet()
    }
    if stamp.tag == newest, isDurable { holders.insert(participant) }
    return decide()
  }

  /// `participant` holds ``newest`` or something newer now: the write-back reached it.
  @inline(__always)
  package mutating func acknowledge(_ participant: Int) -> Phase {
    precondition(phase != .asking, "nothing has been written back yet")
    guard phase == .writingBack, !lost.contains(participant) else { return phase }
    holders.insert(participant)
    if writeRule.isMet(by: holders) { phase = .finished }
    return phase
  }

  /// `participant` is down, or it answered "don't know": its copy is damaged and counts for nothing.
  @inline(__always)
  package mutating func lose(_ participant: Int) -> Phase {
    guard phase == .asking || phase == .writingBack, !answered.contains(participant) || phase == .writingBack else {
      return phase
    }
    lost.insert(participant)
    if phase == .asking {
      return readRule.canBeMet(without: lost) ? decide() : timeOut()
    } else if !writeRule.canBeMet(without: lost.subtracting(holders)) {
      phase = .undecidable
    }
    return phase
  }

  /// `participant` begins a new life, or did not know: what it said does not count, and it may be asked again. The newest
  /// tag stays: whoever named it, it is a version that was written, and it is returned only from a write quorum.
  package mutating func forget(_ participant: Int) {
    guard phase == .asking || phase == .writingBack else { return }
    answered.remove(participant)
    holders.remove(participant)
  }

  package mutating func timeOut() -> Phase {
    if phase == .asking || phase == .writingBack { phase = .undecidable }
    return phase
  }

  /// Participants the write-back has to go to.
  @inline(__always)
  package var lackers: ParticipantSet { writeRule.owners.union(writeRule.nextOwners).subtracting(holders) }

  private var isEveryoneHeard: Bool {
    writeRule.owners.union(writeRule.nextOwners).subtracting(answered).subtracting(lost).isEmpty
  }

  /// Whether enough have answered, and the newest version is a read-modify-write that is not known to be on enough owners.
  package var isUnsettled: Bool {
    newest.isRMW && (phase == .writingBack || phase == .asking && readRule.isMet(by: answered))
  }

  @inline(__always)
  private mutating func decide() -> Phase {
    guard readRule.isMet(by: answered) else { return phase }
    // Absence needs no write-back: a value that anyone has returned or acknowledged is on W owners, and R of them
    // have just said that they hold none.
    if newest == .none || writeRule.isMet(by: holders) {
      phase = .finished
    } else if newest.isRMW, !isEveryoneHeard {
      // It costs a write to propose it anew, and those that are left may hold it.
      return phase
    } else if writeRule.canBeMet(without: lost.subtracting(holders)) {
      phase = .writingBack
    } else {
      phase = .undecidable
    }
    return phase
  }
}
