/// What a benchmark run does: which operations, on how many keys, from how many callers, for how long.
package struct BenchmarkPlan: Sendable, Equatable {
  package var workload: Workload
  /// Distinct keys at the beginning; `fill` draws from them, all others have them all loaded first.
  package var keys: Int
  package var names: KeyNames
  package var valueSizes: ValueSizes
  /// Which keys are used how often.
  package var distribution: KeyDistribution
  /// Threads that call the blocking interface, if `clients` is not more than that; none for `read-array`.
  package var threads: Int
  /// Callers that wait for their answer at the same time; more than `threads` of them are tasks that call the
  /// asynchronous interface.
  package var clients: Int
  /// How long to measure, in seconds; 0 measures ``operations``.
  package var seconds: Double
  /// How many operations to measure if no time is set; `nil` are as many as keys.
  package var operationCount: Int?
  /// Operations a second in an open loop: each has its moment, whatever became of the earlier ones, and its latency
  /// counts from that moment. `nil` is a closed loop: each caller sends its next operation when it has the answer.
  package var rate: Double?
  package var seed: UInt64
  /// Before measuring, get as many random keys as there are, ``BenchmarkRunner/warmOperationsMax`` at most: what is
  /// measured is then a cache in its steady state. Only where the workload reads.
  package var warms = false
  /// Run the workload so long before measuring, in seconds.
  package var warmUpSeconds = 0.0
  /// How often `open` opens.
  package var openings = 5
  /// Count operations that fail and go on; else the first one ends the run.
  package var toleratesFailures = false
  /// Time every operation, so that no stall is missed.
  package var recordsTimeline = false
  /// Time one operation in so many, 0 none; `nil` leaves it to ``latencySampling``.
  package var sampling: Int?

  package init(
    workload: Workload, keys: Int, keyBytes: Int = 16, valueBytes: Int? = nil, threads: Int = 1, clients: Int? = nil,
    seconds: Double = 0, seed: UInt64 = 42
  ) {
    self.workload = workload
    self.keys = keys
    names = workload.isYCSB ? .ycsb(prefix: []) : .decimal(prefix: [], digits: keyBytes)
    valueSizes = .fixed(valueBytes ?? workload.valueBytesDefault)
    distribution = workload.distributionDefault
    self.threads = threads
    self.clients = clients ?? threads
    self.seconds = seconds
    self.seed = seed
  }

  /// Whether the callers are tasks, else threads.
  package var usesTasks: Bool { clients > threads || workload == .readArray }

  /// How many operations to measure, if no time is set.
  package var operations: Int { operationCount ?? keys }

  /// One operation in so many is timed, 0 for none: every one of those that wait for a disk, since two readings of the
  /// clock are nothing beside that, of an open loop, which reads the clock anyway, and of `open`. Of threads that write
  /// with `fsync always`, ``BenchmarkRunner`` says so.
  package var latencySampling: Int {
    if let sampling { return sampling }
    let waits = usesTasks && workload != .readArray || workload == .open || rate != nil
    return waits || recordsTimeline ? 1 : BenchmarkRunner.sampling
  }

  /// Why the plan cannot be carried out, if it cannot.
  package var problem: String? {
    if workload == .ycsbE {
      return "ycsb-e scans ranges of keys, and kvstore has no scans; the others are ycsb-a b c d f"
    }
    if keys < 1 { return "--keys is at least 1" }
    if names.byteCount < 1 || names.byteCount > 65_535 { return "--key-bytes is 1 to 65535" }
    if keys > names.countMax {
      return "\(keys) distinct keys do not fit \(names.byteCount) digits: give more --key-bytes"
    }
    if !(0...ValueSizes.bytesMax).contains(valueSizes.most) { return "--value-bytes is 0 to \(ValueSizes.bytesMax)" }
    if threads < 1 || threads > 1_024 { return "--threads is 1 to 1024" }
    if clients < 1 || clients > 100_000 { return "--clients is 1 to 100000" }
    if openings < 1 || openings > 1_000 { return "--openings is 1 to 1000" }
    if let sampling, sampling < 0 { return "--sampling is 0 or more" }
    if operations < 1 { return "--operations is at least 1" }
    return problemOfTime
  }

  private var problemOfTime: String? {
    if !(0...604_800).contains(seconds) { return "--seconds is 0 to 604800, a week" }
    if !(0...86_400).contains(warmUpSeconds) { return "--warm-up is 0 to 86400 seconds" }
    if let rate, !(0.1...100_000_000).contains(rate) { return "--rate is 0.1 to 100000000 operations a second" }
    return rate != nil && workload == .open ? "--rate does not go with --workload open" : nil
  }
}
