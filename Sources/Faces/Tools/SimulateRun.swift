import KVCluster
import KVSimulator

/// `kvstore simulate`: lives simulated days of a whole cluster.
package struct SimulateRun {
  let mistake: PlantedMistake?
  let carrier: Carrier?

  package init(mistake: PlantedMistake?, carrier: Carrier?) { (self.mistake, self.carrier) = (mistake, carrier) }

  /// Tells one day step by step; returns the program's exit status.
  package func tell(_ seed: UInt64) throws -> Int32 {
    let simulation = Simulation(seed: seed, mistake: mistake, carrier: carrier)
    print("seed \(seed): \(simulation.plan.summary)")
    print(DayJournal.heading)
    var journal = DayJournal()
    simulation.onTrace = { print(journal.add($0)) }
    let report = try simulation.run()
    var summary = SimulationSummary()
    let failure = summary.add(report)
    print(summary.text)
    print(summary.conclusion)
    if let failure { print(failure) }
    if case .violation(let violation) = report.verdict, let line = journal.line(of: violation, in: report.history) {
      print("The answer stands above as:\n\(line)")
    }
    return summary.isClean(allStruck: false) ? 0 : 1
  }

  /// Lives many days and sums them up; returns the program's exit status.
  package func runAll(_ seeds: ClosedRange<UInt64>) throws -> Int32 {
    var summary = SimulationSummary()
    var progress = SimulationProgress(of: seeds.count)
    let signals = SignalWatch { _ in }
    for seed in seeds where signals.caught == nil {
      let report = try Simulation(seed: seed, mistake: mistake, carrier: carrier).run()
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
    let isMany = summary.seeds >= 2_000
    if isMany, summary.hasZero {
      print("✗ In so many days every fault should strike and every branch run: see the 0 above")
    }
    guard summary.isClean(allStruck: isMany) else { return 1 }
    return signal.map { 128 + $0 } ?? 0
  }
}
