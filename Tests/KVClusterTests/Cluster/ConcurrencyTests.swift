import Foundation
import KVSimulator
import Synchronization
import Testing

@testable import KVCluster

@Suite struct ConcurrencyTests {
  /// Clients that put, get and delete a few keys while nodes join, die, return and leave; the history is checked.
  @Test("A live cluster stays linearizable while its members change", arguments: [FsyncPolicy.always, .everysec])
  func staysLinearizable(fsync: FsyncPolicy) async throws {
    let fixture = try ClusterFixture(fsync: fsync)
    let cluster = try await fixture.open(nodes: 4)
    for i in 0..<2_000 { try await cluster.put("filler\(i)", "x") }
    let recorder = Recorder()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for client in 0..<4 {
        group.addTask { try await Self.use(cluster, client: client, recorder) }
      }
      group.addTask {
        defer { recorder.stop() }
        try await cluster.addNode("node5")
        try await cluster.kill("node2")
        try await cluster.removeNode("node1")
        try await cluster.restart("node2")
        try await cluster.addNode("node6")
        try await cluster.removeNode("node5")
      }
      try await group.waitForAll()
    }
    let history = recorder.history
    let verdict = LinearizabilityChecker.check(history)
    if case .violation(let violation) = verdict { Issue.record("\(violation.explanation())") }
    #expect(verdict == .linearizable)
    #expect(history.operations.count > 500)
    await cluster.close()
  }

  private static func use(_ cluster: Cluster, client: Int, _ recorder: Recorder) async throws {
    var random = SeededRandom(seed: UInt64(client))
    var number = 0
    while !recorder.isStopped, number < 3_000 {
      number += 1
      // Operations that do not suspend would keep the membership changes from a thread.
      if number % 16 == 0 { await Task.yield() }
      let key = bytes("hot\(random.below(4))")
      let value = bytes("\(client).\(number)")
      let invokedAt = recorder.now()
      do throws(ClusterError) {
        switch random.below(10) {
        case 0..<4:
          try await cluster.put(key, value)
          recorder.add(client, key, .put(value), invokedAt, .done)
        case 4:
          _ = try await cluster.delete(key)
          recorder.add(client, key, .delete, invokedAt, .done)
        default:
          let found = try await cluster.get(key)
          recorder.add(client, key, .get, invokedAt, .found(found))
        }
      } catch {
        guard case .indeterminate = error else { throw error }
      }
    }
  }

  /// Collects a history from many tasks; its clock counts.
  private final class Recorder: Sendable {
    private let clock = Atomic<Int>(0)
    private let stopped = Atomic<Bool>(false)
    private let operations = Mutex<[History.Operation]>([])

    var isStopped: Bool { stopped.load(ordering: .relaxed) }
    func stop() { stopped.store(true, ordering: .relaxed) }

    func now() -> Int { clock.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue }

    func add(_ process: Int, _ key: [UInt8], _ call: History.Call, _ invokedAt: Int, _ outcome: History.Outcome) {
      let returnedAt = now()
      operations.withLock {
        $0.append(
          History.Operation(
            process: process, key: key, call: call, invokedAt: invokedAt, returnedAt: returnedAt, outcome: outcome))
      }
    }

    var history: History { History(operations.withLock { $0 }) }
  }

  @Test("A change asked for during another waits for its turn, in order, and the status shows it")
  func queuesChanges() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    for i in 0..<30_000 { try await cluster.put("key\(i)", "x") }
    let first = Task { try await cluster.addNode("node4") }
    while cluster.status().change == nil, cluster.status().nodes.count == 3 { await Task.yield() }
    let second = Task { try await cluster.addNode("node5") }
    #expect(try await until { cluster.status().queuedChanges.map(\.node) == ["node5"] || cluster.status().nodes.count > 4 })
    let third = Task { try await cluster.removeNode("node4") }
    try await first.value
    try await second.value
    try await third.value
    #expect(cluster.status().nodes.map(\.name) == ["node1", "node2", "node3", "node5"])
    #expect(cluster.status().change == nil && cluster.status().queuedChanges.isEmpty)
    for i in stride(from: 0, to: 30_000, by: 37) { #expect(try await cluster.get("key\(i)") == "x") }
    await cluster.close()
  }

  @Test("Nodes that die and return in the middle of a join lose nothing, whichever are asked afterwards")
  func survivesDeathsDuringJoin() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    for i in 0..<20_000 { try await cluster.put("key\(i)", "old") }
    let join = Task { try await cluster.addNode("node4") }
    while cluster.status().change?.fraction ?? 0 < 0.1 { try await Task.sleep(for: .milliseconds(1)) }
    try await cluster.kill("node1")
    for i in 0..<500 { try await cluster.put("key\(i)", "new") }
    try await cluster.restart("node1")
    try await cluster.kill("node2")
    try await cluster.restart("node2")
    try await join.value
    for absent in ["node1", "node2", "node3", "node4"] {
      try await cluster.kill(absent)
      for i in stride(from: 0, to: 20_000, by: 23) {
        let value = try await cluster.get("key\(i)")
        #expect(value == (i < 500 ? "new" : "old"), "without \(absent)")
      }
      try await cluster.restart(absent)
    }
    await cluster.close()
  }

  @Test("Killing and restarting a node over and over leaves no thread and no file behind")
  func leaksNothing() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    func count(_ folder: String) -> Int { (try? FileManager.default.contentsOfDirectory(atPath: folder).count) ?? 0 }
    try await cluster.kill("node2")
    try await cluster.restart("node2")
    let (threads, files) = (count("/proc/self/task"), count("/proc/self/fd"))
    for _ in 0..<20 {
      try await cluster.kill("node2")
      try await cluster.restart("node2")
    }
    #expect(count("/proc/self/task") <= threads + 4)
    #expect(count("/proc/self/fd") <= files + 4)
    await cluster.close()
  }

  @Test("A second close waits for the first, and closing right after opening is fine")
  func closesTwice() async throws {
    let fixture = try ClusterFixture()
    let cluster = try Cluster.open(ClusterOptions(dataFolder: fixture.folder, fsync: .never))
    async let first: Void = cluster.close()
    async let second: Void = cluster.close()
    _ = await (first, second)
    await #expect(throws: ClusterError.self) { try await cluster.put("a", "1") }
    let again = try await fixture.open()
    await again.close()
  }

  @Test("A change that closing the cluster interrupts goes on at the next start")
  func resumesChange() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    for i in 0..<20_000 { try await cluster.put("key\(i)", "x") }
    let join = Task { try await cluster.addNode("node4") }
    while cluster.status().change == nil { await Task.yield() }
    await cluster.close()
    _ = await join.result
    let again = try await fixture.open()
    while again.status().change != nil { try await Task.sleep(for: .milliseconds(5)) }
    #expect(again.status().nodes.map(\.state) == [.up, .up, .up, .up])
    for i in stride(from: 0, to: 20_000, by: 17) { #expect(try await again.get("key\(i)") == "x") }
    await again.close()
  }
}
