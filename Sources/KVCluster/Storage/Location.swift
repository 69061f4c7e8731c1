/// Where the index finds a key's newest record, and how large it is.
///
/// ```
///  63              48 47                24 23              2   1   0
/// ┌──────────────────┬────────────────────┬────────────────┬───┬───┐
/// │ slot (16)        │ offset / 8 (24)    │ bytes / 8 (22) │ C │ T │   in the log
/// ├──────────────────┴────────────────────┼────────────────┼───┼───┤
/// │ offset / 8 in the partition's cache   │ bytes / 8 (22) │ 1 │ 0 │   in the cache, which knows its place in the log
/// └───────────────────────────────────────┴────────────────┴───┴───┘
/// ```
///
/// `T`: the record is a tombstone. `C`: the value is cached. The slot is that of the ``SegmentTable``: segment ids grow
/// for ever, slots are used again. The size is 0 for a record of 32 MiB or more; the record itself then tells.
package struct Location: Equatable, Sendable {
  package var rawValue: UInt64

  /// No record; slots start at 1.
  package static let none = Location(rawValue: 0)

  @inline(__always)
  package init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  @inline(__always)
  package init(slot: Int, offset: Int, byteCount: Int, isTombstone: Bool) {
    rawValue =
      UInt64(truncatingIfNeeded: slot) << 48 | UInt64(truncatingIfNeeded: offset) << 21
      | Location.sizeBits(byteCount) | (isTombstone ? 1 : 0)
  }

  @inline(__always)
  init(cacheOffset: Int, byteCount: Int) {
    rawValue = UInt64(truncatingIfNeeded: cacheOffset) << 21 | Location.sizeBits(byteCount) | 2
  }

  private static let sizeMask: UInt64 = 0x3f_ffff

  @inline(__always)
  private static func sizeBits(_ byteCount: Int) -> UInt64 {
    let units = UInt64(truncatingIfNeeded: byteCount) >> 3
    return units > sizeMask ? 0 : units << 2
  }

  @inline(__always)
  package var slot: Int { Int(truncatingIfNeeded: rawValue >> 48) }

  @inline(__always)
  package var offset: Int { Int(truncatingIfNeeded: rawValue >> 21) & 0x7ff_fff8 }

  @inline(__always)
  var cacheOffset: Int { Int(truncatingIfNeeded: rawValue >> 21) & ~7 }

  /// Bytes of the record, padding included; 0 if the field cannot hold it.
  @inline(__always)
  package var byteCount: Int { Int(truncatingIfNeeded: rawValue & 0xff_fffc) << 1 }

  @inline(__always)
  package var isTombstone: Bool { rawValue & 1 != 0 }

  @inline(__always)
  var isCached: Bool { rawValue & 2 != 0 }
}

/// A byte position in a log, over all its segments, in units of 8 bytes: segment × 2²⁴ + offset / 8. What is appended
/// later lies higher.
package struct LogPosition: Comparable, Sendable {
  package var rawValue: UInt64

  package static let start = LogPosition(rawValue: 0)

  @inline(__always)
  package init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  @inline(__always)
  package init(segment: UInt64, offset: Int) {
    rawValue = segment << 24 | UInt64(offset >> 3)
  }

  package var segment: UInt64 { rawValue >> 24 }
  package var offset: Int { Int(rawValue & 0xff_ffff) << 3 }

  @inline(__always)
  package static func < (a: LogPosition, b: LogPosition) -> Bool { a.rawValue < b.rawValue }
}
