import Foundation
import Testing

@testable import KVCluster

@Suite struct BatchTests {
  private func pairs(_ pairs: KeyValuePairs<String, String>) -> [KeyValue] {
    pairs.map { KeyValue(bytes($0.key), bytes($0.value)) }
  }

  @Test("Keys are written together, read together and one by one; of a key that comes twice the last value counts")
  func writesTogether() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open(nodes: 5)
    try await cluster.putTogether(pairs(["a": "1", "b": "2", "c": "", "a": "3"]))
    let keys = ["a", "b", "c", "none"].map(bytes)
    #expect(try await cluster.readTogether(keys) == [bytes("3"), bytes("2"), [], nil])
    #expect(
      try await cluster.getAll(keys + keys) == [bytes("3"), bytes("2"), [], nil, bytes("3"), bytes("2"), [], nil])
    try await cluster.putAll((0..<200).map { KeyValue(bytes("k\($0)"), bytes("v\($0)")) })
    let many = (0..<201).map { bytes("k\($0)") }
    #expect(try await cluster.getAll(many) == (0..<200).map { bytes("v\($0)") } + [nil])
    await cluster.close()
  }

  @Test("A thread reads many keys into its own memory, each once")
  func readsManyOnAThread() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    try await cluster.putAll((0..<100).map { KeyValue(bytes("k\($0)"), bytes("v\($0)")) })
    var found = [String?](repeating: "not told", count: 101)
    let keys = (0...100).map { bytes("k\($0)") }
    let storage = keys.map { UnsafeMutableRawBufferPointer.allocate(byteCount: $0.count, alignment: 1) }
    defer { for buffer in storage { buffer.deallocate() } }
    for (key, buffer) in zip(keys, storage) { buffer.copyBytes(from: key) }
    try storage.map { UnsafeRawBufferPointer($0) }.withUnsafeBufferPointer { keys throws(ClusterError) in
      try cluster.getAllBlocking(keys) { number, value in
        found[number] = value.map { String(decoding: $0, as: UTF8.self) }
      }
    }
    #expect(found == (0..<100).map { "v\($0)" } + [nil])
    await cluster.close()
  }

  @Test("What is out of bounds is refused, and nothing is written")
  func refuses() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    await #expect(throws: ClusterError.self) { try await cluster.putTogether([]) }
    await #expect(throws: ClusterError.self) { try await cluster.putTogether(pairs(["a": "1", "": "2"])) }
    await #expect(throws: ClusterError.invalidArgument("a batch names each key once")) {
      try await cluster.readTogether([bytes("a"), bytes("a")])
    }
    #expect(try await cluster.get("a") == nil)
    await cluster.close()
  }

  @Test("Without enough owners of one key none is written, and the error says who does not answer")
  func refusesWhole() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    try await cluster.kill("node1")
    try await cluster.putTogether(pairs(["a": "1", "b": "1"]))
    try await cluster.kill("node2")
    await #expect(throws: ClusterError.self) { try await cluster.putTogether(pairs(["a": "2", "b": "2"])) }
    try await cluster.restart("node1")
    try await cluster.restart("node2")
    #expect(try await cluster.readTogether([bytes("a"), bytes("b")]) == [bytes("1"), bytes("1")])
    await cluster.close()
  }

  @Test(
    "Money moves between accounts while others read all at once: the sum is the same at each moment",
    arguments: [false, true])
  func isIsolated(isEphemeral: Bool) async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open(nodes: 4) { $0.isEphemeral = isEphemeral }
    let accounts = (0..<8).map { bytes("account\($0)") }
    try await cluster.putTogether(accounts.map { KeyValue($0, bytes("100")) })
    let number = { @Sendable (value: [UInt8]?) in value.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0 }
    let sums = await withTaskGroup(of: Set<Int>.self) { group in
      for worker in 0..<4 {
        group.addTask {
          for i in 0..<60 {
            let (from, to) = ((worker + i) % 8, (worker * 3 + i * 5 + 1) % 8)
            guard from != to else { continue }
            try? await cluster.update(all: [accounts[from], accounts[to]]) { values in
              let (a, b) = (number(values[0]) - 1, number(values[1]) + 1)
              return ([.put(Array("\(a)".utf8)), .put(Array("\(b)".utf8))], ())
            }
          }
          return []
        }
      }
      group.addTask {
        var sums: Set<Int> = []
        for _ in 0..<100 {
          let values = try? await cluster.readTogether(accounts)
          sums.insert(values?.reduce(0) { $0 + number($1) } ?? -1)
        }
        return sums
      }
      return await group.reduce(into: Set<Int>()) { $0.formUnion($1) }
    }
    #expect(sums == [800])
    await cluster.close()
  }

  @Test("While links are faulty a batch goes on with the nodes that are reached, and is seen by all when they heal")
  func goesByMessage() async throws {
    let fixture = try ClusterFixture()
    let cluster = try await fixture.open()
    try cluster.partition([["node1"], ["node2", "node3"]])
    try await cluster.putTogether(pairs(["a": "1", "b": "1", "c": "1"]))
    #expect(try await cluster.readTogether(["a", "b", "c"].map(bytes)) == [bytes("1"), bytes("1"), bytes("1")])
    cluster.heal()
    #expect(try await cluster.getAll(["a", "b", "c"].map(bytes)) == [bytes("1"), bytes("1"), bytes("1")])
    await cluster.close()
  }

  @Test("An orderly end leaves no journal; a damaged one is named, and the folder opens without it")
  func journalAtRest() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    var cluster = try await fixture.open()
    try await cluster.putTogether(pairs(["a": "1", "b": "1"]))
    await cluster.close()
    let path = "\(fixture.folder)/\(BatchJournal.name)"
    #expect(!FileManager.default.fileExists(atPath: path))
    try Data("no journal".utf8).write(to: URL(fileURLWithPath: path))
    let refusing = try Cluster.open(ClusterOptions(dataFolder: fixture.folder))
    await #expect(throws: ClusterError.self) { try await refusing.ready() }
    await refusing.close()
    let report = try Verification.run(FolderAtRest(fixture.folder), progress: { _ in true })
    #expect(report?.damage.map(\.file) == [BatchJournal.name])
    try FileManager.default.removeItem(atPath: path)
    cluster = try await fixture.open()
    #expect(try await cluster.get("a") == "1")
    await cluster.close()
  }

  @Test("A journal's bytes are what they were, and any change of them is found")
  func journalBytes() {
    let base = Stamp(KVCluster.Tag(counter: 7, coordinator: 0), isTombstone: false)
    let writes = (0..<3).map { i -> BatchedWrite in
      let (key, isTombstone) = (bytes("key\(i)"), i == 1)
      let tag = KVCluster.Tag(counter: UInt64(9 + i), coordinator: 0)
      let stamp = base.successor(tag, isTombstone: isTombstone, forgotten: .none)
      let body = isTombstone ? [] : bytes("value")
      return BatchedWrite(key: key, hash: key.withUnsafeBytes(Ring.hash), stamp: stamp, body: body)
    }
    let encoded = BatchJournal(disk: PosixDisk(root: "/tmp"), clusterID: 5).encode(writes)
    #expect(BatchJournal.decode(encoded, of: 5) == writes)
    #expect(BatchJournal.decode(encoded, of: nil) == writes)
    #expect(BatchJournal.decode(encoded, of: 6) == nil)
    for i in encoded.indices {
      var changed = encoded
      changed[i] ^= 0x10
      #expect(BatchJournal.decode(changed, of: nil) == nil, "byte \(i)")
      #expect(BatchJournal.decode(Array(encoded.prefix(i)), of: nil) == nil)
    }
  }
}
