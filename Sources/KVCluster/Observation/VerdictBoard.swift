import Synchronization

/// What the live verdict has found, as statuses show it.
package final class VerdictBoard: Sendable {
  private let tap: OperationTap
  /// Is told of violations.
  private let tell: @Sendable (ClusterEvent.What) -> Void
  private let latest = Mutex<VerdictStatus?>(nil)
  /// Number of completed watch passes.
  private let passes = Atomic<UInt64>(0)

  package init(_ tap: OperationTap, tell: @escaping @Sendable (ClusterEvent.What) -> Void) {
    (self.tap, self.tell) = (tap, tell)
  }

  convenience init(_ tap: OperationTap, _ events: EventLog) { self.init(tap) { events.add($0) } }

  /// `nil` if nobody watches.
  package var status: VerdictStatus? { latest.withLock { $0 } }

  /// Shows in statuses what watching has found, and tells the event log of a violation.
  package func show(_ status: VerdictStatus?, violation: VerdictStatus.Violation? = nil) {
    latest.withLock { $0 = status }
    if let violation { tell(.notLinearizable(violation.summary)) }
  }

  /// A watch pass is complete: all operations that it collected are judged.
  package func notePass() { passes.wrappingAdd(1, ordering: .releasing) }

  /// The verdict on all operations that have ended by now, or after a second on those judged by then. `nil` if nobody
  /// watches.
  package func ofNow() async -> VerdictStatus? {
    let seen = passes.load(ordering: .acquiring)
    let deadlineNs = Clock.nowNs() + 1_000_000_000
    // The next pass may have begun before; the one after it has not.
    while tap.watch != .none, passes.load(ordering: .acquiring) < seen + 2, Clock.nowNs() < deadlineNs {
      tap.monitor.withLock { tap.monitor.notifyAll() }
      try? await Task.sleep(for: .milliseconds(1))
    }
    return status
  }
}
