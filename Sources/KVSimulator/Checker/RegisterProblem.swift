/// One key's history, made ready for ``LinearizationSearch``: what cannot matter is gone, and the rest is numbered.
///
/// Three shortcuts are taken here. Below, *L* is any valid order of the history, and the *reign* of a write in L is
/// the stretch from it to the next put, delete or compare-and-set that took effect.
///
/// 1. **An open get is dropped**: it changes nothing, and any answer would have been right.
/// 2. **An open write is dropped if what it leaves behind is ``RegisterStates/other``** and no compare-and-set of the
///    key was refused. If L contains it, L without it is valid too. In its reign the contents stay `other`, whatever is
///    appended, so the reign holds no get that returned and no compare-and-set that took effect: only appends, which
///    accept any contents, and the write that ends it, which is blind, for a compare-and-set would have had to
///    recognise `other`. (A refused compare-and-set is the exception: the write may be what refused it.)
/// 3. **An open write whose contents were seen is closed** if nothing else, initial contents included, can have left
///    them there (no appends). L must have it before each of its observers, so before whatever was invoked after the
///    first of these returned. Giving it that moment as its own return demands nothing else.
///
/// Where values are distinct, 2 and 3 leave no put open, and of the deletes only those that compete for a get's nothing.
struct RegisterProblem {
  /// How an operation looks at the state and changes it.
  enum Kind: UInt8 {
    /// A get that found state `expects`.
    case read
    /// A put or delete that leaves `yields`.
    case write
    /// A compare-and-set that takes `expects` to `yields`.
    case swap
    /// A compare-and-set that found anything but `expects`.
    case refusal
    /// An append of suffix `yields`.
    case append
  }

  struct Step: Hashable {
    var kind: Kind
    var expects: Int32 = RegisterStates.other
    var yields: Int32 = RegisterStates.other

    var isPure: Bool { kind == .read || kind == .refusal }
  }

  /// Open operations that do the same are interchangeable, so those invoked first are used first: an order that uses
  /// a later one instead stays valid when the two trade places, as neither ever returns.
  struct OpenClass {
    var step: Step
    /// For each member the first entry that comes after its invocation, rising.
    var availableFrom: [Int]
  }

  /// An invocation or a return of a closed operation.
  struct Entry {
    var operation: Int
    var isReturn: Bool
    var time: Int
    /// Closed operations invoked before this entry.
    var invokedBefore: Int
  }

  private(set) var states: RegisterStates
  private(set) var initialStates: [Int32] = []
  /// The closed operations, numbered by invocation.
  private(set) var steps: [Step] = []
  /// Invocations and returns in order of time; at equal times the invocations come first.
  private(set) var entries: [Entry] = []
  /// For each closed operation the index of its invocation and of its return in `entries`.
  private(set) var invocationEntry: [Int] = []
  private(set) var returnEntry: [Int] = []
  private(set) var openClasses: [OpenClass] = []
  let hasAppends: Bool
  let hasRefusals: Bool

  init(_ history: RegisterHistory) {
    let kept = Self.droppingOpenOperations(history)
    hasAppends = kept.hasAppends
    hasRefusals = kept.hasRefusals
    states = RegisterStates(kept)
    for contents in kept.initialContents {
      let state = states.state(of: contents)
      if !initialStates.contains(state) { initialStates.append(state) }
    }
    let intervals = numbered(kept)
    steps = intervals.filter { $0.returnedAt != nil }.map(\.step)
    layOut(intervals)
  }

  /// Contents that appends made during the search get numbers of their own.
  mutating func appending(_ suffix: Int32, to state: Int32) -> Int32 {
    states.appending(suffix, to: state)
  }

  /// For each state the closed operations that must see it, and all operations that yield it, appends aside.
  func readersAndSources() -> (readers: [Int32], sources: [Int32]) {
    var readers = [Int32](repeating: 0, count: states.count)
    var sources = readers
    for step in steps where step.kind == .read || step.kind == .swap { readers[Int(step.expects)] += 1 }
    for step in steps where step.kind == .write || step.kind == .swap { sources[Int(step.yields)] += 1 }
    for open in openClasses where open.step.kind != .append {
      sources[Int(open.step.yields)] += Int32(open.availableFrom.count)
    }
    return (readers, sources)
  }
}

// MARK: - Dropping and closing open operations

extension RegisterProblem {
  /// Shortcuts 1 and 2. Dropping a compare-and-set may make another write unobserved, hence the loop.
  private static func droppingOpenOperations(_ history: RegisterHistory) -> RegisterHistory {
    var kept = history
    kept.operations.removeAll { $0.outcome == .unknown && $0.call == .get }
    guard !kept.hasRefusals else { return kept }
    while true {
      var states = RegisterStates(kept)
      let countBefore = kept.operations.count
      kept.operations.removeAll { $0.outcome == .unknown && !leavesTraces($0.call, &states) }
      if kept.operations.count == countBefore { return kept }
    }
  }

