import KVCluster
import Testing

@testable import KVSimulator

/// Mistakes of read-modify-writes, step by step, by message and by direct call alike: a node that takes no part is down.
enum UpdateScripts {
  static func run(_ mistake: PlantedMistake, _ script: Script) throws {
    switch mistake {
    case .updatesAfresh: try updatesAfresh(script)
    case .keepsBallot: try keepsBallot(script)
    case .answersUnsettled: try answersUnsettled(script)
    case .copiesUndecided: try copiesUndecided(script)
    default: Issue.record("\(mistake) is none of read-modify-writes")
    }
  }

  private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  /// A write that is on the disk of one node alone: the other's that took it loses its power before, and comes back.
  private static func writeOn(_ node: String, losing other: String, _ script: Script, _ call: ClientOperation.Call)
    throws
  {
    script.holdsSyncs = true
    try script.begin(call, via: node)
    script.run(ms: 10)
    script.cluster.syncNow(node)
    script.machine.disk(of: other).losesAllUnsynced = true
    script.cluster.crashNode(other)
    script.machine.disk(of: other).restart(losingPower: true)
    // Nothing of it is on the way any more.
    script.waitUntilForgotten()
    script.crash(node)
    script.holdsSyncs = false
    try script.start(other)
  }

  /// Two writes with one base, on the disks of node2 and node3; node1 has the base.
  private static func split(_ script: Script) throws {
    try script.put("base", via: "node1")
    script.crash("node3")
    try writeOn("node2", losing: "node1", script, .update(.replace(bytes("x"))))
    try script.start("node3")
    try writeOn("node3", losing: "node1", script, .update(.replace(bytes("y"))))
    try script.start("node2")
  }

  /// A put is on node1 alone when a read-modify-write, which does not know it, gets to node2 alone. A reader finds the put;
  /// then another finds both.
  private static func updatesAfresh(_ script: Script) throws {
    try script.put("base", via: "node1")
    script.crash("node3")
    try writeOn("node1", losing: "node2", script, .put(bytes("put")))
    try script.start("node3")
    try writeOn("node2", losing: "node3", script, .update(.replace(bytes("new"))))
    try script.start("node1")
    #expect(try script.get(via: "node1") == .some("put"))
    script.crash("node1")
    try script.start("node2")
    try script.get(via: "node2")
  }

  /// One reader sees the first of two with one base; the next one both.
  private static func keepsBallot(_ script: Script) throws {
    try split(script)
    #expect(try script.get(via: "node1") == .some("x"))
    script.crash("node2")
    try script.start("node3")
    try script.get(via: "node1")
  }

  /// What changes nothing has seen a version that node2 alone has; the next reader asks the others.
  private static func answersUnsettled(_ script: Script) throws {
    try split(script)
    #expect(try script.update(.insert(bytes("z")), via: "node1") == .some("x"))
    script.crash("node2")
    try script.start("node3")
    try script.get(via: "node1")
  }

  /// node1 gets the first of two with one base by a comparison with node2, so that both have it; then the other comes.
  private static func copiesUndecided(_ script: Script) throws {
    try split(script)
    script.cluster.compareReplicas()
    #expect(try script.get(via: "node1") == .some("x"))
    script.crash("node2")
    try script.start("node3")
    try script.get(via: "node1")
  }
}
