import ClusterModel

/// State of the running benchmark, or of the last one, and results of the ones before.
package struct BenchmarkStatus: Equatable, Sendable {
  /// The main figures of one run.
  package struct Result: Equatable, Sendable {
    package var name: String
    package var operationsPerSecond: Double
    package var reads: LatencyHistory.Percentiles?
    package var writes: LatencyHistory.Percentiles?
    package var failures: Int

    package init(
      name: String, operationsPerSecond: Double, reads: LatencyHistory.Percentiles?,
      writes: LatencyHistory.Percentiles?, failures: Int
    ) {
      (self.name, self.operationsPerSecond) = (name, operationsPerSecond)
      (self.reads, self.writes, self.failures) = (reads, writes, failures)
    }
  }

  /// Name of the run, as in `ycsb-a, 64 clients`.
  package var name: String
  /// Its present phase, in a word or two.
  package var phase: String
  package var isRunning: Bool
  /// Progress of the whole run, all its phases, from 0 to 1; `nil` if unknown. It only grows.
  package var fraction: Double?
  /// Time left of this phase.
  package var leftNs: UInt64?
  package var operations = 0
  package var failures = 0
  /// When measuring began, and the moment this was taken, on the statuses' clock; 0 before it began.
  package var startedNs: UInt64 = 0
  package var atNs: UInt64 = 0
  /// How long measuring is to take; `nil` if that depends on the cluster.
  package var lengthNs: UInt64?
  /// Reads and writes a second of all of it, once it is over; `nil` if there were none.
  package var readsPerSecond: Double?
  package var writesPerSecond: Double?
  /// Whether its result is the last of ``results`` once it is over; the plain benchmark's is not among them.
  package var isListed = true
  /// Why the first operation that failed did.
  package var error: ClusterError?
  /// Earlier runs, oldest first; with the last one once that is over.
  package var results: [Result] = []

  /// The part of it that is measured is not over.
  package var isMeasuring = false
  /// When measuring ended; `nil` while it goes on.
  package var measuredEndNs: UInt64?

  /// It is over and says how fast it was.
  var hasRates: Bool { readsPerSecond != nil || writesPerSecond != nil }

  /// It was over before there was anything to measure.
  var isEmpty: Bool { !isRunning && !isListed && !hasRates }

  /// Its speed as a multiple of that of the run before it of the same name; `nil` if there is none.
  var ratioToFormer: Double? {
    guard !isRunning, isListed, let result = results.last,
      let former = results.dropLast().last(where: { $0.name == result.name }), former.operationsPerSecond > 0
    else { return nil }
    return result.operationsPerSecond / former.operationsPerSecond
  }

  /// From the beginning of measuring to its end, or to now.
  package var measuredSpan: GraphSpan {
    GraphSpan(startNs: startedNs, endNs: measuredEndNs ?? Swift.max(startedNs, atNs))
  }

  package init(name: String, phase: String, isRunning: Bool) {
    (self.name, self.phase, self.isRunning) = (name, phase, isRunning)
  }
}
