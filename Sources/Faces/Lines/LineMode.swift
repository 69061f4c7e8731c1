import Commands
import Glibc

/// The original's interactive mode: reads commands line by line and prints every answer to standard output.
package enum LineMode {
  private static let prompt = "kvstore> "

  /// Runs until `exit` or the end of the input. The status is 0 even if commands failed: the person has seen it.
  ///
  /// On a terminal Ctrl-C ends the command that runs, gives up the pasted lines that wait behind it, and comes back to the
  /// prompt; if the command goes on all the same, a second one ends the program.
  package static func run(
    _ source: ClusterSource, _ console: Console = .standard, historyPath: String? = nil
  ) async -> Int32 {
    let isTyped = console.isTyped
    let running = RunningCommand()
    let pasted = PasteQueue()
    // Both: the command that runs, and the pasted lines behind it.
    let interrupt = { @Sendable in
      guard isTyped else { return false }
      let hadLines = pasted.stop()
      return running.interrupt() || hadLines
    }
    return await HeadlessRun.run(source, console, interrupt: interrupt) { cluster in
      let printer = Printer(
        output: console.output, failures: console.output, notes: console.errors, isTerminal: console.isOutputTerminal)
      let input = LineReader(descriptor: console.input)
      let session = Session(cluster.runner.playing(TextTour.say), printer: printer, input: input)
      do {
        if isTyped, let terminal = console.lineTerminal() {
          let lines = TypedLines(
            input, printer, terminal, label: prompt, pasted, cluster.runner.backend, history: HistoryFile(historyPath))
          defer { lines.finish() }
          try await session.run(prompt: prompt, running) { try await lines.next() }
        } else {
          try await session.runInput(prompt: isTyped ? prompt : "", running: running)
        }
      } catch {
        console.complain("cannot read the commands: \(error)")
        return 1
      }
      return HeadlessRun.status(0, printer, console, after: session)
    }
  }
}
