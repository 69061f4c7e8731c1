import CKernels
import Glibc

/// One entry of the index: 24 bytes, so 30 to 37.5 bytes a key at the loads the tables keep.
package struct IndexSlot {
  /// The key's full 64-bit hash.
  package var hash: UInt64
  /// Its newest record; `.none` marks a free slot.
  package var location: Location
  package var tag: Tag

  @inline(__always)
  package init(hash: UInt64, location: Location, tag: Tag) {
    self.hash = hash
    self.location = location
    self.tag = tag
  }

  static let free = IndexSlot(hash: 0, location: .none, tag: .none)
}

/// A node's index of one partition: open-addressing tables from a key's hash to its newest record in the log.
///
/// Keys are not in the tables but in the log, so equal hashes are told apart by a look at the record. Linear probing
/// from a position that grows with the hash keeps a probe within one or two cache lines and each table in ring order.
///
/// A partition has ``tableCount`` tables, of a 4,096th of the ring each, and each grows by a quarter when it is 80 %
/// full: so the index of a node grows in small steps, its memory never jumps, and nobody waits for more than one small
/// table to be copied (about 10 µs at ten million keys). Doubling would cost 60 bytes a key at its worst, chaining a
/// cache miss more.
///
/// Raw memory, no lock of its own: whoever calls holds the lock of the partition, or is the only thread.
package struct HashIndex {
  /// Tables of one partition.
  static let tableCount = 16
  static let capacityMin = 4

  /// One table. Those of all partitions of a store lie together, so that finding one costs no memory access of its own.
  struct Table {
    fileprivate var slots: UnsafeMutablePointer<IndexSlot>
    fileprivate var capacity: UInt32
    fileprivate var count: UInt32
  }

  /// Facts about all tables of a partition together.
  struct Summary {
    /// Number of tables that have slots of their own.
    fileprivate var begun = 0
    /// Number of times that entries changed their places.
    fileprivate var layout = 0
  }

  private let tables: UnsafeMutablePointer<Table>
  private let summary: UnsafeMutablePointer<Summary>

  /// - Parameters:
  ///   - tables: ``tableCount`` of them, whose owner outlives the index and deallocates them.
  ///   - summary: room for a summary, likewise.
  init(tables: UnsafeMutablePointer<Table>, summary: UnsafeMutablePointer<Summary>) {
    self.tables = tables
    self.summary = summary
    summary.initialize(to: Summary())
  }

  /// Makes `count` tables of all partitions at once: a start makes thousands of them.
  static func initialize(_ tables: UnsafeMutablePointer<Table>, count: Int) {
    tables.initialize(repeating: Table(slots: nothing, capacity: 1, count: 0), count: count)
  }

  /// The one free slot of every table that has never had an entry: it is looked at and never written.
  nonisolated(unsafe) private static let nothing = allocate(1)

  private static func release(_ slots: UnsafeMutablePointer<IndexSlot>) {
    if slots != nothing { slots.deallocate() }
  }

  /// Frees the tables' slots.
  func deallocate() {
    if summary.pointee.begun == 0 { return }
    for i in 0..<HashIndex.tableCount { HashIndex.release(tables[i].slots) }
  }

  /// Keys in the index.
  package var count: Int { (0..<HashIndex.tableCount).reduce(0) { $0 + Int(tables[$1].count) } }

  /// Cheap where nothing was ever put in, as in most partitions of a small store, which sweeps pass over.
  package var isEmpty: Bool {
    if summary.pointee.begun == 0 { return true }
    for i in 0..<HashIndex.tableCount where tables[i].count > 0 { return false }
    return true
  }

  /// Number of times that entries changed their places: the places that ``scan(from:limit:_:)`` returns are valid until it
  /// changes. (The sum of the tables' capacities does not tell: one table may grow by what another shrinks.)
  package var layout: Int { summary.pointee.layout }

  /// Slots of all tables.
  package var capacity: Int { (0..<HashIndex.tableCount).reduce(0) { $0 + Int(tables[$1].capacity) } }

  /// Memory of the tables.
  package var byteCount: Int {
    HashIndex.tableCount * MemoryLayout<Table>.stride + capacity * MemoryLayout<IndexSlot>.stride
  }

  private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<IndexSlot> {
    let slots = UnsafeMutablePointer<IndexSlot>.allocate(capacity: capacity)
    slots.initialize(repeating: .free, count: capacity)
    return slots
  }

  /// The partition is the hash's highest byte, the table the four bits below it.
  @inline(__always)
  static func table(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 52) & (tableCount - 1) }

  @inline(__always)
  private func table(_ hash: UInt64) -> UnsafeMutablePointer<Table> { tables + HashIndex.table(of: hash) }

  /// Where probing for a hash begins: decided by the bits below those that chose the table.
  @inline(__always)
  private static func home(_ hash: UInt64, _ capacity: UInt32) -> Int {
    Int(truncatingIfNeeded: (hash << 12).multipliedFullWidth(by: UInt64(capacity)).high)
  }

  /// The address a look-up of `hash` will touch first.
  @inline(__always)
  package func address(of hash: UInt64) -> UnsafeRawPointer {
    let table = table(hash)
    return UnsafeRawPointer(table.pointee.slots + HashIndex.home(hash, table.pointee.capacity))
  }

  /// The slot with this hash that `matches`, or `nil`. Valid until the next insertion.
  @inline(__always)
  package func find(
    _ hash: UInt64, matching matches: (UnsafeMutablePointer<IndexSlot>) -> Bool
  ) -> UnsafeMutablePointer<IndexSlot>? {
    let table = table(hash)
    var slot = table.pointee.slots + HashIndex.home(hash, table.pointee.capacity)
    let end = table.pointee.slots + Int(table.pointee.capacity)
    while true {
      if slot.pointee.location == .none { return nil }
      if slot.pointee.hash == hash, matches(slot) { return slot }
      slot += 1
      if slot == end { slot = table.pointee.slots }
    }
  }

  /// Adds an entry whose key is not in the index. Amortised O(1); grows its table when that is 80 % full.
  @inline(__always)
  package mutating func insert(_ slot: IndexSlot) {
    let table = table(slot.hash)
    if (table.pointee.count &+ 1) &* 5 > table.pointee.capacity &* 4 { grow(table) }
    HashIndex.place(slot, table)
    table.pointee.count &+= 1
  }

  @inline(__always)
  private static func place(_ slot: IndexSlot, _ table: UnsafeMutablePointer<Table>) {
    let slots = table.pointee.slots
    let capacity = Int(table.pointee.capacity)
    var i = home(slot.hash, table.pointee.capacity)
    while slots[i].location != .none {
      i &+= 1
      if i == capacity { i = 0 }
    }
    slots[i] = slot
  }

  @inline(never)
  private func grow(_ table: UnsafeMutablePointer<Table>) {
    let capacity = Int(table.pointee.capacity)
    rebuild(table, capacity: capacity + max(capacity / 4, HashIndex.capacityMin))
  }

  private func rebuild(_ table: UnsafeMutablePointer<Table>, capacity: Int) {
    let old = UnsafeMutableBufferPointer(start: table.pointee.slots, count: Int(table.pointee.capacity))
    if old.baseAddress == HashIndex.nothing { summary.pointee.begun += 1 }
    summary.pointee.layout += 1
    table.pointee = Table(slots: HashIndex.allocate(capacity), capacity: UInt32(capacity), count: 0)
    for slot in old where slot.location != .none {
      HashIndex.place(slot, table)
      table.pointee.count += 1
    }
    old.baseAddress.map(HashIndex.release)
  }

  /// Keeps the entries that satisfy `isKept`, in tables as large as they need. O(capacity).
  package mutating func filter(keeping isKept: (IndexSlot) -> Bool) {
    for i in 0..<HashIndex.tableCount { filter(table: i, keeping: isKept) }
  }

  /// ``filter(keeping:)`` for table `i` alone.
  mutating func filter(table i: Int, keeping isKept: (IndexSlot) -> Bool) {
    let table = tables + i
    var removed = 0
    for place in 0..<Int(table.pointee.capacity) where table.pointee.slots[place].location != .none {
      if isKept(table.pointee.slots[place]) { continue }
      table.pointee.slots[place].location = .none
      removed += 1
    }
    if removed == 0 { return }
    // The gaps would end the search for what was placed behind them.
    let kept = Int(table.pointee.count) - removed
    rebuild(table, capacity: max(HashIndex.capacityMin, kept * 4 / 3 + 1))
  }

  /// Makes room for `count` entries in table `i`, for whoever knows how many will come.
  mutating func reserve(_ i: Int, _ count: Int) {
    if count == 0 { return }
    let table = tables + i
    let wanted = max(HashIndex.capacityMin, count * 4 / 3 + 1)
    if wanted > Int(table.pointee.capacity) { rebuild(table, capacity: wanted) }
  }

  /// Calls `body` with each entry from place `from`, looking at no more than `limit` places, and returns where to go on,
  /// or `nil` at the end. A place is valid until ``layout`` changes.
  package func scan(from: Int, limit: Int, _ body: (UnsafeMutablePointer<IndexSlot>) -> Void) -> Int? {
    if isEmpty { return nil }
    var first = 0
    var left = limit
    var place = from
    for i in 0..<HashIndex.tableCount {
      let end = first + Int(tables[i].capacity)
      while place < end, left > 0 {
        let slot = tables[i].slots + (place - first)
        if slot.pointee.location != .none { body(slot) }
        place += 1
        left -= 1
      }
      if left == 0 { return place < capacity ? place : nil }
      first = end
    }
    return nil
  }

  /// The memory of each table.
  func forEachTable(_ body: (UnsafeRawBufferPointer) -> Void) {
    for i in 0..<HashIndex.tableCount {
      body(UnsafeRawBufferPointer(UnsafeBufferPointer(start: tables[i].slots, count: Int(tables[i].capacity))))
    }
  }

  /// Entries of table `i`, in the order of the table.
  func forEach(inTable i: Int, _ body: (IndexSlot) -> Void) {
    for place in 0..<Int(tables[i].capacity) where tables[i].slots[place].location != .none {
      body(tables[i].slots[place])
    }
  }

  func count(inTable i: Int) -> Int { Int(tables[i].count) }
}
