import Foundation
import Testing

@testable import KVCluster

/// A cluster in a temporary folder that can be closed and opened again.
final class ClusterFixture: Sendable {
  let folder: String
  let fsync: FsyncPolicy

  init(fsync: FsyncPolicy = .never) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("kvstore-test-\(UUID().uuidString)").path
    self.fsync = fsync
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func open(nodes: Int = 3, _ adjust: (inout ClusterOptions) -> Void = { _ in }) async throws -> Cluster {
    var options = ClusterOptions(
      dataFolder: folder, initialNodes: (1...nodes).map { "node\($0)" }, fsync: fsync, cacheBytes: 1 << 20)
    adjust(&options)
    let cluster = try Cluster.open(options)
    try await cluster.ready()
    return cluster
  }
}

extension ClusterFixture {
  /// Removes the data folder while a cluster may be creating files in it, as `rm -r` run until it succeeds.
  func deleteFolder() throws {
    for _ in 0..<100 {
      try? FileManager.default.removeItem(atPath: folder)
      if !FileManager.default.fileExists(atPath: folder) { return }
    }
    try FileManager.default.removeItem(atPath: folder)
  }

  /// Flips the bits of one byte of a node's first segment.
  func flip(_ node: String, at offset: Int) throws {
    let path = "\(folder)/\(node).wal/\(LogFormat.segmentName(1))"
    let file = try #require(FileHandle(forUpdatingAtPath: path))
    try file.seek(toOffset: UInt64(offset))
    let byte = try #require(try file.read(upToCount: 1))[0]
    try file.seek(toOffset: UInt64(offset))
    try file.write(contentsOf: [byte ^ 0xff])
    try file.close()
  }

