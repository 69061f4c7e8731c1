import Testing

@testable import KVCluster

@Suite struct ConfigurationTests {
  private let three = Configuration(
    clusterID: 0xfeed, quorum: QuorumSettings(), nodeNames: ["node1", "node2", "node3"])

  @Test("A configuration reads back from its text, also in the middle of a change")
  func roundTrips() throws {
    var killed = three
    killed.members[1].isKilled = true
    for configuration in [three, killed, try three.joining("node4"), try three.leaving("node2")] {
      #expect(try Configuration(text: configuration.text) == configuration)
    }
  }

  @Test("A changed byte in the text is noticed")
  func checksText() {
    let text = three.text
    for word in ["epoch 1", "node2", "quorum 3"] {
      let changed = text.replacing(word, with: word.uppercased())
      #expect(throws: ClusterError.self) { try Configuration(text: changed == text ? text + "x" : changed) }
    }
    #expect(throws: ClusterError.self) { try Configuration(text: "") }
  }

  @Test("A newer version is refused by its number")
  func refusesNewer() {
    let error = #expect(throws: ClusterError.self) {
      try Configuration(text: three.text.replacing("configuration 1", with: "configuration 99"))
    }
    #expect(error!.description.contains("newer"))
  }

  @Test(
    "What no cluster can be is refused, however right its checksum is",
    arguments: [
      ("quorum 3 2 2", "quorum 0 0 0"), ("quorum 3 2 2", "quorum 9 5 5"), ("quorum 3 2 2", "quorum 3 4 2"),
      ("quorum 3 2 2", "quorum 3 2 -1"), ("member 1 up node2", "member 1 up ../node2"),
      ("member 1 up node2", "member 1 up node1"), ("member 1 up node2", "member 0 up node2"),
      ("member 1 up node2", "member 65535 up node2"), ("member 1 up node2\n", ""), (":1", ":7"),
      ("\nnext", "\nleave 0\nnext"), ("join 3", "join 9"), ("join 3", "leave 3 3"),
    ])
  func refusesNonsense(was: String, becomes: String) throws {
    let text = try three.joining("node4").text
    let body = text.replacing(was, with: becomes).split(separator: "\n").dropLast().map { $0 + "\n" }.joined()
    #expect(!text.contains(body), "the text has what is replaced")
    let hostile = String(decoding: CheckedText.encode(body), as: UTF8.self)
    let error = #expect(throws: ClusterError.self) { try Configuration(text: hostile) }
    #expect(try #require(error).description.contains("makes no sense"))
  }

  @Test("Joining and leaving is refused where it makes no sense, and says why")
  func refuses() throws {
    let one = Configuration(clusterID: 1, quorum: QuorumSettings(), nodeNames: ["only"])
    #expect(throws: ClusterError.self) { try three.joining("node1") }
    #expect(throws: ClusterError.self) { try three.leaving("nope") }
    #expect(throws: ClusterError.self) { try one.leaving("only") }
    #expect(throws: ClusterError.self) { try three.joining("node4").joining("node5") }
    for name in ["", ".hidden", "a/b", "ü", "a b", String(repeating: "n", count: 65)] {
      #expect(throws: ClusterError.self) { try three.joining(name) }
    }
    #expect(try three.joining("A-b_c.9").member(named: "A-b_c.9") != nil)
  }

  @Test("A settled join owns with the newcomer; a settled leave forgets the leaver and reuses its id")
  func settles() throws {
    let joined = try three.joining("node4").settled
    #expect(joined.ring.nodes == [0, 1, 2, 3])
    let left = try joined.leaving("node2").settled
    #expect(left.ring.nodes == [0, 2, 3])
    #expect(left.members.map(\.name) == ["node1", "node3", "node4"])
    #expect(try left.joining("again").member(named: "again")?.id == 1)
    #expect(left.epoch == 5)
  }

  @Test("Names sort as people count")
  func sortsNames() {
    let names = ["node10", "node9", "node1", "b", "a10b2", "a10b10", "node01"]
    #expect(
      names.sorted(by: Configuration.countsBefore) == ["a10b2", "a10b10", "b", "node01", "node1", "node9", "node10"])
  }

  @Test("A change goes through all its steps in order, and starts again at the joint configuration")
  func steps() throws {
    var change = MembershipChange(joint: try three.joining("node4"))
    var steps = [change.step]
    while change.step != .done { steps.append(change.finishStep()) }
    #expect(
      steps == [
        .writeJoint, .adoptJoint, .drainOld, .stream, .sync, .writeSettled, .adoptSettled, .drainJoint, .drop, .done,
      ])
    #expect(MembershipChange(resuming: change.joint).step == .adoptJoint)
  }

  @Test("Quorums clipped to few nodes still overlap", arguments: 1...3)
  func clips(nodes: Int) {
    for (r, w) in [(2, 2), (1, 3), (3, 1), (3, 3)] {
      let effective = QuorumSettings(replicas: 3, read: r, write: w).effective(nodes: nodes)
      #expect(effective.read + effective.write > effective.replicas)
      #expect(effective.replicas == nodes)
      #expect(effective.read <= nodes && effective.write <= nodes)
    }
  }
}
