import Dashboard
import Glibc
import KVCluster
import LiveVerdict

/// The dashboard as a face of the program: opens the cluster, shows it while it recovers, closes it when it is left.
package enum DashboardFace {
  /// Keeps the main thread until the dashboard is left; returns the program's exit status.
  @MainActor
  package static func run(
    _ options: ClusterOptions, _ display: ScreenOptions, _ console: Console = .standard,
    on open: () throws(ScreenError) -> any Terminal = CursesTerminal.take
  ) async -> Int32 {
    if let path = display.recordingPath {
      do throws(WholeFile.Failure) {
        try WholeFile.write("", to: path)
      } catch {
        console.complain("cannot write \(path): \(error)")
        return Console.lost
      }
    }
    let cluster: Cluster
    do throws(ClusterError) {
      cluster = try Cluster.open(options)
    } catch {
      if options.isEphemeral { TemporaryFolder.removeAll() }
      console.complain(error.description)
      return 1
    }
    let checker = LiveChecker(cluster)
    let status: Int32
    var ending: SignalWatch?
    do throws(ScreenError) {
      let host = ClusterHost(cluster, history: HistoryFile(display.historyPath))
      status = try Screen.run(host, display, on: open())
      // The first wish to end was the screen's.
      ending = SignalWatch.endAtFirst(console.signals)
      host.finishHistory()
      await host.finishTours()
    } catch {
      console.complain("\(error.description); `kvstore --interactive` reads commands line by line")
      status = 1
    }
    checker.stop()
    await cluster.close()
    withExtendedLifetime(ending) {}
    return HeadlessRun.closed(cluster, status, console)
  }
}
