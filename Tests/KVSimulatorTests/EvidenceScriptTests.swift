import KVCluster
import Testing

@testable import KVSimulator

extension Script {
  /// The node's log loses the record of a key, and the node starts again: nobody can say which key it was.
  func lose(_ key: String, at node: String) throws {
    let key = Array(key.utf8)
    let place = try #require(cluster.place(of: key, at: node))
    let header = place.range.lowerBound - key.count - LogFormat.recordHeaderBytes
    machine.disk(of: node).flip(place.path, at: header + 9, mask: 1)
    cluster.crashNode(node)
    machine.disk(of: node).restart(losingPower: false)
    carryOut(try cluster.startNode(node))
  }

  /// What the node's maintenance does in some seconds.
  func maintain(_ node: String, seconds: Int = 3) throws {
    let steps = try #require(cluster.maintenance(of: node))
    for _ in 0..<seconds * 50 {
      var isMore = true
      while isMore { if case .again = steps.step() { isMore = true } else { isMore = false } }
      run(ms: 20)
    }
  }
}

/// Owners that lose what was on their disks while owners change.
@Suite struct EvidenceScriptTests {
  private static let keys = (0..<24).map { "key\($0)" }

  /// A fourth node joins, and every operation runs under both rings.
  private func joining() throws -> Script {
    let script = try Script(nil)
    for key in Self.keys { try script.put("value", key, via: "node1") }
    #expect(try script.cluster.beginChange(.join, "node4").step() == .again)
    return script
  }

  @Test(
    "In a change an owner that lost records votes again once enough undamaged owners by the ring in force were compared"
  )
  func asksRingInForce() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try joining()
      script.cut("node1", "node4")
      script.cut("node1", "node3")
      try script.lose("key3", at: "node1")
      try script.maintain("node1")
      #expect(script.cluster.suspects == ["node1"], "it reaches one of two")
      #expect(try script.get("key3", via: "node2") == .some("value"))
      script.cut("node1", "node3", false)
      try script.maintain("node1")
      #expect(script.cluster.suspects.isEmpty, "what node4 has, two of the three others have")
      #expect(script.verdict() == .linearizable)
    }
  }

  @Test("The one that is left when another leaves is rebuilt from it, and the change ends")
  func rebuildsWhoIsLeft() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil, nodes: 2, write: 2)
      for key in Self.keys { try script.put("value", key, via: "node1") }
      let steps = try script.cluster.beginChange(.leave, "node2")
      #expect(steps.step() == .again)
      try script.lose("key3", at: "node1")
      try script.maintain("node1")
      #expect(script.cluster.suspects.isEmpty)
      script.carryOut(steps, atMost: 5_000)
      #expect(script.cluster.nodeNames == ["node1"])
      for key in Self.keys { #expect(try script.get(key, via: "node1") == .some("value")) }
      #expect(script.verdict() == .linearizable)
    }
  }

  @Test(
    "In a change two owners that lost records stay silent, and the change waits, until the program's end and after it")
  func staysSilent() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try joining()
      try script.lose("key3", at: "node1")
      try script.lose("key3", at: "node2")
      for _ in 0..<2 {
        for node in ["node1", "node2", "node3", "node4"] { try script.maintain(node) }
        #expect(script.cluster.suspects == ["node1", "node2"])
        #expect(try script.get("key3", via: "node3") == .none)
        try script.restartProgram()
      }
      let change = try #require(script.cluster.resumeChange())
      for _ in 0..<50 { if case .rest(let ns) = change.step() { script.run(ms: Int(ns / 1_000_000) + 1) } }
      #expect(script.cluster.isChanging)
      #expect(try script.get("key3", via: "node3") == .none)
      #expect(script.verdict() == .linearizable)
    }
  }

  @Test("With one node's log damaged twice in turn each time it is rebuilt, and nothing that was deleted comes back")
  func rebuildsInTurn() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil)
      for key in Self.keys { try script.put("value", key, via: "node1") }
      try script.delete("key5", via: "node1")
      script.run(ms: 1_000)
      for node in ["node1", "node2", "node3"] { script.cluster.purge(at: node) }
      for node in ["node1", "node2", "node3"] {
        try script.lose("key3", at: node)
        try script.maintain(node)
        #expect(script.cluster.suspects.isEmpty)
      }
      script.isolate("node3")
      #expect(try script.get("key3", via: "node1") == .some("value"))
      #expect(try script.get("key5", via: "node1") == .some(nil))
      #expect(script.verdict() == .linearizable)
    }
  }

  @Test(
    "What a node was rebuilt from is found damaged no second time: it starts again in the moment when it votes, and votes"
  )
  func findsDamageOnce() throws {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil)
      for key in Self.keys { try script.put("value", key, via: "node1") }
      try script.lose("key3", at: "node1")
      let steps = try #require(script.cluster.maintenance(of: "node1"))
      for _ in 0..<500 where script.cluster.suspects == ["node1"] {
        _ = steps.step()
        script.run(ms: 20)
      }
      script.crash("node1")
      try script.start("node1")
      #expect(script.cluster.suspects.isEmpty)
      #expect(script.verdict() == .linearizable)
    }
  }
}
