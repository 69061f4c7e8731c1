import Synchronization

/// Where operations on watched keys are recorded, for a checker to judge while the cluster runs.
///
/// Nothing is recorded for other keys: all they pay for is a load, and a comparison with the key's hash. An operation on
/// a watched key takes one of ``slotCount`` slots while it runs, and leaves its record there until the one consumer
/// collects it: free → claimed → open → ended → free. Nobody waits for anybody; the memory is all there is.
///
/// **An operation that finds no slot** takes its key out of the watch before it does anything, by halving the watch to
/// the half without the key. It seldom comes to that: when half of the slots have been taken faster than the consumer
/// wants, the watch is narrowed to what it does want. So a key that is watched has all its operations recorded, since it came into the watch and
/// but for those that were under way then; and recording costs what it may, not what the load would.
///
/// **Real-time order.** A counter is read (R) before an operation can have had an effect, and incremented (I) after all
/// of it. A ≺ B is concluded only if I(A) ≤ R(B): then B's read came after A's increment, so A had ended before B began.
/// What is concluded is therefore true on any hardware; where threads see the counter late, less is concluded. A clock
/// costs as much and promises less: reading it is no memory operation, and need not be in order with any.
///
/// **What the consumer knows.** ``collect(_:)`` reads the counter, F, then all slots. An operation that it does not find
/// claims a slot later, so R ≥ F: both are sequentially consistent. One that it finds claimed has not begun, so it may
/// be taken to begin after F whatever its R. One that it finds open may have ended before F, and be found ended next
/// time: then it may be taken to end after F, which concludes less.
package final class OperationTap: @unchecked Sendable {
  /// A tenth of a second of the most that is recorded, see `WatchControl`.
  package static let slotCount = 4_096
  /// A sudden load is cut down to so many records a second.
  package static let recordedPerSecondMax: UInt64 = 24_000
  /// Slots looked at before an operation goes unrecorded: enough unless nearly all are taken.
  private static let probesMax = 32

  private enum State {
    static let free: UInt8 = 0
    static let claimed: UInt8 = 1
    static let open: UInt8 = 2
    static let ended: UInt8 = 3
  }

  private let watchWord = Atomic<UInt64>(0)
  private let counter = Atomic<UInt64>(1)
  /// Where the next operation begins to look for a slot.
  private let cursor = Atomic<Int>(0)
  /// The cursor and the time when the consumer last collected, and whether the watch has been narrowed since.
  private let collectedCursor = Atomic<Int>(0)
  private let collectedNs = Atomic<UInt64>(0)
  private let isRelieved = Atomic<Bool>(false)
  private let states: UnsafeMutablePointer<Atomic<UInt8>>
  /// A slot's record is written by whoever claimed it before its state says `open`, and its ending before it says
  /// `ended`; the consumer reads each only after that, and neither is written again before it has said `free`. Zero to
  /// begin with, as states are, and no memory is used before something is recorded.
  private let records: UnsafeMutablePointer<ObservedOperation>
  private let endings: UnsafeMutablePointer<ObservedOperation.Ending>
  private let memory: ZeroedMemory
  /// Where the consumer sleeps; an operation that found no slot wakes it.
  package let monitor = Monitor()

  package init() {
    let slots = OperationTap.slotCount
    let recordBytes = MemoryLayout<ObservedOperation>.stride
    let endingBytes = MemoryLayout<ObservedOperation.Ending>.stride
    memory = ZeroedMemory(byteCount: slots * (recordBytes + endingBytes + 1))
    records = memory.base.bindMemory(to: ObservedOperation.self, capacity: slots)
    endings = (memory.base + slots * recordBytes).bindMemory(to: ObservedOperation.Ending.self, capacity: slots)
    states = (memory.base + slots * (recordBytes + endingBytes)).bindMemory(to: Atomic<UInt8>.self, capacity: slots)
  }

  package var watch: Watch { Watch(word: watchWord.load(ordering: .acquiring)) }

  /// Changes what is watched; false if it is not `expected` any more.
  package func replace(_ expected: Watch, with next: Watch) -> Bool {
    watchWord.compareExchange(
      expected: expected.word, desired: next.word, ordering: .sequentiallyConsistent
    ).exchanged
  }

  /// Whether operations on a key with this hash are recorded.
  @inline(__always)
  package func watches(_ hash: UInt64) -> Bool { Watch(word: watchWord.load(ordering: .relaxed)).includes(hash) }

  // MARK: - Recording

  /// Begins the record of an operation on a watched key, before anything of it is done.
  /// - Parameters:
  ///   - value: what a write writes.
  ///   - base: what a read-modify-write found.
  /// - Returns: the slot, for ``end(_:_:)``; `nil` if there was none, and the key is no longer watched.
  package func begin(
    _ kind: ObservedOperation.Kind, _ key: UnsafeRawBufferPointer, _ value: ObservedValue = .absent,
    base: ObservedValue? = nil
  ) -> Int? {
    let hash = Ring.hash(key)
    guard let slot = claim() else {
      exclude(hash)
      return nil
    }
    let taken = cursor.load(ordering: .relaxed) - collectedCursor.load(ordering: .relaxed)
    if taken > OperationTap.slotCount / 2, !isRelieved.load(ordering: .relaxed) { relieve(hash, taken) }
    let use = records[slot].use &+ 1
    records[slot] = ObservedOperation(kind: kind, key: key, hash: hash, value: value, base: base)
    records[slot].use = use
    records[slot].id = use << 12 | UInt64(slot)
    records[slot].invokedAt = counter.load(ordering: .sequentiallyConsistent)
    endings[slot] = ObservedOperation.Ending()
    states[slot].store(State.open, ordering: .sequentiallyConsistent)
    return slot
  }

  /// A get has found a value; call before its end.
  package func note(_ slot: Int, found value: ObservedValue) { endings[slot].found = value }

  /// Ends a record, after all of the operation is done.
  package func end(_ slot: Int?, _ outcome: ObservedOperation.Outcome) {
    guard let slot else { return }
    endings[slot].outcome = outcome
    endings[slot].returnedAt = counter.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
    states[slot].store(State.ended, ordering: .releasing)
  }

  /// Goes round all slots in steps of an odd number, so that neighbours are taken at different times.
  private func claim() -> Int? {
    for _ in 0..<OperationTap.probesMax {
      let turn = cursor.wrappingAdd(1, ordering: .relaxed).newValue
      let slot = (turn &* 127) & (OperationTap.slotCount - 1)
      let claimed = states[slot].compareExchange(
        expected: State.free, desired: State.claimed, ordering: .sequentiallyConsistent)
      if claimed.exchanged { return slot }
    }
    return nil
  }

  /// Narrows the watch by as much as records come too fast, to keys among which is this one.
  private func relieve(_ hash: UInt64, _ taken: Int) {
    guard !isRelieved.exchange(true, ordering: .relaxed) else { return }
    let elapsedNs = max(1, Clock.nowNs() - min(Clock.nowNs(), collectedNs.load(ordering: .relaxed)))
    var rate = UInt64(taken) * 1_000_000_000 / elapsedNs
    let found = watch
    var next = found
    while rate > OperationTap.recordedPerSecondMax, next != .none {
      next = next.excluding(~hash)
      rate /= 2
    }
    if next != found { _ = replace(found, with: next) }
    monitor.withLock { monitor.notifyAll() }
  }

  private func exclude(_ hash: UInt64) {
    var found = watch
    while found.includes(hash) {
      if replace(found, with: found.excluding(hash)) { break }
      found = watch
    }
    monitor.withLock { monitor.notifyAll() }
  }

  // MARK: - Collecting

  /// What ``collect(_:)`` found.
  package struct Frontier: Sendable {
    /// Everything that returned at this count or before is known, but for what was found open.
    package var count: UInt64
    /// A key that is not in it may have been operated on without a record.
    package var watch: Watch
  }

  /// Hands over each ended operation once, and each open one every time, in no order. For one consumer.
  package func collect(_ take: (ObservedOperation) -> Void) -> Frontier {
    collectedCursor.store(cursor.load(ordering: .relaxed), ordering: .relaxed)
    collectedNs.store(Clock.nowNs(), ordering: .relaxed)
    isRelieved.store(false, ordering: .relaxed)
    let count = counter.load(ordering: .sequentiallyConsistent)
    for slot in 0..<OperationTap.slotCount {
      switch states[slot].load(ordering: .sequentiallyConsistent) {
      case State.open:
        take(records[slot])
      case State.ended:
        take(records[slot].ended(endings[slot]))
        states[slot].store(State.free, ordering: .releasing)
      default:
        break
      }
    }
    // Read last: whoever saw the effect of an unrecorded operation ended after the key had been taken out.
    return Frontier(count: count, watch: watch)
  }
}
