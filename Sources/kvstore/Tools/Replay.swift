import ArgumentParser
import Faces

/// `kvstore replay`: a recorded session on the dashboard.
struct Replay: Subcommand, AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Play a session that --history recorded.",
    discussion: """
      kvstore --history FILE records a session of the dashboard; replay shows it on any machine, with the same panels: \
      play, pause, faster, slower, forwards and back. F1 names the keys.
      """)

  @OptionGroup(title: "Display options")
  var display: DisplayOptions

  @Argument(help: "The recorded session.", completion: .file())
  var file: String

  @ParentCommand var parent: KVStore

  func validate() throws {
    if display.history != nil { throw ValidationError("--history records a cluster's session, and replay opens none.") }
  }

  func run() async throws {
    guard Console.standard.isTyped else { throw ValidationError("replay needs a terminal.") }
    throw ExitCode(await ReplayFace.run(file, display.filled(from: parent.display).screenOptions()))
  }
}
