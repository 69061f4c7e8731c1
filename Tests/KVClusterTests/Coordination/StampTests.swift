import KVCluster
import Testing

/// The order of versions.
@Suite struct StampTests {
  private func put(_ counter: UInt64) -> Stamp { Stamp(Tag(counter: counter, coordinator: 0), isTombstone: false) }
  private func delete(_ counter: UInt64) -> Stamp { Stamp(Tag(counter: counter, coordinator: 0), isTombstone: true) }
  /// - Parameter forgotten: tombstones up to this counter may have been forgotten.
  private func rmw(_ ballot: UInt64, of base: Stamp, isTombstone: Bool = false, forgotten: UInt64 = 8) -> Stamp {
    base.successor(
      Tag(counter: ballot, coordinator: 0), isTombstone: isTombstone,
      forgotten: Tag(counter: forgotten, coordinator: 0))
  }

  private func expect(_ newer: Stamp, over older: Stamp, _ location: SourceLocation = #_sourceLocation) {
    #expect(newer.isNewer(than: older) && !older.isNewer(than: newer), sourceLocation: location)
  }

  @Test("A read-modify-write comes right behind the version that it read, whenever it was made")
  func comesBehindItsBase() {
    let first = rmw(9, of: put(5))
    expect(first, over: put(5))
    expect(put(6), over: first)
    expect(delete(6), over: first)
    expect(rmw(8, of: put(6)), over: first)
    expect(first, over: put(4))
  }

  @Test("Of several with one base the later counts, as of a chain of them")
  func ballotsDecide() {
    let (first, second) = (rmw(9, of: put(5)), rmw(10, of: put(5)))
    expect(second, over: first)
    let third = rmw(11, of: first)
    expect(third, over: second)
    #expect(third.anchor == put(5).tag)
    expect(put(6), over: third)
    expect(rmw(12, of: third, isTombstone: true), over: third)
  }

  @Test("What began at nothing comes before every put and delete, but for tombstones that may have been forgotten")
  func beginsAtNothing() {
    let first = rmw(9, of: .none)
    expect(first, over: .none)
    expect(put(1), over: first)
    expect(put(20), over: first)
    expect(first, over: delete(8))
    expect(delete(9), over: first)
    expect(first, over: rmw(7, of: delete(6), isTombstone: true))
    expect(rmw(7, of: put(6)), over: first)
    expect(rmw(12, of: first), over: rmw(11, of: .none))
    expect(rmw(12, of: first), over: delete(8))
    expect(delete(10), over: rmw(12, of: first))
  }

  @Test("Versions that nobody may have forgotten are in one order")
  func isTransitive() {
    var versions = [Stamp.none]
    var ballot: UInt64 = 30
    func next() -> UInt64 {
      ballot += 1
      return ballot
    }
    for counter in UInt64(9)...12 { versions += [put(counter), delete(counter + 10)] }
    for base in versions { versions += [rmw(next(), of: base), rmw(next(), of: base, isTombstone: true)] }
    for base in versions where base.tag.isRMW { versions.append(rmw(next(), of: base)) }
    for a in versions {
      for b in versions where a.isNewer(than: b) {
        #expect(!b.isNewer(than: a))
        for c in versions where b.isNewer(than: c) { #expect(a.isNewer(than: c)) }
      }
    }
  }

  @Test("In one log, what began at nothing counts over every value before it that a tombstone had hidden")
  func supersedesInALog() {
    let first = rmw(9, of: .none)
    #expect(first.supersedes(put(3)) && first.supersedes(delete(8)) && put(3).supersedes(first))
    #expect(!first.supersedes(put(9)) && !first.supersedes(delete(9)))
  }

  @Test("Of a version of which the tag alone is known, only one with a later anchor is surely newer")
  func certainly() {
    #expect(put(6).isCertainlyNewer(than: put(5).tag) && !put(5).isCertainlyNewer(than: put(6).tag))
    #expect(!rmw(9, of: put(5)).isCertainlyNewer(than: put(6).tag))
    #expect(rmw(9, of: put(7)).isCertainlyNewer(than: put(6).tag))
    #expect(!rmw(9, of: .none).isCertainlyNewer(than: put(1).tag))
  }
}
