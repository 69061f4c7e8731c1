import CKernels
import Glibc

/// A node's cache of one partition: recently read keys and values, bounded in bytes.
///
/// Entries lie one after the other in a ring of bytes. A hit marks its entry; when room is needed the oldest entry
/// goes, or moves to the front if it was marked since it came there: CLOCK (Corbató 1968), whose hit rate is that of
/// LRU to within a percent or above it, without a list to re-link on every hit. Nothing is allocated per entry.
///
/// The cache has no table of its own: the index points into it. A cached key's ``Location`` is its entry's place in the
/// ring, and the entry knows the record's place in the log, which the index gets back when the entry goes. So a hit
/// costs two memory accesses, as few as a look into the log, and a value that an update or delete has replaced cannot be
/// found any more: the index points elsewhere, the entry waits for its turn to go.
///
/// Raw memory, no lock of its own: whoever calls holds the lock of the partition.
package struct ValueCache {
  /// ```
  ///  0  8  location in the log     16  4  byte count of the payload   22  1  referenced since it came here
  ///  8  8  hash of the key         20  2  byte count of the key       23  1  bytes of the anchor in the payload
  ///                                                                   24     key, payload, padding to 8
  /// ```
  private static let entryHeaderBytes = 24
  /// One entry may take this part of the ring, so that one big value cannot empty it.
  private static let entryFractionMax = 4
  /// Marked entries moved to the front for one insertion at most: bounds its time.
  private static let reprievesMax = 8

  private let ring: UnsafeMutableRawPointer?
  package let capacityBytes: Int
  /// Where the next entry goes, and the oldest entry. Entries lie in `tail ..< head`, or, once the ring has wrapped
  /// (`head` ≤ `tail`), in `tail ..< wrap` and `0 ..< head`. Empty: both 0.
  private var head = 0
  private var tail = 0
  private var wrap = 0
  package private(set) var count = 0
  package private(set) var usedBytes = 0
  package private(set) var hits: UInt64 = 0
  package private(set) var misses: UInt64 = 0

  /// - Parameter ring: the cache's memory, on a multiple of 8 bytes, whose owner outlives the cache. Below 1 KiB the
  ///   cache is off.
  init(ring: UnsafeMutableRawBufferPointer) {
    capacityBytes = ring.count < 1_024 ? 0 : ring.count & ~7
    self.ring = capacityBytes == 0 ? nil : ring.baseAddress
  }

  /// A cached key and value, read in place.
  struct Entry {
    let base: UnsafeMutableRawPointer

    @inline(__always)
    var logLocation: Location { Location(rawValue: base.load(as: UInt64.self)) }
    @inline(__always)
    var hash: UInt64 { base.load(fromByteOffset: 8, as: UInt64.self) }
    @inline(__always)
    var payloadBytes: Int { Int(base.load(fromByteOffset: 16, as: UInt32.self)) }
    @inline(__always)
    var keyBytes: Int { Int(base.load(fromByteOffset: 20, as: UInt16.self)) }
    @inline(__always)
    var isReferenced: Bool { base.load(fromByteOffset: 22, as: UInt8.self) != 0 }
    @inline(__always)
    var byteCount: Int { ValueCache.entryBytes(keyBytes, payloadBytes) }
    @inline(__always)
    var anchorBytes: Int { Int(base.load(fromByteOffset: 23, as: UInt8.self)) }

    /// The payload behind the anchor.
    @inline(__always)
    var body: UnsafeRawBufferPointer {
      let start = ValueCache.entryHeaderBytes + keyBytes + anchorBytes
      return UnsafeRawBufferPointer(start: base + start, count: payloadBytes - anchorBytes)
    }

    /// Of a read-modify-write.
    var anchor: Tag {
      precondition(anchorBytes == Stamp.anchorBytes, "only a read-modify-write has an anchor")
      let start = ValueCache.entryHeaderBytes + keyBytes
      return Stamp.anchor(in: UnsafeRawBufferPointer(start: base + start, count: payloadBytes))
    }

    @inline(__always)
    func hasKey(_ key: UnsafeRawBufferPointer) -> Bool {
      keyBytes == key.count && memcmp(base + ValueCache.entryHeaderBytes, key.baseAddress!, key.count) == 0
    }

    @inline(__always)
    func setReferenced(_ isReferenced: Bool) {
      base.storeBytes(of: isReferenced ? 1 : 0, toByteOffset: 22, as: UInt8.self)
    }

    @inline(__always)
    func setLogLocation(_ location: Location) { base.storeBytes(of: location.rawValue, as: UInt64.self) }
  }

  /// The entry a cached location points to.
  @inline(__always)
  func entry(_ location: Location) -> Entry { Entry(base: ring.unsafelyUnwrapped + location.cacheOffset) }

  @inline(__always)
  mutating func countHit(_ entry: Entry) {
    hits &+= 1
    if !entry.isReferenced { entry.setReferenced(true) }
  }

  @inline(__always)
  mutating func countMiss() { if ring != nil { misses &+= 1 } }

  /// Asks for the memory an insertion will touch.
  @inline(__always)
  func prefetch() {
    guard let ring else { return }
    kv_prefetch_write(ring + head)
    kv_prefetch_write(ring + tail)
  }

  /// Keeps a copy of the record `slot` points to, at the cost of the oldest entries, and lets `slot` point to the copy.
  /// Too large a record is not kept.
  @inline(__always)
  mutating func insert(_ record: RecordView, _ slot: UnsafeMutablePointer<IndexSlot>, _ index: HashIndex) {
    guard let ring else { return }
    let size = ValueCache.entryBytes(record.keyBytes, record.payloadBytes)
    guard size <= capacityBytes / ValueCache.entryFractionMax else { return }
    makeRoom(size, index)
    let entry = Entry(base: ring + head)
    entry.setLogLocation(slot.pointee.location)
    entry.base.storeBytes(of: slot.pointee.hash, toByteOffset: 8, as: UInt64.self)
    entry.base.storeBytes(of: UInt32(record.payloadBytes), toByteOffset: 16, as: UInt32.self)
    let anchorBytes = UInt32(record.anchorBytes)
    entry.base.storeBytes(of: UInt32(record.keyBytes) | anchorBytes << 24, toByteOffset: 20, as: UInt32.self)
    memcpy(entry.base + ValueCache.entryHeaderBytes, record.key.baseAddress!, record.keyBytes + record.payloadBytes)
    slot.pointee.location = Location(cacheOffset: head, byteCount: slot.pointee.location.byteCount)
    advanceHead(size)
    // The oldest entry's index slot will be wanted at the next insertion.
    kv_prefetch_write(index.address(of: Entry(base: ring + tail).hash))
  }

  @inline(__always)
  private static func entryBytes(_ keyBytes: Int, _ payloadBytes: Int) -> Int {
    (entryHeaderBytes + keyBytes + payloadBytes + 7) & ~7
  }

  /// Evicts until `size` contiguous bytes are free at `head`.
  @inline(__always)
  private mutating func makeRoom(_ size: Int, _ index: HashIndex) {
    var reprieves = ValueCache.reprievesMax
    while true {
      if count == 0 { (head, tail) = (0, 0) }
      if count == 0 || head > tail {
        if head + size <= capacityBytes { return }
        wrap = head
        head = 0
      } else if head + size <= tail {
        return
      } else {
        evictOldest(&reprieves, index)
      }
    }
  }

  /// Drops the entry at `tail`, or moves it to `head` if it was marked and still fits there.
  private mutating func evictOldest(_ reprieves: inout Int, _ index: HashIndex) {
    let ring = ring.unsafelyUnwrapped
    let entry = Entry(base: ring + tail)
    let size = entry.byteCount
    let wasWrapped = tail >= head
    let own = tail
    let slot = index.find(entry.hash) { $0.pointee.location.isCached && $0.pointee.location.cacheOffset == own }
    tail += size
    count -= 1
    usedBytes -= size
    if wasWrapped, tail == wrap { tail = 0 }
    // Nobody points to the value of a key that was written again.
    guard let slot else { return }
    let logLocation = entry.logLocation
    guard entry.isReferenced, reprieves > 0, wasWrapped, head + size <= (tail == 0 ? capacityBytes : tail) else {
      slot.pointee.location = logLocation
      return
    }
    reprieves -= 1
    memmove(ring + head, entry.base, size)
    Entry(base: ring + head).setReferenced(false)
    slot.pointee.location = Location(cacheOffset: head, byteCount: logLocation.byteCount)
    advanceHead(size)
  }

  @inline(__always)
  private mutating func advanceHead(_ size: Int) {
    head += size
    count &+= 1
    usedBytes &+= size
  }
}
