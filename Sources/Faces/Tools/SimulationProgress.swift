import Glibc
import KVCluster

/// How far a run of many seeds is, on one line of standard error that is written over and over; nothing unless that is a
/// terminal.
struct SimulationProgress {
  private let total: Int
  private let isShown = isatty(STDERR_FILENO) == 1
  private let startedNs = Clock.nowNs()
  private var shownNs: UInt64 = 0
  private static let pauseNs: UInt64 = 200_000_000

  init(of total: Int) {
    self.total = total
  }

  mutating func show(_ done: Int) {
    guard isShown, Clock.nowNs() > shownNs + SimulationProgress.pauseNs else { return }
    shownNs = Clock.nowNs()
    SimulationProgress.put("\r\(SimulationProgress.line(done, of: total, ns: shownNs - startedNs))\u{1B}[K")
  }

  /// `312 of 2000 seeds, 31.4 a second, 54 s left`. Pure.
  static func line(_ done: Int, of total: Int, ns: UInt64) -> String {
    let perSecond = rate(done, ns)
    let left = perSecond > 0 ? Int((Double(total - done) / perSecond).rounded(.up)) : 0
    let time = left < 120 ? "\(left) s" : "\(left / 60) min"
    return "\(done) of \(total) seeds, \(rounded(perSecond)) a second, \(time) left"
  }

  /// How long it took, on standard error: what is said of the seeds themselves is the same in every run.
  func sayRate(_ done: Int) {
    let ns = Clock.nowNs() - startedNs
    SimulationProgress.put(
      "took \(SimulationProgress.rounded(Double(ns) / 1e9)) s, "
        + "\(SimulationProgress.rounded(SimulationProgress.rate(done, ns))) seeds a second\n")
  }

  mutating func clear() {
    guard isShown, shownNs > 0 else { return }
    SimulationProgress.put("\r\u{1B}[K")
    shownNs = 0
  }

  private static func rate(_ done: Int, _ ns: UInt64) -> Double { ns > 0 ? Double(done) * 1e9 / Double(ns) : 0 }

  private static func rounded(_ number: Double) -> String {
    let tenths = Int((number * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  private static func put(_ text: String) {
    let bytes = Array(text.utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
  }
}
