import Glibc

/// An axis: from values to places, and where its lines stand.
struct ChartScale {
  enum Kind { case linear, logarithmic }

  let kind: Kind
  /// The values at the axis' ends; more than 0 both if it is logarithmic.
  let low: Double
  let high: Double
  /// Where lines stand.
  let ticks: [Double]

  /// From 0 to a round number that is not less than any value, in four to eight steps of 1, 2 or 5 times a power of ten.
  static func fromZero(to value: Double) -> ChartScale {
    let top = max(value, 1e-9)
    let power = pow(10, floor(log10(top / 4)))
    let step = [1, 2, 5, 10].map { $0 * power }.first { top / $0 <= 8 } ?? power * 10
    let count = Int((top / step - 1e-9).rounded(.up))
    return ChartScale(
      kind: .linear, low: 0, high: step * Double(count), ticks: (0...count).map { step * Double($0) })
  }

  /// From `low` to `high` exactly, with lines at the round numbers between.
  static func exactly(_ low: Double, _ high: Double) -> ChartScale {
    let round = fromZero(to: high)
    return ChartScale(
      kind: .linear, low: low, high: max(high, low + 1e-9), ticks: round.ticks.filter { $0 >= low && $0 <= high })
  }

  /// Whole powers of ten around the values.
  static func powers(_ values: [Double]) -> ChartScale {
    let positive = values.filter { $0 > 0 }
    let from = Int(floor(log10(positive.min() ?? 1)))
    let to = max(from + 1, Int(ceil(log10((positive.max() ?? 10) * 0.999_999))))
    return ChartScale(
      kind: .logarithmic, low: pow(10, Double(from)), high: pow(10, Double(to)),
      ticks: (from...to).map { pow(10, Double($0)) })
  }

  /// From 1 to `high` exactly, with lines at the powers of ten between.
  static func powers(upTo high: Double) -> ChartScale {
    let ticks = powers([1, high]).ticks.filter { $0 <= high }
    return ChartScale(kind: .logarithmic, low: 1, high: max(high, 10), ticks: ticks)
  }

  /// From 0 to 1 along the axis.
  func place(_ value: Double) -> Double {
    switch kind {
    case .linear: (value - low) / (high - low)
    case .logarithmic: (log10(max(value, low)) - log10(low)) / (log10(high) - log10(low))
    }
  }
}
