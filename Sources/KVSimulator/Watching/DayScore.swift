import KVCluster

/// A simulated day that has been lived to its end: everything that a viewer who moves through it must know beforehand.
///
/// The day is determined by its seed, so what was found in one run is true of every other.
package struct DayScore: Sendable {
  /// A line of what happened, as ``DayJournal`` prints it.
  package struct Line: Sendable, Equatable {
    package var step: Int
    package var text: String
  }

  package let plan: SimulationPlan
  package let report: Simulation.Report
  /// The virtual time after each number of steps; the first is the beginning.
  package let timesNs: [UInt64]
  /// In the order of their steps.
  package let marks: [DayMark]
  package let lines: [Line]
  /// In the order in which they began.
  package let calls: [DayCall]
  /// The steps after which clients had their answers, in their order.
  package let answerSteps: [Int]
  /// The operations that contradict one another, as lines of text; empty if all answers can be explained.
  package let explanation: [String]

  package var stepCount: Int { timesNs.count - 1 }
  package var startNs: UInt64 { timesNs[0] }
  package var endNs: UInt64 { timesNs[timesNs.count - 1] }
  package var violation: DayMark? { marks.first { $0.kind == .violation } }

  /// Columns that stand beside the panels of a screen of 80.
  private static let explanationWidth = 76

  /// How many clients had been answered. O(log answers).
  package func answerCount(atStep step: Int) -> Int { answerSteps.partitioningIndex { $0 > step } }

  /// Lives the day once; `nil` if that was stopped.
  /// - Parameter isStopped: asked before each step.
  init?(_ simulation: Simulation, isStopped: @escaping () -> Bool) {
    let notes = Notes()
    var journal = DayJournal()
    simulation.observer.onStep = {
      notes.timesNs.append(Clock.nowNs())
      return !isStopped()
    }
    // What happens now is seen once the step is done.
    simulation.onTrace = { notes.lines.append(Line(step: notes.timesNs.count, text: journal.add($0))) }
    simulation.observer.onMark = {
      notes.marks.append(DayMark(kind: $0, step: notes.timesNs.count, atNs: Clock.nowNs(), text: $1))
    }
    simulation.observer.onAnswer = { notes.answers.append((notes.timesNs.count, $0)) }
    report = simulation.run()
    (simulation.observer, simulation.onTrace) = (DayObserver(), nil)
    guard !isStopped(), !notes.timesNs.isEmpty else { return nil }
    (plan, timesNs, lines) = (simulation.plan, notes.timesNs, notes.lines)
    // Writes under way at the end become undecided after the last step.
    let stepMax = notes.timesNs.count - 1
    answerSteps = notes.answers.map { min($0.step, stepMax) }

    var marks = notes.marks
    var offending: Set<Int> = []
    var explanation: [String] = []
    if case .violation(let violation) = report.verdict {
      offending = Set(violation.operations.map(\.invokedAt))
      explanation = violation.explanation(width: Self.explanationWidth).split(separator: "\n").map(String.init)
      // The answer that came last makes the others impossible.
      let last = violation.operations.max { $0.returnedAt ?? 0 < $1.returnedAt ?? 0 }?.invokedAt
      if let answer = notes.answers.first(where: { simulation.operations[$0.number].invokedAt == last }) {
        let call = simulation.operations[answer.number]
        marks.append(
          DayMark(
            kind: .violation, step: min(answer.step, stepMax), atNs: call.returnedNs ?? call.invokedNs,
            text: "client \(call.client): \(call.words)"))
      }
    }
    self.explanation = explanation
    self.marks = marks.sorted { $0.step < $1.step }
    let steps = Dictionary(zip(notes.answers.map(\.number), answerSteps)) { first, _ in first }
    calls = simulation.operations.enumerated().map { number, call in
      DayCall(call, answerStep: steps[number], isOffending: offending.contains(call.invokedAt))
    }
  }

  private final class Notes {
    var timesNs: [UInt64] = []
    var lines: [Line] = []
    var marks: [DayMark] = []
    var answers: [(step: Int, number: Int)] = []
  }
}

extension DayCall {
  fileprivate init(_ call: SimulatedCall, answerStep: Int?, isOffending: Bool) {
    self.answerStep = answerStep
    (client, fromNs, toNs) = (call.client, call.invokedNs, call.returnedNs)
    kind = call.call == .get ? .read : .write
    self.isOffending = isOffending
    switch (call.outcome, call.returnedNs) {
    case (.undecided, _): ending = .unknown
    case (nil, nil): ending = .open
    case (nil, _?): ending = .refused
    default: ending = .answered
    }
    asked = call.asked
    text = call.outcome == nil ? call.words + (ending == .refused ? "refused" : "") : call.words
  }
}
