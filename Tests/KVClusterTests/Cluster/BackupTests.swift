import Foundation
import Synchronization
import Testing

@testable import KVCluster

/// Something that one task tells others.
private final class Flag: Sendable {
  private let flag = Atomic<Bool>(false)
  var isSet: Bool { flag.load(ordering: .acquiring) }
  func set() { flag.store(true, ordering: .releasing) }
}

@Suite struct BackupTests {
  private func refusal(_ body: () async throws(ClusterError) -> Void) async -> String {
    do throws(ClusterError) {
      try await body()
      return "done"
    } catch {
      return error.description
    }
  }

  @Test("A backup of a running cluster opens with every write that was acknowledged before it began")
  func copiesUnderWrites() async throws {
    let (fixture, copy) = (try ClusterFixture(fsync: .everysec), try ClusterFixture(fsync: .everysec))
    let cluster = try await fixture.open()
    let isOver = Flag()
    for i in 0..<2_000 { try await cluster.put("before\(i)", "1") }
    // Each writer puts a number under two keys, one after the other: no moment has the second without the first.
    let summary = try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<4 {
        group.addTask {
          var number = 0
          let padding = String(repeating: "x", count: 2_000)
          while !isOver.isSet {
            number += 1
            // A put that waits for no disk never suspends: let the others have their turn.
            await Task.yield()
            try await cluster.put("first\(writer)", "\(number) \(padding)")
            try await cluster.put("second\(writer)", "\(number) \(padding)")
          }
        }
      }
      for writer in 0..<4 { while try await cluster.get("second\(writer)") == nil { await Task.yield() } }
      let summary = try await cluster.backUp(to: copy.folder)
      isOver.set()
      try await group.waitForAll()
      return summary
    }
    #expect(try #require(summary).nodes == 3)
    await cluster.close()
    let report = try copy.verify()
    #expect(report.isClean, "\(report)")
    #expect(report.nodes.allSatisfy { $0.torn == nil })
    let restored = try await copy.open()
    for i in 0..<2_000 { #expect(try await restored.get("before\(i)") == "1") }
    for writer in 0..<4 {
      let first = try #require(try await restored.get("first\(writer)")).split(separator: " ")[0]
      let second = try #require(try await restored.get("second\(writer)")).split(separator: " ")[0]
      #expect([0, 1].contains(try #require(Int(first)) - (try #require(Int(second)))))
    }
    // It goes on as a cluster: writes, another start, nodes that come and go.
    for i in 0..<100 { try await restored.put("after\(i)", "2") }
    #expect(restored.status().nodes.allSatisfy { $0.wal?.isSuspect == false })
    try await restored.addNode("node4")
    await restored.close()
    let again = try await copy.open()
    for i in 0..<100 { #expect(try await again.get("after\(i)") == "2") }
    await again.close()
  }

  @Test("All copies of a key are in a backup, or none: it is of one moment")
  func isOfOneMoment() async throws {
    let (fixture, copy) = (try ClusterFixture(), try ClusterFixture())
    let cluster = try await fixture.open()
    let isOver = Flag()
    await withTaskGroup(of: Void.self) { group in
      for writer in 0..<4 {
        group.addTask {
          var number = 0
          while !isOver.isSet {
            number += 1
            // A put that waits for no disk never suspends: let the others have their turn.
            await Task.yield()
            try? await cluster.put("\(writer):\(number)", "value")
          }
        }
      }
      for writer in 0..<4 { while (try? await cluster.get("\(writer):100")) == nil { await Task.yield() } }
      _ = try? await cluster.backUp(to: copy.folder)
      isOver.set()
    }
    await cluster.close()
    let keys = try copy.verify().nodes.map(\.keys)
    #expect(keys[0] >= 400)
    #expect(keys == [keys[0], keys[0], keys[0]])
  }

  @Test("Segments that compaction gives up during a backup stay until it is done, and are used again after it")
  func holdsSegments() async throws {
    let (fixture, copy) = (try ClusterFixture(fsync: .everysec), try ClusterFixture(fsync: .everysec))
    let cluster = try await fixture.open()
    let value = String(repeating: "v", count: 400_000)
    for round in 0..<100 { for i in 0..<3 { try await cluster.put("key\(i)", "\(round) \(value)") } }
    let isStarted = Flag()
    let isReleased = Flag()
    let compacted = { cluster.status().nodes.compactMap(\.wal?.compactions).reduce(0, +) }
    async let summary = cluster.backUp(to: copy.folder) { _ in
      isStarted.set()
      while !isReleased.isSet { usleep(1_000) }
      return true
    }
    #expect(try await until { isStarted.isSet })
    let before = compacted()
    for round in 100..<300 { for i in 0..<3 { try await cluster.put("key\(i)", "\(round) \(value)") } }
    #expect(try await until { compacted() > before })
    isReleased.set()
    #expect(try await summary != nil)
    #expect(try await until { cluster.status().nodes.allSatisfy { $0.wal?.segments ?? 9 <= 3 } })
    await cluster.close()
    #expect(try fixture.verify().isClean)
    let report = try copy.verify()
    #expect(report.isClean, "\(report)")
    let restored = try await copy.open()
    for i in 0..<3 { #expect(try await restored.get("key\(i)") == "99 \(value)") }
    await restored.close()
  }

  @Test("Killed nodes are copied too, and come back from the copy")
  func copiesKilledNodes() async throws {
    let (fixture, copy) = (try ClusterFixture(fsync: .always), try ClusterFixture(fsync: .always))
    let cluster = try await fixture.open()
    try await cluster.put("a", "1")
    try await cluster.kill("node3")
    try await cluster.put("b", "2")
    _ = try await cluster.backUp(to: copy.folder)
    await cluster.close()
    // The third copy of "a" was not needed, so its node may have been killed before it was written.
    let records = try copy.verify().nodes.map(\.records)
    #expect(records.prefix(2) == [2, 2] && records[2] <= 1)
    let restored = try await copy.open()
    try await restored.restart("node3")
    #expect(restored.status().nodes.allSatisfy { $0.keys == 2 && $0.wal?.isSuspect == false })
    await restored.close()
  }

  @Test("A folder at rest is copied without its free files, and opens")
  func copiesAtRest() async throws {
    let (fixture, copy) = (try await ClusterFixture.filled(), try ClusterFixture())
    try Data([1]).write(to: URL(fileURLWithPath: "\(fixture.folder)/node1.wal/\(LogFormat.freeName(9))"))
    let before = try fixture.picture()
    #expect(try FolderAtRest(fixture.folder).backUp(to: copy.folder) != nil)
    #expect(try fixture.picture() == before)
    let report = try copy.verify()
    #expect(report.isClean && report.remarks.isEmpty, "\(report)")
    #expect(report.nodes.map(\.freeFiles) == [0, 0, 0])
    #expect(try await copy.hasAll())
  }

  @Test("A folder that is not empty, or lies in the data folder, is refused")
  func refusesTargets() async throws {
    let (fixture, other) = (try ClusterFixture(), try await ClusterFixture.filled())
    let cluster = try await fixture.open()
    let full = await refusal { () throws(ClusterError) in _ = try await cluster.backUp(to: other.folder) }
    #expect(full == "\(other.folder) is not empty; name a new or empty folder for the backup")
    #expect(try await other.hasAll())
    let inside = await refusal { () throws(ClusterError) in _ = try await cluster.backUp(to: "\(fixture.folder)/b") }
    #expect(inside.contains("lies in the data folder itself"))
    #expect(!FileManager.default.fileExists(atPath: "\(fixture.folder)/b"))
    await cluster.close()
    let closed = await refusal { () throws(ClusterError) in _ = try await cluster.backUp(to: "/tmp/kvstore-nowhere") }
    #expect(closed.contains("does not serve"))
  }

  @Test("A backup that is stopped or fails leaves nothing behind")
  func leavesNothing() async throws {
    let (fixture, copy) = (try await ClusterFixture.filled(), try ClusterFixture())
    let cluster = try await fixture.open()
    #expect(try await cluster.backUp(to: copy.folder) { _ in false } == nil)
    #expect(!FileManager.default.fileExists(atPath: copy.folder))
    // An empty folder that was there stays.
    try FileManager.default.createDirectory(atPath: copy.folder, withIntermediateDirectories: true)
    #expect(try await cluster.backUp(to: copy.folder) { _ in false } == nil)
    #expect(try FileManager.default.contentsOfDirectory(atPath: copy.folder) == [])
    try FileManager.default.removeItem(atPath: "\(fixture.folder)/\(fixture.segment(1, of: "node2"))")
    let failed = await refusal { () throws(ClusterError) in _ = try await cluster.backUp(to: copy.folder) }
    #expect(failed.hasPrefix("no backup was made: open "))
    #expect(try FileManager.default.contentsOfDirectory(atPath: copy.folder) == [])
    await cluster.close()
  }

  @Test("While a node joins a backup is refused")
  func refusesDuringChange() async throws {
    let (fixture, copy) = (try ClusterFixture(), try ClusterFixture())
    let cluster = try await fixture.open()
    for i in 0..<100 { try await cluster.put("key\(i)", "1") }
    // A join waits for owners that do not answer.
    for node in ["node1", "node2"] { try cluster.pause(node) }
    let joining = Task { try? await cluster.addNode("node4") }
    #expect(try await until { cluster.status().change != nil })
    let refused = await refusal { () throws(ClusterError) in _ = try await cluster.backUp(to: copy.folder) }
    #expect(refused.hasPrefix("a node is joining or leaving"))
    for node in ["node1", "node2"] { try cluster.resume(node) }
    await joining.value
    await cluster.close()
  }
}
