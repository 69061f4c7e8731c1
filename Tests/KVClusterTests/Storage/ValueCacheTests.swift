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

@Suite struct ValueCacheTests {
  private func location(_ number: Int) -> Location { Location(segment: 1, offset: number * 8, isTombstone: false) }

  @Test(
    "It never returns anything but the value of the record asked for, and stays within its bytes",
    arguments: 1...20 as ClosedRange<UInt64>)
  func agreesWithModel(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var cache = ValueCache(bytes: random.within(1_024...20_000))
    defer { cache.deallocate() }
    let boxes = (0..<300).map { i in
      RecordBox(
        key: "key\(i)", value: [UInt8](repeating: UInt8(i % 251), count: random.below(400)),
        tag: KVCluster.Tag(counter: UInt64(i + 1), coordinator: 0))
    }
    for _ in 0..<20_000 {
      // Squared: some records are much hotter than others.
      let i = random.below(300) * random.below(300) / 300
      let tag = boxes[i].view.tag
      if let hit = cache.find(location(i + 1), tag) {
        #expect(hit.key.elementsEqual(boxes[i].view.key))
        #expect(hit.value.elementsEqual(boxes[i].view.value))
      } else {
        cache.insert(location(i + 1), boxes[i].view)
      }
      #expect(cache.usedBytes <= cache.capacityBytes)
    }
    #expect(cache.hits + cache.misses == 20_000)
    #expect(cache.hits > 0)
  }

  @Test("A replaced version is not found under the new location or tag")
  func forgetsReplaced() {
    var cache = ValueCache(bytes: 4_096)
    defer { cache.deallocate() }
    let old = RecordBox(key: "a", value: [1], tag: KVCluster.Tag(counter: 1, coordinator: 0))
    cache.insert(location(1), old.view)
    #expect(cache.find(location(2), KVCluster.Tag(counter: 2, coordinator: 0)) == nil)
    #expect(cache.find(location(1), KVCluster.Tag(counter: 2, coordinator: 0)) == nil)
    #expect(cache.find(location(1), KVCluster.Tag(counter: 1, coordinator: 0)) != nil)
  }

  @Test("A size of zero turns it off")
  func canBeOff() {
    var cache = ValueCache(bytes: 0)
    let box = RecordBox(key: "a", value: [1], tag: KVCluster.Tag(counter: 1, coordinator: 0))
    cache.insert(location(1), box.view)
    #expect(cache.find(location(1), box.view.tag) == nil)
    #expect(cache.capacityBytes == 0)
  }

  @Test("Hot entries survive a scan of cold ones")
  func keepsHotEntries() {
    var cache = ValueCache(bytes: 32_768)
    defer { cache.deallocate() }
    let boxes = (0..<2_000).map {
      RecordBox(
        key: "k\($0)", value: [UInt8](repeating: 0, count: 64),
        tag: KVCluster.Tag(counter: UInt64($0 + 1), coordinator: 0))
    }
    for round in 0..<2_000 {
      for hot in 0..<4 where cache.find(location(hot + 1), boxes[hot].view.tag) == nil {
        cache.insert(location(hot + 1), boxes[hot].view)
      }
      let cold = 4 + round % 1_996
      if cache.find(location(cold + 1), boxes[cold].view.tag) == nil {
        cache.insert(location(cold + 1), boxes[cold].view)
      }
    }
    // Four hot look-ups a round, of which only those after an eviction may miss.
    #expect(Double(cache.hits) / Double(cache.hits + cache.misses) > 0.78)
  }
}
