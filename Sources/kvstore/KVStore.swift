import ArgumentParser
import Commands
import Glibc
import KVCluster

/// The program: chooses a face. Without a subcommand that is the dashboard on a terminal, and line mode elsewhere.
@main
struct KVStore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kvstore",
    abstract: "A distributed key-value store that you can watch.",
    discussion: """
      Without a subcommand: the dashboard on a terminal; elsewhere commands are read line by line.
      A subcommand runs one command and ends with status 0 if it succeeded, else 1.
      verify, repair, dump and backup work on a data folder that no running kvstore has open; check-history reads
      recorded histories of any store. New here? kvstore demo
      """,
    version: "0.1.0",
    subcommands: [
      Put.self, Get.self, Del.self, Nodes.self, AddNode.self, RemoveNode.self, ReplaceNode.self, Kill.self,
      Restart.self,
      BenchmarkCommand.self, Load.self, Keys.self, Exec.self, Bench.self, Verify.self, RepairCommand.self, Backup.self,
      Dump.self, Simulate.self, DemoCommand.self, Explain.self, CheckHistory.self, Frame.self,
    ])

  @Flag(help: "Read commands line by line, also on a terminal.")
  var interactive = false

  @OptionGroup(title: "Cluster options")
  var options: StartOptions

  @OptionGroup(title: "Display options")
  var display: DisplayOptions

  func run() async throws {
    let isOnTerminal = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
    let start = try options.clusterOptions()
    let status =
      interactive || !isOnTerminal ? await LineMode.run(start) : await DashboardFace.run(start, display.screenOptions())
    throw ExitCode(status)
  }

  static func main() async {
    // A reader that has gone is an error of `write`, not a signal that kills us before the cluster is closed.
    signal(SIGPIPE, SIG_IGN)
    // So is a file that may not grow any more.
    signal(SIGXFSZ, SIG_IGN)
    StandardOutput.fillClosed()
    Screen.quietBacktraces()
    BusErrors.explain()
    let arguments = ArgumentBytes.arguments()
    if let word = arguments.first { refuseUnknown(word) }
    do {
      var command = try parseAsRoot(arguments)
      if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
      end(with: ExitCode.success)
    } catch {
      end(with: error)
    }
  }

  /// Ends the program as the parser's `exit(withError:)` does, and looks whether what was printed has arrived.
  private static func end(with error: any Error) -> Never {
    let status = exitCode(for: error).rawValue
    let text = fullMessage(for: error)
    if !text.isEmpty {
      if status != 0 { exit(withError: error) }
      print(text)
    }
    Glibc.exit(StandardOutput.status(status))
  }

  /// Ends the program if `word` stands where a subcommand should and is none: the parser would only call it unexpected.
  private static func refuseUnknown(_ word: String) {
    let names = configuration.subcommands.map { $0._commandName } + ["help"]
    guard !word.hasPrefix("-"), !names.contains(word) else { return }
    let meant = Suggestion.command(for: word)?.rawValue
    let hint = meant.flatMap { names.contains($0) ? " Did you mean \($0)?" : nil } ?? ""
    let message = "Unknown command: \(word).\(hint) Commands: \(names.joined(separator: ", "))"
    exit(withError: ValidationError(message))
  }
}
