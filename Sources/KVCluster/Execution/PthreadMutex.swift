#if PTHREAD_LOCKS
  import Glibc

  /// Takes the place of the standard library's `Mutex` in a build for the thread sanitizer (`-DPTHREAD_LOCKS`), which
  /// understands pthread's locks. Of `Mutex` it sees only the half that is compiled into the caller: what a thread does
  /// when it has to wait happens in a library that is not instrumented, and each wait would be reported as a race.
  struct Mutex<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let value: UnsafeMutablePointer<Value>

    init(_ initial: consuming sending Value) {
      mutex = .allocate(capacity: 1)
      pthread_mutex_init(mutex, nil)
      value = .allocate(capacity: 1)
      value.initialize(to: initial)
    }

    deinit {
      value.deinitialize(count: 1)
      value.deallocate()
      pthread_mutex_destroy(mutex)
      mutex.deallocate()
    }

    borrowing func withLock<R: ~Copyable, E: Error>(
      _ body: (inout sending Value) throws(E) -> sending R
    ) throws(E) -> sending R {
      pthread_mutex_lock(mutex)
      defer { pthread_mutex_unlock(mutex) }
      return try body(&value.pointee)
    }

    borrowing func _unsafeLock() { pthread_mutex_lock(mutex) }
    borrowing func _unsafeUnlock() { pthread_mutex_unlock(mutex) }
  }
#endif
