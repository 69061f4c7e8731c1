import Foundation

/// Pearson's test of whether counts come from expected ones.
struct ChiSquare {
  private(set) var sum = 0.0
  private(set) var cells = 0

  /// - Parameters:
  ///   - counts: how often each outcome came.
  ///   - expected: how often it should have, in the same order, with the same total. Outcomes of fewer than ten are
  ///     thrown together until they are ten, as the test requires.
  init(counts: [Int], expected: [Double]) {
    precondition(counts.count == expected.count)
    var (count, wanted) = (0, 0.0)
    for (c, e) in zip(counts, expected) {
      count += c
      wanted += e
      if wanted >= 10 { add(&count, &wanted) }
    }
    if wanted > 0 { add(&count, &wanted) }
  }

  private mutating func add(_ count: inout Int, _ expected: inout Double) {
    sum += (Double(count) - expected) * (Double(count) - expected) / expected
    cells += 1
    (count, expected) = (0, 0)
  }

  /// What one run in a thousand exceeds if the counts do come from there (Wilson and Hilferty 1931).
  var bound: Double {
    let freedom = Double(cells - 1)
    let part = 2 / (9 * freedom)
    return freedom * pow(1 - part + 3.0902 * part.squareRoot(), 3)
  }

  /// The draws are seeded, so whatever this says it says every time.
  var fits: Bool { sum < bound }
}
