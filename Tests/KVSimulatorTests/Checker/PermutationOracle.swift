import KVSimulator

/// Decides linearizability of a tiny history of one key by its definition: tries every order.
///
/// Shares nothing with the checker: no memory, no numbering, no shortcuts, one copy of the remaining operations a step.
struct PermutationOracle {
  /// - Complexity: O(n!).
  static func isLinearizable(_ operations: [History.Operation], from initial: [History.Contents]) -> Bool {
    initial.contains { canComplete(operations, $0) }
  }

  /// The earliest time through which the history fails, if it does.
  static func failsAt(_ operations: [History.Operation], from initial: [History.Contents]) -> Int? {
    operations.compactMap(\.returnedAt).sorted().first { time in
      !isLinearizable(known(operations, at: time), from: initial)
    }
  }

  private static func known(_ operations: [History.Operation], at time: Int) -> [History.Operation] {
    operations.filter { $0.invokedAt <= time }.map { operation in
      var operation = operation
      if let returnedAt = operation.returnedAt, returnedAt > time {
        operation.returnedAt = nil
        operation.outcome = .unknown
      }
      return operation
    }
  }

  private static func canComplete(_ left: [History.Operation], _ contents: History.Contents) -> Bool {
    if left.allSatisfy({ $0.returnedAt == nil }) { return true }
    let deadline = left.compactMap(\.returnedAt).min()!
    return left.indices.contains { index in
      guard left[index].invokedAt <= deadline, let after = effect(of: left[index], on: contents) else { return false }
      var rest = left
      rest.remove(at: index)
      return canComplete(rest, after)
    }
  }

  /// The contents afterwards, or `nil` if the answer does not fit the contents before.
  private static func effect(of operation: History.Operation, on contents: History.Contents) -> History.Contents? {
    switch (operation.call, operation.outcome) {
    case (.get, .found(let found)): found == contents ? .some(contents) : .none
    case (.get, _): .some(contents)
    case (.put(let value), _): .some(value)
    case (.delete, _): .some(nil)
    case (.append(let suffix), _): .some((contents ?? []) + suffix)
    case (.compareAndSet(let expected, let new), .swapped(let swapped)):
      (expected == contents) == swapped ? .some(swapped ? new : contents) : .none
    case (.compareAndSet(let expected, let new), _):
      .some(expected == contents ? new : contents)
    }
  }
}

/// A generator of our own, so that a seed means the same histories everywhere and always (SplitMix64).
struct SeededGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// 0 ..< bound, close enough to uniform for tests.
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}
