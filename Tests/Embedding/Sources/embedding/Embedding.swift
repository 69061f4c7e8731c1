import Glibc
import KVCluster

/// A cluster inside another program, from open to close: `swift run --package-path Tests/Embedding embedding FOLDER`.
///
/// FOLDER must be empty or not there, and is removed at the end. Ends with status 1 if anything is not as it should be.
@main
enum Embedding {
  private static let keys = 1_000

  static func main() async throws {
    guard CommandLine.arguments.count == 2 else {
      print("usage: embedding FOLDER")
      exit(64)
    }
    let cluster = try Cluster.open(
      ClusterOptions(dataFolder: CommandLine.arguments[1], isEphemeral: true, fsync: .everysec))
    let events = cluster.events()
    let listener = Task { await joins(in: events) }
    do {
      try await cluster.ready()
      try await use(cluster)
      try await change(cluster)
      try await refuse(cluster)
    } catch {
      await cluster.close()
      throw error
    }
    await cluster.close()
    // The stream of events ends with the cluster.
    try check(await listener.value == ["node4"], "one node joined, and the events said so")
  }

  /// Keys and values are bytes. A put is acknowledged by a write quorum, and a get after it sees it.
  private static func use(_ cluster: Cluster) async throws {
    try await cluster.put(Array("user:1001".utf8), Array("Alice".utf8))
    try check(try await cluster.get(Array("user:1001".utf8)) == Array("Alice".utf8), "a get sees what was put")
    try check(try await cluster.delete(Array("user:1001".utf8)), "a delete says that the key was there")
    try check(try await cluster.get(Array("user:1001".utf8)) == nil, "what was deleted is gone")
    for number in 0..<keys { try await cluster.put(key(number), value(number)) }
    try check(try cluster.keys(prefix: Array("key1".utf8), limit: 5).keys.count == 5, "keys can be listed")
  }

  /// Reads and writes go on while a node joins and another one dies.
  private static func change(_ cluster: Cluster) async throws {
    async let joined: Void = cluster.addNode("node4")
    for number in 0..<keys / 2 { try await cluster.put(key(number), value(number + 1)) }
    try await joined
    try await cluster.kill("node2")
    for number in 0..<keys {
      let wanted = value(number < keys / 2 ? number + 1 : number)
      try check(try await cluster.get(key(number)) == wanted, "key \(number) is whole without node2")
    }
    let status = cluster.status()
    try check(status.health == .degraded && status.guarantee == .linearizable, "degraded, and linearizable")
    try check(status.nodes.map(\.name) == ["node1", "node2", "node3", "node4"], "four members")
    try check(status.nodes[1].state == .dead, "node2 is dead")
    print("\(status.nodes.count) nodes, \(status.health.rawValue), \(status.operations?.writes ?? 0) writes")
  }

  /// Errors say what happened: here nothing was changed, since too few owners answer.
  private static func refuse(_ cluster: Cluster) async throws {
    try await cluster.kill("node3")
    do {
      for number in 0..<keys { try await cluster.put(key(number), [1]) }
      throw Unexpected(what: "two of four nodes are enough for every key")
    } catch ClusterError.unavailable(let needed, let live, _, let missing, _, _) {
      try check(needed == 2 && live == 1 && missing == ["node2", "node3"], "what is missing is named")
    }
    try await cluster.restart("node3")
    try await cluster.restart("node2")
    try check(cluster.status().health == .healthy, "both are back")
  }

  /// The names of the nodes that joined, taken from the events while they happen.
  private static func joins(in events: AsyncStream<ClusterEvent>) async -> Set<String> {
    var names: Set<String> = []
    for await event in events where event.kind == .join {
      print("event \(event.sequence): \(event)")
      if let name = event.node { names.insert(name) }
    }
    return names
  }

  private static func key(_ number: Int) -> [UInt8] { Array("key\(number)".utf8) }

  private static func value(_ number: Int) -> [UInt8] { Array("value \(number)".utf8) }

  private struct Unexpected: Error, CustomStringConvertible {
    var what: String
    var description: String { "not as it should be: \(what)" }
  }

  private static func check(_ isTrue: Bool, _ what: String) throws {
    guard isTrue else { throw Unexpected(what: what) }
  }
}
