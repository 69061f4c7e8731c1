import Text

/// The greatest value of a graph's axis: a round number that grows at once and shrinks late.
///
/// An axis that follows the data exactly moves all the time, and then the same height means something else on every
/// frame. This one stays until the data no longer fits, or has used less than half of it for long enough. The highest
/// few buckets are left out, so that one spike, which is drawn cut off, does not flatten everything beside it.
package struct AxisScale: Equatable, Sendable {
  /// The value at the top of the axis, a short multiple of a power of ten.
  package private(set) var top: Double
  private let minimum: Double
  private var updatesBelow = 0

  /// Below ten operations a second the noise of single keys would fill the graph.
  package static let minimumRate: Double = 10
  /// One bucket in 80 may exceed the axis, but at least ``spikeBucketsMin``.
  static let bucketsPerSpike = 80
  static let spikeBucketsMin = 1
  /// Updates at less than half of the axis before it shrinks: ten seconds of half-second buckets.
  static let updatesBeforeShrinking = 20
  /// Tops within a power of ten: close enough that at least two thirds of a graph are used.
  private static let steps = [1, 1.5, 2, 3, 4, 6, 8]

  /// - Parameter minimum: the least top, a power of ten.
  package init(minimum: Double = minimumRate) {
    self.minimum = minimum
    top = minimum
  }

  /// Takes the values now on the graph into account.
  /// - Complexity: O(values · log values).
  package mutating func update(_ values: [Double]) {
    let sorted = values.sorted(by: >)
    let skipped = Swift.max(Self.spikeBucketsMin, sorted.count / Self.bucketsPerSpike)
    let peak = sorted.count > skipped ? sorted[skipped] : sorted.last ?? 0
    let wanted = Self.roundUp(peak * 1.05, minimum: minimum)
    if wanted > top {
      top = wanted
      updatesBelow = 0
    } else if peak < top / 2 {
      updatesBelow += 1
      if updatesBelow >= Self.updatesBeforeShrinking {
        top = wanted
        updatesBelow = 0
      }
    } else {
      updatesBelow = 0
    }
  }

  static func roundUp(_ value: Double, minimum: Double = minimumRate) -> Double {
    var power = minimum
    while power.isFinite {
      for step in steps where value <= step * power { return step * power }
      power *= 10
    }
    return minimum
  }
}