  func flip(_ node: String, after text: String) throws {
    let path = "\(folder)/\(node).wal/\(LogFormat.segmentName(1))"
    let bytes = try #require(FileManager.default.contents(atPath: path))
    try flip(node, at: try #require(bytes.range(of: Data(text.utf8))).upperBound)
  }
}

/// Waits until the condition holds, at most ten seconds.
func until(_ condition: () -> Bool) async throws -> Bool {
  for _ in 0..<500 {
    if condition() { return true }
    try await Task.sleep(for: .milliseconds(20))
  }
  return false
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

extension Cluster {
  /// Whether an event with such a message comes within ten seconds.
  func event(where isMatch: (String) -> Bool) async throws -> Bool {
    try await until { events(after: 0).contains { isMatch($0.description) } }
  }

  func put(_ key: String, _ value: String) async throws { try await put(bytes(key), bytes(value)) }
  func get(_ key: String) async throws -> String? {
    try await get(bytes(key)).map { String(decoding: $0, as: UTF8.self) }
  }
}

@Suite struct ClusterTests {
  @Test("Puts, gets and deletes, under every fsync policy", arguments: FsyncPolicy.allCases)
  func basics(fsync: FsyncPolicy) async throws {
    let fixture = try ClusterFixture(fsync: fsync)
    let cluster = try await fixture.open()
    #expect(try await cluster.get("user:1001") == nil)
    try await cluster.put("user:1001", "Alice")
    #expect(try await cluster.get("user:1001") == "Alice")
    try await cluster.put("user:1001", "")
    #expect(try await cluster.get("user:1001") == "")
    #expect(try await cluster.delete(bytes("user:1001")))
    #expect(try await cluster.get("user:1001") == nil)
    #expect(try await cluster.delete(bytes("user:1001")) == false)
    await cluster.close()
  }

  @Test("Keys and values of any bytes and of the extreme lengths")
  func extremes() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    let longKey = [UInt8](repeating: 0, count: Limits.keyBytesMax)
    let big = [UInt8](repeating: 0xff, count: Limits.valueBytesMax)
    try await cluster.put(longKey, [0, 1, 255])
    try await cluster.put([0], big)
    #expect(try await cluster.get(longKey) == [0, 1, 255])
    #expect(try await cluster.get([0]) == big)
    await #expect(throws: ClusterError.self) { try await cluster.put([], []) }
    await #expect(throws: ClusterError.self) { try await cluster.put(longKey + [0], []) }
    await #expect(throws: ClusterError.self) { try await cluster.put([1], big + [0]) }
    await cluster.close()
    let again = try await fixture.open()
    #expect(try await again.get([0]) == big)
    await again.close()
  }

  @Test("Everything is back after a restart: nodes, tokens, killed nodes and data")
  func persists() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    for i in 0..<500 { try await cluster.put("key\(i)", "value\(i)") }
    try await cluster.addNode("node4")
    try await cluster.kill("node2")
    let ring = cluster.status().ring
    await cluster.close()
    let again = try await fixture.open()
    #expect(again.status().ring == ring)
    #expect(again.status().nodes.map(\.name) == ["node1", "node2", "node3", "node4"])
    #expect(again.status().nodes[1].state == .dead)
    for i in 0..<500 { #expect(try await again.get("key\(i)") == "value\(i)") }
    await again.close()
  }

  @Test("Nodes come and go, and every key stays readable with its newest value")
  func moves() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    for i in 0..<2_000 { try await cluster.put("key\(i)", "old") }
    for i in 0..<1_000 { try await cluster.put("key\(i)", "new") }
    _ = try await cluster.delete(bytes("key1999"))
    for name in ["node4", "node5", "node6"] { try await cluster.addNode(name) }
    for name in ["node1", "node2", "node3"] { try await cluster.removeNode(name) }
    for i in 0..<1_999 { #expect(try await cluster.get("key\(i)") == (i < 1_000 ? "new" : "old")) }
    #expect(try await cluster.get("key1999") == nil)
    let status = cluster.status()
    #expect(status.nodes.map(\.name) == ["node4", "node5", "node6"])
    #expect(status.nodes.allSatisfy { $0.keys == 1_999 })
    #expect(status.health == .healthy)
    await cluster.close()
  }

  @Test("Writes to a killed node leave hints, and it catches up when it is back")
  func handsOverHints() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    for i in 0..<300 { try await cluster.put("key\(i)", "before") }
    try await cluster.kill("node2")
    for i in 0..<300 { try await cluster.put("key\(i)", "while away") }
    #expect(cluster.status().nodes[1].hintsWaiting == 300)
    #expect(cluster.status().health == .degraded)
    await cluster.close()

    let again = try await fixture.open()
    #expect(again.status().nodes[1].hintsWaiting == 300)
    try await again.restart("node2")
    #expect(again.status().nodes[1].hintsWaiting == 0)
    // Alone with one other node it must have the newest versions itself.
    try await again.kill("node1")
    for i in 0..<300 { #expect(try await again.get("key\(i)") == "while away") }
    await again.close()
  }

  @Test("Without a quorum operations are refused, naming who is missing, and nothing is written")
  func unavailable() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    try await cluster.put("a", "1")
    try await cluster.kill("node2")
    try await cluster.kill("node3")
    let expected = ClusterError.unavailable(needed: 2, live: 1, owners: 3, missing: ["node2", "node3"])
    await #expect(throws: expected) { try await cluster.put("a", "2") }
    await #expect(throws: expected) { try await cluster.get("a") }
    #expect(cluster.status().health == .unavailable)
    try await cluster.restart("node3")
    #expect(try await cluster.get("a") == "1")
    await cluster.close()
  }

