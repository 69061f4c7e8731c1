import Synchronization

/// Where a cluster is in its life: recovering, open, closing, closed.
package final class Lifespan: Sendable {
  let openedNs = Clock.nowNs()
  /// Set once; background work ends soon after.
  private let closing = Atomic<Bool>(false)
  private let monitor = Monitor()
  /// Units of recovery: logs to find the end of, then segments to read.
  let unitsDone = Atomic<Int>(0)
  let unitsTotal = Atomic<Int>(1)
  let recovered = Latch()
  let closed = Latch()

  package var isClosing: Bool { closing.load(ordering: .acquiring) }

  /// Returns whether this call is the first.
  @discardableResult
  package func beginClosing() -> Bool {
    let isFirst = !closing.exchange(true, ordering: .acquiringAndReleasing)
    monitor.withLock { monitor.notifyAll() }
    return isFirst
  }

  /// Puts the calling thread to sleep, until the cluster closes at most.
  func sleep(ns: UInt64) {
    let endNs = Clock.nowNs() + ns
    monitor.withLock {
      while !isClosing, Clock.nowNs() < endNs { monitor.wait(untilNs: endNs) }
    }
  }

  /// Part of recovery that is done, from 0 to 1.
  var recoveryFraction: Double {
    min(1, Double(unitsDone.load(ordering: .relaxed)) / Double(max(1, unitsTotal.load(ordering: .relaxed))))
  }
}
