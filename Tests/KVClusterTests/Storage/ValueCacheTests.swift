import KVSimulator
import Testing

@testable import KVCluster

/// A record in memory, as a log would hold it.
private final class RecordBox {
  let memory: UnsafeMutableRawPointer
  var view: RecordView { RecordView(memory) }

  init(key: String, value: [UInt8], tag: KVCluster.Tag) {
    let key = Array(key.utf8)
    memory = .allocate(byteCount: LogFormat.recordBytes(keyBytes: key.count, valueBytes: value.count), alignment: 8)
    key.withBytes { key in
      value.withBytes {
        RecordView.write(to: memory, at: 0, seed: 0, kind: .value, tag: tag, key: key, value: $0, valueChecksum: 0)
      }
    }
  }

  deinit { memory.deallocate() }
}

/// A cache in front of records in memory, found by an index as a store does it.
private final class CacheFixture {
  private let stripes: StripeTable
  var index: HashIndex
  var cache: ValueCache
  let boxes: [RecordBox]

  init(bytes: Int, _ boxes: [RecordBox]) {
    stripes = StripeTable(cacheBytes: bytes * Store.partitionCount)
    index = stripes.base[0].index
    cache = stripes.base[0].cache
    self.boxes = boxes
    for i in boxes.indices {
      index.insert(IndexSlot(hash: CacheFixture.hash(i), location: location(i), tag: boxes[i].view.tag))
    }
  }

  static func hash(_ i: Int) -> UInt64 { UInt64(i + 1) &* 0x9e37_79b9_7f4a_7c15 >> 8 }

  func location(_ i: Int) -> Location { Location(slot: 1, offset: i * 8, byteCount: 8, isTombstone: false) }

  func slot(_ i: Int) -> UnsafeMutablePointer<IndexSlot> {
    index.find(CacheFixture.hash(i)) { $0.pointee.tag == self.boxes[i].view.tag }!
  }

  /// Reads record `i`; whether it was a hit.
  @discardableResult
  func read(_ i: Int) -> Bool {
    let slot = slot(i)
    guard slot.pointee.location.isCached else {
      #expect(slot.pointee.location == location(i))
      cache.countMiss()
      cache.insert(boxes[i].view, slot, index)
      return false
    }
    let entry = cache.entry(slot.pointee.location)
    #expect(entry.hasKey(boxes[i].view.key))
    #expect(entry.body.elementsEqual(boxes[i].view.value))
    #expect(entry.logLocation == location(i))
    cache.countHit(entry)
    return true
  }
}

/// The least recently used goes first, as in the textbook.
private struct TrueLRU {
  private var order: [Int: Int] = [:]
  private var byUse: [Int: Int] = [:]
  private var clock = 0
  private var oldest = 0
  let capacity: Int

  init(capacity: Int) { self.capacity = capacity }

  mutating func read(_ i: Int) -> Bool {
    clock += 1
    if let last = order.updateValue(clock, forKey: i) {
      byUse[last] = nil
      byUse[clock] = i
      return true
    }
    byUse[clock] = i
    if order.count > capacity {
      while byUse[oldest] == nil { oldest += 1 }
      order[byUse.removeValue(forKey: oldest)!] = nil
    }
    return false
  }
}

@Suite struct ValueCacheTests {
  @Test(
    "It never returns anything but the value of the record asked for, and stays within its bytes",
    arguments: 1...20 as ClosedRange<UInt64>)
  func agreesWithModel(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let boxes = (0..<300).map { i in
      RecordBox(
        key: "key\(i)", value: [UInt8](repeating: UInt8(i % 251), count: random.below(400)),
        tag: KVCluster.Tag(counter: UInt64(i + 1), coordinator: 0))
    }
    let fixture = CacheFixture(bytes: random.within(1_024...20_000), boxes)
    for _ in 0..<20_000 {
      // Squared: some records are much hotter than others.
      fixture.read(random.below(300) * random.below(300) / 300)
      #expect(fixture.cache.usedBytes <= fixture.cache.capacityBytes)
    }
    #expect(fixture.cache.hits + fixture.cache.misses == 20_000)
    #expect(fixture.cache.hits > 0)
  }

  @Test("A version written meanwhile is not served, and its entry's going disturbs nothing")
  func forgetsReplaced() {
    let boxes = (0..<40).map {
      RecordBox(key: "k\($0)", value: [1], tag: KVCluster.Tag(counter: UInt64($0 + 1), coordinator: 0))
    }
    let fixture = CacheFixture(bytes: 1_024, boxes)
    fixture.read(0)
    // A put lets the index point to a new record.
    let new = Location(slot: 2, offset: 800, byteCount: 8, isTombstone: false)
    fixture.slot(0).pointee.location = new
    for i in 1..<40 { fixture.read(i) }
    #expect(fixture.slot(0).pointee.location == new)
  }

  @Test("A size of zero turns it off")
  func canBeOff() {
    let box = RecordBox(key: "a", value: [1], tag: KVCluster.Tag(counter: 1, coordinator: 0))
    let fixture = CacheFixture(bytes: 0, [box])
    #expect(!fixture.read(0))
    #expect(!fixture.read(0))
    #expect(fixture.cache.capacityBytes == 0)
    #expect(fixture.cache.misses == 0)
  }

  @Test("Its hit rate is that of true LRU to within 1 %, or better", arguments: ["uniform", "zipfian"])
  func hitsLikeLRU(trace: String) {
    let keys = 10_000
    let boxes = (0..<keys).map {
      RecordBox(
        key: "k", value: [UInt8](repeating: 0, count: 103),
        tag: KVCluster.Tag(counter: UInt64($0 + 1), coordinator: 0))
    }
    // An entry takes 128 bytes: a fifth of the keys fits.
    let fixture = CacheFixture(bytes: keys / 5 * 128, boxes)
    var lru = TrueLRU(capacity: keys / 5)
    var random = SeededRandom(seed: 11)
    // Zipf with exponent 1 over ranks, by inversion of its distribution in integers.
    var cumulative: [UInt64] = []
    var sum: UInt64 = 0
    for rank in 1...keys {
      sum += 1_000_000_000 / UInt64(rank)
      cumulative.append(sum)
    }
    func zipf() -> Int {
      let draw = random.next() % sum
      var (low, high) = (0, keys - 1)
      while low < high {
        let middle = (low + high) / 2
        if cumulative[middle] <= draw { low = middle + 1 } else { high = middle }
      }
      return low
    }
    var (hits, lruHits) = (0, 0)
    for step in 0..<400_000 {
      let i = trace == "uniform" ? random.below(keys) : zipf()
      let (hit, lruHit) = (fixture.read(i), lru.read(i))
      // Both are full by then.
      if step >= 50_000 {
        hits += hit ? 1 : 0
        lruHits += lruHit ? 1 : 0
      }
    }
    let (rate, lruRate) = (Double(hits) / 350_000, Double(lruHits) / 350_000)
    #expect(rate > lruRate - 0.01, "\(trace): \(rate), true LRU \(lruRate)")
  }
}
