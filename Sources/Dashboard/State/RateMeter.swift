import ClusterModel

/// Operations a second, from counters that only grow.
package struct RateMeter: Equatable, Sendable {
  private struct Sample: Equatable { var atNs: UInt64, operations: OperationCounters }
  private var samples: [Sample] = []

  /// Long enough to be readable, short enough to be now.
  static let windowNs: UInt64 = 1_000_000_000

  package init() {}

  package mutating func add(_ operations: OperationCounters, atNs: UInt64) {
    if let last = samples.last {
      guard atNs > last.atNs else { return }
      // A node that was restarted counts from zero again.
      if operations.reads < last.operations.reads || operations.writes < last.operations.writes { samples = [] }
    }
    samples.append(Sample(atNs: atNs, operations: operations))
    // One sample older than the window stays: the rate spans at least the window.
    while samples.count > 2, samples[1].atNs + Self.windowNs <= atNs { samples.removeFirst() }
  }

  /// Reads and writes of a second; `nil` before the second sample.
  package var perSecond: (reads: Double, writes: Double)? {
    guard let first = samples.first, let last = samples.last, last.atNs > first.atNs else { return nil }
    let seconds = Double(last.atNs - first.atNs) / 1e9
    return (
      Double(last.operations.reads - first.operations.reads) / seconds,
      Double(last.operations.writes - first.operations.writes) / seconds
    )
  }
}
