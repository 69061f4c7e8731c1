import KVCluster
import Synchronization

/// Keys and values of the tour, in amounts, and what became of them.
extension Stage {
  /// What became of many puts, gets or deletes.
  struct Tally: Sendable {
    /// Those that were answered as they should be.
    var good = 0
    /// Found nothing, or something else than was stored.
    var wrong = 0
    /// Refused, and nothing was changed.
    var refused = 0
    /// Not known how it ended.
    var unknown = 0
    var slowestNs: UInt64 = 0
    var latencies = LatencyCounts()

    var all: Int { good + wrong + refused + unknown }

    mutating func add(_ other: Tally) {
      good += other.good
      wrong += other.wrong
      refused += other.refused
      unknown += other.unknown
      slowestNs = max(slowestNs, other.slowestNs)
      latencies.add(other.latencies)
    }
  }

  /// `N=3 R=2 W=2`.
  static func settings(_ status: ClusterStatus) -> String {
    status.quorum.map { "N=\($0.replicas) R=\($0.read) W=\($0.write)" } ?? "no quorums"
  }

  static func key(_ number: Int) -> [UInt8] { Array("user:\(1_001 + number)".utf8) }

  static func value(_ number: Int, _ version: Int = 1) -> [UInt8] {
    Array("value \(version) of user \(1_001 + number), with some words to fill a hundred bytes or so of it".utf8)
  }

  /// Does something with each number, many at a time, and counts how that ends.
  /// - Parameter operation: returns whether the answer was right.
  func each(
    _ numbers: Range<Int>, clients: Int = 64, _ operation: @escaping @Sendable (Int) async throws(ClusterError) -> Bool
  ) async throws -> Tally {
    try Task.checkCancellation()
    let total = await withTaskGroup(of: Tally.self) { group in
      for client in 0..<min(clients, numbers.count) {
        group.addTask {
          var tally = Tally()
          for number in stride(from: numbers.lowerBound + client, to: numbers.upperBound, by: clients)
          where !Task.isCancelled {
            await tally.count(number, operation)
          }
          return tally
        }
      }
      var total = Tally()
      for await tally in group { total.add(tally) }
      return total
    }
    try Task.checkCancellation()
    return total
  }

  /// Puts a version of each key.
  func put(
    _ numbers: Range<Int>, version: Int = 1, clients: Int = 64, on cluster: Cluster
  ) async throws -> Tally {
    try await each(numbers, clients: clients) { number throws(ClusterError) in
      try await cluster.put(Self.key(number), Self.value(number, version))
      return true
    }
  }

  /// Reads each key and compares it with what was put.
  /// - Parameter expected: the version that was put last; `nil` for a key that was deleted.
  func readBack(
    _ numbers: Range<Int>, clients: Int = 64, on cluster: Cluster,
    expected: @escaping @Sendable (Int) -> Int? = { _ in 1 }
  ) async throws -> Tally {
    try await each(numbers, clients: clients) { number throws(ClusterError) in
      try await cluster.get(Self.key(number)) == expected(number).map { Self.value(number, $0) }
    }
  }

  /// Keys whose owners all answer and hold the same version of the same value.
  func agreeing(_ numbers: Range<Int>, on cluster: Cluster) -> Int {
    numbers.count { number in
      let copies = cluster.copies(of: Self.key(number))
      guard let first = copies.first, let first else { return false }
      return copies.allSatisfy { copy in
        copy.map { $0.tag == first.tag && $0.checksum == first.checksum && $0.isTombstone == first.isTombstone }
          ?? false
      }
    }
  }

  /// Waits until something holds.
  /// - Returns: how long that took, or `nil` if it did not come in time.
  func until(seconds: Double, _ condition: () -> Bool) async throws -> Duration? {
    let start = ContinuousClock.now
    while !condition() {
      if ContinuousClock.now - start > .seconds(seconds) { return nil }
      try await Task.sleep(for: .milliseconds(20))
    }
    return ContinuousClock.now - start
  }

  /// What the checker says, once it has judged what there is to judge.
  func verdict(of cluster: Cluster) async throws -> VerdictStatus {
    var last = cluster.status().verdict ?? VerdictStatus()
    var unchanged = 0
    // It looks ten times a second at least: after three of its looks without news there is none.
    for _ in 0..<50 where unchanged < 4 {
      try await Task.sleep(for: .milliseconds(80))
      let now = cluster.status().verdict ?? VerdictStatus()
      unchanged = now == last ? unchanged + 1 : 0
      last = now
    }
    return last
  }

  /// Claims what the live verdict says.
  func claimLinearizable(_ cluster: Cluster) async throws {
    let verdict = try await verdict(of: cluster)
    if let violation = verdict.lastViolation { figure("the verdict: \(violation.summary)") }
    claim(
      "the answers are linearizable", verdict.violations == 0 && verdict.operationsChecked > 0,
      "live verdict: \(verdict.words)")
  }
}

extension Stage.Tally {
  /// Does one operation and counts how it ended.
  mutating func count(
    _ number: Int, _ operation: @Sendable (Int) async throws(ClusterError) -> Bool
  ) async {
    let start = ContinuousClock.now
    do throws(ClusterError) {
      if try await operation(number) { good += 1 } else { wrong += 1 }
    } catch {
      if case .indeterminate = error { unknown += 1 } else { refused += 1 }
    }
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    let ns = UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    latencies.add(ns: ns)
    slowestNs = max(slowestNs, ns)
  }
}
