/// Says which operations of a caller are timed: one in so many, at distances that are drawn.
///
/// A fixed distance would fall in step with what is done in turn: one in 16 of reads and writes that alternate are all
/// reads, and no write would ever be timed.
struct LatencySampler {
  /// One operation in so many; 0 for none.
  private let every: UInt64
  private var random: BenchmarkRandom
  /// Operations until one is timed, that one counted.
  private var left: UInt64

  init(every: Int, seed: UInt64) {
    self.every = UInt64(every)
    random = BenchmarkRandom(seed: seed)
    left = every == 0 ? .max : 1
  }

  /// Whether the next operation is to be timed. The first is.
  @inline(__always)
  mutating func next() -> Bool {
    left -= 1
    guard left == 0 else { return false }
    // 1 to 2n - 1, on average n.
    left = 1 + random.next(below: 2 * every - 1)
    return true
  }
}
