import Foundation
import KVSimulator
import Testing

@testable import KVCluster

/// Files whose checksums are right and whose contents nobody wrote.
@Suite struct HostileTests {
  @Test("Records without a key are no records, however many there are")
  func refusesEmptyKeys() throws {
    let fixture = try StoreFixture()
    try fixture.write("a", "1", counter: 1)
    let seed = LogFormat.seed(clusterID: StoreFixture.identity.clusterID, segment: 1)
    let first = fixture.store.log.end.offset
    try fixture.withSegment { base in
      let empty = UnsafeRawBufferPointer(start: UnsafeRawPointer(base), count: 0)
      for at in stride(from: first, to: 16_384 - LogFormat.recordHeaderBytes, by: LogFormat.recordHeaderBytes) {
        RecordView.write(
          to: base, at: at, seed: seed, kind: .value, tag: KVCluster.Tag(counter: 2, coordinator: 0), key: empty,
          value: empty, valueChecksum: 0)
      }
    }
    fixture.store.log.close()
    #expect(try fixture.disk.verifyLog().damage.isEmpty)
    #expect(try fixture.reopened().read("a") == "1")
  }

  @Test(
    "A file of text that is longer than any can be is refused before it is read, and so is a checkpoint of nothing",
    arguments: [
      "configuration", "witness", "boot", "lease", "node1.wal/segments", "node1.wal/suspect", "node1.wal/checkpoint",
    ])
  func refusesGiants(name: String) throws {
    let folder = NSTemporaryDirectory() + "kvstore-giants-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: "\(folder)/node1.wal", withIntermediateDirectories: true)
    #expect(FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: nil))
    #expect(truncate("\(folder)/\(name)", 300 << 30) == 0)
    let error = #expect(throws: StorageError.self) { try PosixDisk(root: folder).read(name) }
    #expect(error?.description.contains("322122547200 bytes long") ?? false)
  }

  @Test("A segment whose records leave no room for its seal takes no more, and counts as damaged")
  func leavesFullSegment() throws {
    let fixture = try StoreFixture()
    fixture.store.log.close()
    let path = "node1.wal/\(LogFormat.segmentName(1))"
    var bytes = try #require(fixture.disk.bytes(path))
    // One record up to the very end of the file.
    let (at, key) = (LogFormat.segmentHeaderBytes, Array("full".utf8))
    let value = [UInt8](repeating: 7, count: bytes.count - at - LogFormat.recordHeaderBytes - key.count)
    let seed = LogFormat.seed(clusterID: StoreFixture.identity.clusterID, segment: 1)
    bytes.withUnsafeMutableBytes { bytes in
      key.withBytes { key in
        value.withBytes { value in
          RecordView.write(
            to: bytes.baseAddress!, at: at, seed: seed, kind: .value, tag: KVCluster.Tag(counter: 5, coordinator: 0),
            key: key, value: value, valueChecksum: Checksum.crc32c(value))
        }
      }
    }
    fixture.disk.put(path, bytes)
    let again = try fixture.reopened()
    #expect(again.store.isSuspect && again.store.log.end.segment == 2)
    try again.write("more", "1", counter: 6)
    try again.store.log.sync()
    again.store.log.close()
    #expect(try fixture.reopened().store.log.end.segment == 2)
  }

  /// Changes each entry of a checkpoint's partition, and makes its checksum right again; returns where the next begins.
  private static func change(_ bytes: inout [UInt8], _ at: Int, _ change: (inout [UInt8], _ entry: Int) -> Void) -> Int
  {
    let count = Int(bytes[at])
    for i in 0..<count { change(&bytes, at + 8 + i * Checkpoint.entryBytes) }
    let body = Array(bytes[at + 8..<at + 8 + count * Checkpoint.entryBytes])
    let sum = body.withBytes { Checksum.crc32c($0, from: UInt32(count)) }
    for i in 0..<4 { bytes[at + 4 + i] = UInt8(truncatingIfNeeded: sum >> (8 * i)) }
    return at + 8 + count * Checkpoint.entryBytes
  }

