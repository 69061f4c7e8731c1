import Foundation
import Testing

@testable import KVCluster

extension ClusterFixture {
  func verify() throws -> VerificationReport { try #require(try Verification.run(FolderAtRest(folder))) }

  /// Copies the folder while it is open. A small file may be replaced meanwhile: then it is copied once more.
  func copyOpen(to copy: ClusterFixture) async throws {
    for attempt in 1... {
      do {
        return try FileManager.default.copyItem(atPath: folder, toPath: copy.folder)
      } catch  where attempt < 5 {
        try FileManager.default.removeItem(atPath: copy.folder)
      }
    }
  }

  /// Every file of the folder with its bytes and the time of its last change.
  func picture() throws -> [String: Data] {
    var files: [String: Data] = [:]
    let manager = FileManager.default
    for name in try manager.subpathsOfDirectory(atPath: folder) {
      let path = "\(folder)/\(name)"
      let changed = try #require(try manager.attributesOfItem(atPath: path)[.modificationDate] as? Date)
      files[name] = (manager.contents(atPath: path) ?? Data()) + Data("\(changed.timeIntervalSince1970)".utf8)
    }
    return files
  }

  /// Flips the bits of one byte of a file below the folder.
  func flip(file: String, at offset: Int) throws {
    let handle = try #require(FileHandle(forUpdatingAtPath: "\(folder)/\(file)"))
    try handle.seek(toOffset: UInt64(offset))
    let byte = try #require(try handle.read(upToCount: 1))[0]
    try handle.seek(toOffset: UInt64(offset))
    try handle.write(contentsOf: [byte ^ 0xff])
    try handle.close()
  }

  func segment(_ id: UInt64, of node: String) -> String { "\(node).wal/\(LogFormat.segmentName(id))" }

  /// Where a record's key begins in the node's first segment.
  func offset(of text: String, in node: String) throws -> Int {
    let bytes = try #require(FileManager.default.contents(atPath: "\(folder)/\(segment(1, of: node))"))
    return try #require(bytes.range(of: Data(text.utf8))).lowerBound
  }

  /// A closed cluster of fifty keys.
  static func filled() async throws -> ClusterFixture {
    let fixture = try ClusterFixture(fsync: .always)
    let cluster = try await fixture.open()
    for i in 10..<60 { try await cluster.put("key\(i)", "value") }
    await cluster.close()
    return fixture
  }
}

@Suite struct VerificationTests {
  @Test("A folder without damage is counted, and not a byte of it changes")
  func countsCleanFolder() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    let cluster = try await fixture.open()
    for i in 10..<60 { try await cluster.put("key\(i)", "value") }
    for i in 10..<20 { try await cluster.put("key\(i)", "again") }
    for i in 20..<25 { _ = try await cluster.delete(bytes("key\(i)")) }
    await cluster.close()
    let before = try fixture.picture()
    let report = try fixture.verify()
    #expect(try fixture.picture() == before)
    #expect(report.isClean, "\(report)")
    #expect(report.remarks == [])
    #expect(report.nodes.map(\.name) == ["node1", "node2", "node3"])
    for node in report.nodes {
      #expect(node.segments == 1)
      #expect(node.records == 65)
      #expect(node.keys == 45)
      #expect(node.tombstones == 5)
      #expect(node.hints == 0)
      #expect(node.torn == nil)
      // A record of 24 + 5 + 5 bytes takes 40, a tombstone 32.
      #expect(node.liveBytes == 45 * 40 + 5 * 32)
      #expect(node.deadBytes > 15 * 40)
    }
  }

