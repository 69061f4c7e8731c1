import ArgumentParser
import Dashboard
import Faces

/// `kvstore frame`: one picture of a cluster, without any terminal.
struct Frame: Subcommand, AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "frame",
    abstract: "Draw one frame of the dashboard, without a terminal.",
    discussion: """
      Opens the cluster, runs the commands, and draws what the dashboard would show then.
      kvstore frame --ephemeral --size 80x24 --text 'put a 1' benchmark
      """)

  @OptionGroup(title: "Cluster options")
  var options: StartOptions

  @Option(help: ArgumentHelp("Columns and rows.", valueName: "COLSxROWS"))
  var size = FrameSize(size: Size(width: 120, height: 40))

  @Option(
    help: ArgumentHelp("Theme: a name, or a file in this or btop's format.", valueName: "name"), completion: .theme)
  var theme: String?

  @Option(help: ArgumentHelp("Characters to draw with.", valueName: "kind"))
  var glyphs: Glyphs.Kind?

  @Option(help: ArgumentHelp("Write an SVG picture to a file.", valueName: "file"), completion: .file())
  var svg: String?

  @Flag(help: "Words without colours; otherwise with the sequences of an exact-colour terminal.")
  var text = false

  @Flag(help: "With colours (the default).")
  var ansi = false

  @Flag(help: "Describe the screen in sentences.")
  var describe = false

  @Argument(help: "Command lines to run before.")
  var lines: [String] = []

  @ParentCommand var parent: KVStore

  func validate() throws {
    guard [text, ansi, describe, svg != nil].count(where: { $0 }) <= 1 else {
      throw ValidationError("--text, --ansi, --describe and --svg exclude each other.")
    }
  }

  func run() async throws {
    var screen = ScreenOptions()
    let config = ConfigFolder()
    screen.themes += config.themes().themes
    // The root's options are the same and stand before this one's.
    if let name = theme ?? parent.display.theme {
      screen.choose(theme: name)
      for warning in screen.warnings { Console.standard.complain(warning) }
      if screen.theme == nil { throw ExitCode(1) }
    }
    let options = options.filled(from: parent.options)
    let look = Appearance(
      themes: screen.themes, theme: screen.theme ?? .midnight, glyphs: glyphs ?? parent.display.glyphs ?? .braille,
      depth: .truecolor)
    let output: FrameRun.Output = describe ? .description : text ? .text : svg.map { .svg(path: $0) } ?? .ansi
    let run = FrameRun(size: size.size, appearance: look, lines: lines, output: output)
    // A folder that another kvstore has open is refused here and not attached to: its picture would be that one's.
    let source =
      options.redis.given.isEmpty ? .folder(try options.clusterOptions(), isWatched: false) : try await options.source()
    throw ExitCode(await HeadlessRun.run(source, .standard) { await run.draw($0.runner) })
  }
}

/// `120x40` on the command line.
struct FrameSize: ExpressibleByArgument {
  let size: Size

  init(size: Size) { self.size = size }

  init?(argument: String) {
    let numbers = argument.split(separator: "x").map { Int($0) }
    guard numbers.count == 2, let width = numbers[0], let height = numbers[1], (1...1_000).contains(width),
      (1...1_000).contains(height)
    else { return nil }
    size = Size(width: width, height: height)
  }

  var defaultValueDescription: String { "\(size.width)x\(size.height)" }
}
