import CKernels
import Glibc
import Synchronization

/// A thread of the engine's own. Swift's cooperative pool is for work that never blocks; these threads block in
/// fdatasync and in waits.
package final class BackgroundThread: @unchecked Sendable {
  private var id = pthread_t()
  private let ended = Ended()

  private final class Ended: Sendable {
    let flag = Atomic<Bool>(false)
  }

  /// Whether the thread's body has returned, so that ``join()`` will not wait.
  package var hasEnded: Bool { ended.flag.load(ordering: .acquiring) }

  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// - Parameter name: shown by `top -H`; 15 bytes at most.
  package init(_ name: String, _ run: @escaping @Sendable () -> Void) {
    precondition(!Clock.isVirtual, "a simulation starts no thread: \(name)")
    let label = String(name.prefix(15))
    let body = Unmanaged.passRetained(
      Body { [ended] in
        kv_name_thread(label)
        run()
        ended.flag.store(true, ordering: .releasing)
      })
    let result = pthread_create(
      &id, nil,
      { argument in
        Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, body.toOpaque())
    precondition(result == 0, "cannot start a thread: \(String(cString: strerror(result)))")
  }

  /// Waits until the thread has ended. Once only.
  package func join() { pthread_join(id, nil) }
}

/// A lock with a condition to wait for: where a thread of the engine sleeps until there is work.
package final class Monitor: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  package init() {
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  package func withLock<R>(_ body: () -> R) -> R {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }

  /// Releases the lock, sleeps until notified (or until `deadlineNs` of the monotonic clock), takes it again.
  /// Call inside ``withLock(_:)`` and check the condition again after it.
  package func wait(untilNs deadlineNs: UInt64? = nil) {
    guard let deadlineNs else {
      pthread_cond_wait(condition, mutex)
      return
    }
    var t = timespec(tv_sec: Int(deadlineNs / 1_000_000_000), tv_nsec: Int(deadlineNs % 1_000_000_000))
    pthread_cond_timedwait(condition, mutex, &t)
  }

  package func notifyAll() { pthread_cond_broadcast(condition) }
}

/// Wakes one sleeping thread; rung before the thread sleeps, it does not sleep.
final class Bell: @unchecked Sendable {
  private let monitor = Monitor()
  /// Guarded by `monitor`.
  private var isRung = false

  func ring() {
    monitor.withLock {
      isRung = true
      monitor.notifyAll()
    }
  }

  /// Sleeps until the bell is rung, or until `deadlineNs` of the monotonic clock.
  func wait(untilNs deadlineNs: UInt64?) {
    monitor.withLock {
      while !isRung {
        if let deadlineNs, Clock.nowNs() >= deadlineNs { break }
        monitor.wait(untilNs: deadlineNs)
      }
      isRung = false
    }
  }
}
