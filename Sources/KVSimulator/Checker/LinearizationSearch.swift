/// Looks for an order of one key's operations that agrees with time and explains every answer.
///
/// Depth first, as Wing and Gong: put any operation next that nothing still missing precedes and that the state allows;
/// at a dead end take the last one back. The entries of the missing closed operations form a doubly linked list, in
/// which putting an operation next and taking it back cost O(1) (Lowe 2017, section 3); the *frontier*, what may come
/// next, is the invocations ahead of the list's first return. Visited configurations: ``ConfigurationMemory``.
///
/// Five rules narrow the choice. Each says that if the order can be completed at all, it can be without the moves that
/// the rule forbids; each looks only at the configuration, so what the memory holds stays true.
///
/// 1. **A pure operation that fits the state goes first**, without alternatives: it changes nothing, and moving it
///    forward to here leaves every other operation the same state.
/// 2. **A write that nobody can recognise goes along with a blind one.** When a put or delete goes next, so do, just
///    before it, all closed puts and deletes of the frontier that yield ``RegisterStates/other``: where the order
///    has them later, their reign is empty of readers (``RegisterProblem``), and here it is empty of everything.
///    Not if the key refused a compare-and-set.
/// 3. **A state is not left while somebody must still see it** and nothing that is missing could bring it back. Not if
///    the key has appends, which could.
/// 4. **An open write goes only where the next operation could need it**: a get that finds just that, a
///    compare-and-set that expects it or was refused, an append. Followed by a blind write it had better stay out.
/// 5. **Of open writes that do the same the first invoked goes first** (``RegisterProblem/OpenClass``).
struct LinearizationSearch {
  enum Result: Equatable {
    case linearizable
    /// Nothing got past the return at this time.
    case violation(stuckAt: Int)
    case undecided
  }

  /// One operation put into the order.
  private struct Move {
    /// A closed operation, or the complement of an open class.
    var mover: Int
    var stateBefore: Int32
    /// Where the search for an alternative goes on; `nil` if there is none, by rules 1 and 2.
    var resumeAt: Int?
  }

  private var problem: RegisterProblem
  private let bytesMax: Int

  // The configuration.
  private var state = RegisterStates.other
  private var closedUsed: [UInt64]
  private var closedHash: UInt64 = 0
  private var openUsed: [UInt32]
  /// Missing closed operations that must see each state, and missing operations that yield it (rule 3).
  private var readersLeft: [Int32]
  private var sourcesLeft: [Int32]

  /// The entries of the missing closed operations.
  private var missing: EntryList
  private var moves: [Move] = []
  private var memory: ConfigurationMemory
  /// The farthest return that the order had to get past.
  private var farthest = 0
  /// What the frontier could make of an open write's result (rule 4).
  private var demand: Demand

  init(_ problem: RegisterProblem, bytesMax: Int) {
    self.problem = problem
    self.bytesMax = bytesMax
    missing = EntryList(count: problem.entries.count)
    closedUsed = Array(repeating: 0, count: problem.steps.count / 64 + 1)
    openUsed = Array(repeating: 0, count: problem.openClasses.count)
    memory = ConfigurationMemory(classCount: problem.openClasses.count)
    demand = Demand(stateCount: problem.states.count)
    (readersLeft, sourcesLeft) = problem.readersAndSources()
  }

  /// How many configurations the search has been in.
  var configurationCount: Int { memory.count }

  /// - Complexity: O(configurations · frontier).
  mutating func run() -> Result {
    for initial in problem.initialStates where !lacksSource(from: initial) {
      state = initial
      if let result = explore() { return result }
    }
    return .violation(stuckAt: problem.entries[farthest].time)
  }

  /// Whether somebody saw contents that nobody wrote: rule 3 before the first move.
  private func lacksSource(from initial: Int32) -> Bool {
    let states = problem.hasAppends ? 0..<0 : sourcesLeft.indices
    return states.contains { readersLeft[$0] > 0 && sourcesLeft[$0] == 0 && $0 != Int(initial) }
  }

  /// Returns `nil` if there is no order from the present state, with everything taken back.
  private mutating func explore() -> Result? {
    var candidate: Int? = settle() ? missing.first : takeBack()
    while let from = candidate {
      if missing.isEmpty { return .linearizable }
      if memory.byteCount > bytesMax { return .undecided }
      if let (mover, resumeAt) = choose(from: from), put(mover, resumeAt: resumeAt), settle() {
        candidate = missing.first
      } else {
        candidate = takeBack()
      }
    }
    return nil
  }
}

// MARK: - Moves

extension LinearizationSearch {
  /// The next alternative in this configuration: closed writes of the frontier in order of invocation, then open ones.
  ///
  /// `from` and `resumeAt` are an entry of the list, or `end` plus an open class.
  private mutating func choose(from: Int) -> (mover: Int, resumeAt: Int)? {
    var entry = from
    while entry < missing.end, !problem.entries[entry].isReturn {
      let following = missing.next(entry)
      let operation = problem.entries[entry].operation
      if result(of: problem.steps[operation]) != nil { return (operation, following) }
      entry = following
    }
    var index = max(0, entry - missing.end)
    guard index < openUsed.count else { return nil }
    let firstReturn = surveyFrontier()
    while index < openUsed.count {
      if isAvailable(index, firstReturn), let after = result(of: problem.openClasses[index].step),
        after != state, demand.wants(after)
      {
        return (~index, missing.end + index + 1)
      }
      index += 1
    }
    return nil
  }

