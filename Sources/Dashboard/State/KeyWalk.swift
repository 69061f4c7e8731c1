import ClusterModel

/// A key and the slot it lies in.
package struct ShownKey: Equatable, Sendable {
  /// The key as a person reads it.
  package var key: String
  package var slot: Int

  /// More of a key than any panel shows.
  package static let keyBytesMax = 256

  package init(key: String, slot: Int) {
    self.key = key
    self.slot = slot
  }
}

/// A key that a command asked for, on its walk around the ring: from its hash to its owners, one after the other.
///
/// The walk is over in 600 ms; the key's dot and the line that names its owners stay until the next key.
package struct KeyWalk: Equatable, Sendable {
  package var key: ShownKey
  package var startedNs: UInt64

  /// Long enough that an eye that was on the prompt catches it, short enough that it never lags behind typing.
  package static let durationNs: UInt64 = 600_000_000
  /// First the dot alone, then an owner at a time.
  private static let dotPart = 0.2

  /// How many of `owners` the walk has reached; all of them once it is over.
  func ownersReached(of owners: Int, nowNs: UInt64) -> Int {
    guard isMoving(nowNs: nowNs) else { return owners }
    let part = Double(nowNs - Swift.min(nowNs, startedNs)) / Double(Self.durationNs)
    return Swift.max(0, Swift.min(owners, Int((part - Self.dotPart) / (1 - Self.dotPart) * Double(owners + 1))))
  }

  func isMoving(nowNs: UInt64) -> Bool { nowNs < startedNs + Self.durationNs }

}

/// Places on the ring in words.
enum RingPlace {
  /// A slot's first place in 65,536ths of the ring as four hexadecimal digits, as the tape's labels begin.
  static func digits(slot: Int, of slotCount: Int) -> String { digits(part: slot * 65_536 / Swift.max(1, slotCount)) }

  /// The last place before a slot begins.
  static func digits(before slot: Int, of slotCount: Int) -> String {
    digits(part: slot * 65_536 / Swift.max(1, slotCount) - 1)
  }

  private static func digits(part slot: Int) -> String {
    let digits = String(slot, radix: 16)
    return String(repeating: "0", count: Swift.max(0, 4 - digits.count)) + digits
  }
}
