import Dashboard
import Text

/// A recorded session on the dashboard: `kvstore replay FILE`.
package enum ReplayFace {
  /// Keeps the main thread until the session is left; returns the program's exit status.
  @MainActor
  package static func run(
    _ path: String, _ display: ScreenOptions, _ console: Console = .standard,
    on open: () throws(ScreenError) -> any Terminal = CursesTerminal.take
  ) -> Int32 {
    let session: RecordedSession
    do throws(WholeFile.Failure) {
      session = try RecordedSession.read(path)
    } catch {
      console.complain("cannot replay \(path): \(error). `kvstore --history FILE` records a session")
      return 1
    }
    do throws(ScreenError) {
      return try Screen.run(
        ReplayHost(Quoted.printable(path), session), display, on: open(), complain: console.complain)
    } catch {
      return error.complain(console)
    }
  }
}
