import Glibc

/// The running program's clock. The pure parts never see it: they are handed the time.
package enum Clock {
  /// Nanoseconds of the monotonic clock; about 28 ns a call.
  @inline(__always)
  package static func nowNs() -> UInt64 {
    var t = timespec()
    clock_gettime(CLOCK_MONOTONIC, &t)
    return UInt64(t.tv_sec) &* 1_000_000_000 &+ UInt64(t.tv_nsec)
  }

  /// Puts the calling thread to sleep.
  package static func sleep(ns: UInt64) {
    var wanted = timespec(tv_sec: Int(ns / 1_000_000_000), tv_nsec: Int(ns % 1_000_000_000))
    var left = timespec()
    while nanosleep(&wanted, &left) != 0, errno == EINTR { wanted = left }
  }
}
