import CKernels
import KVCluster
import Synchronization

/// The moments of an open loop's operations: one every 1/rate seconds, whatever becomes of them.
///
/// Whoever is free takes the next moment and waits for it. If all callers are busy, moments pass, and are made up for as
/// soon as a caller is free again; latency counts from the moment, so it contains that wait. A closed loop sends nothing
/// while it waits and so leaves out the very operations that would have been slow: "coordinated omission" (Gil Tene, "How
/// NOT to Measure Latency").
final class OpenSchedule: Sendable {
  /// How long after the end moments that passed are still made up for. Beyond it they are reported as never sent, or a
  /// rate that nobody can carry would never end.
  static let overtimeNs: UInt64 = 5_000_000_000

  /// Beyond what can be counted or waited for in a life: they keep the arithmetic within its numbers.
  private static let (countMax, lengthNsMax) = (1e18, 4e18)

  private let startNs: UInt64
  private let intervalNs: Double
  let count: UInt64
  /// When the interval of the last operation is over, at the latest at the deadline: a schedule of two operations a second
  /// that sends one takes half a second, however soon the operation is done.
  let endNs: UInt64
  private let issued = Atomic<UInt64>(0)
  private let latestNs: UInt64

  /// - Parameters:
  ///   - operations: how many, or `nil` for as many as fit before `deadlineNs`.
  init(rate: Double, startNs: UInt64, operations: Int?, deadlineNs: UInt64) {
    self.startNs = startNs
    intervalNs = 1e9 / rate
    let fitting = operations.map(Double.init) ?? (Double(deadlineNs - startNs) / intervalNs).rounded(.up)
    count = UInt64(max(1, min(fitting, Self.countMax)))
    let lengthNs = UInt64(min(Double(count) * intervalNs, Self.lengthNsMax))
    endNs = min(deadlineNs, startNs + lengthNs)
    latestNs = startNs + lengthNs + OpenSchedule.overtimeNs
  }

  /// The next moment, which is the caller's now; `nil` when there are no more.
  func next() -> UInt64? {
    let number = issued.wrappingAdd(1, ordering: .relaxed).oldValue
    guard number < count, Clock.nowNs() < latestNs else {
      issued.wrappingSubtract(1, ordering: .relaxed)
      return nil
    }
    return startNs + UInt64(Double(number) * intervalNs)
  }

  /// Waits until the schedule is over; returns early if `isStopped`.
  func waitUntilEnd(isStopped: () -> Bool) async {
    while case let now = Clock.nowNs(), now < endNs, !isStopped(), !Task.isCancelled {
      try? await Task.sleep(for: .nanoseconds(min(Pacing.napNs, endNs - now)))
    }
  }

  /// Moments that nobody took.
  var unsent: Int { Int(count - min(count, issued.load(ordering: .relaxed))) }
}

/// Wakes callers at their moments.
enum Pacing {
  /// Before a moment a thread wakes so early and spins: waking takes the kernel 10 to 40 µs here, even without slack.
  static let spinNs: UInt64 = 50_000
  /// A sleeper looks so often whether the run was stopped.
  static let napNs: UInt64 = 50_000_000

  /// Waits on the caller's thread; returns early, and false, if `isStopped`.
  static func wait(untilNs dueNs: UInt64, isStopped: () -> Bool) -> Bool {
    while true {
      let now = Clock.nowNs()
      if isStopped() { return false }
      if now >= dueNs { return true }
      let left = dueNs - now
      if left > spinNs { Clock.sleep(ns: min(napNs, left - spinNs)) }
    }
  }
}

/// Wakes tasks at their moments: one thread that spins before each, since the timers of tasks are exact to a millisecond
/// only.
final class TaskPacer: @unchecked Sendable {
  // Guarded by `monitor`.
  private var waiting: [(dueNs: UInt64, continuation: CheckedContinuation<Void, Never>)] = []
  private var isFinished = false
  private let monitor = Monitor()
  private var thread: BackgroundThread?

  init() {
    thread = BackgroundThread("bench pacer") { [unowned self] in run() }
  }

  /// Returns at the moment, or when the pacer is finished.
  func wait(untilNs dueNs: UInt64) async {
    guard Clock.nowNs() < dueNs else { return }
    await withCheckedContinuation { continuation in
      let isLate = monitor.withLock {
        if isFinished { return true }
        // Moments come nearly in order.
        let place = waiting.lastIndex { $0.dueNs <= dueNs }.map { $0 + 1 } ?? 0
        waiting.insert((dueNs, continuation), at: place)
        if place == 0 { monitor.notifyAll() }
        return false
      }
      if isLate { continuation.resume() }
    }
  }

  private func run() {
    kv_wake_precisely()
    while let due = next() {
      while Clock.nowNs() < due.dueNs {}
      due.continuation.resume()
    }
  }

  /// Sleeps until shortly before the first moment, and takes it out.
  private func next() -> (dueNs: UInt64, continuation: CheckedContinuation<Void, Never>)? {
    monitor.withLock {
      while !isFinished {
        guard let first = waiting.first else {
          monitor.wait()
          continue
        }
        if first.dueNs <= Clock.nowNs() + Pacing.spinNs { return waiting.removeFirst() }
        monitor.wait(untilNs: first.dueNs - Pacing.spinNs)
      }
      return nil
    }
  }

  /// Wakes everybody, and whoever comes later at once.
  func wakeAll() {
    let rest = monitor.withLock {
      isFinished = true
      monitor.notifyAll()
      defer { waiting = [] }
      return waiting
    }
    for one in rest { one.continuation.resume() }
  }

  /// Ends the thread; once only.
  func finish() {
    wakeAll()
    thread?.join()
  }
}
