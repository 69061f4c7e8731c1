/// What of a node's log is not what was written. Nothing of it is ever deleted or guessed: the node answers "don't know"
/// where it may be wrong, until its copies have been compared with those of other nodes.
package struct DamageReport: Equatable, Sendable {
  /// One damaged place.
  package struct Place: Equatable, Sendable {
    package var segment: UInt64
    /// Bytes of the segment; empty if all of it is missing.
    package var range: Range<Int>
    package var reason: String
  }

  package internal(set) var places: [Place] = []
  /// Records of unknown keys are lost, so that any of this node's answers may be out of date.
  package internal(set) var isSuspect = false
  /// Some of them had been on the node's disk: how much is lost is not bounded by when it last synced.
  package internal(set) var hasLost = false

  package var isEmpty: Bool { places.isEmpty }

  mutating func add(_ segment: UInt64, _ range: Range<Int>, _ reason: String, _ cause: SuspectMark.Cause = .lost) {
    places.append(Place(segment: segment, range: range, reason: reason))
    isSuspect = true
    if cause == .lost { hasLost = true }
  }
}

extension DamageReport.Place: CustomStringConvertible {
  package var description: String { "segment \(segment), bytes \(range.lowerBound)–\(range.upperBound): \(reason)" }
}
