/// Judges one key's operations as they come: every set of operations that may have taken effect so far, with what the key
/// would then hold.
///
/// This is just-in-time linearization (Lowe, "Testing for linearizability", 2017, section 6): a *configuration* is what
/// the key holds and which of the operations under way have taken effect. When one returns, every configuration in which
/// it has not is led on, by operations under way in any order, until it has; one that cannot be led there is gone. When
/// none is left, no order explains the answer. Nothing of the past is kept but the configurations, so a key is judged for
/// ever in memory bounded by how many operations overlap. (The search that judges recorded histories looks for *one*
/// order of the whole, which takes less time where much overlaps; but it needs the whole.)
///
/// **Unknown** is what a key holds when watching begins. It accepts every answer, and stays unknown until a write that
/// began later has ended. From then on answers are held against what was recorded. Writes that nobody recorded, of
/// callers that had given up or of earlier runs of the program, may still surface until then, but not later: their tags
/// are lower than that of a write that began after them. (A caller that crashed may be taken to have acted before that,
/// or never: "strict" linearizability, Aguilera and Frølund 2003.)
struct RegisterWatch {
  /// What a key holds: a value's hash, or one of these.
  enum State {
    static let absent: UInt64 = 0
    static let unknown: UInt64 = 1
  }

  struct Configuration: Hashable {
    var state: UInt64
    /// Which of `underWay`, by index, have taken effect.
    var done: UInt64
  }

  struct Operation: Equatable {
    var id: UInt64
    /// A get that found `value`, or a write of it.
    var isGet: Bool
    var value: UInt64
    /// What a read-modify-write found: it is applied to nothing else.
    var base: UInt64?
    /// It never returned in a way that tells whether it took effect.
    var isForever = false

    /// What it must find; `nil` for anything.
    var found: UInt64? { isGet ? value : base }

    func fits(_ state: UInt64) -> Bool { found == nil || found == state || state == State.unknown }
  }

  enum Answer: Equatable {
    case explained
    /// Nothing explains it; the key is unknown again.
    case violation
    /// Not looked at.
    case unjudged
  }

  /// More operations under way have too many configurations: 2^12 at the worst.
  static let underWayMax = 12
  static let configurationsMax = 2_048
  /// Beginning again with operations under way means one configuration for each set of them.
  static let underWayAtStartMax = 5

  private(set) var configurations = [Configuration(state: State.unknown, done: 0)]
  private(set) var underWay: [Operation?] = []
  /// Too much overlaps; judging begins again when less does.
  private(set) var isWaiting = false

  var isIdle: Bool { underWay.isEmpty }

  // MARK: - Events, in order

  /// - Parameter isOlder: it began before watching did, and may have taken effect before that.
  mutating func invoke(_ operation: Operation, isOlder: Bool = false) {
    let index = underWay.firstIndex { $0 == nil } ?? underWay.count
    if index < underWay.count { underWay[index] = operation } else { underWay.append(operation) }
    if underWay.count(where: { $0 != nil }) > RegisterWatch.underWayMax { return restart() }
    if isOlder {
      configurations += configurations.filter { $0.state == State.unknown }
        .map { Configuration(state: State.unknown, done: $0.done | 1 << UInt64(index)) }
    }
  }

  /// The operation took effect before now.
  mutating func returned(_ id: UInt64) -> Answer {
    guard let index = index(of: id) else { return .unjudged }
    guard !isWaiting else {
      remove(index)
      restart()
      return .unjudged
    }
    var next = Led(target: index, underWay: underWay)
    for configuration in configurations { next.lead(configuration) }
    remove(index)
    if next.reached.isEmpty {
      restart()
      return .violation
    }
    if next.reached.count > RegisterWatch.configurationsMax {
      restart()
      return .unjudged
    }
    configurations = next.reached
    if configurations.count > 1 { prune() }
    return .explained
  }

  /// It is certain now that the operation has no effect.
  mutating func failed(_ id: UInt64) -> Answer {
    guard let index = index(of: id) else { return .unjudged }
    configurations.removeAll { $0.done & (1 << UInt64(index)) != 0 }
    remove(index)
    guard !configurations.isEmpty || isWaiting else {
      restart()
      return .violation
    }
    if isWaiting { restart() }
    return isWaiting ? .unjudged : .explained
  }

