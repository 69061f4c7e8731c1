import ClusterModel

/// Reads and writes a second over the last minutes, in buckets of equal length.
///
/// Statuses arrive when the screen asks for them, not at equal distances. What was counted between two of them is
/// spread evenly over the time between, so a late status shows as no dip followed by a spike.
package struct ThroughputHistory: Equatable, Sendable {
  package struct Bucket: Equatable, Sendable {
    package var reads: Double = 0
    package var writes: Double = 0
  }

  /// A moment to mark on the time axis.
  package struct Mark: Equatable, Sendable {
    package var atNs: UInt64
    package var kind: ClusterEvent.Kind
    /// The node it happened to, if the event named one.
    package var node: String
  }

  package static let bucketNs: UInt64 = 500_000_000
  /// Six minutes: as many dots as the widest graph has.
  static let bucketsMax = 720
  static let marksMax = 64

  /// Operations, not yet a second, by bucket; the last one is still being filled.
  private var buckets: [Bucket] = []
  /// Number of the first bucket, counted from the clock's zero.
  private var firstNumber: UInt64 = 0
  private var last: (atNs: UInt64, operations: OperationCounters)?
  package private(set) var marks: [Mark] = []

  package init() {}

  package static func == (a: Self, b: Self) -> Bool {
    a.buckets == b.buckets && a.firstNumber == b.firstNumber && a.marks == b.marks
  }

  /// Takes one status's counters; returns whether a bucket was completed.
  @discardableResult
  package mutating func add(_ operations: OperationCounters, atNs: UInt64) -> Bool {
    guard let last else {
      self.last = (atNs, operations)
      firstNumber = atNs / Self.bucketNs
      buckets = [Bucket()]
      return false
    }
    guard atNs > last.atNs else { return false }
    self.last = (atNs, operations)
    let reads = operations.reads >= last.operations.reads ? operations.reads - last.operations.reads : 0
    let writes = operations.writes >= last.operations.writes ? operations.writes - last.operations.writes : 0
    let completed = atNs / Self.bucketNs > last.atNs / Self.bucketNs
    spread(Bucket(reads: Double(reads), writes: Double(writes)), from: last.atNs, to: atNs)
    return completed
  }

  /// Marks a moment on the time axis.
  package mutating func mark(_ mark: Mark) {
    marks.append(mark)
    if marks.count > Self.marksMax { marks.removeFirst() }
  }

  /// The last `count` complete buckets as rates a second, oldest first.
  package func rates(last count: Int) -> [Bucket] {
    let perSecond = 1e9 / Double(Self.bucketNs)
    return buckets.dropLast().suffix(Swift.max(0, count)).map {
      Bucket(reads: $0.reads * perSecond, writes: $0.writes * perSecond)
    }
  }

  /// How many complete buckets ago a moment was; `nil` if it is not complete yet or before the history.
  package func age(ofNs atNs: UInt64) -> Int? {
    let number = atNs / Self.bucketNs
    guard number >= firstNumber, buckets.count >= 2 else { return nil }
    let position = Int(number - firstNumber)
    return position < buckets.count - 1 ? buckets.count - 2 - position : nil
  }

  private mutating func spread(_ amount: Bucket, from start: UInt64, to end: UInt64) {
    let length = Double(end - start)
    // After a pause longer than the history everything in it is one flat line.
    let from = Swift.max(
      start / Self.bucketNs, (end / Self.bucketNs) - Swift.min(end / Self.bucketNs, UInt64(Self.bucketsMax)))
    for number in from...(end / Self.bucketNs) {
      let bucketStart = Swift.max(start, number * Self.bucketNs)
      let bucketEnd = Swift.min(end, (number + 1) * Self.bucketNs)
      let fraction = Double(bucketEnd - bucketStart) / length
      let position = index(of: number)
      buckets[position].reads += amount.reads * fraction
      buckets[position].writes += amount.writes * fraction
    }
  }

  /// The bucket's place, after making room for it.
  private mutating func index(of number: UInt64) -> Int {
    if number >= firstNumber + UInt64(buckets.count + Self.bucketsMax) {
      buckets = [Bucket()]
      firstNumber = number
    }
    while firstNumber + UInt64(buckets.count) <= number { buckets.append(Bucket()) }
    if buckets.count > Self.bucketsMax {
      firstNumber += UInt64(buckets.count - Self.bucketsMax)
      buckets.removeFirst(buckets.count - Self.bucketsMax)
    }
    return Int(number - firstNumber)
  }
}
