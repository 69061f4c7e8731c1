import ClusterModel

/// How long operations took over the last ten minutes: how many took how long, five times a second.
package struct LatencyHistory: Equatable, Sendable {
  /// Percentiles of a second's operations, in nanoseconds.
  package struct Percentiles: Equatable, Sendable {
    package var p50: Double
    package var p95: Double
    package var p99: Double
    package var p999: Double

    package init(p50: Double, p95: Double, p99: Double, p999: Double) {
      (self.p50, self.p95, self.p99, self.p999) = (p50, p95, p99, p999)
    }

    package init?(_ counts: LatencyCounts) {
      guard let p50 = counts.percentileNs(0.5), let p95 = counts.percentileNs(0.95),
        let p99 = counts.percentileNs(0.99), let p999 = counts.percentileNs(0.999)
      else { return nil }
      (self.p50, self.p95, self.p99, self.p999) = (Double(p50), Double(p95), Double(p99), Double(p999))
    }
  }

  /// Counts of neighbouring buckets from the first that has any to the last: the operations of a moment spread over
  /// thirty of 256 buckets, and six thousand moments are kept.
  private struct Sample: Equatable {
    var first = 0
    var counts: [UInt32] = []

    init(_ all: LatencyCounts) {
      guard let first = all.buckets.firstIndex(where: { $0 > 0 }), let last = all.buckets.lastIndex(where: { $0 > 0 })
      else { return }
      self.first = first
      counts = all.buckets[first...last].map { UInt32(clamping: $0) }
    }

    init() {}

    /// One of as many parts as alike as can be; all of them together are the whole.
    func part(_ index: Int, of count: Int) -> Sample {
      guard count > 1 else { return self }
      var part = self
      for bucket in counts.indices {
        let whole = counts[bucket], share = whole / UInt32(count)
        part.counts[bucket] = share + (UInt32(index) < whole % UInt32(count) ? 1 : 0)
      }
      return part
    }
  }

  /// Five columns of the heat map a second: an idle cluster is looked at as often.
  package static let sampleNs: UInt64 = 200_000_000
  /// Ten minutes.
  static let samplesMax = 3_000
  private static let samplesPerSecond = 5

  private var samples: [Sample] = []
  /// Number of the first sample, counted from the clock's zero.
  private var firstNumber: UInt64 = 0
  private var last: (atNs: UInt64, counts: LatencyCounts)?
  /// Percentiles of the seconds that are over, the oldest first; `nil` where nothing was done.
  package private(set) var seconds: [Percentiles?] = []

  package init() {}

  package static func == (a: Self, b: Self) -> Bool { a.samples == b.samples && a.firstNumber == b.firstNumber }

  /// Takes one status's counts; returns whether a second was completed.
  @discardableResult
  package mutating func add(_ counts: LatencyCounts, atNs: UInt64) -> Bool {
    let number = atNs / Self.sampleNs
    guard let last else {
      (self.last, firstNumber) = ((atNs, counts), number)
      return false
    }
    guard number > firstNumber + UInt64(samples.count) else { return false }
    let missing = Int(Swift.min(number - firstNumber - UInt64(samples.count), UInt64(Self.samplesMax)))
    if missing == Self.samplesMax { (samples, firstNumber) = ([], number - UInt64(missing)) }
    append(counts.since(last.counts), over: missing)
    if samples.count > Self.samplesMax {
      firstNumber += UInt64(samples.count - Self.samplesMax)
      samples.removeFirst(samples.count - Self.samplesMax)
    }
    self.last = (atNs, counts)
    let completed = number / UInt64(Self.samplesPerSecond) - (number - UInt64(missing)) / UInt64(Self.samplesPerSecond)
    for back in (0..<Int(completed)).reversed() {
      let end = (number / UInt64(Self.samplesPerSecond) - UInt64(back)) * UInt64(Self.samplesPerSecond)
      seconds.append(percentiles(end - UInt64(Self.samplesPerSecond)..<end))
    }
    if seconds.count > Self.samplesMax / Self.samplesPerSecond {
      seconds.removeFirst(seconds.count - Self.samplesMax / Self.samplesPerSecond)
    }
    return completed > 0
  }

  /// Operations of a late status happened at some time since the last one: up to a second they are spread evenly, or columns of the
  /// heat map would alternate between nothing and twice as much; after longer it stands where it became known.
  private mutating func append(_ counts: LatencyCounts, over missing: Int) {
    let all = Sample(counts)
    let parts = missing <= Self.samplesPerSecond ? missing : 1
    for part in (0..<Swift.max(1, missing)).reversed() {
      samples.append(part < parts ? all.part(part, of: parts) : Sample())
    }
  }

  /// Forgets what came after a moment.
  mutating func cut(atNs: UInt64) {
    let number = atNs / Self.sampleNs
    let left = number >= firstNumber ? Int(Swift.min(number - firstNumber + 1, UInt64(samples.count))) : 0
    let dropped = samples.count - left
    samples.removeLast(dropped)
    seconds.removeLast(Swift.min(seconds.count, dropped / Self.samplesPerSecond))
  }

  /// The percentiles of the last second in which anything was done, if it is one of the last few.
  package var recent: Percentiles? {
    let newest = samples.suffix(Self.recentSeconds * Self.samplesPerSecond).lastIndex { !$0.counts.isEmpty }
    guard let newest else { return nil }
    let end = firstNumber + UInt64(newest) + 1
    return percentiles(end - UInt64(Self.samplesPerSecond)..<end)
  }

  private static let recentSeconds = 10

  /// How many took how long in a span, by bucket, added to `counts`.
  /// - Returns: the buckets that got any, from the first to the last.
  @discardableResult
  func add(_ span: GraphSpan, to counts: inout [UInt64]) -> Range<Int> {
    add(
      span.startNs / Self.sampleNs..<Swift.max(span.startNs / Self.sampleNs + 1, span.endNs / Self.sampleNs),
      to: &counts)
  }

  /// Percentiles of the operations of a span.
  package func percentiles(_ span: GraphSpan) -> Percentiles? {
    var counts = Self.noCounts
    add(span, to: &counts)
    return Self.percentiles(counts)
  }

  private func percentiles(_ numbers: Range<UInt64>) -> Percentiles? {
    var counts = Self.noCounts
    add(numbers, to: &counts)
    return Self.percentiles(counts)
  }

  static let noCounts = [UInt64](repeating: 0, count: LatencyCounts.bucketCount)

  @discardableResult
  private func add(_ numbers: Range<UInt64>, to counts: inout [UInt64]) -> Range<Int> {
    let low = Swift.max(numbers.lowerBound, firstNumber),
      high = Swift.min(numbers.upperBound, firstNumber + UInt64(samples.count))
    guard low < high else { return 0..<0 }
    var (first, end) = (LatencyCounts.bucketCount, 0)
    for sample in samples[Int(low - firstNumber)..<Int(high - firstNumber)] where !sample.counts.isEmpty {
      for index in sample.counts.indices { counts[sample.first + index] += UInt64(sample.counts[index]) }
      (first, end) = (Swift.min(first, sample.first), Swift.max(end, sample.first + sample.counts.count))
    }
    return first < end ? first..<end : 0..<0
  }

  /// - Complexity: O(buckets).
  static func percentiles(_ counts: [UInt64]) -> Percentiles? { percentiles(counts, in: counts.indices) }

  /// Percentiles of the buckets in a range, outside of which all are empty.
  static func percentiles(_ counts: [UInt64], in range: Range<Int>) -> Percentiles? {
    var total: UInt64 = 0
    for bucket in range { total += counts[bucket] }
    guard total > 0 else { return nil }
    let parts = [0.5, 0.95, 0.99, 0.999].map { Swift.max(1, UInt64((Double(total) * $0).rounded(.up))) }
    var found = [Double](repeating: 0, count: parts.count)
    var (seen, next) = (UInt64(0), 0)
    for bucket in range where counts[bucket] > 0 {
      seen += counts[bucket]
      while next < parts.count, seen >= parts[next] {
        found[next] = Double(LatencyCounts.upperNs(ofBucket: bucket))
        next += 1
      }
    }
    return Percentiles(p50: found[0], p95: found[1], p99: found[2], p999: found[3])
  }
}
