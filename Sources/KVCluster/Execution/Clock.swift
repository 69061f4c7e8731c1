import CKernels
import Glibc

/// The seam to time: the running program's clock, or a simulation's. The pure parts see neither: they are handed the time.
///
/// A simulation lives in one thread and puts that thread, and no other, into virtual time, in which nothing may block:
/// whoever would sleep or start a thread there traps, and says so at once instead of making a run depend on the machine.
/// (An injected clock object was rejected: operations, syncs and tags ask for the time, and each would pay a reference count
/// and an indirect call for it; a thread-local word costs a load and a comparison.)
package enum Clock {
  /// Nanoseconds of the monotonic clock, or of virtual time; about 28 ns a call.
  @inline(__always)
  package static func nowNs() -> UInt64 {
    let virtual = kv_virtual_now()
    if virtual != 0 { return virtual }
    var t = timespec()
    clock_gettime(CLOCK_MONOTONIC, &t)
    return UInt64(t.tv_sec) &* 1_000_000_000 &+ UInt64(t.tv_nsec)
  }

  /// What the system's clock shows; a simulation's may be set back and forth.
  package static func unixMilliseconds() -> UInt64 {
    let virtual = kv_virtual_now()
    if virtual != 0 { return UInt64(clamping: Int64(virtual / 1_000_000) + kv_virtual_unix_ms()) }
    var t = timespec()
    clock_gettime(CLOCK_REALTIME, &t)
    return UInt64(clamping: t.tv_sec) &* 1_000 &+ UInt64(t.tv_nsec) / 1_000_000
  }

  /// Sets the clock of a simulation.
  /// - Parameter zeroMs: what it shows at virtual time 0.
  package static func setUnix(zeroMs: Int64) { kv_set_virtual_unix_ms(zeroMs) }

  /// What a simulation's clock shows at virtual time 0.
  package static var unixZeroMs: Int64 { kv_virtual_unix_ms() }

  /// Puts the calling thread to sleep.
  package static func sleep(ns: UInt64) {
    precondition(!isVirtual, "nothing may sleep in virtual time")
    var wanted = timespec(tv_sec: Int(ns / 1_000_000_000), tv_nsec: Int(ns % 1_000_000_000))
    var left = timespec()
    while nanosleep(&wanted, &left) != 0, errno == EINTR { wanted = left }
  }

  /// Whether the calling thread is a simulation's.
  package static var isVirtual: Bool { kv_virtual_now() != 0 }

  /// Runs a simulation on the calling thread, from virtual time `startNs` on.
  package static func runVirtually<R, E: Error>(from startNs: UInt64, _ body: () throws(E) -> R) throws(E) -> R {
    precondition(!isVirtual && startNs > 0, "a simulation in a simulation, or at no time")
    kv_set_virtual_now(startNs)
    setUnix(zeroMs: 1_700_000_000_000)
    defer { kv_set_virtual_now(0) }
    return try body()
  }

  /// Virtual time goes on.
  package static func advance(toNs now: UInt64) {
    precondition(isVirtual && now >= nowNs(), "time goes forward, and only in a simulation by command")
    kv_set_virtual_now(now)
  }
}
