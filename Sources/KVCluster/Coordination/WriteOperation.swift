/// The coordinator's side of one put or delete: it has been sent to all owners and is done when a write quorum has
/// applied it. Pure: acknowledgements and losses in, a decision out.
///
/// Legal exits: `waiting` → `done` (quorum reached) or `undecidable` (too many owners are lost; some may have applied
/// the write, so the caller must report it as indeterminate). Both are final; what arrives later is ignored.
package struct WriteOperation: Sendable {
  package enum Step: Equatable, Sendable {
    case waiting, done, undecidable
  }

  package let tag: Tag
  package let rule: QuorumRule
  package private(set) var acknowledged = ParticipantSet()
  package private(set) var lost = ParticipantSet()
  package private(set) var step = Step.waiting

  @inline(__always)
  package init(tag: Tag, rule: QuorumRule) {
    self.tag = tag
    self.rule = rule
  }

  /// `participant` has applied the write, or holds a newer one, up to its durability point.
  @inline(__always)
  package mutating func acknowledge(_ participant: Int) -> Step {
    guard step == .waiting, !lost.contains(participant) else { return step }
    acknowledged.insert(participant)
    if rule.isMet(by: acknowledged) { step = .done }
    return step
  }

  /// `participant` will not answer: it is down, its disk failed, or time is up.
  @inline(__always)
  package mutating func lose(_ participant: Int) -> Step {
    guard step == .waiting, !acknowledged.contains(participant) else { return step }
    lost.insert(participant)
    if !rule.canBeMet(without: lost) { step = .undecidable }
    return step
  }

  /// `participant` begins a new life: whether it still holds what it acknowledged is to be asked again.
  package mutating func forget(_ participant: Int) {
    guard step == .waiting else { return }
    acknowledged.remove(participant)
  }

  /// Time is up: whatever has not answered never will, as far as this operation is concerned.
  package mutating func timeOut() -> Step {
    if step == .waiting { step = .undecidable }
    return step
  }
}
