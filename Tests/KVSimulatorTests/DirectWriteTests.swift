import KVCluster
import Testing

@testable import KVSimulator

/// Direct writes that only some owners take.
@Suite struct DirectWriteTests {
  @Test("A write that one owner takes, while one is down and one has no room, is indeterminate at once")
  func isIndeterminate() throws {
    let error = try Clock.runVirtually(from: 1_000_000_000) { () throws -> ClusterError? in
      let script = try Script(nil, .direct)
      try script.put("old")
      script.crash("node3")
      let disk = script.machine.disk(of: "node2")
      disk.capacityBytes = disk.usedBytes
      defer { _ = script.verdict() }
      for _ in 0..<30 {
        do throws(ClusterError) {
          try script.cluster.submit(.put([UInt8](repeating: 1, count: 10_000)), Array("key".utf8)) { _ in }
        } catch {
          return error
        }
        script.run(ms: 20)
      }
      return nil
    }
    guard case .indeterminate(let detail) = error else {
      Issue.record("not indeterminate: \(String(describing: error))")
      return
    }
    #expect(detail.text.contains("1 of 3 owners took the write"))
  }

  @Test(
    "A get of a write that never ended says which owner cannot take it, and why, and names nobody who answers as silent"
  )
  func tellsWhoCannotTakeIt() throws {
    let error = try Clock.runVirtually(from: 1_000_000_000) { () throws -> ClusterError? in
      let script = try Script(nil, .direct)
      try script.put("old")
      for name in ["node2", "node3"] {
        let disk = script.machine.disk(of: name)
        disk.capacityBytes = disk.usedBytes
      }
      defer { _ = script.verdict() }
      var isUndecided = false
      for _ in 0..<30 where !isUndecided {
        do throws(ClusterError) {
          try script.cluster.submit(.put([UInt8](repeating: 1, count: 10_000)), Array("key".utf8)) { _ in }
        } catch {
          isUndecided = error.code == .indeterminate
        }
        script.run(ms: 20)
      }
      #expect(isUndecided)
      do throws(ClusterError) {
        try script.cluster.submit(.get, Array("key".utf8)) { _ in }
      } catch {
        return error
      }
      return nil
    }
    let text = try #require(error).description
    #expect(text.contains("the newest write of the key never ended, and fewer than 2 of its 3 owners have it"))
    #expect(text.contains("(node2 and node3: disk full); free some space"), "\(text)")
    #expect(!text.contains("not answering"))
  }

  @Test("A write that a full disk refuses names compaction where dead records take space, and only there")
  func advisesCompaction() throws {
    for hasDead in [false, true] {
      let error = try Clock.runVirtually(from: 1_000_000_000) { () throws -> ClusterError? in
        let script = try Script(nil, fsync: .everysec, .direct)
        defer { _ = script.verdict() }
        for i in 0..<100 { try script.put(String(repeating: "v", count: 1_000), hasDead ? "key" : "key\(i)") }
        for (_, disk) in script.machine.disks { disk.capacityBytes = disk.usedBytes }
        for i in 0..<100 {
          do throws(ClusterError) {
            try script.cluster.submit(.put([UInt8](repeating: 1, count: 10_000)), Array("new\(i)".utf8)) { _ in }
          } catch {
            return error
          }
        }
        return nil
      }
      let refusal = try #require(error)
      #expect(refusal.description.contains("disk full"))
      #expect(refusal.advice == (hasDead ? [.compact] : []))
    }
  }

  @Test("Files that compaction has emptied are kept while a log is in use, and given back once it has been idle")
  func givesBackWhenIdle() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil, fsync: .everysec, .direct, segmentBytes: 4_096)
      defer { _ = script.verdict() }
      let care = try #require(script.cluster.maintenance(of: "node1"))
      func freeFiles() -> Int {
        script.machine.disk(of: "node1").listing.count { $0.path.hasSuffix(".free") }
      }
      for _ in 0..<100 { try script.put(String(repeating: "v", count: 500)) }
      for _ in 0..<20 {
        _ = care.step()
        script.run(ms: 1_000)
      }
      #expect(freeFiles() > 0)
      for _ in 0..<80 {
        _ = care.step()
        script.run(ms: 1_000)
      }
      #expect(freeFiles() == 0)
      #expect(try script.get() == .some(String(repeating: "v", count: 500)))
    }
  }
}
