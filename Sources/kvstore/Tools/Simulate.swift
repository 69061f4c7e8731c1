import ArgumentParser
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
    switch (seed, seeds, scaling) {
    case (let seed?, nil, false): try tell(seed)
    case (nil, let text?, false): try runAll(Simulate.range(text))
    case (nil, nil, true): try ScalingTable.print()
    default: throw ValidationError("give one of --seed 42, --seeds 1..2000 and --scaling")
    }
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

  private func tell(_ seed: UInt64) throws {
    let simulation = Simulation(seed: seed, mistake: mistake, carrier: carrier)
    print("seed \(seed): \(simulation.plan.summary)")
    print(DayJournal.heading)
    var journal = DayJournal()
    simulation.onTrace = { print(journal.add($0)) }
    let report = simulation.run()
    var summary = SimulationSummary()
    let failure = summary.add(report)
    print(summary.text)
    print(summary.conclusion)
    if let failure { print(failure) }
    if case .violation(let violation) = report.verdict, let line = journal.line(of: violation, in: report.history) {
      print("The answer stands above as:\n\(line)")
    }
    if !summary.isClean(allStruck: false) { throw ExitCode(1) }
  }

  private func runAll(_ seeds: ClosedRange<UInt64>) throws {
    var summary = SimulationSummary()
    var progress = SimulationProgress(of: seeds.count)
    let signals = SignalWatch { _ in }
    for seed in seeds where signals.caught == nil {
      let report = Simulation(seed: seed, mistake: mistake, carrier: carrier).run()
      let failure = summary.add(report)
      progress.show(summary.seeds)
      guard let failure else { continue }
      progress.clear()
      print("seed \(seed): \(failure)")
      print(
        "to see that day step by step: kvstore simulate --seed \(seed)\(mistake.map { " --mistake \($0.rawValue)" } ?? "")\(carrier.map { " --carrier \($0.rawValue)" } ?? "")"
      )
      if mistake != nil { break }
    }
    progress.clear()
    print(summary.text)
    print(summary.conclusion)
    let signal = signals.caught
    if signal != nil { print("stopped after \(summary.seeds) of \(seeds.count) seeds") }
    progress.sayRate(summary.seeds)
    let isMany = summary.seeds >= SimulationSummary.seedsOfMany
    let seldom = summary.seldom
    if isMany, !seldom.isEmpty {
      let names = seldom.map { "\($0.name) \($0.count)" }.joined(separator: ", ")
      let (least, days) = (SimulationSummary.leastOfMany, SimulationSummary.seedsOfMany)
      print("✗ In \(days) days every fault should strike and every branch run \(least) times: too seldom \(names)")
    }
    if !summary.isClean(allStruck: isMany) { throw ExitCode(1) }
    if let signal { throw ExitCode(128 + signal) }
  }
}

extension PlantedMistake: ExpressibleByArgument {}
extension Carrier: ExpressibleByArgument {}
