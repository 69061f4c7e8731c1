import CKernels
import Synchronization

/// Measures how long operations take: every one as long as they are few, one of so many when they are not.
///
/// Two looks at the clock and a lock cost 80 ns, a tenth of an operation under full load, so under load only a part is
/// measured. Which part decides a counter of each thread: no shared memory is touched for an operation that is not
/// measured.
final class LatencyRecorder: Sendable {
  /// One operation in `mask + 1` is measured; a power of two less one.
  private let mask = Atomic<UInt32>(0)
  private let state = Mutex(State())

  private struct State {
    var counts = LatencyCounts()
    var windowStartedNs: UInt64 = 0
    var measuredInWindow = 0
  }

  private static let windowNs: UInt64 = 100_000_000
  /// Measured operations a window that cost less than one thousandth of a processor.
  private static let measuredMax = 1_000
  private static let maskMax: UInt32 = 1_023

  /// When an operation began, or 0 if it is not measured.
  ///
  /// The golden ratio scatters the counter: of a thread that reads and writes in turn every so many operations would
  /// be all reads, or all writes.
  @inline(__always)
  func start() -> UInt64 {
    kv_next_count() &* 0x9E37_79B1 >> 22 & mask.load(ordering: .relaxed) == 0 ? Clock.nowNs() : 0
  }

  /// Counts an operation that began at `startedNs`, unless that is 0.
  @inline(__always)
  func finish(_ startedNs: UInt64) {
    if startedNs != 0 { record(startedNs, Clock.nowNs()) }
  }

  func record(_ startedNs: UInt64, _ endedNs: UInt64) {
    state.withLock { state in
      adapt(&state, endedNs)
      state.measuredInWindow += 1
      state.counts.add(ns: endedNs - startedNs)
    }
  }

  /// What was measured so far.
  func counts() -> LatencyCounts {
    state.withLock { state in
      adapt(&state, Clock.nowNs())
      return state.counts
    }
  }

  private func adapt(_ state: inout State, _ nowNs: UInt64) {
    let now = mask.load(ordering: .relaxed)
    if state.measuredInWindow >= Self.measuredMax {
      mask.store(Swift.min(Self.maskMax, now * 2 + 1), ordering: .relaxed)
    } else if nowNs < state.windowStartedNs + Self.windowNs {
      return
    } else if state.measuredInWindow < Self.measuredMax / 8 {
      mask.store(now / 2, ordering: .relaxed)
    }
    state.windowStartedNs = nowNs
    state.measuredInWindow = 0
  }
}
