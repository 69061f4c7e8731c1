import Foundation
import KVSimulator
import Synchronization
import Testing

@testable import KVCluster
@testable import LiveVerdict

/// The verdict on a real cluster.
@Suite struct LiveCheckerTests {
  /// Runs `body` on a watched cluster in a temporary folder.
  private func withWatched(
    _ adjust: (inout ClusterOptions) -> Void = { _ in }, _ body: (Cluster) async throws -> Void
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kvstore-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    var options = ClusterOptions(dataFolder: folder.path, isEphemeral: true, fsync: .never, cacheBytes: 1 << 20)
    adjust(&options)
    let cluster = try Cluster.open(options)
    let checker = LiveChecker(cluster)
    try await cluster.ready()
    do {
      try await body(cluster)
    } catch {
      Issue.record("\(error)")
    }
    checker.stop()
    await cluster.close()
  }

  private func until(_ seconds: Int, _ condition: () -> Bool) async throws -> Bool {
    for _ in 0..<(seconds * 50) {
      if condition() { return true }
      try await Task.sleep(for: .milliseconds(20))
    }
    return condition()
  }

  @Test("Asked right after operations have ended, the verdict is of all of them")
  func isOfNow() async throws {
    try await withWatched { cluster in
      for i in 1...20 as ClosedRange<UInt8> {
        try await cluster.put([i], [i])
        #expect(try await cluster.get([i]) == [i])
        #expect(await cluster.verdictBoard.ofNow()?.operationsChecked == 2 * UInt64(i))
      }
    }
  }

