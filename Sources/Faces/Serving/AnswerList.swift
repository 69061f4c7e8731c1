import Commands
import Server
import Synchronization

/// Collects a command's answer, for a client that gets all its lines at the end.
final class AnswerList: Sendable {
  private let answers = Mutex<[RunAnswer.Line]>([])

  var lines: [RunAnswer.Line] { answers.withLock { $0 } }

  /// Progress is left out: it speaks of a moment.
  @Sendable func add(_ output: CommandOutput) {
    switch output {
    case .answer(let answer), .announcement(let answer):
      answers.withLock { $0.append(RunAnswer.Line(kind: "\(answer.kind)", text: answer.text)) }
    case .progress: break
    }
  }
}
