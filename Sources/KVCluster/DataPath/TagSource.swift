import Synchronization

/// The one monotone counter behind every tag of this process.
///
/// Tags must never repeat, not even after a crash, so the counter is leased: a bound is written durably beside the
/// configuration before a tag beyond the last bound is handed out, and into the folder of every node that answers and
/// has room; a start goes above every lease it can read. Drawing a tag is one atomic add and one comparison.
final class TagSource: Sendable {
  private let next = Atomic<UInt64>(1)
  private let bound = Atomic<UInt64>(1)
  private let first = Atomic<UInt64>(1)
  private let extending = Mutex<Void>(())
  /// Makes a bound durable.
  private let writeLease: @Sendable (UInt64) throws(StorageError) -> Void

  init(writeLease: @escaping @Sendable (UInt64) throws(StorageError) -> Void) {
    self.writeLease = writeLease
  }

  /// Begins above every counter that may have been handed out; call once, before the first draw. Without room for a
  /// lease reads are served all the same, and whoever draws the first tag hears of it.
  func start(at first: UInt64) throws(StorageError) {
    next.store(first, ordering: .relaxed)
    self.first.store(first, ordering: .releasing)
    bound.store(first, ordering: .releasing)
    do {
      try extend()
    } catch {
      guard case .diskFull = error else { throw error }
    }
  }

  /// Above every tag that was drawn before the program was started.
  var beforeThisLife: Tag { Tag(counter: first.load(ordering: .acquiring), coordinator: 0) }

  @inline(__always)
  func draw() throws(StorageError) -> Tag {
    let counter = next.wrappingAdd(1, ordering: .relaxed).oldValue
    if counter >= bound.load(ordering: .acquiring) { try waitForLease(counter) }
    return Tag(counter: counter, coordinator: 0)
  }

  /// Extends the lease ahead of need; call now and then from a background thread.
  func extendEarly() throws(StorageError) {
    if next.load(ordering: .relaxed) &+ Limits.tagLease / 2 > bound.load(ordering: .relaxed) { try extend() }
  }

  @inline(never)
  private func waitForLease(_ counter: UInt64) throws(StorageError) {
    while counter >= bound.load(ordering: .acquiring) { try extend() }
  }

  private func extend() throws(StorageError) {
    try extending.withLock { _ throws(StorageError) in
      let wanted = next.load(ordering: .relaxed) + Limits.tagLease
      guard wanted > bound.load(ordering: .relaxed) else { return }
      try writeLease(wanted)
      bound.store(wanted, ordering: .releasing)
    }
  }
}