  /// Nobody knows whether the operation has an effect, or when.
  mutating func gaveUp(_ id: UInt64) {
    guard let index = index(of: id) else { return }
    underWay[index]!.isForever = true
    if isWaiting { restart() } else { prune() }
  }

  /// Sequential operations, which are most: no search.
  mutating func alone(_ operation: Operation) -> Answer {
    precondition(underWay.isEmpty, "others are under way")
    guard configurations.count == 1, configurations[0].done == 0 else {
      invoke(operation)
      return returned(operation.id)
    }
    guard operation.fits(configurations[0].state) else {
      restart()
      return .violation
    }
    if !operation.isGet { configurations[0].state = operation.value }
    return .explained
  }

  // MARK: - Inner workings

  private func index(of id: UInt64) -> Int? { underWay.firstIndex { $0?.id == id } }

  private mutating func remove(_ index: Int) {
    underWay[index] = nil
    while underWay.last == .some(nil) { underWay.removeLast() }
  }

  /// The key holds anything, and each operation under way may have taken effect or not. Operations given up are as if
  /// nobody had recorded them.
  private mutating func restart() {
    underWay = underWay.filter { $0.map { !$0.isForever } ?? false }
    isWaiting = underWay.count > RegisterWatch.underWayAtStartMax
    configurations =
      isWaiting ? [] : (0..<(1 << UInt64(underWay.count))).map { Configuration(state: State.unknown, done: $0) }
  }

  /// Leaves out configurations that others stand for: unknown contents for known ones, and unused operations that never
  /// return for used ones.
  private mutating func prune() {
    var forever: UInt64 = 0
    for (index, operation) in underWay.enumerated() where operation?.isForever ?? false {
      forever |= 1 << UInt64(index)
    }
    let hasUnknown = configurations.contains { $0.state == State.unknown }
    guard forever != 0 || hasUnknown, configurations.count <= 256 else { return }
    let all = configurations
    configurations = all.enumerated().filter { index, one in
      !all.enumerated().contains { other, stands in
        other != index && stands != one && (stands.state == one.state || stands.state == State.unknown)
          && stands.done & ~forever == one.done & ~forever && stands.done & forever & ~one.done == 0
      }
    }.map(\.element)
  }
}

/// The configurations just after an operation has taken effect.
private struct Led {
  let target: Int
  let underWay: [RegisterWatch.Operation?]
  private(set) var reached: [RegisterWatch.Configuration] = []
  private var reachedBefore: Set<RegisterWatch.Configuration> = []
  private var visited: Set<RegisterWatch.Configuration> = []

  init(target: Int, underWay: [RegisterWatch.Operation?]) {
    self.target = target
    self.underWay = underWay
  }

  private var targetBit: UInt64 { 1 << UInt64(target) }

  private mutating func reach(_ configuration: RegisterWatch.Configuration) {
    var configuration = configuration
    configuration.done &= ~targetBit
    if reachedBefore.insert(configuration).inserted { reached.append(configuration) }
  }

  mutating func lead(_ start: RegisterWatch.Configuration) {
    if start.done & targetBit != 0 { return reach(start) }
    var stack = [start]
    while let configuration = stack.popLast(), reached.count <= RegisterWatch.configurationsMax {
      let settled = settle(configuration)
      if settled.done & targetBit != 0 {
        reach(settled)
        continue
      }
      guard visited.insert(settled).inserted else { continue }
      for (index, operation) in underWay.enumerated() {
        guard let operation, !operation.isGet, settled.done & (1 << UInt64(index)) == 0, operation.fits(settled.state)
        else { continue }
        // A write that need not take effect does so only for someone who saw it.
        if operation.isForever, !isWanted(operation.value, settled.done) { continue }
        let after = RegisterWatch.Configuration(state: operation.value, done: settled.done | 1 << UInt64(index))
        if index == target { reach(after) } else { stack.append(after) }
      }
    }
  }

  /// Gets that fit what the key holds go first, without alternatives: they change nothing.
  private func settle(_ configuration: RegisterWatch.Configuration) -> RegisterWatch.Configuration {
    var settled = configuration
    for (index, operation) in underWay.enumerated() {
      if let operation, operation.isGet, operation.fits(settled.state) { settled.done |= 1 << UInt64(index) }
    }
    return settled
  }

  private func isWanted(_ value: UInt64, _ done: UInt64) -> Bool {
    underWay.enumerated().contains { index, operation in
      operation.map { $0.found == value } ?? false && done & (1 << UInt64(index)) == 0
    }
  }
}
