import Commands
import Glibc

/// `exec` and the direct subcommands: failures on standard error, and in the status.
package enum Script {
  /// Returns the program's exit status.
  package static func run(
    _ source: ClusterSource, _ console: Console = .standard,
    _ work: @escaping @Sendable (Session) async throws -> Void
  ) async -> Int32 {
    await HeadlessRun.run(source, console) { cluster in
      let printer = Printer(
        output: console.output, failures: console.errors, notes: console.errors, isTerminal: console.isOutputTerminal)
      let session = Session(
        cluster.runner.playing(TextTour.say), printer: printer, input: LineReader(descriptor: console.input))
      await cluster.untilCompared()
      do {
        try await work(session)
      } catch {
        console.complain("cannot read the commands: \(error)")
        return 1
      }
      let status = session.hasLostFile ? Console.lost : session.hasFailed ? 1 : 0
      return HeadlessRun.status(status, printer, console, after: session)
    }
  }

  /// Commands one after another, as `exec` has them; `-` stands for those of standard input.
  package static func run(
    _ source: ClusterSource, _ console: Console = .standard, commands: [[UInt8]]
  ) async -> Int32 {
    await run(source, console) { session in
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
