/// The version of a key that a write makes: whichever replica compares two tags, the greater is the newer write.
///
/// ```
///  63                                   12   11   10            0
/// ┌───────────────────────────────────────┬─────┬───────────────┐
/// │ counter (52 bits)                     │ rmw │ coordinator   │
/// └───────────────────────────────────────┴─────┴───────────────┘
/// ```
///
/// The counter is one monotone source for all coordinators of a process, drawn after the operation was invoked, so a
/// write that follows another has the greater tag without asking any replica first. The rmw bit is reserved and 0:
/// read-modify-write needs consensus (Gryff, NSDI '20). At five million writes a second the counter lasts 28 years.
package struct Tag: Comparable, Hashable, Sendable {
  /// The packed fields; tags compare as these do.
  package let rawValue: UInt64

  /// Older than every write: the version of a key that was never written.
  package static let none = Tag(rawValue: 0)

  package static let counterMax: UInt64 = (1 << 52) - 1
  package static let coordinatorMax = 0x7ff

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

  @inline(__always)
  package var coordinator: Int { Int(rawValue & 0x7ff) }

  @inline(__always)
  package static func < (a: Tag, b: Tag) -> Bool { a.rawValue < b.rawValue }
}
