import ClusterModel
import Dashboard

/// The model behind the screen. The screen knows nothing else of the program.
package protocol ScreenHost: Sendable {
  /// The cluster's state now, or `nil` while it is being opened. Asked on the screen's thread at most ten times a
  /// second, so it must not wait for a disk.
  func status() -> ClusterStatus?

  /// The events after the one numbered `sequence`, oldest first.
  func events(after sequence: UInt64) -> [ClusterEvent]

  /// How the benchmark stands that runs, or ran last; `nil` before the first. Asked as often as the status.
  func benchmark() -> BenchmarkStatus?

  /// Runs a command line; the screen goes on meanwhile and shows the answer when it is there. What a long command says
  /// before its end comes through `news`, from any thread.
  func run(_ line: TypedLine, news: @escaping @Sendable (CommandNews) -> Void) async -> CommandAnswer

  /// The command language for the screen. Called on the screen's thread at every key press.
  var advice: CommandAdvice { get }

  /// The command lines of earlier runs, oldest first.
  func loadHistory() -> [String]

  /// Keeps the command lines. Called after each command, so that a crash loses none.
  func saveHistory(_ lines: [String])

  /// The host of a screen over this one that the line asks for, as `demo` asks for the tour; `nil` for other commands.
  func guest(for line: TypedLine) -> (any ScreenHost)?

  /// The tour that is being played, if this is one.
  var guide: Guide? { get }

  /// Takes a key of the tour's reader; `quit` is the last.
  func take(_ key: GuideKey)

  /// How the playback stands, if this is one, and what was seen since it was last asked; its statuses and events come here.
  func playback() -> (playback: Playback, frames: [Playback.Frame])?

  /// Takes a key of the playback's viewer; `quit` is the last.
  func take(_ key: PlaybackKey)

  /// Number of the cluster that is shown. When it changes, the screen drops its history of the former cluster.
  var clusterNumber: Int { get }

  /// The answer that is shown when a guest's screen has closed.
  var farewell: CommandAnswer { get }
}

extension ScreenHost {
  package func benchmark() -> BenchmarkStatus? { nil }
  package func guest(for line: TypedLine) -> (any ScreenHost)? { nil }
  package var guide: Guide? { nil }
  package func take(_ key: GuideKey) {}
  package func playback() -> (playback: Playback, frames: [Playback.Frame])? { nil }
  package func take(_ key: PlaybackKey) {}
  package var clusterNumber: Int { 0 }
  package var farewell: CommandAnswer { CommandAnswer(lines: [], isSuccess: true) }
}

/// Output of a command before its answer.
package enum CommandNews: Sendable {
  /// It has begun.
  case announcement(String)
  /// How far it is; the next one replaces it.
  case progress(String)
}
