import ArgumentParser
import Dashboard
import Faces
import KVCluster
import KVSimulator

/// Lives simulated days of a whole cluster.
struct Simulate: Subcommand, AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Live a whole cluster's bad day in virtual time, drawn from a seed.",
    discussion: """
      Nodes crash, disks lie, links break, members change, while clients read and write; then everything heals. Every \
      answer is checked for linearizability, and the replicas must become equal. The code is the one that serves data; \
      the same seed gives the same day, step for step. Ctrl-C ends a long run after the seed at hand and sums up what was \
      done.
      """)

  @Option(help: "One seed, told step by step.")
  var seed: UInt64?

  @Option(help: ArgumentHelp("Many seeds, summed up.", valueName: "first..last"))
  var seeds: String?

  @Option(help: "Plant a classic mistake, to see it found.")
  var mistake: PlantedMistake?

  @Option(
    help: ArgumentHelp(
      "How operations reach replicas: direct or messages.",
      discussion: "Without it both ways: by direct call while all links are good, by message while one is faulty."))
  var carrier: Carrier?

  @Flag(
    help: ArgumentHelp(
      "Watch the day of --seed on the dashboard: play, pause, slow down, step, go back.",
      discussion: "It stops at the answer that no order explains. F1 names the keys."))
  var watch = false

  @Option(help: ArgumentHelp("Begin at the answer of this number.", valueName: "n"))
  var from: Int?

  @Option(
    help: ArgumentHelp("Write the day of --seed as an asciicast, without a terminal.", valueName: "file"),
    completion: .file())
  var frames: String?

  @Option(help: ArgumentHelp("Columns and rows of --frames (default: 120x40).", valueName: "COLSxROWS"))
  var size: FrameSize?

  @Option(
    help: ArgumentHelp("Virtual seconds in a second of --frames (default: a minute holds the day).", valueName: "n"))
  var speed: Double?

  @OptionGroup(title: "Display options")
  var display: DisplayOptions

  @ParentCommand var parent: KVStore

  @Flag(
    help: ArgumentHelp(
      "How throughput grows from 3 to 96 nodes, and whether a cluster of 1,000 works.",
      discussion: "With a fixed service time a request on every node, in virtual time."))
  var scaling = false

  func validate() throws {
    if watch || frames != nil, seed == nil {
      throw ValidationError("--watch and --frames show one day: give --seed 42.")
    }
    if watch, frames != nil { throw ValidationError("--watch and --frames exclude each other.") }
    if !isShown, let option = display.given.first {
      throw ValidationError("\(option) goes with --watch and --frames.")
    }
    if size != nil, frames == nil { throw ValidationError("--size goes with --frames.") }
    if display.history != nil { throw ValidationError("--history records a cluster's session, not a simulated day.") }
    if from != nil, !watch, frames == nil { throw ValidationError("--from goes with --watch and --frames.") }
    if let from, from < 1 { throw ValidationError("--from is \(from); answers are counted from 1.") }
    if speed != nil, frames == nil { throw ValidationError("--speed goes with --frames.") }
    if let speed, !Self.speedRange.contains(speed) {
      throw ValidationError("--speed is \(speed); it can be 0.001 to 1000.")
    }
  }

  /// The day is shown, and not told.
  var isShown: Bool { watch || frames != nil }

  private static let speedRange = 0.001...1000

  func run() async throws {
    let simulate = SimulateRun(mistake: mistake, carrier: carrier)
    let status =
      switch (seed, seeds, scaling) {
      case (let seed?, nil, false) where isShown: try await show(seed)
      case (let seed?, nil, false): simulate.tell(seed)
      case (nil, let text?, false): try simulate.runAll(Simulate.range(text))
      case (nil, nil, true): try ScalingTable.run()
      default: throw ValidationError("give one of --seed 42, --seeds 1..2000 and --scaling")
      }
    throw ExitCode(status)
  }

  private func show(_ seed: UInt64) async throws -> Int32 {
    let face = DayFace(seed: seed, mistake: mistake, carrier: carrier, from: from)
    let screen = display.filled(from: parent.display).screenOptions()
    if let frames {
      let look = Appearance(
        themes: screen.themes, theme: screen.theme ?? .midnight, glyphs: screen.glyphs ?? .braille, depth: .truecolor)
      return face.record(to: frames, size?.size ?? Size(width: 120, height: 40), look, speed: speed)
    }
    guard Console.standard.isTyped else {
      throw ValidationError("--watch needs a terminal; --frames FILE writes the day as a recording.")
    }
    return await face.watch(screen)
  }

  /// More than anybody waits for.
  private static let seedsMax: UInt64 = 1_000_000_000

  private static func range(_ text: String) throws -> ClosedRange<UInt64> {
    let parts = text.split(separator: "..").compactMap { UInt64($0) }
    guard parts.count == 2, parts[0] <= parts[1] else {
      throw ValidationError("--seeds takes two numbers, the lesser first, as in 1..2000; got '\(text)'")
    }
    guard parts[1] - parts[0] < seedsMax else {
      throw ValidationError("--seeds takes at most \(seedsMax) seeds; got '\(text)'")
    }
    return parts[0]...parts[1]
  }
}

extension PlantedMistake: ExpressibleByArgument {}
extension Carrier: ExpressibleByArgument {}
