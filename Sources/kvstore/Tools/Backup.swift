import ArgumentParser
import Faces

/// `kvstore backup DIR TO`: copies a data folder that is not in use. (`backup TO`, as a command, copies one that is.)
struct Backup: Subcommand, AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Copy a data folder that is not in use to a new one.",
    discussion: """
      The copy is on the disk when this ends; to restore, open it with --data. Where a copy cannot be finished nothing is \
      left of it. A running kvstore copies its own folder with the command: backup FOLDER
      Exit status: 0 done, 1 the copy could not be written, 2 the folder cannot be read or is in use, 64 usage, 74 \
      its answer cannot be written.
      """)

  @Argument(help: ArgumentHelp("The data folder.", valueName: "dir"), completion: .directory)
  var folder: String

  @Argument(
    help: ArgumentHelp("The folder to make; an empty one may be there.", valueName: "to"), completion: .directory)
  var target: String

  @ParentCommand var parent: KVStore

  func run() async throws {
    throw ExitCode(await BackupRun.run(try ToolRun.path(folder), to: try ToolRun.path(target)))
  }
}
