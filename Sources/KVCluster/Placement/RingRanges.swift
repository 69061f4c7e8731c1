/// A set of ring slots, as the log keeps it: first and last slot of each range in pairs of 16 bits, little-endian.
package struct RingRanges: Equatable, Sendable {
  package private(set) var ranges: [ClosedRange<Int>]

  /// No slots.
  package init() { ranges = [] }

  /// The slots that satisfy `isMember`. O(slots).
  package init(where isMember: (_ slot: Int) -> Bool) {
    ranges = []
    for slot in 0..<Ring.slotCount where isMember(slot) { append(slot...slot) }
  }

  /// Adds slots beyond all that are in.
  package mutating func append(_ slots: ClosedRange<Int>) {
    if let last = ranges.last, last.upperBound == slots.lowerBound - 1 {
      ranges[ranges.count - 1] = last.lowerBound...slots.upperBound
    } else {
      precondition(ranges.last.map { $0.upperBound < slots.lowerBound } ?? true, "slots come in their order")
      ranges.append(slots)
    }
  }

  package init(bytes: UnsafeRawBufferPointer) {
    ranges = stride(from: 0, to: bytes.count - 3, by: 4).map { at in
      let first = Int(bytes[at]) | Int(bytes[at + 1]) << 8
      let last = Int(bytes[at + 2]) | Int(bytes[at + 3]) << 8
      return min(first, last)...max(first, last)
    }
  }

  package var bytes: [UInt8] {
    ranges.flatMap { range in
      [range.lowerBound, range.upperBound].flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
    }
  }

  package var isEmpty: Bool { ranges.isEmpty }

  /// O(log ranges).
  package func contains(_ slot: Int) -> Bool {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < slot { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].contains(slot)
  }
}
