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

  package var readsPerSecond: Double { rate(\.reads) }
  package var writesPerSecond: Double { rate(\.writes) }

  private func rate(_ counter: KeyPath<OperationCounters, UInt64>) -> Double {
    guard let first = samples.first, let last = samples.last, last.atNs > first.atNs else { return 0 }
    let operations = Double(last.operations[keyPath: counter] - first.operations[keyPath: counter])
    return operations * 1e9 / Double(last.atNs - first.atNs)
  }
}
