import ArgumentParser
import Faces

/// `kvstore verify DIR`: reads everything of a data folder and says what is damaged.
struct Verify: Subcommand, AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read a whole data folder and report damage; changes nothing.",
    discussion: """
      Every record of every node is read and compared with its checksums; what a log says about itself is compared too, and \
      not counted. A log that a crash left torn is reported and is no damage: what is torn was never acknowledged as \
      durable.
      Exit status: 0 no damage, 1 damage, 2 the folder cannot be read or is in use, 64 usage, 74 the report \
      cannot be written.
      """)

  @Argument(help: ArgumentHelp("The data folder.", valueName: "dir"), completion: .directory)
  var folder: String

  @ParentCommand var parent: KVStore

  func run() async throws { throw ExitCode(await VerifyRun.run(try ToolRun.path(folder))) }
}
