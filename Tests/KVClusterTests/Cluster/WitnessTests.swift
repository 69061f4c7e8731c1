import Foundation
import Testing

@testable import KVCluster

extension ClusterFixture {
  /// Copies a file or folder below the data folder, or all of it, to a place beside it.
  func save(_ name: String, as copy: String) throws {
    try FileManager.default.copyItem(atPath: "\(folder)/\(name)", toPath: "\(folder).\(copy)")
  }

  /// Puts a saved file or folder in the place of what is there.
  func putBack(_ copy: String, as name: String) throws {
    try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
    try FileManager.default.copyItem(atPath: "\(folder).\(copy)", toPath: "\(folder)/\(name)")
  }

  func removeSaved(_ copies: [String]) {
    for copy in copies { try? FileManager.default.removeItem(atPath: "\(folder).\(copy)") }
  }

  /// Overwrites a file below the folder with zeros from an offset on.
  func zero(_ file: String, from offset: Int) throws {
    let url = URL(fileURLWithPath: "\(folder)/\(file)")
    let bytes = try Data(contentsOf: url)
    try (bytes.prefix(offset) + Data(count: max(0, bytes.count - offset))).write(to: url)
  }

  /// Twenty keys of which node1 and node3 have the value "new", and node2, which was away, "old". Closed.
  func fillWithTwoVersions() async throws {
    let cluster = try await open()
    for i in 0..<20 { try await cluster.put("key\(i)", "old") }
    try cluster.pause("node2")
    for i in 0..<20 { try await cluster.put("key\(i)", "new") }
    await cluster.close()
  }

  /// Whether no get of ``fillWithTwoVersions()``'s keys finds the older version.
  func hasNoOldValue() async throws -> Bool {
    let cluster = try await open { $0.operationTimeoutNs = 300_000_000 }
    var values: [String?] = []
    for i in 0..<20 { if let value = try? await cluster.get("key\(i)") { values.append(value) } }
    await cluster.close()
    return values.allSatisfy { $0 == "new" }
  }
}

private func refusal(_ body: () async throws -> Void) async -> String {
  do {
    try await body()
    return "nothing was thrown"
  } catch {
    return "\(error)"
  }
}

@Suite struct WitnessTests {
  @Test(
    "A closed log that was cut short or zeroed to its end is noticed by a start and by verify, under every policy",
    arguments: FsyncPolicy.allCases, [false, true])
  func noticesShortLogs(fsync: FsyncPolicy, isZeroed: Bool) async throws {
    for part in 0..<4 {
      let fixture = try ClusterFixture(fsync: fsync)
      try await fixture.fillWithTwoVersions()
      #expect(try fixture.verify().isClean)
      let file = fixture.segment(1, of: "node3")
      let last = try fixture.offset(of: "key19new", in: "node3")
      let offset = [0, 128, 1_000, last][part]
      if isZeroed { try fixture.zero(file, from: offset) } else { try fixture.setLength(UInt64(offset), of: file) }
      let damage = try fixture.verify().nodes[2].damage
      #expect(!damage.isEmpty, "verify sees nothing: \(offset)")
      #expect(try await fixture.hasNoOldValue(), "an old value: \(offset)")
      let cluster = try await fixture.open()
      // Rebuilt. A segment without a whole header or first record is emptied, any other is good up to its end.
      #expect(try await until { cluster.suspects.isEmpty && !cluster.hasDamagedSegments("node3") })
      for i in 0..<20 { #expect(try await cluster.get("key\(i)") == "new") }
      await cluster.close()
      let report = try fixture.verify()
      #expect(report.isClean, "\(report)")
    }
  }

  @Test(
    "A node's folder from before its last writes is noticed, with its witness and without",
    arguments: FsyncPolicy.allCases,
    [false, true])
  func noticesOlderFolder(fsync: FsyncPolicy, hasWitness: Bool) async throws {
    let fixture = try ClusterFixture(fsync: fsync)
    let cluster = try await fixture.open()
    for i in 0..<20 { try await cluster.put("key\(i)", "old") }
    await cluster.close()
    try fixture.save("node3.wal", as: "older")
    defer { fixture.removeSaved(["older"]) }
    try await fixture.fillWithTwoVersions()
    try fixture.putBack("older", as: "node3.wal")
    if !hasWitness { try FileManager.default.removeItem(atPath: "\(fixture.folder)/node3.wal/witness") }
    #expect(try fixture.verify().nodes[2].damage.contains { $0.reason.contains("is an older copy") })
    #expect(try await fixture.hasNoOldValue())
    // And its mark outlives the start that found it.
    let again = try await fixture.open()
    #expect(try await until { again.suspects.isEmpty })
    for i in 0..<20 { #expect(try await again.get("key\(i)") == "new") }
    await again.close()
    #expect(try fixture.verify().isClean)
  }

  @Test(
    "No file of a node's folder, older, shortened, zeroed, missing or of a clone, makes a get return an older value",
    arguments: ["segments", "lease", "checkpoint", "witness", "suspect", LogFormat.segmentName(1)])
  func survivesEachFile(name: String) async throws {
    let origin = try ClusterFixture(fsync: .everysec)
    let first = try await origin.open()
    for i in 0..<20 { try await first.put("key\(i)", "old") }
    await first.close()
    let older = try Data(contentsOf: URL(fileURLWithPath: "\(origin.folder)/node3.wal/segments"))
    let oldFile = FileManager.default.contents(atPath: "\(origin.folder)/node3.wal/\(name)")
    let clone = try ClusterFixture(fsync: .everysec)
    try FileManager.default.copyItem(atPath: origin.folder, toPath: clone.folder)
    let other = try await clone.open()
    try await other.put("key0", "clone")
    await other.close()
    try await origin.fillWithTwoVersions()
    #expect(!older.isEmpty)
    for change in ["older", "half", "zeroed", "missing", "clone"] {
      let fixture = try ClusterFixture(fsync: .everysec)
      try FileManager.default.copyItem(atPath: origin.folder, toPath: fixture.folder)
      let path = "\(fixture.folder)/node3.wal/\(name)"
      let bytes = FileManager.default.contents(atPath: path) ?? Data()
      try? FileManager.default.removeItem(atPath: path)
      switch change {
      case "older": try oldFile?.write(to: URL(fileURLWithPath: path))
      case "half": try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: path))
      case "zeroed": try Data(count: bytes.count).write(to: URL(fileURLWithPath: path))
      case "clone":
        let cloned = FileManager.default.contents(atPath: "\(clone.folder)/node3.wal/\(name)")
        try cloned?.write(to: URL(fileURLWithPath: path))
      default: break
      }
      #expect(try await fixture.hasNoOldValue(), "\(name) \(change)")
    }
  }

