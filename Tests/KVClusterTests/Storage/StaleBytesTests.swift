import KVSimulator
import Testing

@testable import KVCluster

/// What an earlier use of a segment's file has left in it.
@Suite struct StaleBytesTests {
  /// A full segment, whose records lie at the places of those that follow it in other tests.
  private func full() throws -> [UInt8] {
    let fixture = try StoreFixture()
    var i: UInt64 = 0
    while fixture.store.log.end.segment == 1 {
      i += 1
      try fixture.write("stale", "a value of some bytes", counter: 1_000 + i)
      if i % 10 == 0 { try fixture.store.log.sync() }
    }
    return try #require(fixture.disk.bytes("node1.wal/\(LogFormat.segmentName(1))"))
  }

  @Test("No record of one segment passes for a record of another at any place")
  func passesNowhere() throws {
    let bytes = try full()
    let ids = 2...60 as ClosedRange<UInt64>
    bytes.withBytes { bytes in
      for id in ids {
        let source = SegmentSource(
          base: bytes.baseAddress!, slot: 1, id: id, clusterID: StoreFixture.identity.clusterID)
        #expect(SegmentScan.nextRecord(source, after: 120, limit: bytes.count) == nil, "segment \(id)")
      }
    }
    print("stale records: \(ids.count * bytes.count / 8) cases")
  }

  @Test("A record cut at any byte, with stale bytes behind, is lost alone and is no damage")
  func cutsBeforeStaleBytes() throws {
    let stale = try full()
    // The same layout in a segment of another id: the file is a recycled one.
    func fixture() throws -> (StoreFixture, path: String, from: Int, to: Int) {
      let fixture = try StoreFixture()
      try fixture.store.log.sealTail()
      try fixture.write("kept", "1", counter: 1)
      try fixture.store.log.sync()
      let from = fixture.store.log.end.offset
      try fixture.write("torn", "a value of some bytes", counter: 2)
      let end = fixture.store.log.end
      return (fixture, "node1.wal/\(LogFormat.segmentName(end.segment))", from, end.offset)
    }
    let probe = try fixture()
    for at in probe.from..<probe.to {
      let (fixture, path, _, _) = try fixture()
      let bytes = try #require(fixture.disk.bytes(path))
      fixture.store.log.close()
      fixture.disk.put(path, Array(bytes[..<at] + stale[at...]))
      let again = try fixture.reopened()
      #expect(again.store.damage.isEmpty, "byte \(at)")
      #expect(again.read("kept") == "1")
      #expect(again.read("stale") == nil)
      #expect([nil, "a value of some bytes"].contains(again.read("torn")), "byte \(at)")
      for i in 0..<5 { try again.write("after\(i)", "2", counter: UInt64(3 + i)) }
      try again.store.log.sync()
      let third = try again.reopened()
      #expect(third.store.damage.isEmpty && (0..<5).allSatisfy { third.read("after\($0)") == "2" }, "byte \(at)")
    }
    print("cut before stale bytes: \(probe.to - probe.from) cases")
  }
}
