import KVSimulator
import Testing

@testable import KVCluster

/// What a log keeps of read-modify-writes, and what a start makes of them.
@Suite struct UpdateStorageTests {
  private static let key = "key"
  private static var hash: UInt64 { StoreFixture.hash(key) }

  private func put(_ value: String, _ counter: UInt64) -> (RecordKind, Stamp, String) {
    (.value, Stamp(KVCluster.Tag(counter: counter, coordinator: 0), isTombstone: false), value)
  }

  private func delete(_ counter: UInt64) -> (RecordKind, Stamp, String) {
    (.tombstone, Stamp(KVCluster.Tag(counter: counter, coordinator: 0), isTombstone: true), "")
  }

  private func update(_ value: String, _ counter: UInt64, of base: Stamp) -> (RecordKind, Stamp, String) {
    (
      .value,
      base.successor(
        KVCluster.Tag(counter: counter, coordinator: 0), isTombstone: false,
        forgotten: KVCluster.Tag(counter: 8, coordinator: 0)), value
    )
  }

  private func apply(_ write: (kind: RecordKind, stamp: Stamp, value: String), to fixture: StoreFixture) throws {
    try Array(write.value.utf8).withBytes { value in
      let payload = write.stamp.tag.isRMW ? write.stamp.payload(value) : Array(value)
      try payload.withBytes { payload in
        try Array(Self.key.utf8).withBytes { key in
          _ = try fixture.store.apply(
            write.kind, hash: Self.hash, tag: write.stamp.tag, key: key, value: payload,
            valueChecksum: Checksum.crc32c(payload))
        }
      }
    }
  }

  private func read(_ fixture: StoreFixture) -> String? { fixture.read(Self.key) }

  @Test("It hides the version that it read, and not a put that it did not see, now and after a start")
  func keepsItsPlace() throws {
    let fixture = try StoreFixture()
    let base = put("base", 5)
    try apply(base, to: fixture)
    try apply(update("update", 9, of: base.1), to: fixture)
    #expect(read(fixture) == "update")
    #expect(read(try fixture.reopened()) == "update")
    try apply(put("unseen", 7), to: fixture)
    #expect(read(fixture) == "unseen")
    #expect(read(try fixture.reopened()) == "unseen")
  }

  @Test("What was made of nothing counts at a start over a forgotten tombstone and the value that this hid")
  func outlivesForgottenTombstones() throws {
    let fixture = try StoreFixture()
    try apply(put("old", 3), to: fixture)
    try apply(delete(8), to: fixture)
    for table in 0..<HashIndex.tableCount {
      fixture.store.purge(Store.partition(of: Self.hash), table: table) { _ in true }
    }
    #expect(read(fixture) == nil)
    try apply(update("new", 9, of: .none), to: fixture)
    #expect(read(fixture) == "new")
    let again = try fixture.reopened()
    #expect(read(again) == "new")
    try fixture.checkpoint()
    #expect(read(try fixture.reopened()) == "new")
  }

  @Test("The value is cached without its anchor, and the anchor with it")
  func isCached() throws {
    let fixture = try StoreFixture(cacheBytes: 1 << 20)
    let base = put("base", 5)
    let made = update("update", 9, of: base.1)
    try apply(base, to: fixture)
    try apply(made, to: fixture)
    for _ in 0..<2 { #expect(read(fixture) == "update") }
    #expect(fixture.store.stamp(Self.hash, made.1.tag) == made.1)
    try apply(update("late", 8, of: base.1), to: fixture)
    #expect(read(fixture) == "update")
  }

  @Test("A copy of a version that is damaged here makes no second one, which would outlive it")
  func makesNoTwins() throws {
    let fixture = try StoreFixture()
    let base = put("base", 5)
    let made = update("update", 9, of: base.1)
    try apply(made, to: fixture)
    try damageAnchor(fixture)
    try apply(made, to: fixture)
    try apply(put("later", 12), to: fixture)
    var versions: [UInt64] = []
    _ = fixture.store.stripes[Store.partition(of: Self.hash)].index.find(Self.hash) { slot in
      versions.append(slot.pointee.tag.counter)
      return false
    }
    #expect(versions.sorted() == [9, 12])
  }

  @Test("A damaged anchor is a damaged header: nobody can tell what is newer")
  func anchorIsChecked() throws {
    let fixture = try StoreFixture()
    let base = put("base", 5)
    try apply(update("update", 9, of: base.1), to: fixture)
    try damageAnchor(fixture)
    let answer = Array(Self.key.utf8).withBytes { fixture.store.read(Self.hash, $0) }
    guard case .damaged = answer else {
      Issue.record("a version with a damaged anchor is told")
      return
    }
  }

  /// Of the first record.
  private func damageAnchor(_ fixture: StoreFixture) throws {
    try fixture.withSegment { segment in
      let offset = LogFormat.segmentHeaderBytes + LogFormat.recordHeaderBytes + Self.key.utf8.count
      let byte = segment.load(fromByteOffset: offset, as: UInt8.self)
      segment.storeBytes(of: byte ^ 1, toByteOffset: offset, as: UInt8.self)
    }
  }
}
