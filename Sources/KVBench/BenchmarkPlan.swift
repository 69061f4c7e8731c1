/// What a benchmark run does: which operations, on how many keys, from how many callers, for how long.
package struct BenchmarkPlan: Sendable, Equatable {
  /// The mix of operations.
  package enum Workload: String, Sendable, CaseIterable {
    /// Puts of uniformly random keys.
    case fill
    /// Gets of uniformly random keys, all of which exist.
    case read
    /// Puts and gets in turn, of uniformly random keys, all of which exist.
    case mixed
    /// Puts of uniformly random keys, all of which exist.
    case overwrite
    /// Gets, as `read`, each of which returns a new array: from tasks, whose interface it is.
    case readArray = "read-array"
    /// Closing a folder that holds every key, opening it again and waiting until it serves: ``BenchmarkReopening``.
    case open

    /// Whether every key is put once before measuring begins.
    var loads: Bool { self != .fill }
  }

  package var workload: Workload
  /// Distinct keys; `fill` draws from them, all others have them all loaded first.
  package var keys: Int
  package var keyBytes: Int
  package var valueBytes: Int
  /// Threads that call the blocking interface, if `clients` is not more than that; none for `read-array`.
  package var threads: Int
  /// Callers that wait for their answer at the same time; more than `threads` of them are tasks that call the
  /// asynchronous interface.
  package var clients: Int
  /// How long to measure, in seconds; 0 measures `keys` operations.
  package var seconds: Double
  package var seed: UInt64
  /// Before measuring, get as many random keys as there are, ``BenchmarkRunner/warmOperationsMax`` at most: what is
  /// measured is then a cache in its steady state. Only where the workload reads.
  package var warms = false
  /// How often `open` opens.
  package var openings = 5
  /// Count operations by windows of 100 ms, and time every one, so that no stall is missed.
  package var recordsTimeline = false

  package init(
    workload: Workload, keys: Int, keyBytes: Int = 16, valueBytes: Int = 100, threads: Int = 1, clients: Int? = nil,
    seconds: Double = 0, seed: UInt64 = 42
  ) {
    self.workload = workload
    self.keys = keys
    self.keyBytes = keyBytes
    self.valueBytes = valueBytes
    self.threads = threads
    self.clients = clients ?? threads
    self.seconds = seconds
    self.seed = seed
  }

  /// Whether the callers are tasks, else threads.
  package var usesTasks: Bool { clients > threads || workload == .readArray }

  /// One operation in so many is timed: every one of those that wait for a disk, since two readings of the clock are
  /// nothing beside that, and of `open`.
  package var latencySampling: Int {
    let waits = usesTasks && workload != .readArray || workload == .open
    return waits || recordsTimeline ? 1 : BenchmarkRunner.sampling
  }

  /// Why the plan cannot be carried out, if it cannot.
  package var problem: String? {
    if keys < 1 { return "--keys is at least 1" }
    if keyBytes < 1 || keyBytes > 65_535 { return "--key-bytes is 1 to 65535" }
    if keyBytes < 19, keys > BenchmarkKeys.most(keyBytes) {
      return "\(keys) distinct keys do not fit \(keyBytes) digits: give more --key-bytes"
    }
    if valueBytes < 0 || valueBytes > 64 << 20 { return "--value-bytes is 0 to 67108864" }
    if threads < 1 || threads > 1_024 { return "--threads is 1 to 1024" }
    if clients < 1 || clients > 100_000 { return "--clients is 1 to 100000" }
    if openings < 1 || openings > 1_000 { return "--openings is 1 to 1000" }
    return seconds < 0 ? "--seconds is 0 or more" : nil
  }
}

/// The keys of a benchmark: decimal numbers, padded with zeros to the key's length.
enum BenchmarkKeys {
  /// How many keys so many digits can tell apart.
  static func most(_ digits: Int) -> Int { (0..<digits).reduce(1) { product, _ in product * 10 } }

  /// Writes key number `n` into `buffer`, whose length is the key's.
  static func write(_ n: UInt64, into buffer: UnsafeMutableRawBufferPointer) {
    var rest = n
    for i in stride(from: buffer.count - 1, through: 0, by: -1) {
      buffer[i] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }
}

/// A small fast generator (xorshift64*, Vigna 2016): good enough to pick keys, and the peers' drivers use it too.
struct BenchmarkRandom {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed == 0 ? 88_172_645_463_325_252 : seed
  }

  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 2_685_821_657_736_338_717
  }

  /// Uniform in 0 ..< `bound`, by multiplication: a division less, and no bias worth speaking of.
  mutating func next(below bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }
}
