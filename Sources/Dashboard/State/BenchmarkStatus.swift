/// How the benchmark stands that runs, or that ran last, and what those before it measured.
package struct BenchmarkStatus: Equatable, Sendable {
  /// One second of measuring.
  package struct Second: Equatable, Sendable {
    /// Counted from the beginning of measuring.
    package var endNs: UInt64
    package var readsPerSecond: Double
    package var writesPerSecond: Double
    package var latency: LatencyHistory.Percentiles?

    package init(endNs: UInt64, reads: Double, writes: Double, latency: LatencyHistory.Percentiles?) {
      (self.endNs, readsPerSecond, writesPerSecond, self.latency) = (endNs, reads, writes, latency)
    }
  }

  /// What one run measured, in a few figures.
  package struct Result: Equatable, Sendable {
    package var name: String
    package var operationsPerSecond: Double
    package var latency: LatencyHistory.Percentiles?
    package var failures: Int

    package init(
      name: String, operationsPerSecond: Double, latency: LatencyHistory.Percentiles?, failures: Int
    ) {
      (self.name, self.operationsPerSecond) = (name, operationsPerSecond)
      (self.latency, self.failures) = (latency, failures)
    }
  }

  /// What is run, as in `ycsb-a, 64 clients`.
  package var name: String
  /// What it does now, in a word or two.
  package var phase: String
  package var isRunning: Bool
  /// Of this phase, from 0 to 1; `nil` if nobody knows.
  package var fraction: Double?
  package var leftNs: UInt64?
  package var operations = 0
  package var failures = 0
  /// When measuring began, and the moment this was taken, on the statuses' clock; 0 before it began.
  package var startedNs: UInt64 = 0
  package var atNs: UInt64 = 0
  /// How long measuring is to take; `nil` if that depends on the cluster.
  package var lengthNs: UInt64?
  /// Seconds that are over; empty for a run that does not keep them.
  package var seconds: [Second] = []
  /// What it said at its end, if it has no figures.
  package var words: [String] = []
  /// Earlier runs, oldest first; with the last one once that is over.
  package var results: [Result] = []

  package init(name: String, phase: String, isRunning: Bool) {
    (self.name, self.phase, self.isRunning) = (name, phase, isRunning)
  }
}