  @Test("A segment stays while a checkpoint has named places in it at which no record begins")
  func keepsNamedSegment() throws {
    let fixture = try StoreFixture()
    for i in 0..<20 { try fixture.write("key\(i)", "value", counter: UInt64(i + 1)) }
    try fixture.checkpoint()
    fixture.store.log.close()
    var bytes = try #require(fixture.disk.bytes("node1.wal/checkpoint"))
    var at = Checkpoint.headerBytes + Checkpoint.segmentBytes
    for _ in 0..<Store.partitionCount { at = Self.change(&bytes, at) { $0[$1 + 8] ^= 8 } }
    fixture.disk.put("node1.wal/checkpoint", bytes)
    let again = try fixture.reopened()
    try again.store.log.sealTail()
    try again.store.log.sync()
    again.store.log.markDamaged(slot: again.store.log.settledSegments[0].slot)
    let compaction = try #require(Compaction.next(in: again.store))
    while try compaction.step(withPartition: { $1() }) {}
    #expect(!compaction.isComplete && compaction.damagedHashes.count == 20)
    again.store.log.close()
  }

  @Test("A checkpoint whose places lie outside of their segments is not believed")
  func boundsCheckpoint() throws {
    let fixture = try StoreFixture()
    for i in 0..<100 { try fixture.write("key\(i)", "value", counter: UInt64(i + 1)) }
    try fixture.checkpoint()
    fixture.store.log.close()
    let path = "node1.wal/checkpoint"
    let bytes = try #require(fixture.disk.bytes(path))
    // The end of the first segment, and every entry's place; each with a checksum that is right.
    for isEntry in [false, true] {
      var changed = bytes
      let table = Checkpoint.headerBytes + Checkpoint.segmentBytes
      if isEntry {
        var at = table
        for _ in 0..<Store.partitionCount { at = Self.change(&changed, at) { $0[$1 + 12] = 0xff } }
      } else {
        changed[Checkpoint.headerBytes + 16 + 6] = 0x7f
        let head = Array(changed[..<44] + changed[48..<table])
        let sum = head.withBytes { Checksum.crc32c($0) }
        for i in 0..<4 { changed[44 + i] = UInt8(truncatingIfNeeded: sum >> (8 * i)) }
      }
      fixture.disk.put(path, changed)
      let again = try fixture.reopened()
      for i in 0..<100 { #expect([nil, "value", "damaged"].contains(again.read("key\(i)"))) }
      again.store.log.close()
    }
  }

  @Test("Numbers beyond what there can be in lists, names and leases are none")
  func boundsNumbers() throws {
    let disk = SimulatedDisk(random: SeededRandom(seed: 1))
    for number in ["18446744073709551615", "18446744073709551616", "0", "1099511627776"] {
      disk.put("node1.wal/segments", CheckedText.encode("kvstore segments 1\n\(number)\n"))
      #expect(try LogManifest.read(from: disk, folder: "node1.wal") == nil)
      #expect(
        LogFormat.segmentID(ofName: "\(number).segment") == nil && LogFormat.freeID(ofName: "\(number).free") == nil)
    }
    for bound in ["18446744073709551615", "4503599627370496"] {
      disk.put("lease", CheckedText.encode("kvstore tag lease 1\nbelow \(bound)\n"))
      #expect(try TagLease.read(from: disk, folder: "") == nil)
    }
  }

  @Test(
    "A pipe, a link or a folder in the place of a file is refused by name or put aside, and never written through",
    arguments: ["lock", "configuration", "lease.new", "witness.new", "node1.wal/segments", "node1.wal/lease.new"])
  func refusesWhatIsNoFile(name: String) async throws {
    for kind in ["pipe", "link"] {
      let fixture = try await ClusterFixture.filled()
      let path = "\(fixture.folder)/\(name)"
      let target = "\(fixture.folder).target"
      defer { try? FileManager.default.removeItem(atPath: target) }
      try? FileManager.default.removeItem(atPath: path)
      try Data("precious".utf8).write(to: URL(fileURLWithPath: target))
      if kind == "pipe" {
        #expect(mkfifo(path, 0o600) == 0)
      } else {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
      }
      // Whether it opens or not: it does not wait, and leaves what the link leads to.
      if let cluster = try? await fixture.open() { await cluster.close() }
      _ = try? fixture.verify()
      #expect(try Data(contentsOf: URL(fileURLWithPath: target)) == Data("precious".utf8))
    }
  }
}
