import Dashboard
import Synchronization

/// Answers, notices and progress on their way from the threads that ran commands to the screen's thread.
///
/// Bounded by the commands the reader has started: each puts one answer and one announcement in, and of progress only
/// the last is kept.
final class Mailbox: Sendable {
  private let answers = Mutex<[CommandAnswer]>([])
  private let progress = Mutex<String?>(nil)
  private let notices = Mutex<[String]>([])
  private let wake: @Sendable () -> Void

  /// - Parameter wake: ends the wait of the screen's thread.
  init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

  /// Puts an answer in and wakes the screen. From any thread.
  func post(_ answer: CommandAnswer) {
    answers.withLock { $0.append(answer) }
    wake()
  }

  /// Replaces what is said of progress, or adds what is said once, and wakes the screen. From any thread.
  func post(_ news: CommandNews) {
    switch news {
    case .progress(let text): progress.withLock { $0 = text }
    case .announcement(let text): notices.withLock { $0.append(text) }
    }
    wake()
  }

  /// Takes what was to be said once, oldest first.
  func takeNotices() -> [String] {
    notices.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
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
