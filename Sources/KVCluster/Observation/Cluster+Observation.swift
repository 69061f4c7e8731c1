/// What watching has found, for the status.
extension Cluster {
  /// Whether a client can have begun an operation.
  package var hasServed: Bool { dataPath.hasServed }

  /// Shows in ``status()`` what watching has found, and tells the event log of a violation.
  package func show(_ status: VerdictStatus?, event: String? = nil) {
    verdict.withLock { $0 = status }
    if let event { log(.cluster, .failure, event) }
  }

  /// Who watches has judged all that it had found when it looked.
  package func notePass() { watchPasses.wrappingAdd(1, ordering: .releasing) }

  /// What watching has found of all operations that have ended by now; a second later at the latest what it has found by
  /// then. `nil` if nobody watches.
  package func verdictOfNow() async -> VerdictStatus? {
    let seen = watchPasses.load(ordering: .acquiring)
    let deadlineNs = Clock.nowNs() + 1_000_000_000
    // The next pass may have begun before; the one after it has not.
    while tap.watch != .none, watchPasses.load(ordering: .acquiring) < seen + 2, Clock.nowNs() < deadlineNs {
      tap.monitor.withLock { tap.monitor.notifyAll() }
      try? await Task.sleep(for: .milliseconds(1))
    }
    return verdict.withLock { $0 }
  }
}
