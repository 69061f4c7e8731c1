import KVCluster
import Testing

@testable import KVSimulator

/// Read-modify-writes on days of exact steps.
@Suite struct UpdateTests {
  private func run(_ body: (Script) throws -> Void) throws -> Verdict {
    try Clock.runVirtually(from: 1_000_000_000) {
      let script = try Script(nil, .direct)
      try body(script)
      return script.verdict()
    }
  }

  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test("A get at a level of its own that meets an update on few nodes proposes nothing: a newer one may be decided")
  func weakLevelsProposeNothing() throws {
    let verdict = try run { script in
      try script.put("0")
      try script.update(.replace(bytes("1")))
      script.crash("node1")
      try script.update(.replace(bytes("2")))
      try script.update(.replace(bytes("3")))
      script.crash("node2")
      script.crash("node3")
      try script.start("node1")
      try script.begin(.get, at: .one)
      script.run(ms: 20)
      try script.start("node2")
      try script.start("node3")
      #expect(try script.get() == .some("3"))
    }
    #expect(verdict == .linearizable)
  }

  @Test("What is made of nothing stays over a purged tombstone that a node's start brings back")
  func outlivesZombies() throws {
    let verdict = try run { script in
      try script.put("old")
      try script.delete()
      for node in ["node1", "node2", "node3"] { script.cluster.purge(at: node) }
      #expect(script.cluster.copies(of: bytes("key")).allSatisfy { $0?.tag == Tag.none }, "the tombstone is purged")
      script.crash("node3")
      #expect(try script.update(.insert(bytes("new"))) == .some(nil))
      try script.start("node3")
      script.crash("node1")
      #expect(try script.get() == .some("new"))
      try script.start("node1")
      script.crash("node2")
      #expect(try script.get() == .some("new"))
    }
    #expect(verdict == .linearizable)
  }

  @Test("A delete that was sent before an update of nothing, and comes late, comes after it")
  func lateDeletes() throws {
    let verdict = try run { script in
      script.crash("node1")
      script.crash("node2")
      try script.begin(.delete, at: .one)
      script.run(ms: 20)
      try script.start("node1")
      try script.start("node2")
      script.crash("node3")
      #expect(try script.update(.insert(bytes("new"))) == .some(nil))
      try script.start("node3")
      script.crash("node1")
      try script.get()
      script.crash("node3")
      try script.start("node1")
      try script.get()
      try script.start("node3")
      try script.get()
    }
    #expect(verdict == .linearizable)
  }
}
