import ArgumentParser
import Commands
import Glibc
import KVCluster
import Text

/// `kvstore exec 'put a 1' 'get a'` and `kvstore exec -`: commands for scripts.
struct Exec: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run commands, each one argument; - reads them from standard input.",
    discussion: """
      The commands and answers are those of line mode. Each answer is one write; lines with ✗ go to standard error. \
      A failure does not end the run: the status is 0 if all succeeded, else 1.
      An argument is one command even if it holds newlines, so the content of a file can be a value.
      """)

  @Argument(help: ArgumentHelp("Commands as in line mode, or -.", valueName: "command"))
  var commands: [String]

  @OptionGroup(title: "Cluster options")
  var options: StartOptions
  @ParentCommand var parent: KVStore

  func run() async throws {
    let commands = commands.map(ByteText.decode)
    // Watched, as a session is: `verdict` is one of the commands.
    throw try await Script.run(options, parent, isWatched: true) { session in
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

/// What `exec` and the direct subcommands have in common: failures on standard error, and in the status.
enum Script {
  static func run(
    _ options: StartOptions, _ parent: KVStore, isWatched: Bool = false,
    _ work: @escaping @Sendable (Session) async throws -> Void
  ) async throws -> ExitCode {
    let start = try options.filled(from: parent.options).clusterOptions()
    return ExitCode(
      await HeadlessRun.run(start, isWatched: isWatched) { cluster in
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
      })
  }
}
