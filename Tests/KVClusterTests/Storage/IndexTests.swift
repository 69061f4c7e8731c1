import KVSimulator
import Testing

@testable import KVCluster

@Suite struct IndexTests {
  private func slot(_ hash: UInt64, _ number: Int) -> IndexSlot {
    IndexSlot(
      hash: hash, location: Location(slot: 1, offset: number * 8, byteCount: 8, isTombstone: false),
      tag: KVCluster.Tag(counter: UInt64(number), coordinator: 0))
  }

  @Test("Every inserted slot is found again while the table grows")
  func findsAll() {
    var random = SeededRandom(seed: 3)
    let stripes = StripeTable(cacheBytes: 0)
    defer { withExtendedLifetime(stripes) {} }
    var index = stripes.base[0].index
    // The partition is the highest byte: all hashes of one index share it.
    let hashes = (0..<20_000).map { _ in random.next() >> 8 | 0x2a << 56 }
    for (i, hash) in hashes.enumerated() {
      index.insert(slot(hash, i + 1))
      if i % 100 == 0 { #expect(index.count * 5 <= index.capacity * 4 + 5) }
    }
    for (i, hash) in hashes.enumerated() {
      let found = index.find(hash) { $0.pointee.location.offset == (i + 1) * 8 }
      #expect(found != nil)
    }
    #expect(index.find(1) { _ in true } == nil)
  }

  @Test("The layout changes whenever entries change their places, though one table grows by what another shrinks")
  func countsLayouts() {
    let stripes = StripeTable(cacheBytes: 0)
    defer { withExtendedLifetime(stripes) {} }
    var index = stripes.base[0].index
    // Tables 0 and 1: the four bits below the highest byte.
    let hash = { (table: UInt64, i: Int) in table << 52 | UInt64(i) &* 0x9e37_79b9_7f4a_7c15 >> 16 }
    for i in 1...3 { index.insert(slot(hash(0, i), i)) }
    for i in 1...6 { index.insert(slot(hash(1, i), i)) }
    let (capacity, layout) = (index.capacity, index.layout)
    index.filter(table: 1) { $0.tag.counter <= 3 }
    for i in 4...6 { index.insert(slot(hash(0, i), i)) }
    #expect(index.capacity == capacity && index.layout == layout + 2)
  }

  @Test("Keys with the same hash stay apart")
  func keepsCollisionsApart() {
    let stripes = StripeTable(cacheBytes: 0)
    defer { withExtendedLifetime(stripes) {} }
    var index = stripes.base[0].index
    for i in 1...100 { index.insert(slot(42, i)) }
    for i in 1...100 { #expect(index.find(42) { $0.pointee.tag.counter == UInt64(i) } != nil) }
    #expect(index.find(42) { $0.pointee.tag.counter == 101 } == nil)
  }

  @Test("A filtered index keeps what it is told to keep, and asks about each entry once")
  func filters() {
    let stripes = StripeTable(cacheBytes: 0)
    defer { withExtendedLifetime(stripes) {} }
    var index = stripes.base[0].index
    for i in 1...1_000 { index.insert(slot(UInt64(i) &* 0x9e37_79b9_7f4a_7c15 >> 8, i)) }
    var asked = 0
    index.filter {
      asked += 1
      return $0.tag.counter % 3 == 0
    }
    #expect(asked == 1_000)
    #expect(index.count == 333)
    for i in 1...1_000 {
      let found = index.find(UInt64(i) &* 0x9e37_79b9_7f4a_7c15 >> 8) { $0.pointee.tag.counter == UInt64(i) }
      #expect((found != nil) == (i % 3 == 0))
    }
  }

  @Test("A key and replica takes at most 40 bytes of index from a thousand keys a partition on")
  func isSmall() {
    let stripes = StripeTable(cacheBytes: 0)
    defer { withExtendedLifetime(stripes) {} }
    var index = stripes.base[0].index
    var random = SeededRandom(seed: 5)
    for i in 1...50_000 {
      index.insert(slot(random.next() >> 8, i))
      if i > 1_000, i % 7 == 0 { #expect(index.byteCount <= i * 40) }
    }
  }
}