  private static func leavesTraces(_ write: History.Call, _ states: inout RegisterStates) -> Bool {
    switch write {
    case .get: false
    case .put(let value): states.state(of: value) != RegisterStates.other
    case .compareAndSet(_, let new): states.state(of: new) != RegisterStates.other
    case .delete: states.state(of: nil) != RegisterStates.other
    case .append(let suffix): states.appendMatters(suffix)
    }
  }

  private struct Interval {
    var step: Step
    var invokedAt: Int
    var returnedAt: Int?
  }

  /// The operations by invocation, as steps, with shortcut 3 applied.
  private mutating func numbered(_ history: RegisterHistory) -> [Interval] {
    let order = history.operations.indices.sorted {
      (history.operations[$0].invokedAt, $0) < (history.operations[$1].invokedAt, $1)
    }
    var intervals = order.map { index in
      let operation = history.operations[index]
      return Interval(
        step: step(of: operation), invokedAt: operation.invokedAt, returnedAt: operation.returnedAt)
    }
    guard !hasAppends else { return intervals }
    var sources = [Int](repeating: 0, count: states.count)
    var firstSeenAt = [Int](repeating: .max, count: states.count)
    for state in initialStates { sources[Int(state)] += 1 }
    for interval in intervals {
      let step = interval.step
      if step.kind == .write || step.kind == .swap { sources[Int(step.yields)] += 1 }
      if step.kind == .read || step.kind == .swap, let returnedAt = interval.returnedAt {
        firstSeenAt[Int(step.expects)] = min(firstSeenAt[Int(step.expects)], returnedAt)
      }
    }
    for index in intervals.indices where intervals[index].returnedAt == nil {
      let state = Int(intervals[index].step.yields)
      // Seen before it was invoked: a violation, which the search reports at the get.
      guard sources[state] == 1, (intervals[index].invokedAt..<Int.max).contains(firstSeenAt[state]) else { continue }
      intervals[index].returnedAt = firstSeenAt[state]
    }
    return intervals
  }

  private mutating func step(of operation: History.Operation) -> Step {
    switch (operation.call, operation.outcome) {
    case (.get, .found(let contents)):
      Step(kind: .read, expects: states.state(of: contents))
    case (.get, _):
      preconditionFailure("an open get was kept")
    case (.put(let value), _):
      Step(kind: .write, yields: states.state(of: value))
    case (.delete, _):
      Step(kind: .write, yields: states.state(of: nil))
    case (.compareAndSet(let expected, _), .swapped(false)):
      Step(kind: .refusal, expects: states.state(of: expected))
    case (.compareAndSet(let expected, let new), _):
      Step(kind: .swap, expects: states.state(of: expected), yields: states.state(of: new))
    case (.append(let bytes), _):
      Step(kind: .append, yields: states.suffix(bytes))
    }
  }

  /// Fills `entries` and `openClasses`.
  private mutating func layOut(_ intervals: [Interval]) {
    let closed = intervals.filter { $0.returnedAt != nil }
    let returns = closed.indices.sorted { (closed[$0].returnedAt!, $0) < (closed[$1].returnedAt!, $1) }
    invocationEntry = Array(repeating: 0, count: closed.count)
    returnEntry = Array(repeating: 0, count: closed.count)
    var invoked = 0
    for operation in returns {
      let time = closed[operation].returnedAt!
      while invoked < closed.count, closed[invoked].invokedAt <= time {
        invocationEntry[invoked] = entries.count
        entries.append(
          Entry(operation: invoked, isReturn: false, time: closed[invoked].invokedAt, invokedBefore: invoked))
        invoked += 1
      }
      returnEntry[operation] = entries.count
      entries.append(Entry(operation: operation, isReturn: true, time: time, invokedBefore: invoked))
    }
    classify(intervals.filter { $0.returnedAt == nil })
  }

  private mutating func classify(_ open: [Interval]) {
    var indices: [Step: Int] = [:]
    var entry = 0
    for interval in open {
      while entry < entries.count, !(entries[entry].isReturn && entries[entry].time >= interval.invokedAt) {
        entry += 1
      }
      if let index = indices[interval.step] {
        openClasses[index].availableFrom.append(entry)
      } else {
        indices[interval.step] = openClasses.count
        openClasses.append(OpenClass(step: interval.step, availableFrom: [entry]))
      }
    }
  }
}
