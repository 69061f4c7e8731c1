/// The states that some operation of the frontier could make use of (rule 4 of ``LinearizationSearch``).
///
/// Asking anew for every configuration costs nothing per state: a round's number marks what was asked for in it.
struct Demand {
  /// The round in which each state was last asked for; states that appends add later are asked for by nobody.
  private var rounds: [UInt64]
  private var round: UInt64 = 0
  private var wantsAny = false

  init(stateCount: Int) {
    rounds = Array(repeating: 0, count: stateCount)
  }

  mutating func reset() {
    wantsAny = false
    round &+= 1
  }

  mutating func add(_ step: RegisterProblem.Step) {
    switch step.kind {
    case .read, .swap: rounds[Int(step.expects)] = round
    case .refusal, .append: wantsAny = true
    case .write: break
    }
  }

  func wants(_ state: Int32) -> Bool {
    wantsAny || (Int(state) < rounds.count && rounds[Int(state)] == round)
  }
}
