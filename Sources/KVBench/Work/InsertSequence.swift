import Synchronization

/// Numbers for new keys, and how many keys are certainly there: YCSB's `AcknowledgedCounterGenerator`.
///
/// Inserts end in another order than they began. A key counts as there once its insert and all earlier ones have been
/// acknowledged, so that no reader asks for one that is on its way.
final class InsertSequence: Sendable {
  /// Ends that wait for an earlier one: as many as callers at most.
  private struct State {
    var ended: Set<UInt64> = []
  }

  private let issued: Atomic<UInt64>
  private let acknowledged: Atomic<UInt64>
  private let state = Mutex(State())

  /// - Parameter first: keys that are there at the beginning.
  init(first: UInt64) {
    issued = Atomic(first)
    acknowledged = Atomic(first)
  }

  /// All keys below this number are there.
  @inline(__always)
  var present: UInt64 { acknowledged.load(ordering: .acquiring) }

  /// How many numbers were given out, the first ones included.
  var end: UInt64 { issued.load(ordering: .relaxed) }

  /// The number of a key that is to be inserted.
  func next() -> UInt64 { issued.wrappingAdd(1, ordering: .relaxed).oldValue }

  /// The insert of `number` has ended well.
  func acknowledge(_ number: UInt64) {
    state.withLock { state in
      state.ended.insert(number)
      var present = acknowledged.load(ordering: .relaxed)
      while state.ended.remove(present) != nil { present += 1 }
      acknowledged.store(present, ordering: .releasing)
    }
  }
}
