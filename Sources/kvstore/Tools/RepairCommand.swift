import ArgumentParser
import Faces

/// `kvstore repair DIR`: restores damaged copies from good ones, then verifies.
struct RepairCommand: Subcommand, AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "repair", abstract: "Restore damaged copies in a data folder from good ones.",
    discussion: """
      Reads every log of every node that is not killed, fetches damaged copies from other nodes, rebuilds nodes that lost \
      records, and writes damaged segments anew. Then it reads everything once more, as verify does. A copy of which there \
      is no good one stays as it is: nothing is deleted or guessed, and no key goes back to an older version. Where so many \
      owners of some keys have lost records that the others cannot say what was acknowledged, reads of these keys stay \
      refused until --accept-loss says that what is left of them counts.
      Exit status: 0 no damage is left, 1 some is, 2 the folder cannot be opened or is in use, 64 usage, 74 the \
      report cannot be written.
      """)

  @Argument(help: ArgumentHelp("The data folder.", valueName: "dir"), completion: .directory)
  var folder: String

  @Flag(
    help: "Where nobody can say what was acknowledged, go on with what is left; damaged segments are set aside.")
  var acceptLoss = false

  @ParentCommand var parent: KVStore

  func run() async throws { throw ExitCode(await RepairRun.run(try ToolRun.path(folder), acceptsLoss: acceptLoss)) }
}
