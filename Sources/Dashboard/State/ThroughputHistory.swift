import ClusterModel

/// Reads and writes a second over the last ten minutes, in buckets of equal length.
///
/// Statuses arrive when the screen asks for them, not at equal distances. What was counted between two of them is
/// spread evenly over the time between, so a late status shows as no dip followed by a spike.
package struct ThroughputHistory: Equatable, Sendable {
  package struct Bucket: Equatable, Sendable {
    package var reads: Double = 0
    package var writes: Double = 0

    package init(reads: Double = 0, writes: Double = 0) { (self.reads, self.writes) = (reads, writes) }
  }

  /// Ten a second: as often as a busy cluster is looked at.
  package static let bucketNs: UInt64 = 100_000_000
  /// Ten minutes, 96 KiB: as far back as graphs scroll.
  package static let bucketsMax = 6_000

  /// Operations, not yet a second, by bucket; the last one is still being filled.
  private var buckets: [Bucket] = []
  /// Number of the first bucket, counted from the clock's zero.
  private var firstNumber: UInt64 = 0
  private var last: (atNs: UInt64, operations: OperationCounters)?

  package init() {}

  package static func == (a: Self, b: Self) -> Bool { a.buckets == b.buckets && a.firstNumber == b.firstNumber }

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

  /// The last `count` complete buckets as rates a second, oldest first.
  package func rates(last count: Int) -> [Bucket] {
    buckets.dropLast().suffix(Swift.max(0, count)).map(Self.rate)
  }

  /// The time that complete buckets cover; `nil` before the first.
  package var span: GraphSpan? {
    guard buckets.count >= 2 else { return nil }
    return GraphSpan(
      startNs: firstNumber * Self.bucketNs, endNs: (firstNumber + UInt64(buckets.count - 1)) * Self.bucketNs)
  }

  /// Rates a second over a span, in `count` equal parts of it; `nil` where nothing was counted.
  ///
  /// A part longer than a bucket has the mean of its buckets, a shorter one what lies between the middles of two.
  /// - Complexity: O(buckets of the span + `count`).
  package func rates(over shown: GraphSpan, count: Int) -> [Bucket?] {
    guard count > 0, let span else { return Array(repeating: nil, count: Swift.max(0, count)) }
    let first = (Double(shown.startNs) - Double(span.startNs)) / Double(Self.bucketNs)
    let step = Double(shown.lengthNs) / Double(Self.bucketNs) / Double(count)
    return (0..<count).map { part in
      let start = first + Double(part) * step
      return step >= 1 ? mean(from: start, to: start + step) : between(start + step / 2 - 0.5)
    }
  }

  /// The greatest rates of the last half seconds, for axes: their tops have to fit what is drawn, bucket by bucket.
  func peaks(lastHalfSeconds count: Int) -> [Bucket] {
    let all = Array(rates(last: count * Self.bucketsPerPeak))
    return stride(from: 0, to: all.count, by: Self.bucketsPerPeak).map { start in
      all[start..<Swift.min(all.count, start + Self.bucketsPerPeak)].reduce(Bucket()) { peak, bucket in
        Bucket(reads: Swift.max(peak.reads, bucket.reads), writes: Swift.max(peak.writes, bucket.writes))
      }
    }
  }

  static let bucketsPerPeak = 5

  private static func rate(_ bucket: Bucket) -> Bucket {
    let perSecond = 1e9 / Double(bucketNs)
    return Bucket(reads: bucket.reads * perSecond, writes: bucket.writes * perSecond)
  }

  /// The mean rate between two places in the list of buckets; `nil` outside of it.
  private func mean(from start: Double, to end: Double) -> Bucket? {
    let (low, high) = (Swift.max(0, start), Swift.min(Double(buckets.count - 1), end))
    // Half a part at the edge of what is known is too little to be a point of a curve.
    guard high - low >= (end - start) / 2 else { return nil }
    var sum = Bucket()
    for index in Int(low)...Swift.min(buckets.count - 2, Int(high)) {
      let part = Swift.min(high, Double(index + 1)) - Swift.max(low, Double(index))
      sum.reads += buckets[index].reads * part
      sum.writes += buckets[index].writes * part
    }
    return Self.rate(Bucket(reads: sum.reads / (high - low), writes: sum.writes / (high - low)))
  }

  /// The rate at a place between the middles of two buckets.
  private func between(_ place: Double) -> Bucket? {
    guard place > -0.5, place < Double(buckets.count - 1) - 0.5 else { return nil }
    let left = Swift.max(0, Int(place.rounded(.down)))
    let right = Swift.min(buckets.count - 2, left + 1)
    let part = Swift.min(1, Swift.max(0, place - Double(left)))
    func mix(_ value: KeyPath<Bucket, Double>) -> Double {
      buckets[left][keyPath: value] * (1 - part) + buckets[right][keyPath: value] * part
    }
    return Self.rate(Bucket(reads: mix(\.reads), writes: mix(\.writes)))
  }

  /// Forgets what came after a moment.
  mutating func cut(atNs: UInt64) {
    let number = atNs / Self.bucketNs
    let left = number >= firstNumber ? Int(Swift.min(number - firstNumber + 1, UInt64(buckets.count))) : 0
    buckets.removeLast(buckets.count - left)
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
