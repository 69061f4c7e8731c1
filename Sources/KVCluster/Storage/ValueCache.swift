import CKernels
import Glibc

/// A node's cache of one partition: recently read keys and values, bounded in bytes.
///
/// Entries lie one after the other in a ring of bytes. A hit marks its entry; when room is needed the oldest entry
/// goes, or moves to the front if it was marked since it came there: CLOCK (Corbató 1968), whose hit rate is that of
/// LRU to within a percent or above it, without a list to re-link on every hit. Nothing is allocated per entry.
///
/// An entry is found by the location and tag of its record, so a value that an update or delete has replaced cannot be
/// found any more: the index points elsewhere. It just waits for its turn to go.
///
/// Raw memory, no lock of its own: whoever calls holds the lock of the partition.
package struct ValueCache {
  /// ```
  ///  0  8  location      16  4  byte count of the value     22  1  referenced since it came here
  ///  8  8  tag           20  2  byte count of the key       24     key, value, padding to 8
  /// ```
  private static let entryHeaderBytes = 24
  /// One entry may take this part of the ring, so that one big value cannot empty it.
  private static let entryFractionMax = 4
  /// Marked entries moved to the front for one insertion at most: bounds its time.
  private static let reprievesMax = 8
  /// Table slots: one for so many bytes of ring; an entry of a 16-byte key and a 24-byte value takes 64.
  private static let bytesPerTableSlot = 64

  private let ring: UnsafeMutableRawPointer?
  private let ringBytes: Int
  /// Open addressing: ring offset / 8 + 1 of an entry, 0 where free.
  private let table: UnsafeMutablePointer<UInt32>?
  private let tableMask: Int
  /// Where the next entry goes, and the oldest entry. Entries lie in `tail ..< head`, or, once the ring has wrapped
  /// (`head` ≤ `tail`), in `tail ..< wrap` and `0 ..< head`. Empty: both 0.
  private var head = 0
  private var tail = 0
  private var wrap = 0
  private(set) var count = 0
  private(set) var usedBytes = 0
  var hits: UInt64 = 0
  var misses: UInt64 = 0

  var capacityBytes: Int { ringBytes + (table == nil ? 0 : (tableMask + 1) * 4) }

  /// - Parameter bytes: bound on all memory of the cache, table included; below 1 KiB the cache is off.
  init(bytes: Int) {
    guard bytes >= 1_024 else {
      (ring, ringBytes, table, tableMask) = (nil, 0, nil, 0)
      return
    }
    var slots = 16
    while slots * 2 * ValueCache.bytesPerTableSlot <= bytes { slots *= 2 }
    ringBytes = (bytes - slots * 4) & ~7
    // Large allocations come from fresh pages, so an empty cache costs nothing until it is used.
    ring = .allocate(byteCount: ringBytes, alignment: 8)
    table = .allocate(capacity: slots)
    table?.initialize(repeating: 0, count: slots)
    tableMask = slots - 1
  }

  func deallocate() {
    ring?.deallocate()
    table?.deallocate()
  }

  @inline(__always)
  private func home(_ location: UInt64) -> Int {
    Int(truncatingIfNeeded: (location &* 0x9e37_79b9_7f4a_7c15) >> 32) & tableMask
  }

  /// The key and value cached for the record at `location` with `tag`; counts a hit or a miss.
  @inline(__always)
  mutating func find(_ location: Location, _ tag: Tag) -> (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)?
  {
    guard let ring, let table else { return nil }
    var i = home(location.rawValue)
    while table[i] != 0 {
      let entry = ring + Int(table[i] - 1) * 8
      if entry.load(as: UInt64.self) == location.rawValue,
        entry.load(fromByteOffset: 8, as: UInt64.self) == tag.rawValue
      {
        hits &+= 1
        entry.storeBytes(of: 1, toByteOffset: 22, as: UInt8.self)
        let keyBytes = Int(entry.load(fromByteOffset: 20, as: UInt16.self))
        let start = UnsafeRawPointer(entry + ValueCache.entryHeaderBytes)
        return (
          UnsafeRawBufferPointer(start: start, count: keyBytes),
          UnsafeRawBufferPointer(start: start + keyBytes, count: Int(entry.load(fromByteOffset: 16, as: UInt32.self)))
        )
      }
      i = (i &+ 1) & tableMask
    }
    misses &+= 1
    return nil
  }

  /// Keeps a copy of a record's key and value, at the cost of the oldest entries. Too large a one is not kept.
  @inline(__always)
  mutating func insert(_ location: Location, _ record: RecordView) {
    guard let ring else { return }
    let size = ValueCache.entryBytes(record.keyBytes, record.valueBytes)
    guard size <= ringBytes / ValueCache.entryFractionMax else { return }
    makeRoom(size)
    let entry = ring + head
    entry.storeBytes(of: location.rawValue, as: UInt64.self)
    entry.storeBytes(of: record.tag.rawValue, toByteOffset: 8, as: UInt64.self)
    entry.storeBytes(of: UInt32(record.valueBytes), toByteOffset: 16, as: UInt32.self)
    entry.storeBytes(of: UInt32(record.keyBytes), toByteOffset: 20, as: UInt32.self)
    memcpy(entry + ValueCache.entryHeaderBytes, record.key.baseAddress!, record.keyBytes + record.valueBytes)
    append(size)
  }

  @inline(__always)
  private static func entryBytes(_ keyBytes: Int, _ valueBytes: Int) -> Int {
    (entryHeaderBytes + keyBytes + valueBytes + 7) & ~7
  }

  private func entryBytes(at offset: Int) -> Int {
    let entry = UnsafeRawPointer(ring! + offset)
    return ValueCache.entryBytes(
      Int(entry.load(fromByteOffset: 20, as: UInt16.self)), Int(entry.load(fromByteOffset: 16, as: UInt32.self)))
  }

  /// Evicts until `size` contiguous bytes are free at `head` and the table has a free slot to end every probe.
  private mutating func makeRoom(_ size: Int) {
    var reprieves = ValueCache.reprievesMax
    while count * 4 > tableMask * 3 { evictOldest(&reprieves) }
    while true {
      if count == 0 { (head, tail) = (0, 0) }
      if count == 0 || head > tail {
        if head + size <= ringBytes { return }
        wrap = head
        head = 0
      } else if head + size <= tail {
        return
      } else {
        evictOldest(&reprieves)
      }
    }
  }

  /// Drops the entry at `tail`, or moves it to `head` if it was marked and still fits there.
  private mutating func evictOldest(_ reprieves: inout Int) {
    let ring = ring!
    let entry = ring + tail
    let size = entryBytes(at: tail)
    let isMarked = entry.load(fromByteOffset: 22, as: UInt8.self) != 0
    let wasWrapped = tail >= head
    forget(tail)
    tail += size
    count -= 1
    usedBytes -= size
    if wasWrapped, tail == wrap { tail = 0 }
    guard isMarked, reprieves > 0, wasWrapped, head + size <= (tail == 0 ? ringBytes : tail) else { return }
    reprieves -= 1
    memmove(ring + head, entry, size)
    (ring + head).storeBytes(of: 0, toByteOffset: 22, as: UInt8.self)
    append(size)
  }

  /// Takes the entry just written at `head` into the table.
  @inline(__always)
  private mutating func append(_ size: Int) {
    var i = home((ring! + head).load(as: UInt64.self))
    while table![i] != 0 { i = (i &+ 1) & tableMask }
    table![i] = UInt32(head / 8 + 1)
    head += size
    count &+= 1
    usedBytes &+= size
  }

  /// Removes the entry at ring `offset` from the table, closing the gap it leaves in its probe sequence.
  private func forget(_ offset: Int) {
    let table = table!
    var i = home((ring! + offset).load(as: UInt64.self))
    while table[i] != UInt32(offset / 8 + 1) { i = (i + 1) & tableMask }
    var gap = i
    i = (i + 1) & tableMask
    while table[i] != 0 {
      let wanted = home((ring! + Int(table[i] - 1) * 8).load(as: UInt64.self))
      if (i - wanted) & tableMask >= (i - gap) & tableMask {
        table[gap] = table[i]
        gap = i
      }
      i = (i + 1) & tableMask
    }
    table[gap] = 0
  }
}
