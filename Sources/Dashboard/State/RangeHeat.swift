import ClusterModel

/// Operations a second on equal parts of the ring, over the last two seconds.
package struct RangeHeat: Equatable, Sendable {
  private struct Sample: Equatable { var atNs: UInt64, counts: [UInt64] }

  /// A few samples over the window: long enough that ranges do not flicker.
  private static let windowNs: UInt64 = 2_000_000_000
  private static let sampleNs: UInt64 = 500_000_000

  private var samples: [Sample] = []
  /// By part, in the order of hashes; empty as long as nothing is known.
  package private(set) var rates: [Double] = []
  package private(set) var most = 0.0

  mutating func add(_ counters: [OperationCounters], atNs: UInt64) {
    if let last = samples.last {
      guard atNs >= last.atNs + Self.sampleNs else { return }
      let hasBegunAnew = zip(counters, last.counts).contains { $0.total < $1 } || counters.count != last.counts.count
      if hasBegunAnew { samples = [] }
    }
    samples.append(Sample(atNs: atNs, counts: counters.map(\.total)))
    while samples.count > 2, samples[1].atNs + Self.windowNs <= atNs { samples.removeFirst() }
    guard let first = samples.first, let last = samples.last, last.atNs > first.atNs else { return }
    let seconds = Double(last.atNs - first.atNs) / 1e9
    rates = zip(last.counts, first.counts).map { Double($0 - $1) / seconds }
    most = rates.max() ?? 0
  }

  /// How hot a slot's part is beside the hottest, from 0 to 1.
  func part(ofSlot slot: Int, of slotCount: Int) -> Double {
    guard most > 0, slotCount > 0, !rates.isEmpty else { return 0 }
    return rates[Swift.min(rates.count - 1, slot * rates.count / slotCount)] / most
  }
}
