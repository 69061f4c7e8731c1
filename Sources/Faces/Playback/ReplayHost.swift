import ClusterModel
import Dashboard
import Synchronization

/// The screen's host while a recorded session is played.
struct ReplayHost: ScreenHost {
  private let name: String
  private let session: RecordedSession
  private let seat: Seat

  private final class Seat: Sendable {
    struct Inside: Sendable {
      var cursor: PlaybackCursor
      var lookedNs = MonotonicClock.nowNs()
      /// The last moment that was shown, by its number; `nil` before the first.
      var shown: Int?
      var run = 0
    }
    let inside: Mutex<Inside>

    init(_ cursor: PlaybackCursor) { inside = Mutex(Inside(cursor: cursor)) }
  }

  init(_ name: String, _ session: RecordedSession) {
    (self.name, self.session) = (name, session)
    let marks = session.moments.indices.filter { !ReplayHost.marks(of: session.moments[$0]).isEmpty }
    seat = Seat(PlaybackCursor(timesNs: session.moments.map(\.status.uptimeNs), marks: marks))
  }

  func status() -> ClusterStatus? { nil }
  func events(after sequence: UInt64) -> [ClusterEvent] { [] }

  func playback() -> (playback: Playback, frames: [Playback.Frame])? {
    seat.inside.withLock { inside in
      let now = MonotonicClock.nowNs()
      inside.cursor.pass(realNs: now - inside.lookedNs)
      inside.lookedNs = now
      let cursor = inside.cursor
      // Points for the graphs of the time before, and all events.
      if let shown = inside.shown, cursor.position.step < shown { (inside.shown, inside.run) = (nil, inside.run + 1) }
      let first = inside.shown.map { $0 + 1 } ?? 0
      inside.shown = max(cursor.position.step, inside.shown ?? 0)
      var playback = Playback(
        name: name, startNs: cursor.timesNs[0], endNs: cursor.timesNs[cursor.stepCount], nowNs: cursor.position.nowNs)
      (playback.run, playback.isPlaying, playback.speed) = (inside.run, cursor.isPlaying, cursor.speed)
      playback.place = cursor.place(ofStep: cursor.position.step)
      playback.marks = cursor.marks.flatMap { step in
        ReplayHost.marks(of: session.moments[step]).map { event in
          Playback.Mark(
            .init(event), atNs: event.uptimeNs, place: cursor.place(ofStep: step), text: event.description)
        }
      }
      guard first <= cursor.position.step else { return (playback, []) }
      let frames = session.moments[first...cursor.position.step].map {
        Playback.Frame(nowNs: $0.status.uptimeNs, status: $0.status, events: $0.events)
      }
      return (playback, frames)
    }
  }

  /// The events of a moment that a viewer may want to jump to.
  private static func marks(of moment: SessionMoment) -> [ClusterEvent] {
    moment.events.filter { event in
      switch event.kind {
      case .join, .leave, .kill, .restart: true
      case .cluster, .recovery, .hints, .storage: event.severity == .warning || event.severity == .failure
      }
    }
  }

  func take(_ key: PlaybackKey) { seat.inside.withLock { $0.cursor.take(key) } }

  func run(_ line: TypedLine, news: @escaping @Sendable (CommandNews) -> Void) async -> CommandAnswer {
    CommandAnswer(lines: [.init("A recorded session is played: q leaves it", isSuccess: false)], isSuccess: false)
  }

  var advice: CommandAdvice { CommandAdvice(words: { $0.description }, features: []) }
  func loadHistory() -> [String] { [] }
  func saveHistory(_ lines: [String]) {}
}

extension PastKinds.Mark {
  init(_ event: ClusterEvent) {
    self =
      switch (event.kind, event.severity) {
      case (_, .failure), (.kill, _): .fault
      case (.restart, _), (_, .success): .healing
      case (.join, _), (.leave, _): .change
      default: .fault
      }
  }
}
