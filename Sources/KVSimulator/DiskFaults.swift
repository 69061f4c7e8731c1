import KVCluster

/// What a simulated disk shall do wrong, and when. Everything is counted or drawn from a seed.
package struct DiskFaults: Sendable {
  /// Kinds of calls that can fail.
  package enum Operation: Int, Sendable, CaseIterable {
    /// Listing a folder, reading a file, opening a segment.
    case read
    /// Making, growing, replacing, renaming and removing; writing to a staged segment.
    case write
    /// Syncing a segment, be it to make it grow.
    case sync
  }

  /// Where in a step the machine stops.
  package enum Moment: Int, Sendable, CaseIterable {
    case before
    /// A file has grown in part; of what is written to a staged segment a beginning is there; the temporary file of a
    /// replacement is there, in part. Other steps have no inside.
    case during
    case after
  }

  private var failing: [(operation: Operation, number: Int)] = []
  private var calls = [Int](repeating: 0, count: Operation.allCases.count)
  private var chances = [Int](repeating: 0, count: Operation.allCases.count)
  private var random: SeededRandom

  init(random: SeededRandom) {
    self.random = random
  }

  mutating func fail(_ operation: Operation, number: Int) {
    precondition(number > 0)
    failing.append((operation, calls[operation.rawValue] + number))
  }

  mutating func fail(_ operation: Operation, perMille: Int) { chances[operation.rawValue] = perMille }

  /// Planned failures that have not come yet never will.
  mutating func cancelPlanned() { failing = [] }

  /// A call that shall fail has not come yet.
  var hasPlanned: Bool { failing.contains { $0.number > calls[$0.operation.rawValue] } }

  /// Counts a call; returns whether it fails.
  mutating func isDue(_ operation: Operation) -> Bool {
    calls[operation.rawValue] += 1
    let number = calls[operation.rawValue]
    let isPlanned = failing.contains { $0.operation == operation && $0.number == number }
    let chance = chances[operation.rawValue]
    return isPlanned || chance > 0 && random.chance(perMille: chance)
  }
}
