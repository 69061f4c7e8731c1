import ArgumentParser
import Demo
import Faces
import KVCluster

/// `kvstore demo`: the guided tour, in the dashboard on a terminal, as text elsewhere.
struct DemoCommand: Subcommand, AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Play a guided tour, for real, on clusters of its own.",
    discussion: """
      Chapters: \(Chapter.all.map(\.name).joined(separator: ", ")).
      On a terminal it is played in the dashboard, with keys to go on, back, and to pause; elsewhere it is printed. Each \
      chapter opens a cluster in a temporary folder and removes it again; no other data is touched. Everything it shows is \
      done and measured at that moment. The status is 0 if every claim that was checked held, else 1.
      """)

  @Option(help: ArgumentHelp("How much faster than a person reads; measurements get shorter with it.", valueName: "n"))
  var speed = 1.0

  @Option(
    help: ArgumentHelp("The chapter to begin with: its name, or its number.", valueName: "chapter"),
    completion: .list(Chapter.all.map(\.name)))
  var chapter: String?

  @Flag(help: "Print the tour, also on a terminal.")
  var text = false

  @OptionGroup(title: "Display options")
  var display: DisplayOptions

  @OptionGroup(visibility: .hidden)
  var planted: PlantedOptions

  @ParentCommand var parent: KVStore

  /// More than any chapter starts.
  private static let nodesMax = 12

  func validate() throws {
    guard TourSettings.speedRange.contains(speed) else {
      let range = TourSettings.speedRange
      throw ValidationError("--speed is \(speed); it can be \(range.lowerBound) to \(Int(range.upperBound)).")
    }
    if let chapter, Chapter.number(called: chapter) == nil {
      let names = Chapter.all.map(\.name).joined(separator: ", ")
      throw ValidationError(
        "there is no chapter \(chapter); there are \(names), or their numbers from 1 to \(Chapter.all.count).")
    }
  }

  func run() async throws {
    if parent.options.data != nil {
      throw ValidationError("demo works on temporary clusters of its own; it does not go with --data.")
    }
    if let problem = ProcessLimits.problem(nodes: Self.nodesMax, cacheBytes: 0) { throw Refusal(problem) }
    var settings = TourSettings { try TemporaryFolder.make() }
    settings.speed = speed
    settings.first = chapter.flatMap(Chapter.number) ?? 0
    settings.mistake = planted.mistake
    (settings.readQuorum, settings.writeQuorum) = (parent.options.readQuorum, parent.options.writeQuorum)
    let isOnTerminal = Console.standard.isTyped
    throw ExitCode(
      text || !isOnTerminal
        ? await TextTour.run(settings)
        : await TourFace.run(settings, display.filled(from: parent.display).screenOptions()))
  }
}

/// What can be planted to see the claims fail that it breaks; for tests, and for the curious.
struct PlantedOptions: ParsableArguments {
  @Option(help: "A mistake to plant.")
  var mistake: PlantedMistake?
}
