/// Chance from a seed, for the simulator and for faults that are played with: SplitMix64 (Steele, Lea, Flood, OOPSLA '14), with bounded draws of its own, so
/// that a seed gives the same run on every machine and with every version of the standard library.
package struct SeededRandom: Sendable {
  private var state: UInt64

  package init(seed: UInt64) {
    state = seed
  }

  /// An independent stream: what one subsystem draws must not shift what another gets.
  package mutating func split() -> SeededRandom { SeededRandom(seed: next()) }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Uniform in 0 ..< `bound`.
  package mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0)
    return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// Uniform in the range.
  package mutating func within(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

  /// True in `perMille` of 1,000 cases.
  package mutating func chance(perMille: Int) -> Bool { below(1_000) < perMille }
}
