/// The version of a key that a write makes: whichever replica compares two tags, the greater is the newer write.
///
/// ```
///  63                                   12   11    10     9        0
/// ┌───────────────────────────────────────┬─────┬────────┬───────────┐
/// │ counter (52 bits)                     │ rmw │ expiry │coordinator│
/// └───────────────────────────────────────┴─────┴────────┴───────────┘
/// ```
///
/// The counter is one monotone source for all coordinators of a process, drawn after the operation was invoked, so a
/// write that follows another has the greater tag without asking any replica first. At five million writes a second the
/// counter lasts 28 years.
///
/// Tags name writes: no two have the same. Of two puts or deletes the one with the greater tag is the newer. The rmw bit says
/// that the write is a read-modify-write, whose place among the others depends on the version that it read as well: these
/// are compared by their ``Stamp``s. The expiry bit says that the value has an ``Expiry``.
package struct Tag: Comparable, Hashable, Sendable {
  /// The packed fields; tags compare as these do.
  package let rawValue: UInt64

  /// Older than every write: the version of a key that was never written.
  package static let none = Tag(rawValue: 0)

  package static let counterMax: UInt64 = (1 << 52) - 1
  package static let coordinatorMax = 0x3ff
  @inline(__always)
  static var rmwBit: UInt64 { 0x800 }
  @inline(__always)
  static var expiryBit: UInt64 { 0x400 }

  @inline(__always)
  package init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  @inline(__always)
  package init(counter: UInt64, coordinator: Int) {
    precondition(counter <= Tag.counterMax, "tag counter exhausted")
    precondition(coordinator >= 0 && coordinator <= Tag.coordinatorMax, "no such coordinator: \(coordinator)")
    rawValue = counter << 12 | UInt64(coordinator)
  }

  @inline(__always)
  package var counter: UInt64 { rawValue >> 12 }

  /// Whether it is the tag of a read-modify-write.
  @inline(__always)
  package var isRMW: Bool { rawValue & Tag.rmwBit != 0 }

  /// The same counter as the tag of a read-modify-write.
  var asRMW: Tag { Tag(rawValue: rawValue | Tag.rmwBit) }

  /// Whether it is the tag of a value that expires.
  @inline(__always)
  package var expires: Bool { rawValue & Tag.expiryBit != 0 }

  /// The same counter as the tag of a value that expires.
  package var asExpiring: Tag { Tag(rawValue: rawValue | Tag.expiryBit) }

  /// The same counter as the tag of a write of the same kind as that of `other`.
  func renewing(_ other: Tag) -> Tag { Tag(rawValue: rawValue | other.rawValue & (Tag.rmwBit | Tag.expiryBit)) }

  /// Just above this tag, and below every other that is drawn: the coordinator's bits are 0 in those.
  var next: Tag { Tag(rawValue: rawValue | 1) }

  @inline(__always)
  package var coordinator: Int { Int(rawValue & 0x3ff) }

  @inline(__always)
  package static func < (a: Tag, b: Tag) -> Bool { a.rawValue < b.rawValue }
}
