import ClusterModel
import RESP

/// How long reads and writes took inside a server: the answer to `LATENCY HISTOGRAM`, whose buckets are powers of two of
/// microseconds. Times on the network are no part of it.
struct LatencyHistogram: Sendable, Equatable {
  /// Calls by the upper bound of their bucket in microseconds.
  typealias Buckets = [Int: UInt64]

  var reads: Buckets = [:]
  var writes: Buckets = [:]

  /// `nil` if it is no such answer: `name [calls n histogram_usec [bound count …]] …`, where counts are of all calls up to the
  /// bound.
  init?(_ reply: ReplyValue, _ classes: CommandClasses) {
    guard let fields = reply.elements else { return nil }
    if case .error = reply { return nil }
    for at in stride(from: 0, to: fields.count - 1, by: 2) {
      guard let name = fields[at].text, let parts = fields[at + 1].elements, parts.count >= 4,
        let bounds = parts[3].elements
      else { return nil }
      if classes.reads.contains(name) { Self.add(bounds, to: &reads) }
      if classes.writes.contains(name) { Self.add(bounds, to: &writes) }
    }
  }

  private static func add(_ bounds: [ReplyValue], to buckets: inout Buckets) {
    var below: UInt64 = 0
    for at in stride(from: 0, to: bounds.count - 1, by: 2) {
      guard case .integer(let bound) = bounds[at], case .integer(let count) = bounds[at + 1], count >= 0 else {
        continue
      }
      let total = UInt64(count)
      if total > below { buckets[bound, default: 0] += total - below }
      below = max(below, total)
    }
  }

  /// An hour: no command takes longer.
  private static let usMax = 3_600_000_000

  /// Adds what a server has measured since it told `old` to counts.
  static func add(_ new: Buckets, since old: Buckets, to counts: inout LatencyCounts) {
    for (bound, count) in new {
      let before = old[bound] ?? 0
      if count > before { counts.add(ns: UInt64(max(0, min(bound, Self.usMax))) * 1_000, count: count - before) }
    }
  }
}