  @Test("A cluster with fewer nodes than copies says so, and works")
  func underReplicated() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open(nodes: 1)
    try await cluster.put("a", "1")
    #expect(cluster.status().health == .underReplicated)
    try await cluster.addNode("node2")
    try await cluster.addNode("node3")
    #expect(cluster.status().health == .healthy)
    #expect(cluster.status().nodes.allSatisfy { $0.keys == 1 })
    try await cluster.kill("node1")
    #expect(try await cluster.get("a") == "1")
    await cluster.close()
  }

  @Test("What makes no sense is refused with what to do")
  func refuses() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    await #expect(throws: ClusterError.self) { try await cluster.addNode("node1") }
    await #expect(throws: ClusterError.self) { try await cluster.addNode("../evil") }
    await #expect(throws: ClusterError.self) { try await cluster.removeNode("nope") }
    await #expect(throws: ClusterError.self) { try await cluster.kill("nope") }
    await #expect(throws: ClusterError.self) { try await cluster.restart("node1") }
    try await cluster.kill("node1")
    await #expect(throws: ClusterError.self) { try await cluster.kill("node1") }
    await cluster.close()
    await #expect(throws: ClusterError.self) { try await cluster.put("a", "1") }
  }

  @Test("A folder in use names the process that has it")
  func locks() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    let error = await #expect(throws: ClusterError.self) { try await fixture.open() }
    #expect(error!.description.contains("process \(ProcessInfo.processInfo.processIdentifier)"))
    await cluster.close()
    let again = try await fixture.open()
    await again.close()
  }

  @Test("Other quorums than the folder's are refused; the folder's own may be repeated")
  func keepsQuorums() async throws {
    let fixture = try ClusterFixture()
    await (try await fixture.open { $0.replicas = 3 }).close()
    await (try await fixture.open { $0.replicas = 3 }).close()
    await #expect(throws: ClusterError.self) { try await fixture.open { $0.replicas = 2 } }
    await #expect(throws: ClusterError.self) { try await fixture.open { $0.readQuorum = 1 } }
    await #expect(throws: ClusterError.self) { try await fixture.open { $0.writeQuorum = 9 } }
  }

  @Test("A cluster that is dropped without being closed takes its provisioner with it, whatever that does just then")
  func dropsProvisioner() {
    for _ in 0..<300 { _ = Provisioner(ThreadExecutor()) }
  }

  @Test("Data without a lease or a configuration is refused, so that no version repeats")
  func refusesMissingLease() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    try await cluster.put("a", "1")
    await cluster.close()
    // One lease is enough, wherever it is.
    for i in 1...3 { try FileManager.default.removeItem(atPath: "\(fixture.folder)/node\(i).wal/lease") }
    await (try await fixture.open()).close()
    for i in 1...3 { try FileManager.default.removeItem(atPath: "\(fixture.folder)/node\(i).wal/lease") }
    try FileManager.default.removeItem(atPath: "\(fixture.folder)/lease")
    let error = await #expect(throws: ClusterError.self) { try await fixture.open() }
    #expect(error!.description.contains("lease"))
    try FileManager.default.removeItem(atPath: "\(fixture.folder)/configuration")
    await #expect(throws: ClusterError.self) { try await fixture.open() }
  }

  @Test("A damaged log is noticed, its node rebuilt from the others, and the damage gone at the next start")
  func healsDamagedHeader() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    let cluster = try await fixture.open()
    for i in 0..<50 { try await cluster.put("key\(i)", "value") }
    await cluster.close()
    try fixture.flip("node2", at: LogFormat.segmentHeaderBytes + 10)
    let again = try await fixture.open()
    for i in 0..<50 { #expect(try await again.get("key\(i)") == "value") }
    #expect(try await again.event(where: { $0.contains("node2's log is damaged in segment 1, bytes 128") }))
    #expect(try await again.event(where: { $0.contains("node2 was rebuilt") }))
    #expect(try await until { again.status().nodes[1].wal?.compactions ?? 0 > 0 })
    await again.close()
    let clean = try await fixture.open()
    for i in 0..<50 { #expect(try await clean.get("key\(i)") == "value") }
    #expect(clean.events(after: 0).allSatisfy { $0.severity != .failure })
    await clean.close()
  }

  @Test(
    "A flipped byte in a value of the running cluster is found, and the copy fetched again",
    arguments: FsyncPolicy.allCases)
  func healsDamagedValue(fsync: FsyncPolicy) async throws {
    let fixture = try ClusterFixture(fsync: fsync)
    let first = try await fixture.open()
    for i in 0..<50 { try await first.put("key\(i)", "value") }
    await first.close()
    // Nothing is written after the start: what was there before is read again too.
    let cluster = try await fixture.open()
    for node in ["node1", "node2"] { try fixture.flip(node, after: "key7va") }
    #expect(try await cluster.event(where: { $0.contains("damaged copy in segment 1") }))
    #expect(try await cluster.event(where: { $0.contains("node1 healed: 1 damaged copy") }))
    #expect(try await cluster.event(where: { $0.contains("node2 healed: 1 damaged copy") }))
    #expect(try await until { cluster.status().nodes[0].wal?.compactions ?? 0 > 0 })
    for i in 0..<50 { #expect(try await cluster.get("key\(i)") == "value") }
    await cluster.close()
  }

  @Test("A node whose log is gone is rebuilt from the others and does not vote before")
  func rebuildsLostLog() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    let cluster = try await fixture.open()
    for i in 0..<50 { try await cluster.put("key\(i)", "value") }
    await cluster.close()
    try FileManager.default.removeItem(atPath: "\(fixture.folder)/node2.wal")
    let again = try await fixture.open()
    for i in 0..<50 { #expect(try await again.get("key\(i)") == "value") }
    #expect(try await again.event(where: { $0.contains("node2 was rebuilt: 50 copies") }))
    #expect(again.status().nodes[1].keys == 50)
    await again.close()
  }

  @Test("Overwritten records are compacted away, and everything is there after a start")
  func compacts() async throws {
    let fixture = try ClusterFixture(fsync: .everysec)
    let cluster = try await fixture.open()
    let value = String(repeating: "v", count: 40_000)
    // Ten keys a node, 200 MB of overwrites: three segments, of which nearly all is dead.
    for round in 0..<500 { for i in 0..<10 { try await cluster.put("key\(i)", "\(round) \(value)") } }
    #expect(try await until { cluster.status().nodes.allSatisfy { $0.wal?.compactions ?? 0 > 0 } })
    #expect(try await until { cluster.status().nodes.allSatisfy { $0.wal?.segments ?? 9 <= 2 } })
    for i in 0..<10 { #expect(try await cluster.get("key\(i)") == "499 \(value)") }
    await cluster.close()
    let again = try await fixture.open()
    for i in 0..<10 { #expect(try await again.get("key\(i)") == "499 \(value)") }
    await again.close()
  }

  @Test("A change that would make keys unavailable is refused, and nothing changes")
  func refusesHarmfulChange() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    try await cluster.put("a", "1")
    try await cluster.kill("node2")
    let error = await #expect(throws: ClusterError.self) { try await cluster.removeNode("node3") }
    #expect(
      error?.description
        == "node2 is down, and without node3 too few of the owners of some keys would answer")
    #expect(error?.advice == [.restart("node2")])
    #expect(try await cluster.get("a") == "1")
    try await cluster.removeNode("node2")
    #expect(try await cluster.get("a") == "1")
    await cluster.close()
  }

  @Test("The data folder is private to its user")
  func isPrivate() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    try await cluster.put("a", "1")
    func mode(_ path: String) throws -> Int {
      try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }
    #expect(try mode(fixture.folder) == 0o700)
    #expect(try mode("\(fixture.folder)/node1.wal") == 0o700)
    #expect(try mode("\(fixture.folder)/configuration") == 0o600)
    #expect(try mode("\(fixture.folder)/node1.wal/\(LogFormat.segmentName(1))") == 0o600)
    await cluster.close()
  }

  @Test("An ephemeral cluster leaves nothing behind")
  func isEphemeral() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open { $0.isEphemeral = true }
    try await cluster.put("a", "1")
    await cluster.close()
    #expect(!FileManager.default.fileExists(atPath: fixture.folder))
  }

  @Test("Keys are listed in order, by prefix, up to a limit, without the deleted")
  func listsKeys() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    for key in ["b", "a2", "a1", "a3", "c"] { try await cluster.put(key, "1") }
    _ = try await cluster.delete(bytes("a2"))
    #expect(
      try cluster.keys(prefix: [], limit: 10) == KeyListing(keys: ["a1", "a3", "b", "c"].map(bytes), isComplete: true))
    #expect(try cluster.keys(prefix: bytes("a"), limit: 1) == KeyListing(keys: [bytes("a1")], isComplete: false))
    await cluster.close()
  }

  @Test("Events tell what happened, in order, live and afterwards")
  func tellsEvents() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    let heard = Task { await cluster.events().first { $0.kind == .restart } }
    try await cluster.kill("node3")
    try await cluster.restart("node3")
    let kinds = cluster.events(after: 0).map(\.kind)
    #expect(kinds == [.cluster, .kill, .restart])
    #expect(cluster.events(after: 2).map(\.kind) == [.restart])
    // The listener may have come too late for the first restart.
    try await cluster.kill("node3")
    try await cluster.restart("node3")
    #expect(await heard.value?.node == "node3")
    await cluster.close()
  }
}
