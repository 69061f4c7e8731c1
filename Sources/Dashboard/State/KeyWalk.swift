import KVCluster

/// Where a key lies on the ring.
package struct KeyPlace: Equatable, Sendable {
  /// The key as a person reads it.
  package var key: String
  package var hash: UInt64

  /// More of a key than any panel shows.
  package static let keyBytesMax = 256

  package init(key: String, hash: UInt64) {
    self.key = key
    self.hash = hash
  }
}

/// A key that a command asked for, on its walk around the ring: from its hash to its owners, one after the other.
///
/// The walk is over in 600 ms; the key's dot and the line that names its owners stay until the next key.
package struct KeyWalk: Equatable, Sendable {
  package var place: KeyPlace
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

  /// The four digits that say where on the ring a hash lies, as the tape's labels begin.
  static func short(_ hash: UInt64) -> String { RingPlace.digits(slot: Int(hash >> 48)) }
}

/// Places on the ring in words.
enum RingPlace {
  /// A place in 65,536ths of the ring as four hexadecimal digits.
  static func digits(slot: Int) -> String {
    let digits = String(slot, radix: 16)
    return String(repeating: "0", count: Swift.max(0, 4 - digits.count)) + digits
  }
}
