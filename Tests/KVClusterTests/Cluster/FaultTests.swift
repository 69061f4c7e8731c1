import Testing

@testable import KVCluster

@Suite struct FaultTests {
  @Test("While one node is cut off, reads and writes go on, see each other, and the node catches up when links heal")
  func survivesPartition() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    let cluster = try await fixture.open()
    try await cluster.put("a", "1")
    try cluster.partition([["node1"], ["node2", "node3"]])
    #expect(cluster.status().linkFaults.count == 4)
    for i in 0..<20 {
      try await cluster.put("a", "\(i)")
      #expect(try await cluster.get("a") == "\(i)")
    }
    #expect(try await cluster.delete(bytes("a")))
    #expect(try await cluster.get("a") == nil)
    cluster.heal()
    #expect(cluster.status().linkFaults.isEmpty)
    #expect(
      try await until { cluster.copies(of: bytes("a")).allSatisfy { $0?.isTombstone ?? false } })
    await cluster.close()
  }

  @Test("Without a quorum an operation is indeterminate, and says nothing of the key")
  func isHonest() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open { $0.operationTimeoutNs = 300_000_000 }
    try await cluster.put("a", "1")
    try cluster.pause("node2")
    try cluster.pause("node3")
    let paused = "too few owners answered in time; node2, node3 are paused. "
    await #expect(
      throws: ClusterError.indeterminate(
        .init(paused + "It may or may not have taken effect; read the key to find out", advice: .resume("node2")))
    ) { try await cluster.put("a", "2") }
    await #expect(
      throws: ClusterError.indeterminate(.init(paused + "Nothing can be said of the key", advice: .resume("node2")))
    ) { try await cluster.get("a") }
    cluster.heal()
    let value = try await cluster.get("a")
    #expect(value == "1" || value == "2")
    await cluster.close()
  }

  /// What keeps owners from answering, how it is put there, and what errors say of it.
  struct Cause: Sendable {
    /// Of a get or put, which goes on waiting, and of an update, which is refused.
    let words: String, refusal: String
    let advice: [Advice]
    /// A get or put asks again from other nodes, and may find enough owners one after the other.
    var isOfUpdatesOnly = false
    let apply: @Sendable (Cluster) async throws -> Void

    static let all = [
      Cause(
        words: "; node2, node3 are paused", refusal: "not answering: node2 (paused), node3 (paused). ",
        advice: [.resume("node2")]
      ) {
        try $0.pause("node2")
        try $0.pause("node3")
      },
      Cause(words: "", refusal: "; links are faulty. ", advice: [.heal], isOfUpdatesOnly: true) {
        try $0.partition([["node1"], ["node2"], ["node3"]])
      },
      Cause(words: "", refusal: "; links are faulty. ", advice: [.heal], isOfUpdatesOnly: true) {
        for node in 1...3 { try $0.drop("node\(node)", perMille: 1_000) }
      },
      Cause(
        words: "; node2 is down; node3 is paused", refusal: "not answering: node2 (down), node3 (paused). ",
        advice: [.restart("node2"), .resume("node3")]
      ) {
        try await $0.kill("node2")
        try $0.pause("node3")
      },
      Cause(
        words: "; node1 is down; node2 is paused; links are faulty",
        refusal: "not answering: node1 (down), node2 (paused); links are faulty. ",
        advice: [.restart("node1"), .resume("node2"), .heal]
      ) {
        try await $0.kill("node1")
        try $0.pause("node2")
        try $0.slow("node3", byNs: 1_000)
      },
    ]
  }

  @Test("Gets, puts and updates say why owners do not answer, and what helps", arguments: Cause.all)
  func namesCauses(cause: Cause) async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open { $0.operationTimeoutNs = 200_000_000 }
    try await cluster.put("a", "1")
    try await cause.apply(cluster)
    for operation in cause.isOfUpdatesOnly ? ["update"] : ["get", "put", "update"] {
      let error = await #expect(throws: ClusterError.self) {
        switch operation {
        case "get": _ = try await cluster.get("a")
        case "put": try await cluster.put("a", "2")
        default: _ = try await cluster.increment(bytes("n"), by: 1)
        }
      }
      #expect(error?.advice == cause.advice, "\(operation): \(String(describing: error))")
      let words = operation == "update" ? cause.refusal : cause.words
      #expect(error?.description.contains(words) ?? false, "\(operation): \(String(describing: error))")
      #expect(error?.code == (operation == "update" ? .unavailable : .indeterminate))
    }
    await cluster.close()
  }

  @Test("A write that waits for disks which fail says which nodes failed, and how they come back")
  func namesFailedDisks() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    let cluster = try await fixture.open { $0.operationTimeoutNs = 2_000_000_000 }
    try await cluster.put("a", "1")
    try await cluster.kill("node3")
    try cluster.failSync("node2")
    let error = await #expect(throws: ClusterError.self) { try await cluster.put("a", "2") }
    #expect(
      error?.code == .indeterminate && error?.advice.contains(.restart("node2")) ?? false,
      "\(String(describing: error))")
    #expect(try await until { cluster.status().nodes[1].state.word == "failed" })
    let refusal = await #expect(throws: ClusterError.self) { try await cluster.put("a", "3") }
    #expect(refusal?.description.contains("node2 failed: ") ?? false, "\(String(describing: refusal))")
    #expect(refusal?.description.contains("; node3 is down. Nothing was changed") ?? false)
    #expect(refusal?.nodes == ["node2", "node3"])
    await cluster.close()
  }

  @Test("A get is told how many owners must hold what it returns, where that is more than R")
  func countsWriteBack() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open {
      $0.readQuorum = 1
      $0.writeQuorum = 3
    }
    try await cluster.put("a", "1")
    try await cluster.kill("node2")
    let refused = ClusterError.unavailable(needed: 3, live: 2, owners: 3, missing: ["node2"])
    await #expect(throws: refused) { _ = try await cluster.get("a") }
    await #expect(throws: refused) { _ = try await cluster.increment(bytes("a"), by: 1) }
    try await cluster.kill("node1")
    try await cluster.kill("node3")
    await #expect(
      throws: ClusterError.unavailable(needed: 3, live: 0, owners: 3, missing: ["node1", "node2", "node3"])
    ) {
      _ = try await cluster.get("a")
    }
    await cluster.close()
  }

  @Test("What reaches a paused node waits; nothing is lost, and threads may block on it")
  func pauses() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    try cluster.pause("node2")
    #expect(throws: ClusterError.self) { try cluster.pause("node2") }
    for i in 0..<50 { try await cluster.put("key\(i)", "v\(i)") }
    try cluster.resume("node2")
    #expect(throws: ClusterError.self) { try cluster.resume("node2") }
    for i in 0..<50 { #expect(try await cluster.get("key\(i)") == "v\(i)") }
    for i in 0..<50 {
      #expect(try await until { Set(cluster.copies(of: bytes("key\(i)")).map { $0?.tag }).count == 1 })
    }
    await cluster.close()
  }

  @Test("Slow and lossy links delay, and change no answer")
  func slows() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    try cluster.slow("node3", byNs: 5_000_000)
    try cluster.drop("node2", perMille: 300)
    for i in 0..<30 {
      try await cluster.put("a", "\(i)")
      #expect(try await cluster.get("a") == "\(i)")
    }
    #expect(throws: ClusterError.self) { try cluster.drop("node2", perMille: 1_001) }
    #expect(throws: ClusterError.self) { try cluster.slow("node9", byNs: 1) }
    await cluster.close()
  }

  @Test("With R = W = 1 a partition shows a stale read, and says so: eventual")
  func showsStaleRead() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open {
      $0.readQuorum = 1
      $0.writeQuorum = 1
    }
    #expect(cluster.status().guarantee == .eventual)
    try await cluster.put("a", "old")
    try cluster.partition([["node1"], ["node2", "node3"]])
    var written = false
    // The coordinator is drawn: on either side of the cut the other side's write is not seen.
    for _ in 0..<100 where !written {
      try await cluster.put("a", "new")
      written = true
    }
    var seen: [String?] = []
    for _ in 0..<100 { seen.append(try await cluster.get("a")) }
    #expect(seen.contains("new") && seen.contains("old"))
    await cluster.close()
  }

  @Test(
    "A node whose sync fails stops, is not believed when it is back, and is rebuilt", arguments: [FsyncPolicy.always])
  func failsSync(fsync: FsyncPolicy) async throws {
    let fixture = try ClusterFixture(fsync: fsync)
    let cluster = try await fixture.open()
    try await cluster.put("a", "1")
    try cluster.failSync("node2")
    try await cluster.put("a", "2")
    #expect(try await until { cluster.status().nodes[1].state.word == "failed" })
    try await cluster.restart("node2")
    #expect(try await cluster.get("a") == "2")
    #expect(try await cluster.event { $0.contains("node2 was rebuilt") })
    await cluster.close()
  }

  @Test("A corrupted copy never answers, and heals")
  func corrupts() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    let cluster = try await fixture.open { $0.cacheBytes = 0 }
    for i in 0..<20 { try await cluster.put("key\(i)", "value") }
    try cluster.corrupt("node1")
    for i in 0..<20 { #expect(try await cluster.get("key\(i)") == "value") }
    #expect(try await cluster.event { $0.contains("node1 healed") || $0.contains("node1 holds a damaged copy") })
    await cluster.close()
  }

  @Test(
    "A node that has just started has values to corrupt, and one without a value says so",
    arguments: FsyncPolicy.allCases)
  func corruptsAtOnce(fsync: FsyncPolicy) async throws {
    let fixture = try ClusterFixture(fsync: fsync)
    var cluster = try await fixture.open()
    #expect(throws: ClusterError.refused(.init("node1 keeps no value", nodes: ["node1"], advice: .put))) {
      try cluster.corrupt("node1")
    }
    try await cluster.put("a", "1")
    try cluster.corrupt("node1")
    #expect(try await cluster.get("a") == "1")
    try await cluster.put("b", "2")
    await cluster.close()
    cluster = try await fixture.open()
    try cluster.corrupt("node1")
    #expect(try await cluster.get("b") == "2")
    await cluster.close()
  }
}
