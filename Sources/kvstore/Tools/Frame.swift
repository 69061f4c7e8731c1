import ArgumentParser
import Commands
import Dashboard
import KVCluster

/// `kvstore frame`: one picture of a cluster, without any terminal.
struct Frame: AsyncParsableCommand {
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
      for warning in screen.warnings { HeadlessRun.complain(warning) }
      if screen.theme == nil { throw ExitCode(1) }
    }
    let start = try options.filled(from: parent.options).clusterOptions()
    let look = Appearance(
      themes: screen.themes, theme: screen.theme ?? .midnight, glyphs: glyphs ?? parent.display.glyphs ?? .braille,
      depth: .truecolor)
    let output: FrameRun.Output = describe ? .description : text ? .text : svg.map { .svg(path: $0) } ?? .ansi
    let run = FrameRun(size: size.size, appearance: look, lines: lines, output: output)
    throw ExitCode(await HeadlessRun.run(start) { await run.draw($0) })
  }
}

/// Watches a cluster as the dashboard would, and draws what it would show at the end.
private struct FrameRun: Sendable {
  enum Output: Sendable {
    case text, ansi, description
    case svg(path: String)
  }

  let size: Size
  let appearance: Appearance
  let lines: [String]
  let output: Output

  /// Returns the exit status.
  func draw(_ cluster: Cluster) async -> Int32 {
    let (state, hasFailed) = await watch(cluster)
    let canvas = Picture(state, state.appearance.look).canvas
    switch output {
    case .text: for line in canvas.lines { print(line) }
    case .ansi: print(AnsiText.text(canvas, depth: .truecolor), terminator: "")
    case .description: for line in Description.lines(state) { print(line) }
    case .svg(let path):
      do throws(WholeFile.Failure) {
        try WholeFile.write(SvgPicture.text(canvas), to: path)
      } catch {
        HeadlessRun.complain("cannot write \(path): \(error)")
        return StandardOutput.lost
      }
    }
    return hasFailed ? 1 : 0
  }

  /// Runs the commands, and looks at the cluster meanwhile ten times a second. Says which failed.
  private func watch(_ cluster: Cluster) async -> (state: DashboardState, hasFailed: Bool) {
    var hasFailed = false
    let host = ClusterHost(cluster)
    // Nobody is there to be asked.
    var advice = host.advice
    advice.question = { _ in nil }
    var state = DashboardState(size: size, advice: advice, appearance: appearance)
    var lastEvent: UInt64 = 0
    func look() {
      for event in cluster.events(after: lastEvent) {
        lastEvent = event.sequence
        state.apply(event: event)
      }
      if let status = host.status() { state.apply(status: status) }
      state.apply(benchmark: host.benchmark())
    }
    look()
    for line in lines {
      _ = state.handle(.paste(line))
      _ = state.handle(.enter)
      let running = Task { await host.run(line) { _ in } }
      let waiting = Waiting(running)
      while await !waiting.isOver {
        try? await Task.sleep(for: .milliseconds(100))
        look()
      }
      let answer = await running.value
      if !answer.isSuccess {
        hasFailed = true
        for text in answer.lines { HeadlessRun.complain("\(line): \(text)") }
      }
      _ = state.apply(answer: answer)
    }
    // A rate is the difference of two looks.
    try? await Task.sleep(for: .milliseconds(200))
    look()
    return (state, hasFailed)
  }
}

/// Whether a task has ended, without waiting for it.
private actor Waiting {
  private(set) var isOver = false

  init(_ task: Task<CommandAnswer, Never>) {
    Task {
      _ = await task.value
      await self.end()
    }
  }

  private func end() { isOver = true }
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
