import CKernels
import Glibc

/// One entry of the index: 24 bytes, so 28 to 35 bytes a key at the loads the table keeps.
package struct IndexSlot {
  /// The key's full 64-bit hash.
  package var hash: UInt64
  /// Its newest record; `.none` marks a free slot.
  package var location: Location
  package var tag: Tag

  static let free = IndexSlot(hash: 0, location: .none, tag: .none)
}

/// A node's index of one partition: an open-addressing table from a key's hash to its newest record in the log.
///
/// Keys are not in the table but in the log, so equal hashes are told apart by a look at the record. Linear probing
/// from a position that grows with the hash keeps a probe within one or two cache lines and the table in ring order.
/// The table grows by a quarter: a partition at a time, so the memory of a node never jumps, and slots stay between
/// 64 and 80 % full. (Doubling would cost 60 bytes a key at its worst; chaining a cache miss more.)
///
/// Raw memory, no lock of its own: whoever calls holds the lock of the partition, or is the only thread.
package struct HashIndex {
  private(set) var slots: UnsafeMutablePointer<IndexSlot>
  private(set) package var capacity: Int
  private(set) package var count = 0

  static let capacityMin = 16

  init() {
    capacity = HashIndex.capacityMin
    slots = HashIndex.allocate(capacity)
  }

  func deallocate() {
    slots.deallocate()
  }

  private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<IndexSlot> {
    let slots = UnsafeMutablePointer<IndexSlot>.allocate(capacity: capacity)
    slots.initialize(repeating: .free, count: capacity)
    return slots
  }

  /// Where probing for a hash begins. The partition is the hash's highest byte, so the bits below it decide.
  @inline(__always)
  private static func home(_ hash: UInt64, _ capacity: Int) -> Int {
    Int((hash << 8).multipliedFullWidth(by: UInt64(capacity)).high)
  }

  /// The address a look-up of `hash` will touch first.
  @inline(__always)
  func address(of hash: UInt64) -> UnsafeRawPointer {
    UnsafeRawPointer(slots + HashIndex.home(hash, capacity))
  }

  /// The position of the slot with this hash that `matches`, or `nil`.
  @inline(__always)
  func find(_ hash: UInt64, matching matches: (IndexSlot) -> Bool) -> Int? {
    var i = HashIndex.home(hash, capacity)
    while true {
      let slot = slots[i]
      if slot.location == .none { return nil }
      if slot.hash == hash, matches(slot) { return i }
      i &+= 1
      if i == capacity { i = 0 }
    }
  }

  @inline(__always)
  subscript(position: Int) -> IndexSlot {
    get { slots[position] }
    nonmutating set { slots[position] = newValue }
  }

  /// Adds a slot whose key is not in the table. Amortised O(1); grows the table when it is 80 % full.
  @inline(__always)
  mutating func insert(_ slot: IndexSlot) {
    if (count &+ 1) &* 5 > capacity &* 4 { grow() }
    place(slot)
    count &+= 1
  }

  @inline(__always)
  private func place(_ slot: IndexSlot) {
    var i = HashIndex.home(slot.hash, capacity)
    while slots[i].location != .none {
      i &+= 1
      if i == capacity { i = 0 }
    }
    slots[i] = slot
  }

  @inline(never)
  private mutating func grow() {
    rebuild(capacity: capacity + max(capacity / 4, HashIndex.capacityMin)) { _ in true }
  }

  /// Keeps the slots that satisfy `isKept`, in a table of `capacity` slots or as many as they need. O(capacity).
  mutating func rebuild(capacity wanted: Int, keeping isKept: (IndexSlot) -> Bool) {
    let old = UnsafeMutableBufferPointer(start: slots, count: capacity)
    capacity = wanted
    slots = HashIndex.allocate(wanted)
    count = 0
    for slot in old where slot.location != .none && isKept(slot) {
      place(slot)
      count += 1
    }
    old.deallocate()
  }
}