  @Test("An older list of segments frees no file that it does not name")
  func keepsUnlistedSegments() async throws {
    let fixture = try ClusterFixture(fsync: .everysec)
    let cluster = try await fixture.open { $0.segmentBytes = 1 << 20 }
    try await cluster.put("key", "value")
    await cluster.close()
    try fixture.save("node3.wal/segments", as: "older")
    defer { fixture.removeSaved(["older"]) }
    let second = try await fixture.open { $0.segmentBytes = 1 << 20 }
    let value = String(repeating: "v", count: 10_000)
    for i in 0..<300 { try await second.put("key\(i)", value) }
    await second.close()
    let before = try fixture.names(in: "node3.wal").filter { LogFormat.segmentID(ofName: $0) != nil }
    #expect(before.count > 2)
    try fixture.putBack("older", as: "node3.wal/segments")
    #expect(try fixture.verify().nodes[2].damage.map(\.reason) == ["the list of segments is older than the log"])
    let third = try await fixture.open { $0.segmentBytes = 1 << 20 }
    #expect(try await until { third.suspects.isEmpty })
    for i in 0..<300 { #expect(try await third.get("key\(i)") == value) }
    await third.close()
    #expect(try fixture.verify().isClean)
  }

  @Test("A configuration from before a join is refused with what to do, and the newest one opens")
  func refusesOlderConfiguration() async throws {
    let fixture = try ClusterFixture(fsync: .everysec)
    let cluster = try await fixture.open()
    try await cluster.put("key", "value")
    try fixture.save("configuration", as: "older")
    try await cluster.addNode("node4")
    try fixture.save("configuration", as: "newest")
    defer { fixture.removeSaved(["older", "newest"]) }
    await cluster.close()
    for removed in [[], ["witness"], ["node1.wal/witness", "node2.wal/witness", "node3.wal/witness", "witness"]] {
      for name in removed { try FileManager.default.removeItem(atPath: "\(fixture.folder)/\(name)") }
      try fixture.putBack("older", as: "configuration")
      let words = await refusal { _ = try await fixture.open() }
      #expect(
        words.contains(
          "the configuration is of epoch 1, and the nodes have served under epoch 3: it is an older one, and keys would not "
            + "be found. Put the newest one back, or restore a whole backup"), "\(words)")
      #expect(try fixture.verify().damage.map(\.file) == ["configuration"])
      try fixture.putBack("newest", as: "configuration")
      let again = try await fixture.open()
      #expect(again.suspects.isEmpty)
      #expect(try await again.get("key") == "value")
      await again.close()
    }
  }

