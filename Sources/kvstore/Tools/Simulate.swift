import ArgumentParser
import Faces
import KVCluster
import KVSimulator

/// Lives simulated days of a whole cluster.
struct Simulate: ParsableCommand {
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
      "How throughput grows from 3 to 96 nodes, and whether a cluster of 1,000 works.",
      discussion: "With a fixed service time a request on every node, in virtual time."))
  var scaling = false

  func run() throws {
    let simulate = SimulateRun(mistake: mistake, carrier: carrier)
    let status =
      switch (seed, seeds, scaling) {
      case (let seed?, nil, false): simulate.tell(seed)
      case (nil, let text?, false): try simulate.runAll(Simulate.range(text))
      case (nil, nil, true): try ScalingTable.run()
      default: throw ValidationError("give one of --seed 42, --seeds 1..2000 and --scaling")
      }
    throw ExitCode(status)
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