  /// What a write makes of the present state; `nil` if it cannot take effect, or is none.
  private mutating func result(of step: RegisterProblem.Step) -> Int32? {
    switch step.kind {
    case .write: step.yields
    case .swap: step.expects == state ? step.yields : nil
    case .append: problem.appending(step.yields, to: state)
    case .read, .refusal: nil
    }
  }

  private func step(of mover: Int) -> RegisterProblem.Step {
    mover >= 0 ? problem.steps[mover] : problem.openClasses[~mover].step
  }

  /// Puts a write next. False if rule 3 forbids it; it is to be taken back then.
  private mutating func put(_ mover: Int, resumeAt: Int) -> Bool {
    let step = step(of: mover)
    guard let after = result(of: step) else { preconditionFailure("chose a write that cannot take effect") }
    let before = state
    let takesAlong = step.kind == .write && !problem.hasRefusals
    let frontierEnd = takesAlong ? firstReturn() : 0
    take(Move(mover: mover, stateBefore: before, resumeAt: resumeAt))
    state = after
    if takesAlong { takeUnrecognisable(before: frontierEnd) }
    if problem.hasAppends || before == after { return true }
    return readersLeft[Int(before)] == 0 || sourcesLeft[Int(before)] > 0
  }

  /// Rule 2. The moves come after that of the write they precede in the order, so that they are taken back with it.
  private mutating func takeUnrecognisable(before frontierEnd: Int) {
    forEachInvocation(before: frontierEnd) { search, operation in
      let step = search.problem.steps[operation]
      return step.kind == .write && step.yields == RegisterStates.other
    }
  }

  /// Rule 1; then false if an earlier configuration covers the one reached.
  private mutating func settle() -> Bool {
    forEachInvocation(before: missing.end) { search, operation in
      let step = search.problem.steps[operation]
      return step.isPure && (step.expects == search.state) == (step.kind == .read)
    }
    let front = missing.first
    guard !missing.isEmpty else { return true }
    let firstReturn = firstReturn()
    farthest = max(farthest, firstReturn)
    let key = ConfigurationMemory.Key(
      hash: closedHash ^ ConfigurationMemory.mix(UInt64(UInt32(state))), state: state,
      firstWord: Int32(problem.entries[front].operation / 64),
      endWord: Int32((problem.entries[firstReturn].invokedBefore + 63) / 64))
    return memory.insert(key, closed: closedUsed, open: openUsed)
  }

  /// Takes, without alternatives, the operations of the frontier that fit, if they were invoked before an entry.
  private mutating func forEachInvocation(before limit: Int, fits: (inout Self, Int) -> Bool) {
    var entry = missing.first
    while entry < limit, !problem.entries[entry].isReturn {
      let before = missing.previous(entry)
      let operation = problem.entries[entry].operation
      if fits(&self, operation) {
        take(Move(mover: operation, stateBefore: state, resumeAt: nil))
        entry = missing.next(before)
      } else {
        entry = missing.next(entry)
      }
    }
  }

  private mutating func take(_ move: Move) {
    moves.append(move)
    count(move.mover, by: -1)
    guard move.mover >= 0 else { return openUsed[~move.mover] += 1 }
    toggle(move.mover)
    missing.unlink(problem.invocationEntry[move.mover])
    missing.unlink(problem.returnEntry[move.mover])
  }

  /// Takes moves back up to and with the last that had alternatives, and returns where those go on.
  private mutating func takeBack() -> Int? {
    while let move = moves.popLast() {
      state = move.stateBefore
      count(move.mover, by: 1)
      if move.mover >= 0 {
        toggle(move.mover)
        missing.relink(problem.returnEntry[move.mover])
        missing.relink(problem.invocationEntry[move.mover])
      } else {
        openUsed[~move.mover] -= 1
      }
      if let resumeAt = move.resumeAt { return resumeAt }
    }
    return nil
  }

  private mutating func toggle(_ operation: Int) {
    closedUsed[operation / 64] ^= 1 << UInt64(operation % 64)
    closedHash ^= ConfigurationMemory.mix(UInt64(operation) | 1 << 63)
  }

  /// An open compare-and-set is no reader: it need not take effect.
  private mutating func count(_ mover: Int, by change: Int32) {
    let step = step(of: mover)
    if mover >= 0, step.kind == .read || step.kind == .swap { readersLeft[Int(step.expects)] += change }
    if step.kind == .write || step.kind == .swap { sourcesLeft[Int(step.yields)] += change }
  }
}

// MARK: - The frontier

extension LinearizationSearch {
  /// - Complexity: O(frontier).
  private func firstReturn() -> Int {
    var entry = missing.first
    while !problem.entries[entry].isReturn { entry = missing.next(entry) }
    return entry
  }

  /// Whether the class has a member left that was invoked in time.
  private func isAvailable(_ index: Int, _ firstReturn: Int) -> Bool {
    let availableFrom = problem.openClasses[index].availableFrom
    let used = Int(openUsed[index])
    return used < availableFrom.count && availableFrom[used] <= firstReturn
  }

  /// Gathers what could follow an open write, and returns the first return.
  private mutating func surveyFrontier() -> Int {
    demand.reset()
    var entry = missing.first
    while !problem.entries[entry].isReturn {
      demand.add(problem.steps[problem.entries[entry].operation])
      entry = missing.next(entry)
    }
    for index in openUsed.indices where isAvailable(index, entry) {
      demand.add(problem.openClasses[index].step)
    }
    return entry
  }
}
