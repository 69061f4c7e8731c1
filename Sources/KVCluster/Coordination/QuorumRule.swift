/// A set of an operation's participants, by their position in its list of owners.
package struct ParticipantSet: Equatable, Sendable {
  package private(set) var bits: UInt32

  @inline(__always)
  package init(bits: UInt32 = 0) {
    self.bits = bits
  }

  /// The participants 0 ..< `count`.
  @inline(__always)
  package init(first count: Int) {
    precondition(count >= 0 && count <= QuorumRule.participantsMax)
    bits = UInt32((UInt64(1) << UInt64(count)) - 1)
  }

  @inline(__always)
  package mutating func insert(_ participant: Int) { bits |= 1 << UInt32(participant) }

  @inline(__always)
  package mutating func remove(_ participant: Int) { bits &= ~(1 << UInt32(participant)) }

  @inline(__always)
  package func contains(_ participant: Int) -> Bool { bits >> UInt32(participant) & 1 == 1 }

  @inline(__always)
  package var count: Int { bits.nonzeroBitCount }

  @inline(__always)
  package var isEmpty: Bool { bits == 0 }

  @inline(__always)
  package func intersection(_ other: ParticipantSet) -> ParticipantSet { ParticipantSet(bits: bits & other.bits) }

  @inline(__always)
  package func union(_ other: ParticipantSet) -> ParticipantSet { ParticipantSet(bits: bits | other.bits) }

  @inline(__always)
  package func subtracting(_ other: ParticipantSet) -> ParticipantSet { ParticipantSet(bits: bits & ~other.bits) }
}

/// How many of which participants make an operation count. While membership changes (*joint*), both the old and the
/// new owners must reach their number; otherwise there is one set and `nextNeeded` is 0.
///
/// Old and new owners overlap in most keys; a participant that is in both counts for both (Raft's joint consensus,
/// Ongaro's thesis §4.3, uses the same rule).
package struct QuorumRule: Equatable, Sendable {
  /// Two owner sets of at most seven.
  package static let participantsMax = 14

  package var owners: ParticipantSet
  package var needed: Int
  package var nextOwners: ParticipantSet
  package var nextNeeded: Int

  @inline(__always)
  package init(
    owners: ParticipantSet, needed: Int, nextOwners: ParticipantSet = ParticipantSet(), nextNeeded: Int = 0
  ) {
    self.owners = owners
    self.needed = needed
    self.nextOwners = nextOwners
    self.nextNeeded = nextNeeded
  }

  /// Whether these participants are enough.
  @inline(__always)
  package func isMet(by set: ParticipantSet) -> Bool {
    set.intersection(owners).count >= needed && set.intersection(nextOwners).count >= nextNeeded
  }

  /// Whether the rule can still be met if these participants never answer.
  @inline(__always)
  package func canBeMet(without lost: ParticipantSet) -> Bool {
    isMet(by: owners.union(nextOwners).subtracting(lost))
  }
}
