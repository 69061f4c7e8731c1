import Dashboard
import KVCluster
import KVSimulator
import Text

/// A simulated day on the dashboard: `kvstore simulate --seed 42 --watch`.
package struct DayFace {
  let seed: UInt64
  let mistake: PlantedMistake?
  let carrier: Carrier?
  /// The number of the answer to begin at, from 1; `nil`: at the beginning.
  let from: Int?

  package init(seed: UInt64, mistake: PlantedMistake?, carrier: Carrier?, from: Int?) {
    (self.seed, self.mistake, self.carrier, self.from) = (seed, mistake, carrier, from)
  }

  var name: String {
    "seed \(seed)" + (mistake.map { ", mistake \($0.rawValue)" } ?? "")
      + (carrier.map { ", carrier \($0.rawValue)" } ?? "")
  }

  /// Keeps the main thread until the day is left; returns the program's exit status.
  @MainActor
  package func watch(
    _ display: ScreenOptions, _ console: Console = .standard,
    on open: () throws(ScreenError) -> any Terminal = CursesTerminal.take
  ) -> Int32 {
    let player = DayPlayer(seed: seed, mistake: mistake, carrier: carrier)
    defer { player.stop() }
    do throws(ScreenError) {
      let host = DayHost(name, player, firstAnswer: from.map { $0 - 1 })
      return try Screen.run(host, display, on: open(), complain: console.complain)
    } catch {
      return error.complain(console, otherwise: "`kvstore simulate --seed \(seed)` tells the day line by line")
    }
  }

  /// Writes the day as an asciicast that plays in any terminal; returns the program's exit status.
  /// - Parameters:
  ///   - speed: virtual seconds in a second of the recording; `nil`: so that it takes a minute at most.
  package func record(
    to path: String, _ size: Size, _ appearance: Appearance, speed: Double?, _ console: Console = .standard
  ) -> Int32 {
    let player = DayPlayer(seed: seed, mistake: mistake, carrier: carrier)
    defer { player.stop() }
    guard let score = player.waitForScore() else { return 1 }
    var recording: RecordingFile
    do throws(ScreenError) {
      recording = try RecordingFile(path: path, size, depth: .truecolor, nowNs: 0)
    } catch {
      return error.complain(console)
    }
    let signals = SignalWatch(console.signals) { _ in }
    var viewer = DayViewer(score)
    if let from { viewer.cursor.stop(atAnswer: from - 1) }
    viewer.cursor.play(at: speed ?? max(1, Double(score.endNs - score.startNs) / 1e9 / Self.secondsMax))
    var state = DashboardState(size: size, appearance: appearance)
    var atNs: UInt64 = 0
    while signals.caught == nil {
      player.go(to: viewer.position)
      let news = player.arrive()
      state.apply(playback: viewer.playback(name, news), news.frames.map(Playback.Frame.init))
      recording.add(Picture(state, appearance.look), atNs: atNs)
      guard viewer.cursor.isPlaying else { break }
      atNs += Self.frameNs
      viewer.cursor.pass(realNs: Self.frameNs)
    }
    let lost = recording.finish()
    if let lost { console.complain(lost) }
    if let signal = signals.caught { return 128 + signal }
    guard lost == nil else { return Console.lost }
    console.say("\(path): \(Figures.duration(seconds: Double(atNs) / 1e9)); asciinema play \(path)")
    return score.violation == nil ? 0 : 1
  }

  private static let secondsMax = 60.0
  private static let frameNs: UInt64 = 100_000_000
}
