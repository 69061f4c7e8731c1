import CTerminal
import Dashboard
import Synchronization

/// Answers on their way from the threads that ran commands to the screen's thread.
///
/// Bounded by the commands the reader has started: each puts one answer in.
final class Mailbox: Sendable {
  private let answers = Mutex<[CommandAnswer]>([])

  /// Puts an answer in and wakes the screen. From any thread.
  func post(_ answer: CommandAnswer) {
    answers.withLock { $0.append(answer) }
    ct_wake()
  }

  /// Takes everything that has arrived.
  func takeAll() -> [CommandAnswer] {
    answers.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
  }
}
