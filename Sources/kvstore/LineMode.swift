import Commands
import Glibc
import KVCluster

/// The original's interactive mode: reads commands line by line and prints every answer to standard output.
enum LineMode {
  /// Runs until `exit` or the end of the input. The status is 0 even if commands failed: the person has seen it.
  static func run(_ options: ClusterOptions) async -> Int32 {
    await HeadlessRun.run(options, isWatched: true) { cluster in
      let printer = Printer(failures: STDOUT_FILENO)
      let session = Session(
        CommandRunner(cluster: cluster, tour: TextTour.say), printer: printer,
        input: LineReader(descriptor: STDIN_FILENO))
      let isTyped = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
      do {
        try await session.runInput(prompt: isTyped ? "kvstore> " : "")
      } catch {
        HeadlessRun.complain("cannot read the commands: \(error)")
        return 1
      }
      return HeadlessRun.status(0, printer)
    }
  }
}
