/// Which keys are used how often.
package enum KeyDistribution: String, Sendable, CaseIterable {
  /// All as often.
  case uniform
  /// A few very often, spread over all: YCSB's scrambled zipfian with constant 0.99.
  case zipfian
  /// The newest most often, zipfian by age: YCSB's skewed latest.
  case latest
  /// Four of five operations go to a fifth of the keys, uniformly within both: YCSB's hotspot with its default parts.
  case hotspot
  /// One after the other, and from the beginning again.
  case sequential
}

/// Draws the numbers of keys for one caller.
struct KeyChooser {
  /// YCSB's `hotspotdatafraction` and `hotspotopnfraction`, in hundredths.
  static let hotKeysPercent: UInt64 = 20
  static let hotOperationsPercent: UInt64 = 80

  private let distribution: KeyDistribution
  private let count: UInt64
  private let hotCount: UInt64
  private var zipfian: ScrambledZipfian
  private var ages: Zipfian
  private var position: UInt64
  private var step: UInt64

  /// O(keys) for `latest`; copy it with ``forCaller(_:of:)`` rather than make another.
  init(_ distribution: KeyDistribution, keys: Int) {
    self.distribution = distribution
    count = UInt64(keys)
    hotCount = max(1, count * KeyChooser.hotKeysPercent / 100)
    zipfian = ScrambledZipfian(count: count)
    // YCSB draws ages below the newest key's number.
    ages = distribution == .latest ? Zipfian(count: max(1, count - 1)) : Zipfian(count: 1, zeta: 1)
    (position, step) = (0, 1)
  }

  /// The same for one of several callers; together they go through all keys once if they go one after the other.
  func forCaller(_ index: Int, of callers: Int) -> KeyChooser {
    var copy = self
    copy.position = UInt64(index)
    copy.step = UInt64(callers)
    return copy
  }

  /// A key's number below `present`, as many of which there are; at least as many as at the beginning.
  @inline(__always)
  mutating func next(_ random: inout BenchmarkRandom, present: UInt64) -> UInt64 {
    if distribution == .uniform { return random.next(below: count) }
    return nextUneven(&random, present: present)
  }

  private mutating func nextUneven(_ random: inout BenchmarkRandom, present: UInt64) -> UInt64 {
    switch distribution {
    case .uniform:
      return random.next(below: count)
    case .zipfian:
      return zipfian.next(&random)
    case .latest:
      ages.grow(to: max(1, present - 1))
      return present - 1 - ages.next(&random)
    case .hotspot:
      let isHot = random.next(below: 100) < KeyChooser.hotOperationsPercent || hotCount == count
      return isHot ? random.next(below: hotCount) : hotCount + random.next(below: count - hotCount)
    case .sequential:
      defer { position += step }
      return position % count
    }
  }
}
