import KVSimulator
import Synchronization

@testable import KVCluster

/// One thread's part of the stress: hot keys that all threads share, whose operations are recorded for the checker, and
/// keys of its own, whose answers it judges itself.
///
/// A key that one thread alone uses needs no search: what a get may find is the last acknowledged write, or one of
/// unknown outcome that was begun since.
final class StressClient {
  /// A version of a private key that a get may find.
  private struct Candidate: Equatable {
    var version: UInt64
    var isDeletion: Bool
  }

  let number: Int
  private let cluster: Cluster
  private let shared: SharedKeys
  private var random: SeededRandom
  /// By private key, what it may hold: the first is the newest that is known, those behind it are of unknown outcome, in
  /// the order in which they were begun.
  private var candidates: [[Candidate]]
  private var version: UInt64 = 0
  private var buffer = [UInt8](repeating: 0, count: 256)
  private(set) var recorded: [History.Operation] = []
  private(set) var wrong: [String] = []
  private(set) var answered = 0
  private(set) var refused = 0
  private(set) var unknown = 0

  private static let privateKeys = 2_000
  /// One in this many operations is on a shared key and recorded.
  private static let recordedOneIn = 32

  init(_ number: Int, _ cluster: Cluster, _ shared: SharedKeys, seed: UInt64) {
    self.number = number
    self.cluster = cluster
    self.shared = shared
    random = SeededRandom(seed: seed &+ UInt64(number))
    candidates = Array(
      repeating: [Candidate(version: 0, isDeletion: true)], count: StressClient.privateKeys)
  }

  func step() {
    if random.below(StressClient.recordedOneIn) == 0 { useShared() } else { usePrivate(random.below(candidates.count)) }
  }

  /// Reads every private key once more.
  func readAll() { for i in candidates.indices { getPrivate(i) } }

  // MARK: - Shared keys

  private func useShared() {
    let key = shared.draw(&random)
    version += 1
    let value = Array("\(number).\(version)".utf8)
    let invokedAt = shared.now()
    let call: History.Call = [.put(value), .put(value), .delete, .get, .get, .get][random.below(6)]
    let outcome: History.Outcome?
    do throws(ClusterError) {
      outcome = try perform(call, key)
    } catch {
      outcome = isUnknown(error) ? .unknown : nil
    }
    guard let outcome else { return }
    recorded.append(
      History.Operation(
        process: number, key: key, call: call, invokedAt: invokedAt,
        returnedAt: outcome == .unknown ? nil : shared.now(),
        outcome: outcome))
  }

  private func perform(_ call: History.Call, _ key: [UInt8]) throws(ClusterError) -> History.Outcome {
    switch call {
    case .put(let value):
      try put(key, value)
      return .done
    case .delete:
      try delete(key)
      return .done
    default: return .found(try get(key))
    }
  }

  // MARK: - Private keys

  private func usePrivate(_ i: Int) {
    switch random.below(8) {
    case 0..<3: writePrivate(i, isDeletion: false)
    case 3: writePrivate(i, isDeletion: true)
    default: getPrivate(i)
    }
  }

  private func key(_ i: Int) -> [UInt8] { Array("own\(number).\(i)".utf8) }

  /// Long values let logs roll.
  private func value(_ version: UInt64) -> [UInt8] {
    Array("\(version)/".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: 150)
  }

  private func writePrivate(_ i: Int, isDeletion: Bool) {
    version += 1
    let written = Candidate(version: version, isDeletion: isDeletion)
    do throws(ClusterError) {
      if isDeletion { try delete(key(i)) } else { try put(key(i), value(version)) }
      candidates[i] = [written]
    } catch {
      if isUnknown(error) { candidates[i].append(written) }
    }
  }

  private func getPrivate(_ i: Int) {
    let found: [UInt8]?
    do throws(ClusterError) {
      found = try get(key(i))
    } catch {
      _ = isUnknown(error)
      return
    }
    let version = found.flatMap { UInt64(String(decoding: $0.prefix { $0 != UInt8(ascii: "/") }, as: UTF8.self)) }
    let isExpected = { (candidate: Candidate) in
      found == nil ? candidate.isDeletion : !candidate.isDeletion && candidate.version == version
    }
    guard let at = candidates[i].firstIndex(where: isExpected) else {
      wrong.append(
        "key own\(number).\(i) is \(found.map { String(decoding: $0.prefix(20), as: UTF8.self) } ?? "absent"); possible: "
          + candidates[i].map { "\($0.version)\($0.isDeletion ? " (deleted)" : "")" }.joined(separator: ", "))
      return
    }
    // Writes of one thread are ordered: what was begun before the one that was found is hidden by it. Two deletions look
    // the same, so only those before the first that fits are known to be.
    candidates[i].removeFirst(at)
  }

  // MARK: - The cluster's blocking calls

  private func put(_ key: [UInt8], _ value: [UInt8]) throws(ClusterError) {
    try key.withBytes { key throws(ClusterError) in
      try value.withBytes { value throws(ClusterError) in try cluster.putBlocking(key, value) }
    }
    answered += 1
  }

  private func delete(_ key: [UInt8]) throws(ClusterError) {
    try key.withBytes { key throws(ClusterError) in try cluster.deleteBlocking(key) }
    answered += 1
  }

  private func get(_ key: [UInt8]) throws(ClusterError) -> [UInt8]? {
    let count = try key.withBytes { key throws(ClusterError) -> Int? in
      var count: Int?
      var failure: ClusterError?
      buffer.withUnsafeMutableBytes { buffer in
        do throws(ClusterError) { count = try cluster.getBlocking(key, into: buffer) } catch { failure = error }
      }
      if let failure { throw failure }
      return count
    }
    answered += 1
    return count.map { Array(buffer[..<$0]) }
  }

  /// Whether a write that ended so may have taken effect.
  private func isUnknown(_ error: ClusterError) -> Bool {
    switch error {
    case .indeterminate, .storage:
      unknown += 1
      return true
    case .invalidArgument, .unavailable, .refused, .dataFolder, .notServing, .unsupported:
      refused += 1
      return false
    }
  }
}

/// The keys that all threads share, and the clock of their history. A key is used a bounded number of times, then another
/// takes its place, so that no key's history grows too long to be searched.
final class SharedKeys: Sendable {
  private let clock = Atomic<Int>(0)
  private let uses = Mutex([Int](repeating: 0, count: SharedKeys.count))

  private static let count = 16
  private static let usesMax = 1_500

  func now() -> Int { clock.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue }

  func draw(_ random: inout SeededRandom) -> [UInt8] {
    let place = random.below(SharedKeys.count)
    let use = uses.withLock { uses in
      uses[place] += 1
      return uses[place]
    }
    return Array("hot\(place).\(use / SharedKeys.usesMax)".utf8)
  }
}
