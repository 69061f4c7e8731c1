import Dashboard
import Faces
import KVCluster
import Synchronization

/// A host whose answers a test writes: no cluster, no command language.
///
/// A line is answered by `answers` at once, unless it is held back until the test lets it go.
final class ScriptedHost: ScreenHost {
  struct Inside: Sendable {
    var ran: [String] = []
    var saved: [[String]] = []
    var taken: [GuideKey] = []
    var looks = 0
    var held: Set<String> = []
    var waiting: [String: CheckedContinuation<Void, Never>] = [:]
    var guide: Guide?
    var clusterNumber = 0
    var guest: ScriptedHost?
    var events: [ClusterEvent] = []
  }

  let inside: Mutex<Inside>
  private let history: [String]
  private let answer: @Sendable (String) -> CommandAnswer
  private let said: @Sendable (String) -> [CommandNews]
  let advice: CommandAdvice
  let farewell: CommandAnswer

  init(
    history: [String] = [], guide: Guide? = nil, guest: ScriptedHost? = nil, holding held: Set<String> = [],
    advice: CommandAdvice = CommandAdvice(),
    farewell: CommandAnswer = CommandAnswer(lines: ["Back from the guest"], isSuccess: true),
    answer: @escaping @Sendable (String) -> CommandAnswer = {
      CommandAnswer(lines: [.init("did \($0)")], isSuccess: true)
    },
    says said: @escaping @Sendable (String) -> [CommandNews] = { _ in [] }
  ) {
    var inside = Inside()
    (inside.guide, inside.guest, inside.held) = (guide, guest, held)
    self.inside = Mutex(inside)
    (self.history, self.answer, self.said) = (history, answer, said)
    (self.advice, self.farewell) = (advice, farewell)
  }

  var ran: [String] { inside.withLock { $0.ran } }
  var saved: [String] { inside.withLock { $0.saved.last ?? [] } }
  var taken: [GuideKey] { inside.withLock { $0.taken } }

  /// Lets a line that is held back be answered.
  func release(_ line: String) {
    let waiting = inside.withLock { inside in
      inside.held.remove(line)
      return inside.waiting.removeValue(forKey: line)
    }
    waiting?.resume()
  }

  // MARK: - What the screen asks

  func status() -> ClusterStatus? {
    inside.withLock { $0.looks += 1 }
    return nil
  }

  func events(after sequence: UInt64) -> [ClusterEvent] {
    inside.withLock { $0.events.filter { $0.sequence > sequence } }
  }

  func run(_ typed: TypedLine, news: @escaping @Sendable (CommandNews) -> Void) async -> CommandAnswer {
    let line = typed.text
    for word in said(line) { news(word) }
    inside.withLock { $0.ran.append(line) }
    await withCheckedContinuation { continuation in
      let isHeld = inside.withLock { inside in
        guard inside.held.contains(line) else { return false }
        inside.waiting[line] = continuation
        return true
      }
      if !isHeld { continuation.resume() }
    }
    return answer(line)
  }

  func loadHistory() -> [String] { history }
  func saveHistory(_ lines: [String]) { inside.withLock { $0.saved.append(lines) } }
  func guest(for line: TypedLine) -> (any ScreenHost)? { line.text == "visit" ? inside.withLock { $0.guest } : nil }
  var guide: Guide? { inside.withLock { $0.guide } }
  var clusterNumber: Int { inside.withLock { $0.clusterNumber } }

  func take(_ key: GuideKey) {
    inside.withLock { inside in
      inside.taken.append(key)
      if key == .next { inside.guide?.chapter += 1 }
    }
  }
}

extension Guide {
  static let sample = Guide(
    chapter: 1, chapterCount: 3, title: "A ring", text: "Nodes stand on a ring.", spot: .panel(.ring), mode: .reading)
}
