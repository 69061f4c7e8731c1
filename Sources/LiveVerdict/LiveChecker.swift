import Glibc
import KVCluster
import Synchronization

/// Judges a running cluster: collects what its clients' operations on watched keys were told, and says in the cluster's
/// status how many it has judged, and whether an answer was wrong.
///
/// One thread, which wakes up ten to a hundred times a second; a pass takes microseconds. Which keys are watched, so that
/// all of it costs a percent or two, is ``WatchControl``'s to say; how operations are recorded, ``OperationTap``'s; what
/// a wrong answer is, ``RegisterWatch``'s.
package final class LiveChecker: Sendable {
  private let tap: OperationTap
  private let isStopped = Atomic<Bool>(false)
  private let thread = Mutex<BackgroundThread?>(nil)
  /// The thread's own while it runs.
  private let judge: Mutex<Judge>

  /// Begins to watch. At best right after the cluster was opened: then nothing has begun that it does not know.
  package convenience init(_ cluster: Cluster) {
    self.init(
      cluster.dataPath.tap, cluster.verdictBoard, warmUpNs: cluster.options.operationTimeoutNs + 1_000_000_000,
      hasServed: { cluster.dataPath.hasServed })
  }

  /// Begins to watch what is recorded in a tap.
  /// - Parameters:
  ///   - warmUpNs: time after which every operation has ended that had begun unrecorded.
  ///   - hasServed: whether there may be such operations; asked once recording has begun.
  init(_ tap: OperationTap, _ board: VerdictBoard, warmUpNs: UInt64, hasServed: () -> Bool) {
    self.tap = tap
    // Watched first and asked then: if nothing is served yet, nothing has begun that is not watched.
    let isWatched = tap.replace(.none, with: .all)
    precondition(isWatched, "a cluster has one live checker at a time")
    judge = Mutex(Judge(tap, board, WatchControl(warmUpNs: warmUpNs, isFromStart: !hasServed())))
    thread.withLock { thread in
      thread = BackgroundThread("verdict") { [self] in judge.withLock { run(&$0) } }
    }
  }

  /// Ends watching, after one last look; the verdict stays in the cluster's status. Call before the cluster is closed.
  package func stop() {
    isStopped.store(true, ordering: .relaxed)
    tap.monitor.withLock { tap.monitor.notifyAll() }
    thread.withLock { thread in
      thread?.join()
      thread = nil
    }
  }

  private func run(_ judge: inout Judge) {
    while !isStopped.load(ordering: .relaxed) {
      let collected = judge.pass()
      let pauseNs: UInt64 = collected > 200 ? 10_000_000 : collected > 0 ? 30_000_000 : 100_000_000
      let until = Clock.nowNs() + pauseNs
      tap.monitor.withLock {
        if !isStopped.load(ordering: .relaxed) { tap.monitor.wait(untilNs: until) }
      }
    }
    judge.end()
  }
}

/// The state of the one thread.
private struct Judge {
  private let tap: OperationTap
  private let board: VerdictBoard
  private var control: WatchControl
  private var keys: [UInt64: KeyWatch] = [:]
  /// Keys with operations that have not been judged.
  private var active: Set<UInt64> = []
  /// Keys created from now on are watched since this count at least.
  private var from: UInt64 = 0
  private var status = VerdictStatus()
  private var shown = VerdictStatus()
  private var lastPassNs = Clock.nowNs()
  private var lastReportNs: UInt64 = 0
  private var lastSweepNs: UInt64 = 0

  /// Explaining takes a millisecond, and a broken cluster gives thousands of wrong answers: one is explained a second.
  private static let reportEveryNs: UInt64 = 1_000_000_000
  private static let sweepEveryNs: UInt64 = 1_000_000_000
  private static let idleNs: UInt64 = 10_000_000_000

  init(_ tap: OperationTap, _ board: VerdictBoard, _ control: WatchControl) {
    (self.tap, self.board, self.control) = (tap, board, control)
    board.show(status)
  }

  mutating func end() {
    _ = pass()
    while !tap.replace(tap.watch, with: .none) {}
    status.keysWatched = 0
    status.keysPerWatched = nil
    board.show(status)
  }

  /// Returns how many operations had ended.
  mutating func pass() -> Int {
    let startedNs = Clock.nowNs()
    let usedNs = Judge.usedNs()
    var operations: [ObservedOperation] = []
    let frontier = tap.collect { operations.append($0) }
    var recorded = 0
    if frontier.watch != control.watch {
      control.found(frontier.watch)
      forgetOthers()
    }
    for operation in operations {
      if operation.outcome != .open { recorded += 1 }
      note(operation)
    }
    judge(to: frontier.count)
    adapt(
      WatchControl.Pass(
        elapsedNs: startedNs - min(startedNs, lastPassNs), busyNs: Judge.usedNs() - usedNs, recorded: recorded,
        keys: keys.count), frontier)
    lastPassNs = startedNs
    forgetIdle()
    status.keysWatched = keys.count
    status.keysPerWatched = control.watch == .none ? nil : 1 << control.watch.bits
    if status != shown {
      board.show(status)
      shown = status
    }
    board.notePass()
    return recorded
  }

  /// Time of a processor that this thread has had; waiting for one costs nobody anything.
  private static func usedNs() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  private mutating func note(_ operation: ObservedOperation) {
    guard control.isJudged(operation.hash) else { return }
    let key: KeyWatch
    if let known = keys[operation.identity] {
      key = known
    } else {
      guard operation.outcome == .open || operation.returnedAt > from else { return }
      key = KeyWatch(hash: operation.hash, from: from)
      keys[operation.identity] = key
    }
    key.note(operation)
    key.notedNs = lastPassNs
    active.insert(operation.identity)
  }

  private mutating func judge(to frontier: UInt64) {
    for identity in active {
      guard let key = keys[identity] else {
        active.remove(identity)
        continue
      }
      let (checked, findings) = key.advance(to: frontier)
      status.operationsChecked += UInt64(checked)
      for finding in findings { report(finding) }
      if !key.hasWaiting { active.remove(identity) }
    }
  }

  private mutating func report(_ finding: KeyWatch.Finding) {
    status.violations += 1
    let now = Clock.nowNs()
    guard lastReportNs == 0 || now >= lastReportNs + Judge.reportEveryNs else { return }
    lastReportNs = now
    let violation = Explanation.violation(of: finding)
    status.lastViolation = violation
    board.show(status, violation: violation)
  }

  private mutating func adapt(_ pass: WatchControl.Pass, _ frontier: OperationTap.Frontier) {
    let before = control
    switch control.step(pass) {
    case .stay:
      return
    case .warm:
      from = frontier.count
      if control.watch == before.watch { return }
    case .change:
      break
    }
    // Operations may have narrowed it just now: then that stands, and the next pass sees it.
    guard tap.replace(frontier.watch, with: control.watch) else {
      control = before
      return
    }
    forgetOthers()
  }

  /// Makes room for keys in use. What is forgotten may be watched again, as a key of unknown contents.
  private mutating func forgetIdle() {
    guard keys.count > WatchControl.keysMax / 2, lastPassNs > lastSweepNs + Judge.sweepEveryNs else { return }
    lastSweepNs = lastPassNs
    keys = keys.filter { $0.value.hasWaiting || $0.value.notedNs + Judge.idleNs > lastPassNs }
  }

  private mutating func forgetOthers() {
    keys = keys.filter { control.isJudged($0.value.hash) }
  }
}
