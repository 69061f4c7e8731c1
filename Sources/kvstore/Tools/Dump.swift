import ArgumentParser
import Faces

/// `kvstore dump DIR`: the records of a data folder as text.
struct Dump: Subcommand, AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the records of a data folder, one a line; changes nothing.",
    discussion: """
      Each line, in the order of the log: node, segment, offset, kind, tag, key, bytes of the value, value, and ok or \
      damaged. Keys and values are quoted as the command language quotes them; values are cut after 64 bytes (…). \
      The tag is the write's number. What the log says about itself has others: a rangeDrop or hintsSettled the place \
      segment:offset up to which it speaks, a seal the next segment, and a syncMark, left out without --sync-marks, up to \
      where the log was on the disk.
      Exit status: 0 all is intact, 1 something is damaged, 2 the folder cannot be read or is in use, 64 usage, 74 the output \
      cannot be written.
      """)

  @Argument(help: ArgumentHelp("The data folder.", valueName: "dir"), completion: .directory)
  var folder: String

  @Option(help: ArgumentHelp("Only the log of this node.", valueName: "name"))
  var node: String?

  @Flag(help: "Print the marks of syncs too, which are no data.")
  var syncMarks = false

  @Flag(help: "Print whole values.")
  var values = false

  @ParentCommand var parent: KVStore

  func run() async throws {
    let path = try ToolRun.path(folder)
    throw ExitCode(await DumpRun.run(path, node: node, valueBytesMax: values ? Int.max : 64, showsSyncMarks: syncMarks))
  }
}
