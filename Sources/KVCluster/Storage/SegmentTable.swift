import Synchronization

/// The segments of one log by slot, readable without a lock: where each is mapped, its id, and how much of it is dead.
///
/// A slot is taken before any location in it is handed out and given back when nobody holds one any more, so whoever
/// has a location from the index, under its partition's lock, may read the segment. The tables are allocated once at
/// full size (their pages come when they are touched), so they never move under a reader.
package final class SegmentTable: @unchecked Sendable {
  /// 4 TiB of log at the default segment size.
  static let slotsMax = 65_536
  private let bases: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  private let ids: UnsafeMutablePointer<UInt64>
  /// Bytes of records that newer ones have replaced.
  private let dead: UnsafeMutablePointer<Atomic<Int>>
  /// Bytes of tombstones that were purged, and still hide what older segments may hold.
  private let purged: UnsafeMutablePointer<Atomic<Int>>
  private struct State {
    var files: [(slot: Int, file: any SegmentFile)] = []
    var nextSlot = 1
    var freeSlots: [Int] = []
  }
  private let state = Mutex(State())

  /// Slots of this table.
  private let slotCount: Int
  private let memory: ZeroedMemory

  init(slotCount: Int = SegmentTable.slotsMax) {
    self.slotCount = slotCount
    // The entries of all four are of one word.
    let tableBytes = slotCount * MemoryLayout<UInt64>.stride
    // nil and 0 are all zeros.
    memory = ZeroedMemory(byteCount: 4 * tableBytes)
    let base = memory.base
    bases = base.bindMemory(to: UnsafeMutableRawPointer?.self, capacity: slotCount)
    ids = (base + tableBytes).bindMemory(to: UInt64.self, capacity: slotCount)
    dead = (base + 2 * tableBytes).bindMemory(to: Atomic<Int>.self, capacity: slotCount)
    purged = (base + 3 * tableBytes).bindMemory(to: Atomic<Int>.self, capacity: slotCount)
  }

  @inline(__always)
  func base(_ slot: Int) -> UnsafeMutableRawPointer { bases[slot].unsafelyUnwrapped }

  @inline(__always)
  func id(_ slot: Int) -> UInt64 { ids[slot] }

  @inline(__always)
  func addDead(_ bytes: Int, slot: Int) { dead[slot].wrappingAdd(bytes, ordering: .relaxed) }

  func deadBytes(_ slot: Int) -> Int { dead[slot].load(ordering: .relaxed) }

  func addPurged(_ bytes: Int, slot: Int) { purged[slot].wrappingAdd(bytes, ordering: .relaxed) }

  func purgedBytes(_ slot: Int) -> Int { purged[slot].load(ordering: .relaxed) }

  @inline(__always)
  func address(of location: Location) -> UnsafeRawPointer {
    UnsafeRawPointer(base(location.slot) + location.offset)
  }

  @inline(__always)
  func position(of location: Location) -> LogPosition {
    LogPosition(segment: id(location.slot), offset: location.offset)
  }

  /// Gives a segment a slot.
  /// - Throws: ``StorageError/tooManySegments`` when the log is at its largest.
  func add(_ file: any SegmentFile, id: UInt64) throws(StorageError) -> Int {
    try state.withLock { state throws(StorageError) in
      guard let slot = state.freeSlots.popLast() ?? (state.nextSlot < slotCount ? state.nextSlot : nil)
      else { throw .tooManySegments }
      if slot == state.nextSlot { state.nextSlot += 1 }
      state.files.append((slot, file))
      bases[slot] = file.base
      ids[slot] = id
      dead[slot].store(0, ordering: .relaxed)
      purged[slot].store(0, ordering: .relaxed)
      return slot
    }
  }

  /// Takes a segment's slot back; nobody may hold a location in it any more.
  func remove(_ slot: Int) {
    state.withLock { state in
      state.files.removeAll { $0.slot == slot }
      state.freeSlots.append(slot)
      bases[slot] = nil
      ids[slot] = 0
    }
  }

  func closeAll() {
    let open = state.withLock { state in
      defer { state.files = [] }
      return state.files
    }
    for (_, file) in open { file.close() }
  }
}
