import CTerminal
import Dashboard
import Synchronization

/// Answers and progress on their way from the threads that ran commands to the screen's thread.
///
/// Bounded by the commands the reader has started: each puts one answer in, and of progress only the last is kept.
final class Mailbox: Sendable {
  private let answers = Mutex<[CommandAnswer]>([])
  private let progress = Mutex<String?>(nil)

  /// Puts an answer in and wakes the screen. From any thread.
  func post(_ answer: CommandAnswer) {
    answers.withLock { $0.append(answer) }
    ct_wake()
  }

  /// Replaces what is said of progress and wakes the screen. From any thread.
  func post(progress text: String) {
    progress.withLock { $0 = text }
    ct_wake()
  }

  /// Takes the last word on progress, if there is a new one.
  func takeProgress() -> String? {
    progress.withLock { text in
      defer { text = nil }
      return text
    }
  }

  /// Takes all answers that have arrived.
  func takeAll() -> [CommandAnswer] {
    answers.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
  }
}
