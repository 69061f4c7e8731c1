import Testing

@testable import KVCluster
@testable import KVSimulator

/// What comes in the middle of work that a simulated day does at one moment, or that chance does not hit: step by step.
@Suite struct MiddleScripts {
  private static let keys = (0..<24).map { "key\($0)" }

  private func replica(_ node: String, _ script: Script) throws -> Replica {
    try #require(script.cluster.parts.roster.node(named: node)?.replica)
  }

  /// The node's log loses the record of a key, and the node starts again; it does not catch up.
  private func lose(_ key: String, at node: String, _ script: Script) throws {
    let key = Array(key.utf8)
    let place = try #require(script.cluster.place(of: key, at: node))
    let header = place.range.lowerBound - key.count - LogFormat.recordHeaderBytes
    script.machine.disk(of: node).flip(place.path, at: header + 9, mask: 1)
    script.crash(node)
    try script.start(node)
    #expect(script.cluster.isSuspect(node))
  }

  @Test("A sweep goes over a partition again during which links changed")
  func sweepsAgain() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil)
      script.isolate("node3")
      for key in Self.keys { try script.put("value", key, via: "node1") }
      script.waitUntilForgotten()
      let (data, target) = (script.cluster.dataPath, try replica("node3", script).id)
      let sources = [try replica("node1", script).id, try replica("node2", script).id]
      let sweep = Sweep(.catchUp(target), data.partitions, data.links, sources: sources)
      var broken: Set<Int> = []
      var begun: Int?
      repeat {
        begun = nil
        let progress = try sweep.step { number in
          script.isolate("node3", false)
          begun = number
          return true
        }
        if progress == .done { break }
        // Only the first time.
        if let begun, broken.insert(begun).inserted { script.isolate("node3") }
      } while true
      #expect(broken.count == Store.partitionCount)
      for key in Self.keys {
        let copies = script.cluster.copies(of: Array(key.utf8))
        #expect(copies.allSatisfy { $0?.tag == copies[0]?.tag && $0?.tag != Tag.none }, "\(key)")
      }
    }
  }

  @Test("A node is not believed whose rebuilding an owner was away from for a moment", arguments: 0..<8)
  func noticesAbsence(rest: Int) throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil)
      try script.put("first", "first", via: "node1")
      script.isolate("node3")
      try script.put("value", via: "node1")
      script.waitUntilForgotten()
      script.isolate("node3", false)
      try script.put("last", "last", via: "node1")
      try lose("key", at: "node1", script)
      let executor = try #require(script.cluster.parts.executor as? StepExecutor)
      // An empty partition takes two steps.
      let partition = Array("key".utf8).withUnsafeBytes { Store.partition(of: Ring.hash($0)) }
      var rests = 0
      executor.onRest = {
        rests += 1
        if rests == 2 * partition + rest { script.crash("node2") }
        if rests == 2 * partition + rest + 1 { _ = try? script.cluster.startNode("node2") }
      }
      _ = try #require(script.cluster.maintenance(of: "node1")).step()
      executor.onRest = nil
      #expect(rests >= 2 * partition + rest)
      if !script.cluster.isUp("node2") { try script.start("node2") }
      script.isolate("node2")
      try script.get(via: "node1")
      #expect(script.verdict() == .linearizable)
    }
  }

  @Test("What a write under way has brought to a node that lost records is not withdrawn")
  func withdrawsNothingBusy() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil)
      try script.put("first", "first", via: "node1")
      try script.put("last", "last", via: "node1")
      script.waitUntilForgotten()
      try lose("first", at: "node2", script)
      script.slow("node1", "node2", ms: 30)
      script.cut("node2", "node3")
      try script.begin(.put(Array("value".utf8)), via: "node2")
      script.run(ms: 10)
      // node2 has it, node1 gets it later, and node3 was not reached.
      script.cut("node2", "node3", false)
      _ = try #require(script.cluster.maintenance(of: "node2")).step()
      script.run(ms: 80)
      script.isolate("node1")
      try script.get(via: "node2")
      #expect(script.verdict() == .linearizable)
    }
  }

  @Test("A node's start puts a tombstone behind an older version that a crash left behind it")
  func mendsOrder() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil)
      try script.put("older", via: "node1")
      try script.delete(via: "node1")
      let (key, value) = (Array("key".utf8), Array("older".utf8))
      let hash = key.withUnsafeBytes { Ring.hash($0) }
      let first = try replica("node1", script).store
      let (log, table) = (first.log, first.table)
      let older = try key.withBytes { key throws(StorageError) in
        try value.withBytes { value throws(StorageError) in
          try log.append(
            .value, tag: Tag(counter: 1, coordinator: 0), key: key, value: value, valueChecksum: Checksum.crc32c(value))
        }
      }
      try log.sync()
      let end = table.position(of: older)
      script.crash("node1")
      try script.start("node1")
      let store = try replica("node1", script).store
      let version = try #require(key.withBytes { store.version(hash, $0, known: .none) })
      #expect(version.location.isTombstone && store.table.position(of: version.location) > end)
    }
  }

  @Test("Ranges are forgotten only once the disk knows that they are given up")
  func dropsDurably() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil)
      for key in Self.keys { try script.put("value", key, via: "node1") }
      let store = try replica("node1", script).store
      var ranges = RingRanges()
      ranges.append(0...Ring.slotCount - 1)
      var (isSynced, hasForgotten) = (false, false)
      try store.drop(ranges) { () throws(StorageError) in
        #expect(!hasForgotten)
        isSynced = true
        try store.log.sync()
      } withPartition: { _, body in
        #expect(isSynced)
        hasForgotten = true
        body()
      }
      #expect(hasForgotten)
    }
  }

  @Test("What only a node has that lost records is not taken by one that asks all owners: a deleted key stays deleted")
  func takesNothingDoubtful() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil)
      try script.put("value", via: "node1")
      try script.delete(via: "node1")
      try script.put("last", "last", via: "node1")
      script.waitUntilForgotten()
      script.cluster.purge(at: "node1")
      let place = try #require(script.cluster.hidingTombstone(of: Array("key".utf8), at: "node2"))
      script.machine.disk(of: "node2").flip(place.path, at: place.range.lowerBound, mask: 1)
      script.crash("node2")
      try script.start("node2")
      // What it had not synced may be lost; a start would find the tombstone again.
      try replica("node1", script).store.isSuspect = true
      #expect(script.cluster.suspects == ["node1", "node2"])
      for node in ["node1", "node2"] { try script.maintain(node) }
      #expect(script.cluster.suspects.isEmpty)
      #expect(try script.get(via: "node3") == .some(nil))
      #expect(script.verdict() == .linearizable)
    }
  }
}
