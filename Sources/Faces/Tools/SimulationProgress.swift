import KVCluster

/// How far a run of many seeds is, on one line of standard error that is written over and over; nothing unless that is a
/// terminal.
package struct SimulationProgress {
  private let total: Int
  private let console: Console
  private let startedNs = Clock.nowNs()
  private var shownNs: UInt64 = 0
  private static let pauseNs: UInt64 = 200_000_000

  init(of total: Int, _ console: Console) {
    (self.total, self.console) = (total, console)
  }

  mutating func show(_ done: Int) {
    guard console.showsProgress, Clock.nowNs() > shownNs + SimulationProgress.pauseNs else { return }
    shownNs = Clock.nowNs()
    console.note("\r\(SimulationProgress.line(done, of: total, ns: shownNs - startedNs))\u{1B}[K")
  }

  /// `312 of 2000 seeds, 31.4 a second, 54 s left`. Pure.
  package static func line(_ done: Int, of total: Int, ns: UInt64) -> String {
    let perSecond = rate(done, ns)
    let left = perSecond > 0 ? Int((Double(total - done) / perSecond).rounded(.up)) : 0
    let time = left < 120 ? "\(left) s" : "\(left / 60) min"
    return "\(done) of \(total) seeds, \(rounded(perSecond)) a second, \(time) left"
  }

  /// How long it took, on standard error: what is said of the seeds themselves is the same in every run.
  func sayRate(_ done: Int) {
    let ns = Clock.nowNs() - startedNs
    console.note(
      "took \(SimulationProgress.rounded(Double(ns) / 1e9)) s, "
        + "\(SimulationProgress.rounded(SimulationProgress.rate(done, ns))) seeds a second\n")
  }

  mutating func clear() {
    guard console.showsProgress, shownNs > 0 else { return }
    console.note("\r\u{1B}[K")
    shownNs = 0
  }

  private static func rate(_ done: Int, _ ns: UInt64) -> Double { ns > 0 ? Double(done) * 1e9 / Double(ns) : 0 }

  private static func rounded(_ number: Double) -> String {
    let tenths = Int((number * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}
