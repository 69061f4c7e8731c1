import Commands
import Glibc
import KVCluster

/// What `exec` and the direct subcommands have in common: failures on standard error, and in the status.
package enum Script {
  /// Returns the program's exit status.
  package static func run(
    _ options: ClusterOptions, isWatched: Bool = false, _ work: @escaping @Sendable (Session) async throws -> Void
  ) async -> Int32 {
    await HeadlessRun.run(options, isWatched: isWatched) { cluster in
      let printer = Printer(failures: STDERR_FILENO)
      let session = Session(
        CommandRunner(cluster: cluster, tour: TextTour.say), printer: printer,
        input: LineReader(descriptor: STDIN_FILENO))
      await cluster.untilCompared()
      do {
        try await work(session)
      } catch {
        HeadlessRun.complain("cannot read the commands: \(error)")
        return 1
      }
      return HeadlessRun.status(session.hasFailed ? 1 : 0, printer)
    }
  }

  /// Commands one after another, as `exec` has them; `-` stands for those of standard input.
  package static func run(_ options: ClusterOptions, commands: [[UInt8]]) async -> Int32 {
    // Watched, as a session is: `verdict` is one of the commands.
    await run(options, isWatched: true) { session in
      for command in commands {
        if command == Array("-".utf8) {
          try await session.runInput()
        } else {
          await session.run(line: command)
        }
      }
    }
  }
}