  @Test("A read-modify-write is judged as one, and a get of what nobody wrote is held against the cluster")
  func judgesUpdates() async throws {
    try await withWatched { cluster in
      let key = Array("key".utf8)
      for i in 1...20 { #expect(try await cluster.increment(key) == Int64(i)) }
      #expect(try await cluster.compareAndSet(key, expected: Array("19".utf8), to: [1]) == false)
      #expect(try await cluster.take(key) == Array("20".utf8))
      #expect(try await cluster.delete(key) == false)
      let verdict = try #require(await cluster.verdictBoard.ofNow())
      #expect(verdict.operationsChecked == 24 && verdict.violations == 0)
    }
  }

  /// Threads that count up a few keys until they are told to stop.
  private final class Counting: Sendable {
    /// Increments that were told to be done, and those of which nobody knows.
    struct Told {
      var certain: Int64 = 0
      var perhaps: Int64 = 0
    }
    let told = Mutex(Told())
    private let isStopped = Atomic<Bool>(false)
    private let threads = Mutex<[BackgroundThread]>([])

    init(_ cluster: Cluster, _ keys: [[UInt8]], threads count: Int) {
      threads.withLock { threads in
        threads = (0..<count).map { client in
          BackgroundThread("count") { [self] in run(cluster, keys, client) }
        }
      }
    }

    private func run(_ cluster: Cluster, _ keys: [[UInt8]], _ client: Int) {
      var random = SeededRandom(seed: UInt64(client))
      while !isStopped.load(ordering: .relaxed) {
        do throws(ClusterError) {
          try keys[random.below(keys.count)].withBytes { key throws(ClusterError) in
            try cluster.updateBlocking(key) { old in
              let number = old.map { Int64(String(decoding: $0, as: UTF8.self))! } ?? 0
              return (.put(Array("\(number + 1)".utf8)), ())
            }
          }
          told.withLock { $0.certain += 1 }
        } catch {
          if case .indeterminate = error { told.withLock { $0.perhaps += 1 } }
        }
      }
    }

    func stop() {
      isStopped.store(true, ordering: .relaxed)
      threads.withLock { for thread in $0 { thread.join() } }
    }
  }

  @Test("While nodes die, come back, join, leave and are cut off, no increment is lost and none done twice")
  func countsExactly() async throws {
    try await withWatched { cluster in
      let keys = (0..<4).map { Array("counter\($0)".utf8) }
      let counting = Counting(cluster, keys, threads: 3)
      for _ in 0..<2 {
        try await cluster.kill("node2")
        try await cluster.restart("node2")
        try await cluster.addNode("node4")
        try cluster.partition([["node1"], ["node2", "node3", "node4"]])
        try await Task.sleep(for: .milliseconds(50))
        cluster.heal()
        try await cluster.removeNode("node4")
      }
      counting.stop()
      let told = counting.told.withLock { $0 }
      var found: Int64 = 0
      for key in keys { found += try await cluster.increment(key, by: 0) }
      #expect((told.certain...(told.certain + told.perhaps)).contains(found), "\(found) of \(told)")
      #expect(told.certain > 0)
      let verdict = try #require(await cluster.verdictBoard.ofNow())
      #expect(verdict.violations == 0, "\(verdict.lastViolation?.explanation ?? [])")
    }
  }

  @Test("A get at one is not judged, and a write at one may take effect at any time; at all both are judged")
  func knowsLevels() async throws {
    try await withWatched { cluster in
      let key = Array("key".utf8)
      try await cluster.put(key, [1], WriteOptions(consistency: .all))
      #expect(try await cluster.get(key, ReadOptions(consistency: .all)) == [1])
      try cluster.slow("node1", byNs: 200_000_000)
      var staleCount = 0
      for i in 0..<30 as Range<UInt8> {
        try await cluster.put(key, [i])
        // Some of these are stale, and none is held against the cluster.
        if try await cluster.get(key, ReadOptions(consistency: .one)) != [i] { staleCount += 1 }
      }
      #expect(staleCount > 0)
      try await cluster.put(key, [99], WriteOptions(consistency: .one))
      _ = try await cluster.get(key)
      cluster.heal()
      // The gets at one are not among them; the write at one never is over, as far as can be said.
      #expect(try await until(5) { cluster.status().verdict?.operationsChecked ?? 0 >= 32 })
      let verdict = try #require(cluster.status().verdict)
      #expect(verdict.violations == 0 && verdict.operationsChecked <= 34, "\(verdict.words)")
    }
  }

  @Test("Every operation of a light load is judged, through every interface")
  func countsAll() async throws {
    try await withWatched { cluster in
      let key = Array("key".utf8)
      try await cluster.put(key, [1])
      #expect(try await cluster.get(key) == [1])
      #expect(try await cluster.delete(key))
      #expect(try await cluster.get(key) == nil)
      try key.withUnsafeBytes { key in
        try key.withMemoryRebound(to: UInt8.self) { _ in
          try cluster.putBlocking(key, UnsafeRawBufferPointer(rebasing: key.prefix(2)))
          var buffer = [UInt8](repeating: 0, count: 1)
          let count = try buffer.withUnsafeMutableBytes { try cluster.getBlocking(key, into: $0) }
          #expect(count == 2)
          try cluster.deleteBlocking(key)
        }
      }
      // A delete looks with a get of its own first.
      #expect(try await until(5) { cluster.status().verdict?.operationsChecked == 8 })
      let verdict = try #require(cluster.status().verdict)
      #expect(verdict.violations == 0 && verdict.keysWatched == 1 && verdict.keysPerWatched == 1)
      #expect(verdict.words == "8 operations checked, 0 violations")
    }
  }

  @Test("An operation that cannot have happened is not held against anybody")
  func failedOperations() async throws {
    try await withWatched { cluster in
      try await cluster.put(Array("key".utf8), [1])
      try await cluster.kill("node1")
      try await cluster.kill("node2")
      await #expect(throws: ClusterError.self) { try await cluster.put(Array("key".utf8), [2]) }
      try await cluster.restart("node1")
      #expect(try await cluster.get(Array("key".utf8)) == [1])
      #expect(try await until(5) { cluster.status().verdict?.operationsChecked ?? 0 >= 2 })
      #expect(cluster.status().verdict?.violations == 0)
    }
  }

  /// Threads that put and get a few hundred keys until they are told to stop.
  private final class Load: Sendable {
    private let isStopped = Atomic<Bool>(false)
    private let threads = Mutex<[BackgroundThread]>([])

    init(_ cluster: Cluster, keys: Int, threads count: Int) {
      threads.withLock { threads in
        threads = (0..<count).map { client in
          BackgroundThread("load") { [self] in run(cluster, client, keys) }
        }
      }
    }

    private func run(_ cluster: Cluster, _ client: Int, _ keys: Int) {
      var random = SeededRandom(seed: UInt64(client))
      var buffer = [UInt8](repeating: 0, count: 64)
      var number = 0
      while !isStopped.load(ordering: .relaxed) {
        number += 1
        let key = Array("key\(random.below(keys))".utf8)
        let value = Array("\(client).\(number)".utf8)
        // Nodes die meanwhile: what is refused or unknown is the checker's business.
        key.withUnsafeBytes { key in
          if random.below(2) == 0 {
            value.withUnsafeBytes { value in try? cluster.putBlocking(key, value) }
          } else {
            _ = buffer.withUnsafeMutableBytes { buffer in try? cluster.getBlocking(key, into: buffer) }
          }
        }
        if number % 64 == 0 { Clock.sleep(ns: 1_000_000) }
      }
    }

    func stop() {
      isStopped.store(true, ordering: .relaxed)
      threads.withLock { for thread in $0 { thread.join() } }
    }
  }

  @Test("Nodes that die, come back, join and leave under load give no wrong answer with R + W > N")
  func linearizable() async throws {
    try await withWatched { cluster in
      let load = Load(cluster, keys: 2_000, threads: 3)
      for _ in 0..<3 {
        try await cluster.kill("node2")
        try await Task.sleep(for: .milliseconds(100))
        try await cluster.restart("node2")
        try await cluster.addNode("node4")
        try await cluster.removeNode("node4")
      }
      load.stop()
      #expect(try await until(5) { cluster.status().verdict?.operationsChecked ?? 0 > 1_000 })
      let verdict = try #require(cluster.status().verdict)
      #expect(verdict.violations == 0, "\(verdict.lastViolation?.explanation ?? [])")
    }
  }

  @Test(
    "With R = W = 1 a node that missed writes is caught telling old values, within seconds, and the event log says so")
  func eventual() async throws {
    try await withWatched {
      $0.readQuorum = 1
      $0.writeQuorum = 1
    } _: { cluster in
      for i in 0..<20_000 { try await cluster.put(Array("key\(i)".utf8), [1]) }
      let load = Load(cluster, keys: 20_000, threads: 3)
      defer { load.stop() }
      var rounds = 0
      while cluster.status().verdict?.violations == 0, rounds < 10 {
        rounds += 1
        try await cluster.kill("node2")
        try await Task.sleep(for: .milliseconds(400))
        try await cluster.restart("node2")
        _ = try await until(1) { cluster.status().verdict?.violations ?? 0 > 0 }
      }
      let verdict = try #require(cluster.status().verdict)
      #expect(verdict.violations > 0, "\(verdict.operationsChecked) operations checked")
      let violation = try #require(verdict.lastViolation)
      #expect(violation.explanation.first?.contains("explains the last answer") == true)
      #expect(cluster.events(after: 0).contains { if case .notLinearizable = $0.what { true } else { false } })
    }
  }
}
