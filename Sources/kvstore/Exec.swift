import ArgumentParser
import Faces
import Text

/// `kvstore exec 'put a 1' 'get a'` and `kvstore exec -`: commands for scripts.
struct Exec: Subcommand, AsyncParsableCommand {
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
    let source = try await options.filled(from: parent.options).source()
    throw ExitCode(await Script.run(source, commands: commands.map(ByteText.decode)))
  }
}
