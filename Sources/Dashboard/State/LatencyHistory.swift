import ClusterModel

/// Percentiles of how long operations took, over the last minutes, a second a time.
package struct LatencyHistory: Equatable, Sendable {
  /// What a second's operations did not exceed, in nanoseconds.
  package struct Percentiles: Equatable, Sendable {
    package var p50: Double
    package var p95: Double
    package var p99: Double
    package var p999: Double

    package init(p50: Double, p95: Double, p99: Double, p999: Double) {
      (self.p50, self.p95, self.p99, self.p999) = (p50, p95, p99, p999)
    }

    init?(_ counts: LatencyCounts) {
      guard let p50 = counts.percentileNs(0.5), let p95 = counts.percentileNs(0.95),
        let p99 = counts.percentileNs(0.99), let p999 = counts.percentileNs(0.999)
      else { return nil }
      (self.p50, self.p95, self.p99, self.p999) = (Double(p50), Double(p95), Double(p99), Double(p999))
    }
  }

  /// Two minutes and more of seconds, as many as the widest graph has dots for.
  static let secondsMax = 720
  private static let secondNs: UInt64 = 1_000_000_000

  /// By second, oldest first; `nil` where nothing was done.
  package private(set) var seconds: [Percentiles?] = []
  private var last: (atNs: UInt64, counts: LatencyCounts)?

  package init() {}

  package static func == (a: Self, b: Self) -> Bool { a.seconds == b.seconds }

  /// Takes one status's counts; returns whether a second was completed.
  @discardableResult
  package mutating func add(_ counts: LatencyCounts, atNs: UInt64) -> Bool {
    guard let last else {
      self.last = (atNs, counts)
      return false
    }
    guard atNs >= last.atNs + Self.secondNs else { return false }
    let passed = Int(Swift.min((atNs - last.atNs) / Self.secondNs, UInt64(Self.secondsMax)))
    // A late status tells of all the seconds since the last one.
    let found = Percentiles(counts.since(last.counts))
    seconds.append(contentsOf: Array(repeating: found, count: passed))
    if seconds.count > Self.secondsMax { seconds.removeFirst(seconds.count - Self.secondsMax) }
    self.last = (last.atNs + UInt64(passed) * Self.secondNs, counts)
    if atNs - last.atNs > UInt64(Self.secondsMax) * Self.secondNs { self.last?.atNs = atNs }
    return true
  }

  /// The last second in which anything was done, if it is one of the last few.
  package var recent: Percentiles? { seconds.suffix(Self.recentSeconds).last { $0 != nil } ?? nil }

  private static let recentSeconds = 10
}
