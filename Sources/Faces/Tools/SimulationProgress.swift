import Text

/// How far a run of many seeds is, on one line of standard error that is written over and over; nothing unless that is a
/// terminal.
package struct SimulationProgress {
  private let total: Int
  private let console: Console
  private let startedNs = MonotonicClock.nowNs()
  private var shownNs: UInt64 = 0
  private static let pauseNs: UInt64 = 200_000_000

  init(of total: Int, _ console: Console) {
    (self.total, self.console) = (total, console)
  }

  mutating func show(_ done: Int) {
    guard console.showsProgress, MonotonicClock.nowNs() > shownNs + SimulationProgress.pauseNs else { return }
    shownNs = MonotonicClock.nowNs()
    console.note("\r\(SimulationProgress.line(done, of: total, ns: shownNs - startedNs))\u{1B}[K")
  }

  /// `312 of 2,000 seeds, 31.4 a second, 54 s left`. Pure.
  package static func line(_ done: Int, of total: Int, ns: UInt64) -> String {
    let perSecond = rate(done, ns)
    let left = perSecond > 0 ? Int((Double(total - done) / perSecond).rounded(.up)) : 0
    return
      "\(Figures.count(done)) of \(Figures.count(total)) seeds, \(Figures.decimal(perSecond, places: 1)) a second, "
      + "\(Figures.duration(seconds: Double(left))) left"
  }

  /// How long it took, on standard error: what is said of the seeds themselves is the same in every run.
  func sayRate(_ done: Int) {
    let ns = MonotonicClock.nowNs() - startedNs
    console.note(
      "took \(Figures.decimal(Double(ns) / 1e9, places: 1)) s, "
        + "\(Figures.decimal(SimulationProgress.rate(done, ns), places: 1)) seeds a second\n")
  }

  mutating func clear() {
    guard console.showsProgress, shownNs > 0 else { return }
    console.note("\r\u{1B}[K")
    shownNs = 0
  }

  private static func rate(_ done: Int, _ ns: UInt64) -> Double { ns > 0 ? Double(done) * 1e9 / Double(ns) : 0 }
}
