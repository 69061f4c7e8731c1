import Testing

@testable import KVCluster

/// A node's place is given to another.
struct ReplacementTests {
  private let fixture: ClusterFixture

  init() throws { fixture = try ClusterFixture() }

  private func fill(_ cluster: Cluster, _ count: Int) async throws {
    for i in 0..<count { try await cluster.put(bytes("key\(i)"), bytes("value\(i)")) }
  }

  private func expectAll(_ cluster: Cluster, _ count: Int) async throws {
    for i in 0..<count { #expect(try await cluster.get(bytes("key\(i)")) == bytes("value\(i)")) }
  }

  @Test(
    "A new node takes over all that a dead one owned, nothing else moves, and it survives a restart",
    arguments: [
      true, false,
    ])
  func replaces(isDead: Bool) async throws {
    var cluster = try await fixture.open(nodes: 5)
    try await fill(cluster, 400)
    let before = cluster.status()
    let owned = try #require(before.nodes.first { $0.name == "node2" })
    if isDead { try await cluster.kill("node2") }
    try await cluster.replaceNode("node2", with: "node9")
    let after = cluster.status()
    #expect(after.nodes.map(\.name) == ["node1", "node3", "node4", "node5", "node9"])
    let replacement = try #require(after.nodes.first { $0.name == "node9" })
    #expect(replacement.keys == owned.keys && replacement.share == owned.share && replacement.state == .up)
    for node in after.nodes where node.name != "node9" {
      #expect(node.keys == before.nodes.first { $0.name == node.name }?.keys)
    }
    try await expectAll(cluster, 400)
    await cluster.close()
    cluster = try await fixture.open()
    #expect(cluster.status().nodes.map(\.name) == ["node1", "node3", "node4", "node5", "node9"])
    try await expectAll(cluster, 400)
    await cluster.close()
  }

  @Test("The end of a change is told in the right number")
  func countsCopies() async throws {
    let cluster = try await fixture.open()
    try await fill(cluster, 1)
    try await cluster.replaceNode("node2", with: "node4")
    try await fill(cluster, 2)
    try await cluster.replaceNode("node4", with: "node2")
    let messages = cluster.events(after: 0).map(\.description)
    #expect(messages.contains("node2 left: 1 copy moved to node4"))
    #expect(messages.contains("node4 left: 2 copies moved to node2"))
    await cluster.close()
  }

  @Test("What cannot be replaced is refused: a node that is not there, by one that is")
  func refuses() async throws {
    let cluster = try await fixture.open()
    for (name, replacement) in [("node9", "node4"), ("node1", "node2"), ("node1", "node1"), ("node1", "no such name")] {
      await #expect(throws: ClusterError.self) { try await cluster.replaceNode(name, with: replacement) }
    }
    #expect(cluster.status().nodes.count == 3 && cluster.status().change == nil)
    await cluster.close()
  }

  @Test("A node that is down for long is replaced unasked, by a new one or by those who are left", arguments: [3, 4])
  func replacesByItself(nodes: Int) async throws {
    let cluster = try await fixture.open(nodes: nodes) { $0.replaceAfterNs = 1_000_000_000 }
    try await fill(cluster, 100)
    try await cluster.kill("node2")
    let left = try #require(cluster.status().nodes.first { $0.name == "node2" }?.replacedInNs)
    #expect(left <= 1_000_000_000)
    // Of three, a new node4 takes the place; of four, node4 is one of those who are left.
    let wanted = ["node1", "node3", "node4"]
    #expect(try await until { cluster.status().nodes.map(\.name) == wanted && cluster.status().change == nil })
    #expect(cluster.status().health == .healthy)
    // The event names the rule by which one or the other was done.
    let rule =
      nodes == 3 ? "node4 takes its place, as no other node is left" : "the other nodes take over what it owned"
    #expect(try await cluster.event { $0.hasPrefix("node2 has been down for 1 s, the longest allowed: \(rule)") })
    try await expectAll(cluster, 100)
    await cluster.close()
  }

  @Test("A cluster that shrinks below its number of copies says so, and one copy is not several")
  func tellsOfFewerCopies() async throws {
    let cluster = try await fixture.open()
    try await cluster.put("a", "1")
    try await cluster.removeNode("node1")
    let words = "N is 2 now: of the 3 copies that each key should have, 2 nodes keep 2"
    #expect(cluster.events(after: 0).contains { $0.description == words && $0.advice == [.addNode] })
    try await cluster.addNode("node4")
    #expect(cluster.events(after: 0).contains { $0.description == "node4 joined: 1 copy moved to it" })
    await cluster.close()
  }

  @Test("A node that comes back in time is not replaced, and one that is only suspected never is")
  func keeps() async throws {
    let cluster = try await fixture.open { $0.replaceAfterNs = 1_500_000_000 }
    try await cluster.kill("node2")
    try await cluster.restart("node2")
    try cluster.pause("node1")
    #expect(try await until { cluster.status().nodes[0].suspectedBy == ["node2", "node3"] })
    try await Task.sleep(for: .seconds(2))
    #expect(cluster.status().nodes.map(\.name) == ["node1", "node2", "node3"])
    #expect(cluster.status().nodes.allSatisfy { $0.replacedInNs == nil })
    cluster.heal()
    #expect(try await until { cluster.status().nodes[0].suspectedBy.isEmpty })
    await cluster.close()
  }

  @Test("Unasked replacement needs overlapping quorums")
  func needsOverlap() async throws {
    let error = await #expect(throws: ClusterError.self) {
      _ = try await fixture.open { options in
        (options.readQuorum, options.writeQuorum, options.replaceAfterNs) = (1, 1, 1_000_000_000)
      }
    }
    #expect(error?.description.contains("R + W > N") == true)
  }

  @Test("The configuration of a replacement is read as it was written")
  func roundTrips() throws {
    let joint = try Configuration(clusterID: 7, quorum: QuorumSettings(), nodeNames: ["a", "b", "c"])
      .replacing("b", with: "d")
    #expect(try Configuration(text: joint.text) == joint)
    #expect(joint.settled.members.map(\.name) == ["a", "c", "d"])
    #expect(joint.settled.ring.nodes == [0, 2, 3])
  }
}
