import Commands
import Demo
import Glibc
import Synchronization

/// The tour as text.
package enum TextTour {
  /// Prints the tour to standard output; returns the exit status.
  package static func run(_ settings: TourSettings, _ console: Console = .standard) async -> Int32 {
    let printer = Printer(
      output: console.output, failures: console.output, notes: console.errors, isTerminal: console.isOutputTerminal)
    let print = { @Sendable (lines: [String]) in
      for line in lines { printer.print(raw: line + "\n") }
    }
    print(TourText.opening)
    let playing = Playing()
    let tour = Tour(settings) { event in
      print(TourText.lines(event))
      // The reader has gone: nobody is left to play it for.
      if printer.failure != nil { playing.stop() }
    }
    playing.tour.withLock { $0 = tour }
    let signals = SignalWatch(console.signals) { _ in tour.stop() }
    let report = await tour.run()
    print(TourText.closing(report))
    if let signal = signals.caught { return 128 + signal }
    return HeadlessRun.status(report.failures.isEmpty && !report.wasLeftEarly ? 0 : 1, printer, console)
  }

  /// `demo` in line mode: the answers of one command. Returns whether every claim held.
  static func say(_ line: @escaping @Sendable (String) -> Void) async -> Bool {
    for text in TourText.opening { line(text) }
    let tour = Tour(TourSettings { try TemporaryFolder.make() }) { event in
      for text in TourText.lines(event) { line(text) }
    }
    let report = await tour.run()
    for text in TourText.closing(report) { line(text) }
    return report.failures.isEmpty && !report.wasLeftEarly
  }

  /// The tour that plays, for those who have to end it.
  private final class Playing: Sendable {
    let tour = Mutex<Tour?>(nil)

    func stop() { tour.withLock { $0 }?.stop() }
  }
}
