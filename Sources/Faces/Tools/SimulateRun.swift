import KVCluster
import KVSimulator

/// `kvstore simulate`: lives simulated days of a whole cluster.
package struct SimulateRun {
  let mistake: PlantedMistake?
  let carrier: Carrier?
  let console: Console

  package init(mistake: PlantedMistake?, carrier: Carrier?, _ console: Console = .standard) {
    (self.mistake, self.carrier, self.console) = (mistake, carrier, console)
  }

  /// Tells one day step by step; returns the program's exit status.
  package func tell(_ seed: UInt64) -> Int32 {
    let simulation = Simulation(seed: seed, mistake: mistake, carrier: carrier)
    console.say("seed \(seed): \(simulation.plan.summary)")
    console.say(DayJournal.heading)
    var journal = DayJournal()
    simulation.onTrace = { [console] in console.say(journal.add($0)) }
    let report = simulation.run()
    var summary = SimulationSummary()
    let failure = summary.add(report)
    console.say(summary.text)
    console.say(summary.conclusion)
    if let failure { console.say(failure) }
    if case .violation(let violation) = report.verdict, let line = journal.line(of: violation, in: report.history) {
      console.say("The answer stands above as:\n\(line)")
    }
    return summary.isClean(allStruck: false) ? 0 : 1
  }

  /// Lives many days and sums them up; returns the program's exit status.
  package func runAll(_ seeds: ClosedRange<UInt64>) -> Int32 {
    var summary = SimulationSummary()
    var progress = SimulationProgress(of: seeds.count, console)
    let signals = SignalWatch(console.signals) { _ in }
    for seed in seeds where signals.caught == nil {
      let report = Simulation(seed: seed, mistake: mistake, carrier: carrier).run()
      let failure = summary.add(report)
      progress.show(summary.seeds)
      guard let failure else { continue }
      progress.clear()
      console.say("seed \(seed): \(failure)")
      console.say(
        "to see that day step by step: kvstore simulate --seed \(seed)\(mistake.map { " --mistake \($0.rawValue)" } ?? "")\(carrier.map { " --carrier \($0.rawValue)" } ?? "")"
      )
      if mistake != nil { break }
    }
    progress.clear()
    console.say(summary.text)
    console.say(summary.conclusion)
    let signal = signals.caught
    if signal != nil { console.say("stopped after \(summary.seeds) of \(seeds.count) seeds") }
    progress.sayRate(summary.seeds)
    let isMany = summary.seeds >= SimulationSummary.seedsOfMany
    let seldom = summary.seldom
    if isMany, !seldom.isEmpty {
      let names = seldom.map { "\($0.name) \($0.count)" }.joined(separator: ", ")
      let (least, days) = (SimulationSummary.leastOfMany, SimulationSummary.seedsOfMany)
      console.say(
        "✗ In \(days) days every fault should strike and every branch run \(least) times: too seldom \(names)")
    }
    guard summary.isClean(allStruck: isMany) else { return 1 }
    return signal.map { 128 + $0 } ?? 0
  }
}