  @Test("Writes that a killed node missed are counted as hints")
  func countsHints() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    let cluster = try await fixture.open()
    try await cluster.kill("node3")
    for i in 0..<10 { try await cluster.put("key\(i)", "value") }
    await cluster.close()
    let report = try fixture.verify()
    #expect(report.isClean, "\(report)")
    #expect(report.nodes.map(\.isKilled) == [false, false, true])
    #expect(report.nodes[0].hints + report.nodes[1].hints >= 10)
  }

  @Test("A flipped byte of a header, key or value is found where its record begins", arguments: [8, 20, 24, 29, 33])
  func findsDamagedRecord(byte: Int) async throws {
    let fixture = try await ClusterFixture.filled()
    let start = try fixture.offset(of: "key30", in: "node2") - LogFormat.recordHeaderBytes
    try fixture.flip("node2", at: start + byte)
    let before = try fixture.picture()
    let report = try fixture.verify()
    #expect(try fixture.picture() == before)
    #expect(report.nodes[1].damage.map(\.file) == [fixture.segment(1, of: "node2")])
    #expect(report.nodes[1].damage.map(\.offset) == [start])
    #expect(report.allDamage.count == 1)
    #expect(report.nodes[1].damage[0].reason.contains("value") == (byte >= 29))
  }

  @Test("A damaged segment header is found at the field that is wrong")
  func findsDamagedSegmentHeader() async throws {
    let fixture = try await ClusterFixture.filled()
    try fixture.flip("node1", at: 40)
    try fixture.flip("node2", at: 2)
    let report = try fixture.verify()
    #expect(report.nodes[0].damage.map(\.reason) == ["header checksum does not match"])
    #expect(report.nodes[1].damage.map(\.reason) == ["not a kvstore segment"])
    #expect(report.nodes[2].damage.isEmpty)
  }

  @Test("A segment whose seal is damaged is found where the seal stood")
  func findsDamagedSeal() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    let cluster = try await fixture.open()
    try await cluster.put("before", "value")
    let log = try #require(cluster.parts.roster.node(named: "node1")?.replica).store.log
    // The mark of the last sync is written behind it.
    #expect(try await until { log.durable == log.end })
    let seal = log.end.offset
    try log.sealTail()
    try await cluster.put("after", "value")
    await cluster.close()
    #expect(try fixture.verify().isClean)
    try fixture.flip("node1", at: seal + 3)
    let damage = try fixture.verify().nodes[0].damage
    #expect(damage.map(\.file) == [fixture.segment(1, of: "node1")])
    #expect(damage.map(\.offset) == [seal])
    #expect(damage.map(\.reason) == ["the segment's end is missing"])
  }

  @Test(
    "Damaged small files are found, each by its name",
    arguments: ["node1.wal/segments", "node1.wal/lease", "configuration"])
  func findsDamagedSmallFile(file: String) async throws {
    let fixture = try await ClusterFixture.filled()
    try fixture.flip(file: file, at: 9)
    let report = try fixture.verify()
    #expect(report.allDamage.map(\.file) == [file])
    #expect(report.nodes.map(\.records) == [50, 50, 50])
  }

  @Test("What is missing is found: a segment, a log, a lease")
  func findsWhatIsMissing() async throws {
    let fixture = try await ClusterFixture.filled()
    try FileManager.default.removeItem(atPath: "\(fixture.folder)/\(fixture.segment(1, of: "node1"))")
    try FileManager.default.removeItem(atPath: "\(fixture.folder)/node2.wal")
    try FileManager.default.removeItem(atPath: "\(fixture.folder)/node3.wal/lease")
    let report = try fixture.verify()
    #expect(
      report.nodes.map { $0.damage.map(\.reason) } == [
        ["the segment's file is missing"], ["the log is missing"], ["the lease is missing"],
      ])
  }

  @Test("A torn tail is reported and is not damage")
  func tellsTornTail() async throws {
    let fixture = try ClusterFixture(fsync: .everysec)
    let cluster = try await fixture.open()
    try await cluster.put("first", "value")
    let replica = try #require(cluster.parts.roster.node(named: "node1")?.replica)
    replica.commit.syncNow()
    let copy = try ClusterFixture(fsync: .everysec)
    try await cluster.put("torn1", "value")
    try await cluster.put("after", "value")
    // As `kill -9` leaves it.
    try await fixture.copyOpen(to: copy)
    await cluster.close()
    let start = try copy.offset(of: "torn1", in: "node1") - LogFormat.recordHeaderBytes
    try copy.flip("node1", at: start + 4)
    // Nothing tears such a log but a loss of power.
    let damaged = try copy.verify()
    #expect(damaged.nodes.map(\.damage.count) == [1, 0, 0] && damaged.nodes[0].torn == nil, "\(damaged)")
    try BootMark(boot: "another", isSafe: false).text.write(
      toFile: "\(copy.folder)/boot", atomically: true, encoding: .utf8)
    let report = try copy.verify()
    #expect(report.isClean, "\(report)")
    #expect(report.nodes[0].torn?.offset == start)
    #expect(report.nodes[0].records == 1)
    #expect(report.nodes[1].torn == nil)
  }

  @Test("A damaged checkpoint is found; free files and leftovers are no damage")
  func findsDamagedCheckpoint() async throws {
    let fixture = try ClusterFixture(fsync: .always)
    let cluster = try await fixture.open()
    for i in 10..<60 { try await cluster.put("key\(i)", "value") }
    for replica in cluster.parts.roster.live { cluster.parts.nodes.writeCheckpoint(replica) }
    await cluster.close()
    let manager = FileManager.default
    try manager.copyItem(
      atPath: "\(fixture.folder)/\(fixture.segment(1, of: "node1"))",
      toPath: "\(fixture.folder)/node1.wal/\(LogFormat.freeName(7))")
    try Data().write(to: URL(fileURLWithPath: "\(fixture.folder)/node1.wal/lease.new"))
    let clean = try fixture.verify()
    #expect(clean.isClean, "\(clean)")
    #expect(clean.nodes[0].freeFiles == 1)
    #expect(clean.nodes[0].records == 50)
    #expect(clean.remarks == ["node1.wal/lease.new is left over from a crash"])
    try fixture.flip(file: "node1.wal/checkpoint", at: 30)
    let size = try #require(manager.contents(atPath: "\(fixture.folder)/node2.wal/checkpoint")).count
    try fixture.flip(file: "node2.wal/checkpoint", at: size - 1)
    let report = try fixture.verify()
    #expect(report.nodes.map { $0.damage.map(\.file) } == [["node1.wal/checkpoint"], ["node2.wal/checkpoint"], []])
    #expect(report.nodes[1].damage[0].offset > 48)
  }

  @Test("What cannot be verified is refused with the reason")
  func refuses() async throws {
    let fixture = try ClusterFixture()
    func refusal() -> String {
      do throws(ClusterError) {
        return "\(String(describing: try Verification.run(FolderAtRest(fixture.folder))))"
      } catch {
        return error.description
      }
    }
    #expect(refusal() == "cannot open \(fixture.folder): No such file or directory")
    try FileManager.default.createDirectory(atPath: fixture.folder, withIntermediateDirectories: true)
    #expect(refusal() == "\(fixture.folder) is not a kvstore folder: it has neither a configuration nor logs")
    let cluster = try await fixture.open()
    #expect(refusal().hasSuffix("is in use by process \(getpid()): close that one first"))
    // Without its file the folder is in use all the same.
    try FileManager.default.removeItem(atPath: "\(fixture.folder)/lock")
    #expect(refusal().hasSuffix("is in use by another process: close that one first"))
    #expect(throws: ClusterError.self) { try DataFolder(fixture.folder, .never) }
    await cluster.close()
    let configuration = "\(fixture.folder)/configuration"
    let text = try String(contentsOfFile: configuration, encoding: .utf8)
    try text.replacing("configuration 1", with: "configuration 99").write(
      toFile: configuration, atomically: true, encoding: .utf8)
    #expect(refusal().contains("newer kvstore"))
  }

  @Test("Tools may read a folder together, and no cluster opens it meanwhile")
  func sharesLock() async throws {
    let fixture = try await ClusterFixture.filled()
    let reading = try FolderAtRest(fixture.folder)
    #expect(try fixture.verify().isClean)
    await #expect(throws: ClusterError.self) { try await fixture.open() }
    withExtendedLifetime(reading) {}
  }

  @Test(
    "What keeps a start from opening a small file is a finding, whatever is in it, and says what it is",
    arguments: ["boot", "lease", "witness", "node1.wal/lease", "node1.wal/witness", "node1.wal/segments"])
  func findsUnreadable(name: String) async throws {
    let fixture = try ClusterFixture(fsync: .never)
    let cluster = try await fixture.open()
    try await cluster.put("key", "value")
    await cluster.close()
    #expect(try fixture.verify().isClean)
    let path = "\(fixture.folder)/\(name)"
    #expect(unlink(path) == 0 && mkfifo(path, 0o600) == 0)
    let damage = try fixture.verify().allDamage
    #expect(damage.contains { $0.file == name && $0.reason.contains("it is not a regular file") }, "\(damage)")
    #expect(!damage.contains { $0.reason.contains("checksum") }, "\(damage)")
  }
}
