/// A histogram of durations. Its counts only grow, so what happened between two statuses is the difference of theirs.
///
/// Buckets are an eighth of a power of two wide: a percentile is exact to 12 %, which is what a picture can show, in 256
/// numbers (HdrHistogram's idea, with fewer digits).
///
/// Not an HdrHistogram, as the benchmark's are: with one digit that takes 12 ns a record where this takes 6.5, 4.7 KB where
/// this takes 2, and 22 µs for a copy and a percentile where this takes 0.5 (optimised, swift 6.3); every status has one for
/// each node and kind, ten times a second. It also knows neither a difference nor `Codable`.
public struct LatencyCounts: Sendable, Equatable, Codable {
  /// Counts by bucket; empty as long as nothing was counted.
  public private(set) var buckets: [UInt64] = []

  package static let bucketCount = 256

  /// Nothing counted yet.
  public init() {}

  /// - Throws: `DecodingError` if these are not the counts of as many buckets as there are.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.singleValueContainer()
    buckets = try values.decode([UInt64].self)
    guard buckets.isEmpty || buckets.count == Self.bucketCount else {
      throw DecodingError.dataCorruptedError(
        in: values, debugDescription: "\(buckets.count) latency buckets, not \(Self.bucketCount)")
    }
  }

  /// The counts as a list, by bucket.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.singleValueContainer()
    try values.encode(buckets)
  }

  /// Counts one that took `ns` nanoseconds.
  public mutating func add(ns: UInt64) { add(ns: ns, count: 1) }

  /// Counts several that took `ns` nanoseconds each.
  package mutating func add(ns: UInt64, count: UInt64) {
    if buckets.isEmpty { buckets = Array(repeating: 0, count: Self.bucketCount) }
    buckets[Self.bucket(ofNs: ns)] += count
  }

  /// How many were counted in all.
  public var count: UInt64 { buckets.reduce(0, +) }

  /// Counts added since `earlier`, which must be an earlier state of the same counts.
  public func since(_ earlier: LatencyCounts) -> LatencyCounts {
    guard !earlier.buckets.isEmpty else { return self }
    var result = self
    for index in buckets.indices { result.buckets[index] -= Swift.min(buckets[index], earlier.buckets[index]) }
    return result
  }

  /// Counts between these and a later state of them: `part`, from 0 to 1, of what came since.
  package func towards(_ later: LatencyCounts, _ part: Double) -> LatencyCounts {
    guard !later.buckets.isEmpty else { return self }
    var result = later
    for index in later.buckets.indices {
      let before = buckets.isEmpty ? 0 : buckets[index]
      result.buckets[index] = before + UInt64(Double(later.buckets[index] - before) * part)
    }
    return result
  }

  /// Adds the counts of another.
  public mutating func add(_ other: LatencyCounts) {
    guard !other.buckets.isEmpty else { return }
    if buckets.isEmpty {
      buckets = other.buckets
    } else {
      for index in buckets.indices { buckets[index] += other.buckets[index] }
    }
  }

  /// The time that a part of them, 0 to 1, did not exceed, in nanoseconds; `nil` if there are none.
  public func percentileNs(_ part: Double) -> UInt64? {
    let total = count
    guard total > 0 else { return nil }
    let wanted = Swift.max(1, UInt64((Double(total) * part).rounded(.up)))
    var seen: UInt64 = 0
    for (index, count) in buckets.enumerated() {
      seen += count
      if seen >= wanted { return Self.upperNs(ofBucket: index) }
    }
    return nil
  }

  /// Below eight each number has a bucket; above, the three bits after the highest say which.
  static func bucket(ofNs ns: UInt64) -> Int {
    guard ns >= 8 else { return Int(ns) }
    let exponent = 63 - ns.leadingZeroBitCount
    let bucket = (exponent - 2) * 8 + Int(ns >> UInt64(exponent - 3) & 7)
    return Swift.min(bucket, bucketCount - 1)
  }

  /// The longest time that falls into a bucket.
  package static func upperNs(ofBucket bucket: Int) -> UInt64 {
    guard bucket >= 8 else { return UInt64(bucket) }
    let exponent = bucket / 8 + 2
    return (UInt64(8 + bucket % 8 + 1) << UInt64(exponent - 3)) - 1
  }
}

/// How long client operations took, as far as they were measured; see ``ClusterStatus/latencies``.
public struct OperationLatencies: Sendable, Equatable, Codable {
  /// Gets.
  public var reads = LatencyCounts()
  /// Puts and deletes.
  public var writes = LatencyCounts()

  /// Histograms that are not given are empty.
  public init(reads: LatencyCounts = LatencyCounts(), writes: LatencyCounts = LatencyCounts()) {
    (self.reads, self.writes) = (reads, writes)
  }
}
