import CKernels
import Synchronization

/// The thread that puts one node's log on the disk for everyone who waits: while one fdatasync runs, all that is
/// appended meanwhile gathers for the next.
///
/// That alone makes small batches: whoever comes first starts a sync that the others just miss. But those whom a sync
/// has answered come back with their next write. So the thread waits for about as many as it answered last, as long as
/// they keep coming: then all share one sync, and the logs of a cluster fall into step, of which a writer needs several.
/// Measured on a machine that was busy otherwise, medians of three alternating runs: 64 writers 52,000 to 67,000 a second,
/// 256 writers 100,000 to 121,000. A lone writer never waits for company. (PostgreSQL's `commit_delay` and MySQL's `binlog_group_commit_sync_delay` wait a fixed time.)
package final class GroupCommit: @unchecked Sendable {
  private struct Waiter {
    var position: LogPosition
    var wait: PendingOperation
    var participant: Int
  }

  /// Whether to wait for more writers before the next sync.
  private struct Gathering {
    /// How many the last sync answered, and when.
    private var expected = 1
    private var servedNs: UInt64 = 0
    /// When it began, and when and how many were counted last.
    private var startedNs: UInt64?
    private var countedNs: UInt64 = 0
    private var counted = 0

    /// As long as more come within this time it goes on.
    private static let pauseNs: UInt64 = 40_000
    private static let maxNs: UInt64 = 1_000_000
    /// Whom it answered so long ago does not come back at once.
    private static let memoryNs: UInt64 = 2_000_000

    mutating func served(_ count: Int, nowNs: UInt64) {
      expected = max(1, count)
      servedNs = nowNs
      startedNs = nil
    }

    /// Whether a writer that makes it `count` completes the company.
    func isComplete(_ count: Int) -> Bool { count == expected }

    /// When to look again whether to sync; `nil` for now.
    mutating func dueNs(_ count: Int, nowNs: UInt64) -> UInt64? {
      if count >= expected || nowNs > servedNs + Gathering.memoryNs { return nil }
      guard let startedNs else {
        startedNs = nowNs
        counted = count
        countedNs = nowNs
        return nowNs + Gathering.pauseNs
      }
      if nowNs < countedNs + Gathering.pauseNs { return countedNs + Gathering.pauseNs }
      if count == counted || nowNs > startedNs + Gathering.maxNs { return nil }
      counted = count
      countedNs = nowNs
      return nowNs + Gathering.pauseNs
    }
  }

  private let log: Log
  private let policy: FsyncPolicy
  private let onFailure: @Sendable (StorageError) -> Void
  /// A mistake, for a test: a sync answers also those who came while it was under way. Set before anyone waits.
  var answersLatecomers = false
  private let monitor = Monitor()
  /// Set once, by the initializer; joined once, by ``stop(syncing:)``.
  private var thread: BackgroundThread?
  // Guarded by the monitor.
  /// They came since the last sync began.
  private var waiters: [Waiter] = []
  /// The sync under way, or the next, will answer them.
  private var beingServed: [Waiter] = []
  private var isUrgent = false
  private var gathering = Gathering()
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

  init(
    log: Log, node: String, policy: FsyncPolicy, executor: any Executor,
    onFailure: @escaping @Sendable (StorageError) -> Void
  ) {
    self.log = log
    self.policy = policy
    self.onFailure = onFailure
    coveredNs = Atomic(Clock.nowNs())
    // The thread keeps its group commit alive until it is stopped. Without one, ``runIfDue()`` is called instead.
    thread = executor.startOwnedLoop("wal \(node)") { [self] in run() }
  }

  /// Registers an operation's record; it hears once that it is durable, or that it never will be.
  /// - Parameter isUrgent: whether the operation needs this log's answer; if not, the sync waits for others to share it.
  func register(_ wait: PendingOperation, participant: Int, position: LogPosition, isUrgent: Bool) {
    if log.durable > position { return wait.acknowledge(participant) }
    let accepted = monitor.withLock { () -> Bool in
      if isStopped { return false }
      let isFirst = waiters.isEmpty
      waiters.append(Waiter(position: position, wait: wait, participant: participant))
      if isFirst { patienceEndsNs = wait.startedNs + GroupCommit.patienceNs }
      if isIdle, isFirst || isUrgent && (!self.isUrgent || gathering.isComplete(waiters.count)) { monitor.notifyAll() }
      if isUrgent { self.isUrgent = true }
      return true
    }
    if !accepted { wait.lose(participant) }
  }

  /// Returns when all that was appended before the call is on the disk, or the node has failed.
  package func syncNow() {
    // The log's lock is taken outside the monitor: writers hold it when they call in here.
    let wanted = log.end
    if thread == nil { return syncOnCaller() }
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

  /// Has what was appended put on the disk soon where that is asked for (`always`), though nobody waits for it.
  func hurry() {
    if policy == .always, log.durable < log.end { wake() }
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
    abandonWaiters()
  }

  private func run() {
    kv_respond_quickly()
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
  package func runIfDue() {
    if monitor.withLock({ !isStopped && takeOver() == nil }) { _ = serve() }
  }

  /// When ``runIfDue()`` will have something to do; `nil` for never.
  package var nextDueNs: UInt64? {
    monitor.withLock {
      if isStopped { return nil }
      if isUrgent || wantsSync { return Clock.nowNs() }
      return dueNs == .max || policy == .everysec && log.durable == log.end ? nil : dueNs
    }
  }

  private func syncOnCaller() {
    let isStopped = monitor.withLock { () -> Bool in
      wantsSync = true
      return self.isStopped || takeOver() != nil
    }
    if !isStopped { _ = serve() }
  }

  /// Takes over those who wait, if it is time to sync; if not, says when to look again. Call in the monitor.
  private func takeOver() -> UInt64? {
    let nowNs = Clock.nowNs()
    var dueNs = dueNs
    if isUrgent { dueNs = min(dueNs, gathering.dueNs(waiters.count, nowNs: nowNs) ?? 0) }
    guard wantsSync || dueNs <= nowNs else { return dueNs }
    // Their records were appended before they came, so this sync covers them.
    beingServed += waiters
    waiters = []
    isUrgent = false
    wantsSync = false
    return nil
  }

  /// Sleeps until there is something to sync; false when stopped.
  private func waitForWork() -> Bool {
    monitor.withLock {
      while true {
        if isStopped { return false }
        guard let dueNs = takeOver() else { return true }
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
      let served = answersLatecomers ? beingServed + waiters : beingServed
      beingServed = []
      if answersLatecomers { waiters = [] }
      gathering.served(served.count, nowNs: Clock.nowNs())
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
