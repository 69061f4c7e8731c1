/// A small fast generator (xorshift64*, Vigna 2016): good enough to pick keys, and the peers' drivers use it too.
struct BenchmarkRandom {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed == 0 ? 88_172_645_463_325_252 : seed
  }

  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 2_685_821_657_736_338_717
  }

  /// Uniform in 0 ..< `bound`, by multiplication: a division less, and no bias worth speaking of.
  mutating func next(below bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }

  /// Uniform in 0 ..< 1, in steps of 2⁻⁵³.
  mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
