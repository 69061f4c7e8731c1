import Synchronization

/// A mutual-exclusion lock whose body may touch the caller's borrowed memory.
///
/// The standard library's `Mutex` (a futex, 5 ns when free) with one difference: `Mutex.withLock` treats what it guards
/// as a region of its own, which forbids copying bytes that the caller only borrows into memory the lock guards, the
/// very thing an append does. What this guards lies beside it, and its owner states that in its documentation.
package struct Lock: ~Copyable, Sendable {
  private let mutex = Mutex<Void>(())

  @inline(__always)
  package init() {}

  @inline(__always)
  package borrowing func withLock<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    mutex._unsafeLock()
    defer { mutex._unsafeUnlock() }
    return try body()
  }

  /// For the rare place that does not nest like a scope.
  @inline(__always)
  package borrowing func lock() { mutex._unsafeLock() }

  @inline(__always)
  package borrowing func unlock() { mutex._unsafeUnlock() }
}
