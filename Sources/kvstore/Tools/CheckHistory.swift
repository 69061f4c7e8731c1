import ArgumentParser
import Faces

/// `kvstore check-history FILE…`: whether recorded histories are linearizable.
struct CheckHistory: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "check-history",
    abstract: "Check recorded histories for linearizability.",
    discussion: """
      Prints one line a file: FILE: linearizable, or FILE: violation. Two formats are read, an event a line:
        INFO  jepsen.util - PROCESS :invoke|:ok|:fail|:info :read|:write|:cas VALUE
          one compare-and-set register that starts as nil; a refused compare-and-set found something else
        {:process N, :type :invoke|:ok|:fail|:info, :f :get|:put|:append|:delete, :key "K", :value "V"}
          several keys, each of which starts as the empty string
      What failed did not happen; what timed out, or has no answer, may take effect at any later time, or never.
      Exit status: 0 all linearizable, 1 a violation, 2 a file could not be read or decided, 64 usage, 74 what was \
      found, or the drawing, cannot be written.
      """)

  @Argument(help: ArgumentHelp("The histories.", valueName: "file"), completion: .file())
  var files: [String]

  @Flag(help: "Show the shortest part that no order of the operations explains, as a timeline.")
  var explain = false

  @Option(help: ArgumentHelp("Draw these timelines to a file (SVG).", valueName: "file"), completion: .file())
  var svg: String?

  @ParentCommand var parent: KVStore

  func run() throws {
    throw ExitCode(CheckHistoryRun(files: files, explains: explain, svg: svg).run())
  }
}
