import ArgumentParser
import Commands
import Faces
import Glibc
import KVCluster
import Text

/// The program: chooses a face. Without a subcommand that is the dashboard on a terminal, and line mode elsewhere.
@main
struct KVStore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kvstore",
    abstract: "A distributed key-value store that you can watch.",
    discussion: """
      Without a subcommand: the dashboard on a terminal; elsewhere commands are read line by line, and the status is 0 even \
      if some failed (exec - tells). A subcommand runs one command and ends with status 0 if it succeeded, else 1; 64 is \
      wrong usage, and 74 says that what was to be printed or written to a file could not be. \
      verify, repair, dump and backup work on a data folder that no running kvstore has open; check-history reads \
      recorded histories of any store. New here? kvstore demo
      """,
    version: "0.1.0",
    subcommands: [
      Put.self, Get.self, Del.self, MGet.self, MSet.self, Cas.self, Incr.self, Append.self, GetDel.self,
      Expire.self, TTL.self, Persist.self, Nodes.self, AddNode.self, RemoveNode.self, ReplaceNode.self, Failover.self,
      Kill.self,
      Restart.self, Compact.self,
      BenchmarkCommand.self, Load.self, Keys.self, Exec.self, Serve.self, Bench.self, Verify.self, RepairCommand.self,
      Backup.self,
      Dump.self, Simulate.self, DemoCommand.self, Explain.self, CheckHistory.self, Frame.self, Replay.self,
    ])

  @Flag(help: "Read commands line by line, also on a terminal.")
  var interactive = false

  @OptionGroup(title: "Cluster options")
  var options: StartOptions

  @OptionGroup(title: "Display options")
  var display: DisplayOptions

  func run() async throws {
    let isOnTerminal = Console.standard.isTyped
    guard interactive || !isOnTerminal else {
      throw ExitCode(await DashboardFace.run(try await options.source(isServed: true), display.screenOptions()))
    }
    // Line mode has no colours, but a name that is none was a slip all the same.
    if display.theme != nil { for warning in display.screenOptions().warnings { Console.standard.complain(warning) } }
    throw ExitCode(await LineMode.run(try await options.source(isServed: true)))
  }

  static func main() async {
    ProcessLimits.checkAtStart()
    // A reader that has gone is an error of `write`, not a signal that kills us before the cluster is closed.
    signal(SIGPIPE, SIG_IGN)
    // So is a file that may not grow any more.
    signal(SIGXFSZ, SIG_IGN)
    Console.fillClosed()
    Backtraces.quiet()
    BusErrors.explain()
    let arguments = ByteText.arguments()
    answerUnknown(arguments)
    do {
      var command = try Arguments.parse(arguments)
      try IgnoredOptions.refuse(for: command)
      if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
      end(with: ExitCode.success)
    } catch {
      end(with: error)
    }
  }

  /// Ends the program as the parser's `exit(withError:)` does, and looks whether what was printed has arrived.
  private static func end(with error: any Error) -> Never {
    if let refusal = error as? Refusal {
      Console.standard.complain(refusal.description)
      Glibc.exit(Console.standard.status(1))
    }
    let status = exitCode(for: error).rawValue
    let text = Arguments.message(for: error, ByteText.arguments())
    if !text.isEmpty {
      if status != 0 { Console.standard.noteError(text + "\n") } else { Console.standard.say(text) }
    }
    Glibc.exit(Console.standard.status(status))
  }

  /// Ends the program if there is no subcommand where one should stand: the parser would only call the word unexpected,
  /// and knows nothing of a session's commands.
  private static func answerUnknown(_ arguments: [String]) {
    let names = configuration.subcommands.map { $0._commandName } + ["help"]
    guard let word = arguments.first, !word.hasPrefix("-") else { return }
    if word == "help", let asked = arguments.dropFirst().first, !names.contains(asked) {
      guard let lines = UnknownSubcommand.help(asked) else {
        end(with: ValidationError(UnknownSubcommand.message([asked], subcommands: names)))
      }
      Console.standard.say(lines.joined(separator: "\n"))
      end(with: ExitCode.success)
    }
    guard !names.contains(word) else { return }
    end(with: ValidationError(UnknownSubcommand.message(arguments, subcommands: names)))
  }
}
