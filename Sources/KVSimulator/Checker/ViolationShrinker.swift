/// Cuts a history that is known to fail down to the part that shows why.
///
/// First its shortest failing prefix, which is the moment the violation became certain. Then operations are left out
/// as long as the rest fails, by halves first and then ever smaller pieces (Zeller and Hildebrandt, "Simplifying and
/// isolating failure-inducing input", 2002). Leaving out *any* operation whose absence still fails would be simpler and
/// wrong: without its put, every get of a value "fails". So only such operations go whose absence cannot turn a
/// linearizable history into a violation; then what remains proves the violation of the whole:
///
/// - A pure operation: the rest of a valid order is valid without it.
/// - A write without a possible reader (``Readers``), if no refused compare-and-set is left: in a valid order nothing
///   in its reign looks at the contents, as in ``RegisterProblem``'s shortcut 2.
///
/// One more is kept than proof needs: the last write of contents that were seen, so that a value read too late does not
/// look like one that never existed.
struct ViolationShrinker {
  /// Fails at any time; what is left when the shrinker is done.
  private(set) var offending: RegisterHistory
  private let limits: CheckerLimits
  private var stepsLeft: Int

  /// - Parameter history: one that fails.
  init(_ history: RegisterHistory, limits: CheckerLimits) {
    offending = history
    offending.operations.sort { ($0.invokedAt, $0.returnedAt ?? .max) < ($1.invokedAt, $1.returnedAt ?? .max) }
    self.limits = limits
    stepsLeft = limits.shrinkStepsMax
  }

  /// Keeps only what was known at the first return by which the history had failed.
  ///
  /// The prefixes of a linearizable history are linearizable, so it is found by bisection.
  /// - Parameter stuckAt: where the search was stuck. The prefix through any earlier return is linearizable; this one
  ///   nearly always fails, but may not, as the search also looks ahead (rule 3 of ``LinearizationSearch``).
  mutating func cutToShortestPrefix(from stuckAt: Int) {
    let times = offending.operations.compactMap(\.returnedAt).filter { $0 >= stuckAt }.sorted()
    var low = 0
    var high = times.count - 1
    var middle = 0
    while low < high {
      if fails(offending.prefix(through: times[middle])) { high = middle } else { low = middle + 1 }
      middle = (low + high) / 2
    }
    offending = offending.prefix(through: times[high])
  }

  /// - Complexity: O(n) checks if everything matters, O(k log n) if k operations do.
  mutating func dropWhatDoesNotMatter() {
    var countBefore: Int
    repeat {
      countBefore = offending.operations.count
      dropByHalves { history, range in range.filter { history.operations[$0].isPure } }
      dropByHalves { history, range in Readers.writesWithout(in: history, among: range) }
    } while offending.operations.count < countBefore && stepsLeft > 0
  }

  /// Tries to leave out those operations of each piece that `droppable` names, for smaller and smaller pieces.
  private mutating func dropByHalves(_ droppable: (RegisterHistory, Range<Int>) -> [Int]) {
    var pieceCount = offending.operations.count
    while pieceCount > 0 {
      var start = 0
      while start < offending.operations.count {
        var end = min(offending.operations.count, start + pieceCount)
        let dropped = droppable(offending, start..<end)
        if !dropped.isEmpty {
          let rest = offending.without(dropped)
          if fails(rest) {
            offending = rest
            end -= dropped.count
          }
        }
        start = end
      }
      pieceCount /= 2
    }
  }

  /// Giving up counts as no: it only leaves more in the proof.
  private mutating func fails(_ history: RegisterHistory) -> Bool {
    guard stepsLeft > 0 else { return false }
    let (result, configurationCount) = LinearizabilityChecker.decide(history, bytesMax: limits.trialBytesMax)
    stepsLeft -= history.operations.count + configurationCount
    switch result {
    case .violation: return true
    case .linearizable, .undecided: return false
    }
  }
}

extension RegisterHistory {
  /// - Parameter dropped: indices, rising.
  fileprivate func without(_ dropped: [Int]) -> RegisterHistory {
    var rest = RegisterHistory(operations: [], initialContents: initialContents)
    var skip = dropped[...]
    for (index, operation) in operations.enumerated() {
      if index == skip.first { skip.removeFirst() } else { rest.operations.append(operation) }
    }
    return rest
  }
}

/// Who can have read from a write.
package enum Readers {
  /// The writes in `range` in whose reign, in any valid order, nothing looks at the contents; indices, rising.
  ///
  /// An observer is out of the reign if it returned before the write was invoked, or if a third write, one that takes
  /// the contents' place whatever they were, came wholly between the two. Only writes outside `range` count as such, so
  /// the result holds for all of them together.
  package static func writesWithout(in history: RegisterHistory, among range: Range<Int>) -> [Int] {
    guard !history.hasRefusals else { return [] }
    let operations = history.operations
    let hasAppends = history.hasAppends
    var replacements: [(returnedAt: Int, invokedAt: Int)] = []
    for (index, operation) in operations.enumerated() where !range.contains(index) && operation.replacesContents {
      if let returnedAt = operation.returnedAt { replacements.append((returnedAt, operation.invokedAt)) }
    }
    let observers = operations.filter { $0.observes != nil }.map { observer in
      (observer, overwritten: replacements.lazy.filter { $0.returnedAt < observer.invokedAt }.map(\.invokedAt).max())
    }
    let writesKept = operations.indices.lazy.filter { !range.contains($0) }.map { operations[$0] }
    return range.filter { index in
      let write = operations[index]
      guard write.call != .get else { return false }
      return observers.allSatisfy { observer, overwritten in
        guard mayShow(write, to: observer, hasAppends: hasAppends) else { return true }
        let isEarlier = observer.returnedAt.map { $0 < write.invokedAt } ?? false
        let isOverwritten = write.returnedAt.map { $0 < overwritten ?? .min } ?? false
        guard isEarlier || isOverwritten else { return false }
        return history.initialContents.contains(observer.observes!)
          || writesKept.contains { mayShow($0, to: observer, hasAppends: hasAppends) }
      }
    }
  }

  /// Whether what `observer` sees may contain what `write` left, as it was or with something appended.
  private static func mayShow(
    _ write: History.Operation, to observer: History.Operation, hasAppends: Bool
  ) -> Bool {
    guard let seen = observer.observes else { return false }
    switch write.call {
    case .get:
      return false
    case .put(let value), .compareAndSet(_, .some(let value)):
      return seen == value || (hasAppends && seen?.starts(with: value) ?? false)
    case .delete, .compareAndSet(_, nil):
      return seen == nil || hasAppends
    case .append(let suffix):
      // The empty append shows only where it makes absent contents empty.
      return seen.map { suffix.isEmpty ? $0.isEmpty : $0.contains(part: suffix) } ?? false
    }
  }
}

extension History.Operation {
  /// Certainly took effect, and left something that does not depend on what was there.
  fileprivate var replacesContents: Bool {
    switch (call, outcome) {
    case (.put, .done), (.delete, .done), (.compareAndSet, .swapped(true)): true
    case (.get, _), (.put, _), (.delete, _), (.compareAndSet, _), (.append, _): false
    }
  }
}
