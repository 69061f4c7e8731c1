import Demo
import Glibc

/// The tour in the dashboard: `kvstore demo` on a terminal.
package enum TourFace {
  /// Keeps the main thread until the tour is left; returns the program's exit status.
  @MainActor
  package static func run(
    _ settings: TourSettings, _ display: ScreenOptions, _ console: Console = .standard,
    on open: () throws(ScreenError) -> any Terminal = CursesTerminal.take
  ) async -> Int32 {
    let host = TourHost(settings)
    let status: Int32
    do throws(ScreenError) {
      status = try Screen.run(host, display, on: open(), complain: console.complain)
    } catch {
      let status = error.complain(console, otherwise: "`kvstore demo --text` prints the tour")
      _ = await host.finish()
      return status
    }
    // The first wish to end was the screen's.
    let ending = SignalWatch.endAtFirst(console.signals)
    let report = await host.finish()
    withExtendedLifetime(ending) {}
    guard status == 0 else { return status }
    for line in TourText.closing(report).dropFirst() { console.say(line) }
    return report.failures.isEmpty ? 0 : 1
  }
}
