import Synchronization

/// The thread that puts one node's log on the disk for everyone who waits: while one fdatasync runs, all that is
/// appended meanwhile gathers for the next.
final class GroupCommit: @unchecked Sendable {
  private struct Waiter {
    var position: LogPosition
    var wait: DurabilityWait
    var participant: Int
  }

  private let log: Log
  private let policy: FsyncPolicy
  private let onFailure: @Sendable (StorageError) -> Void
  private let monitor = Monitor()
  private var thread: BackgroundThread?
  // Guarded by the monitor.
  private var waiters: [Waiter] = []
  private var isStopped = false
  private var wantsSync = false
  /// Everything appended before this moment is on the disk.
  private let coveredNs: Atomic<UInt64>

  /// `everysec` syncs this often while there is something to sync.
  private static let intervalNs: UInt64 = 1_000_000_000

  init(log: Log, node: String, policy: FsyncPolicy, onFailure: @escaping @Sendable (StorageError) -> Void) {
    self.log = log
    self.policy = policy
    self.onFailure = onFailure
    coveredNs = Atomic(Clock.nowNs())
    // The thread keeps its group commit alive until it is stopped.
    thread = BackgroundThread("wal \(node)") { [self] in run() }
  }

  /// Registers an operation's record; it hears once that it is durable, or that it never will be.
  func register(_ wait: DurabilityWait, participant: Int, position: LogPosition) {
    if log.durable > position { return wait.acknowledge(participant) }
    let accepted = monitor.withLock { () -> Bool in
      if isStopped { return false }
      waiters.append(Waiter(position: position, wait: wait, participant: participant))
      if waiters.count == 1 { monitor.notifyAll() }
      return true
    }
    if !accepted { wait.lose(participant) }
  }

  /// Returns when all that was appended before the call is on the disk, or the node has failed.
  func syncNow() {
    // The log's lock is taken outside the monitor: writers hold it when they call in here.
    let wanted = log.end
    monitor.withLock {
      while !isStopped, log.durable < wanted {
        wantsSync = true
        monitor.notifyAll()
        monitor.wait()
      }
    }
  }

  /// Whether writers must wait because the disk lags behind (`everysec`).
  func isOverdue(nowNs: UInt64) -> Bool {
    policy == .everysec && log.durable < log.end
      && nowNs > coveredNs.load(ordering: .relaxed) + Limits.unsyncedAgeMaxNs
  }

  /// Ends the waits of operations begun before `deadlineNs`.
  func expire(startedBefore deadlineNs: UInt64) {
    let expired = monitor.withLock { () -> [Waiter] in
      let old = waiters.filter { $0.wait.startedNs < deadlineNs }
      if !old.isEmpty { waiters.removeAll { $0.wait.startedNs < deadlineNs } }
      return old
    }
    for waiter in expired { waiter.wait.timeOut() }
  }

  /// Syncs what is left unless the policy is `never`, ends the thread, and tells those still waiting that they wait in
  /// vain.
  func stop(syncing: Bool) {
    if syncing { syncNow() }
    monitor.withLock {
      isStopped = true
      monitor.notifyAll()
    }
    thread?.join()
    thread = nil
    abandonWaiters()
  }

  private func run() {
    while waitForWork() {
      let startedNs = Clock.nowNs()
      do {
        try log.sync()
      } catch {
        return fail(error)
      }
      coveredNs.store(startedNs, ordering: .relaxed)
      notifyDurable()
    }
  }

  /// Sleeps until there is something to sync; false when stopped.
  private func waitForWork() -> Bool {
    monitor.withLock {
      while true {
        if isStopped { return false }
        let isDue = policy == .everysec && Clock.nowNs() >= coveredNs.load(ordering: .relaxed) + GroupCommit.intervalNs
        if !waiters.isEmpty || wantsSync || isDue {
          wantsSync = false
          return true
        }
        monitor.wait(
          untilNs: policy == .everysec ? coveredNs.load(ordering: .relaxed) + GroupCommit.intervalNs : nil)
      }
    }
  }

  private func notifyDurable() {
    let durable = log.durable
    let ready = monitor.withLock { () -> [Waiter] in
      monitor.notifyAll()
      let ready = waiters.filter { $0.position < durable }
      waiters.removeAll { $0.position < durable }
      return ready
    }
    for waiter in ready { waiter.wait.acknowledge(waiter.participant) }
  }

  private func fail(_ error: StorageError) {
    monitor.withLock {
      isStopped = true
      monitor.notifyAll()
    }
    abandonWaiters()
    if error != .closed { onFailure(error) }
  }

  private func abandonWaiters() {
    let left = monitor.withLock { () -> [Waiter] in
      defer { waiters = [] }
      return waiters
    }
    for waiter in left { waiter.wait.lose(waiter.participant) }
  }
}