  @Test("Of two copies of a folder that were both used none takes a node's folder of the other, nor the configuration")
  func refusesForeignFolders() async throws {
    let (fixture, clone) = (try await ClusterFixture.filled(), try ClusterFixture(fsync: .always))
    try FileManager.default.copyItem(atPath: fixture.folder, toPath: clone.folder)
    for (one, value) in [(fixture, "here"), (clone, "there")] {
      let cluster = try await one.open()
      try await cluster.put("key10", value)
      await cluster.close()
      #expect(try one.verify().isClean)
    }
    try FileManager.default.copyItem(atPath: "\(clone.folder)/node3.wal", toPath: "\(fixture.folder).foreign")
    defer { fixture.removeSaved(["foreign"]) }
    try fixture.putBack("foreign", as: "node3.wal")
    #expect(try fixture.verify().nodes[2].damage.contains { $0.reason.contains("in use in another copy") })
    for _ in 0..<2 {
      let cluster = try await fixture.open()
      let words = cluster.status().nodes.map { "\($0.state)" }
      #expect(words[2].contains("remove node3.wal, and the node is rebuilt from the others"), "\(words)")
      #expect(try await cluster.get("key10") == "here")
      let again = await refusal { try await cluster.restart("node3") }
      #expect(again.contains("in use in another copy"))
      await cluster.close()
    }
    try FileManager.default.removeItem(atPath: "\(fixture.folder)/node3.wal")
    let rebuilt = try await fixture.open()
    #expect(try await until { rebuilt.suspects.isEmpty })
    #expect(try await rebuilt.get("key10") == "here")
    await rebuilt.close()
    #expect(try fixture.verify().isClean)
    for name in ["configuration", "witness"] {
      try FileManager.default.removeItem(atPath: "\(fixture.folder)/\(name)")
      try FileManager.default.copyItem(atPath: "\(clone.folder)/\(name)", toPath: "\(fixture.folder)/\(name)")
    }
    let refused = await refusal { _ = try await fixture.open() }
    #expect(refused.contains("Put back all files of one copy"), "\(refused)")
  }

  @Test("Without any witness, as an earlier version leaves it, and with damaged ones, a folder opens and all is there")
  func opensWithoutWitness() async throws {
    for isDamaged in [false, true] {
      let fixture = try await ClusterFixture.filled()
      for folder in ["", "node1.wal/", "node2.wal/", "node3.wal/"] {
        if isDamaged {
          try fixture.flip(file: "\(folder)witness", at: 30)
        } else {
          try FileManager.default.removeItem(atPath: "\(fixture.folder)/\(folder)witness")
        }
      }
      #expect(try fixture.verify().isClean != isDamaged)
      let cluster = try await fixture.open()
      #expect(cluster.suspects.isEmpty)
      await cluster.close()
      #expect(try fixture.verify().isClean)
      #expect(try await fixture.hasAll())
    }
  }

  @Test("A mark that was removed from a node's folder is put back by the other folders")
  func remembersSuspicion() async throws {
    let fixture = try await ClusterFixture.filled()
    let cluster = try await fixture.open()
    try await cluster.kill("node2")
    await cluster.close()
    // With one other owner nobody can rebuild it.
    try fixture.fillWithNoise("node3")
    let marked = try await fixture.open()
    #expect(marked.suspects == ["node3"])
    await marked.close()
    try FileManager.default.removeItem(atPath: "\(fixture.folder)/node3.wal/suspect")
    #expect(try fixture.verify().nodes[2].damage.contains { $0.reason.contains("say the other folders") })
    let again = try await fixture.open()
    #expect(again.suspects == ["node3"])
    await again.close()
  }

  @Test("A witness reads back, and nonsense is none")
  func readsBack() throws {
    var witness = Witness(clusterID: 0x6b1f)
    for name in 1...200 as ClosedRange<UInt64> { witness.begin(name) }
    witness.note(Configuration(clusterID: 0x6b1f, quorum: QuorumSettings(), nodeNames: ["node1", "node2", "node3"]))
    witness.note(
      "node1", synced: LogPosition(segment: 5, offset: 10_000), written: LogPosition(segment: 5, offset: 12_008), nil)
    witness.note("node2", synced: .start, written: .start, .unsynced)
    witness.note("node3", synced: LogPosition(segment: 1, offset: 128), written: .start, .lost)
    #expect(Witness(witness.bytes) == witness)
    #expect(witness.names.count == Witness.namesMax && witness.log("node3")?.written.offset == 128)
    let text = String(decoding: witness.bytes.dropLast(18), as: UTF8.self)
    for (good, bad) in [("5:10000", "5:999999999999"), ("5:10000", "18446744073709551615:8"), ("whole", "fine")] {
      #expect(Witness(CheckedText.encode(text.replacing(good, with: bad))) == nil)
    }
    #expect(Witness([]) == nil)
  }

  @Test("Two starts are of one history if one knows the other's name, or was away for too long to tell")
  func comparesHistories() {
    var a = Witness(clusterID: 1)
    for name in 1...10 as ClosedRange<UInt64> { a.begin(name) }
    var b = a
    #expect(a.isOfOneHistory(with: b))
    b.begin(11)
    #expect(a.isOfOneHistory(with: b) && b.isOfOneHistory(with: a))
    a.begin(12)
    #expect(!a.isOfOneHistory(with: b))
    a.begin(13)
    #expect(!a.isOfOneHistory(with: b) && !b.isOfOneHistory(with: a))
    for name in 100...300 as ClosedRange<UInt64> { a.begin(name) }
    #expect(a.isOfOneHistory(with: b))
  }
}
