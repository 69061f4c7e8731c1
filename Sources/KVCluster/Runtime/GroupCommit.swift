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
  /// They came since the last sync began.
  private var waiters: [Waiter] = []
  /// The sync under way, or the next, will answer them.
  private var beingServed: [Waiter] = []
  private var isUrgent = false
  /// When those are served who are in no hurry.
  private var patienceEndsNs: UInt64 = 0
  private var isStopped = false
  private var wantsSync = false
  private var isIdle = false
  /// Someone is, or was, in ``syncNow()``.
  private var isSomeoneWaitingForAll = false
  /// Everything appended before this moment is on the disk.
  private let coveredNs: Atomic<UInt64>

  /// How long the syncs took.
  let latencies = LatencyRecorder()
  /// `everysec` syncs this often while there is something to sync.
  private static let intervalNs: UInt64 = 1_000_000_000
  /// Writes that other logs answer for wait this long for company.
  private static let patienceNs: UInt64 = 4_000_000

  init(log: Log, node: String, policy: FsyncPolicy, onFailure: @escaping @Sendable (StorageError) -> Void) {
    self.log = log
    self.policy = policy
    self.onFailure = onFailure
    coveredNs = Atomic(Clock.nowNs())
    // The thread keeps its group commit alive until it is stopped. A simulation has none, and calls ``runIfDue()``.
    if !Clock.isVirtual { thread = BackgroundThread("wal \(node)") { [self] in run() } }
  }

  /// Registers an operation's record; it hears once that it is durable, or that it never will be.
  /// - Parameter isUrgent: whether the operation needs this log's answer; if not, the sync waits for others to share it.
  func register(_ wait: DurabilityWait, participant: Int, position: LogPosition, isUrgent: Bool) {
    if log.durable > position { return wait.acknowledge(participant) }
    let accepted = monitor.withLock { () -> Bool in
      if isStopped { return false }
      let isFirst = waiters.isEmpty
      waiters.append(Waiter(position: position, wait: wait, participant: participant))
      if isFirst { patienceEndsNs = wait.startedNs + GroupCommit.patienceNs }
      if isIdle, isFirst || isUrgent && !self.isUrgent { monitor.notifyAll() }
      if isUrgent { self.isUrgent = true }
      return true
    }
    if !accepted { wait.lose(participant) }
  }

  /// Returns when all that was appended before the call is on the disk, or the node has failed.
  func syncNow() {
    // The log's lock is taken outside the monitor: writers hold it when they call in here.
    let wanted = log.end
    if Clock.isVirtual { return syncVirtually() }
    monitor.withLock {
      isSomeoneWaitingForAll = true
      while !isStopped, log.durable < wanted {
        wantsSync = true
        monitor.notifyAll()
        monitor.wait()
      }
    }
  }

  /// Lets the thread sync soon, and so find out that the log has failed.
  func wake() {
    monitor.withLock {
      wantsSync = true
      monitor.notifyAll()
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
      let isOld = { (waiter: Waiter) in waiter.wait.startedNs < deadlineNs }
      let old = (waiters + beingServed).filter(isOld)
      if !old.isEmpty {
        waiters.removeAll(where: isOld)
        beingServed.removeAll(where: isOld)
      }
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
    while waitForWork() { if !serve() { return } }
  }

  /// Syncs, and answers those who wait for it; false if the log has failed.
  private func serve() -> Bool {
    let startedNs = Clock.nowNs()
    let syncs = log.syncs
    do {
      try log.sync()
      if log.syncs != syncs { latencies.record(startedNs, Clock.nowNs()) }
    } catch {
      fail(error)
      return false
    }
    coveredNs.store(startedNs, ordering: .relaxed)
    notifyDurable()
    return true
  }

  /// What the thread does in the running program, for a simulation: syncs if it is time to.
  func runIfDue() {
    if monitor.withLock({ !isStopped && isDue() }) { _ = serve() }
  }

  /// When ``runIfDue()`` will have something to do; `nil` for never.
  var nextDueNs: UInt64? {
    monitor.withLock {
      if isStopped { return nil }
      if isUrgent || wantsSync { return Clock.nowNs() }
      return dueNs == .max || policy == .everysec && log.durable == log.end ? nil : dueNs
    }
  }

  private func syncVirtually() {
    let isStopped = monitor.withLock { () -> Bool in
      wantsSync = true
      return self.isStopped || !isDue()
    }
    if !isStopped { _ = serve() }
  }

  /// Takes over those who wait, if it is time to sync. Call in the monitor.
  private func isDue() -> Bool {
    guard isUrgent || wantsSync || dueNs <= Clock.nowNs() else { return false }
    // Their records were appended before they came, so this sync covers them.
    beingServed += waiters
    waiters = []
    isUrgent = false
    wantsSync = false
    return true
  }

  /// Sleeps until there is something to sync; false when stopped.
  private func waitForWork() -> Bool {
    monitor.withLock {
      while true {
        if isStopped { return false }
        if isDue() { return true }
        let dueNs = dueNs
        isIdle = true
        monitor.wait(untilNs: dueNs == .max ? nil : dueNs)
        isIdle = false
      }
    }
  }

  /// When to sync though nobody is in a hurry.
  private var dueNs: UInt64 {
    let interval = policy == .everysec ? coveredNs.load(ordering: .relaxed) + GroupCommit.intervalNs : .max
    return min(interval, waiters.isEmpty ? .max : patienceEndsNs)
  }

  private func notifyDurable() {
    let served = monitor.withLock { () -> [Waiter] in
      if isSomeoneWaitingForAll { monitor.notifyAll() }
      let served = beingServed
      beingServed = []
      return served
    }
    for waiter in served { waiter.wait.acknowledge(waiter.participant) }
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
      defer {
        waiters = []
        beingServed = []
      }
      return waiters + beingServed
    }
    for waiter in left { waiter.wait.lose(waiter.participant) }
  }
}
