import ClusterModel
import Dashboard
import KVSimulator
import Synchronization

/// The screen's host for `simulate --watch`: hands the player's frames to the screen, and the viewer's keys to the player.
struct DayHost: ScreenHost {
  private let name: String
  private let player: DayPlayer
  private let seat: Seat

  /// Where the viewer sits; `nil` viewer while the day is lived for the first time.
  private final class Seat: Sendable {
    struct Inside: Sendable {
      var viewer: DayViewer?
      var lookedNs = MonotonicClock.nowNs()
    }
    let inside = Mutex(Inside())
    /// The answer to begin at, if not at the beginning.
    let firstAnswer: Int?

    init(firstAnswer: Int?) { self.firstAnswer = firstAnswer }
  }

  /// - Parameter firstAnswer: the viewer begins at the answer of this number; `nil`: at the beginning, and the day plays.
  init(_ name: String, _ player: DayPlayer, firstAnswer: Int?) {
    (self.name, self.player) = (name, player)
    seat = Seat(firstAnswer: firstAnswer)
  }

  func status() -> ClusterStatus? { nil }
  func events(after sequence: UInt64) -> [ClusterEvent] { [] }

  func playback() -> (playback: Playback, frames: [Playback.Frame])? {
    seat.inside.withLock { inside in
      let now = MonotonicClock.nowNs()
      defer { inside.lookedNs = now }
      guard var viewer = inside.viewer ?? player.score.map({ DayViewer($0) }) else { return (waiting, []) }
      if inside.viewer == nil, let number = seat.firstAnswer { viewer.cursor.stop(atAnswer: number) }
      let news = player.take()
      // While the player is on its way to a position, the viewer's time stands still, so that no part of the day is skipped.
      if !news.isBusy { viewer.cursor.pass(realNs: now - inside.lookedNs) }
      inside.viewer = viewer
      player.go(to: viewer.position)
      return (viewer.playback(name, news), news.frames.map(Playback.Frame.init))
    }
  }

  private var waiting: Playback {
    var playback = Playback(name: name, startNs: 0, endNs: 0, nowNs: 0)
    playback.isBusy = true
    playback.lines = ["the day is lived for the first time, to know what happens in it"]
    return playback
  }

  func take(_ key: PlaybackKey) {
    if key == .quit { return player.stop() }
    seat.inside.withLock { inside in
      inside.viewer?.cursor.take(key)
      if let viewer = inside.viewer { player.go(to: viewer.position) }
    }
  }

  func run(_ line: TypedLine, news: @escaping @Sendable (CommandNews) -> Void) async -> CommandAnswer {
    CommandAnswer(lines: [.init("A simulated day is watched: q leaves it", isSuccess: false)], isSuccess: false)
  }

  var advice: CommandAdvice { CommandAdvice(words: { $0.description }, features: []) }
  func loadHistory() -> [String] { [] }
  func saveHistory(_ lines: [String]) {}
}

extension Playback.Frame {
  init(_ frame: DayPlayer.Frame) {
    self.init(nowNs: frame.nowNs, status: frame.status, events: frame.events)
  }
}
