extension BenchmarkPlan {
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
    /// Compare-and-sets, in effect: each reads a uniformly random key, which exists, and replaces its value in one step.
    case cas
    /// Gets, as `read`, each of which returns a new array: from tasks, whose interface it is.
    case readArray = "read-array"
    /// Closing a folder that holds every key, opening it again and waiting until it serves: ``BenchmarkReopening``.
    case open
    // The core workloads of YCSB (Cooper et al., "Benchmarking Cloud Serving Systems with YCSB", SoCC 2010) by the
    // parameters published with it, workloads/workload[a-f] and CoreWorkload.java. A record of ten fields of a hundred
    // bytes is one value of a thousand.
    /// Session store: half reads, half updates, zipfian.
    case ycsbA = "ycsb-a"
    /// Photo tags: 95 % reads, 5 % updates, zipfian.
    case ycsbB = "ycsb-b"
    /// Profile cache: reads, zipfian.
    case ycsbC = "ycsb-c"
    /// Status updates: 95 % reads of mostly the newest, 5 % inserts.
    case ycsbD = "ycsb-d"
    /// Threaded conversations: scans, which the store does not have.
    case ycsbE = "ycsb-e"
    /// User database: half reads, half read-modify-writes of one step, zipfian.
    case ycsbF = "ycsb-f"

    /// Whether every key is put once before measuring begins.
    var loads: Bool { self != .fill }

    package var isYCSB: Bool { rawValue.hasPrefix("ycsb") }

    package var valueBytesDefault: Int { isYCSB ? 1_000 : 100 }

    package var distributionDefault: KeyDistribution {
      switch self {
      case .fill, .read, .mixed, .overwrite, .cas, .readArray, .open: .uniform
      case .ycsbA, .ycsbB, .ycsbC, .ycsbE, .ycsbF: .zipfian
      case .ycsbD: .latest
      }
    }

    var mix: OperationMix {
      switch self {
      case .fill, .overwrite, .open: OperationMix(writes: 100)
      case .read, .readArray, .ycsbC: OperationMix(reads: 100)
      case .cas: OperationMix(modifies: 100)
      case .mixed: OperationMix(reads: 50, writes: 50, alternates: true)
      case .ycsbA: OperationMix(reads: 50, writes: 50)
      case .ycsbB: OperationMix(reads: 95, writes: 5)
      case .ycsbD, .ycsbE: OperationMix(reads: 95, inserts: 5)
      case .ycsbF: OperationMix(reads: 50, modifies: 50)
      }
    }
  }
}

/// One kind of operation.
package enum OperationKind: Sendable, CaseIterable {
  case read
  /// Of a key that is there, or may be.
  case write
  /// Of a new key.
  case insert
  /// A read and a write of the same key, in one step.
  case modify
}

/// How many of a hundred operations are of which kind.
struct OperationMix: Sendable, Equatable {
  var reads = 0
  var writes = 0
  var inserts = 0
  var modifies = 0
  /// Reads and writes in turn, instead of drawn.
  var alternates = false

  /// The only kind, if there is one.
  var single: OperationKind? {
    if reads == 100 { return .read }
    if modifies == 100 { return .modify }
    return writes == 100 ? .write : nil
  }

  /// The kind that a number below 100 stands for.
  @inline(__always)
  func kind(_ percent: Int) -> OperationKind {
    if percent < reads { return .read }
    if percent < reads + writes { return .write }
    return percent < reads + writes + inserts ? .insert : .modify
  }
}

/// The operations of one caller, drawn one after the other.
struct OperationStream {
  private let mix: OperationMix
  private let single: OperationKind?
  private var random: BenchmarkRandom
  private var chooser: KeyChooser
  private var sizer: ValueSizer
  private var turn: UInt64 = 0
  /// The key of an insert that failed and is to be tried again, or it would stay a hole that no later key passes.
  private var owed: UInt64?

  init(_ mix: OperationMix, _ chooser: KeyChooser, _ sizes: ValueSizes, seed: UInt64) {
    self.mix = mix
    single = mix.single
    self.chooser = chooser
    sizer = ValueSizer(sizes)
    random = BenchmarkRandom(seed: seed)
  }

  @inline(__always)
  mutating func next(_ inserts: InsertSequence) -> (kind: OperationKind, key: UInt64) {
    let kind = single ?? drawKind()
    if kind == .insert { return (kind, nextInsert(inserts)) }
    return (kind, chooser.next(&random, present: inserts.present))
  }

  @inline(__always)
  mutating func nextValueBytes() -> Int { sizer.next(&random) }

  mutating func failed(_ kind: OperationKind, _ key: UInt64) { if kind == .insert { owed = key } }

  private mutating func drawKind() -> OperationKind {
    guard mix.alternates else { return mix.kind(Int(random.next(below: 100))) }
    turn += 1
    return turn & 1 == 1 ? .read : .write
  }

  private mutating func nextInsert(_ inserts: InsertSequence) -> UInt64 {
    defer { owed = nil }
    return owed ?? inserts.next()
  }
}
