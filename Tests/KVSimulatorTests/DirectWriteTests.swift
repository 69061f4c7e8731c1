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
}
