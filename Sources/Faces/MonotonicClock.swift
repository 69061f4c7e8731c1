import Dispatch

/// The machine's monotonic clock, which statuses and benchmarks of this process count by as well.
enum MonotonicClock {
  static func nowNs() -> UInt64 { DispatchTime.now().uptimeNanoseconds }
}
