import ClusterModel
import Commands
import Dashboard

/// The dashboard as a face of the program: opens the cluster, shows it while it recovers, closes it when it is left.
package enum DashboardFace {
  /// Keeps the main thread until the dashboard is left; returns the program's exit status.
  @MainActor
  package static func run(
    _ source: ClusterSource, _ display: ScreenOptions, _ console: Console = .standard,
    on open: () throws(ScreenError) -> any Terminal = CursesTerminal.take
  ) async -> Int32 {
    for path in [display.recordingPath, display.sessionPath].compactMap({ $0 }) {
      do throws(WholeFile.Failure) {
        try WholeFile.write("", to: path)
      } catch {
        console.complain("cannot write \(path): \(error)")
        return Console.lost
      }
    }
    guard let cluster = source.opened(console) else { return 1 }
    let status: Int32
    var ending: SignalWatch?
    do throws(ScreenError) {
      let host = ClusterHost(cluster.runner, history: HistoryFile(display.historyPath))
      status = try Screen.run(host, display, on: open(), complain: console.complain)
      // The first wish to end was the screen's.
      ending = SignalWatch.endAtFirst(console.signals)
      host.finishHistory()
      await host.finishTours()
    } catch {
      status = error.complain(console, otherwise: "`kvstore --interactive` reads commands line by line")
    }
    defer { withExtendedLifetime(ending) {} }
    return await cluster.close(status, console)
  }
}
