import Text

/// The parts of one cluster: puts them together, starts them and stops them.
package final class Assembly: Sendable {
  package let options: ClusterOptions
  package let folder: DataFolder
  package let roster: Roster
  package let dataPath: DataPath
  package let nodes: NodeLifecycle
  package let nodeControl: NodeControl
  package let maintenance: Maintenance
  package let ticker: Ticker
  package let changes: MembershipChanges
  package let counters = ClusterCounters()
  package let lifespan = Lifespan()
  let verdict: VerdictBoard
  let events: EventLog
  package let executor: any Executor
  let report: StatusReport
  let keyScan: KeyScan
  let faults: FaultInjection
  let backup: Backup
  let space: SpaceControl
  /// Whether maintenance runs in the background; a repair does it itself.
  let isMaintained: Bool
  private let recovery: ClusterRecovery

  /// - Parameter seed: names a new cluster, and decides what faulty links do.
  init(
    _ options: ClusterOptions, _ folder: DataFolder, _ executor: any Executor, seed: UInt64, isMaintained: Bool
  ) throws(ClusterError) {
    events = EventLog(openedNs: lifespan.openedNs)
    let configuration = try folder.configuration(options, newID: seed)
    try options.checkReplacement(configuration.quorum)
    self.options = options
    self.folder = folder
    self.executor = executor
    self.isMaintained = isMaintained
    let roster = Roster(configuration)
    self.roster = roster
    let witnesses = try Witnesses(folder.disk, configuration, path: folder.path, boot: folder.boot, seed: seed)
    // The roster knows the change under way, which reaches the source of tags: neither may keep the other.
    let leases = Leases(
      folder.disk, logFolders: { [weak roster] in roster?.live.map(\.store.log.folder) ?? [] },
      before: { [weak roster] () throws(StorageError) in
        // No write has a tag before the folders know that the cluster was opened.
        guard !options.isEphemeral, let roster else { return }
        try witnesses.begin(in: NodeLifecycle.foldersAtStart(roster, witnesses))
      })
    let tags = TagSource { bound throws(StorageError) in try leases.raise { $0.tagsBelow = bound } }
    let clock = ExpiryClock(options.mistake) { time throws(StorageError) in try leases.raise { $0.expiredBy = time } }
    let data = DataPath(
      configuration, tags: tags, clock: clock, leases: leases,
      DataPath.Settings(
        policy: options.fsync, timeoutNs: options.operationTimeoutNs, folder: folder.path, seed: seed,
        mistake: options.mistake,
        journal: options.isEphemeral ? nil : BatchJournal(disk: folder.disk, clusterID: configuration.clusterID),
        failure: { roster.failure(of: $0) },
        whyNotServing: { [lifespan] in
          if let failure = roster.withState({ $0.recoveryFailure }) { return failure }
          let done = Figures.percent(lifespan.recoveryFraction)
          return .notServing("the cluster is still reading its logs (\(done)); try again in a moment")
        }), executor)
    dataPath = data
    nodes = NodeLifecycle(options, folder, roster, data, events, counters, executor, witnesses)
    nodeControl = NodeControl(
      folder: folder, roster: roster, data: data, nodes: nodes, events: events, executor: executor, lifespan: lifespan)
    recovery = ClusterRecovery(
      options: options, folder: folder, roster: roster, data: data, nodes: nodes, events: events, executor: executor,
      lifespan: lifespan)
    maintenance = Maintenance(
      options: options, roster: roster, data: data, nodes: nodes, events: events, counters: counters,
      executor: executor, lifespan: lifespan)
    let failures = FailureWatch(roster, data.links, events, counters, seed: seed &+ 1)
    ticker = Ticker(
      options: options, roster: roster, data: data, nodes: nodes, failures: failures, lifespan: lifespan)
    changes = MembershipChanges(
      options: options, folder: folder, roster: roster, data: data, nodes: nodes, events: events, counters: counters,
      executor: executor, lifespan: lifespan)
    verdict = VerdictBoard(data.tap, events)
    report = StatusReport(options, folder: folder.path, roster, data, counters, failures, verdict, lifespan)
    keyScan = KeyScan(roster: roster, data: data)
    faults = FaultInjection(roster: roster, data: data, disk: folder.disk, events: events)
    space = SpaceControl(roster: roster, executor: executor, lifespan: lifespan)
    backup = Backup(folder: folder, roster: roster, data: data, nodes: nodes, executor: executor, lifespan: lifespan)
  }

  /// Begins to recover and to serve, in the background.
  func start() { executor.run("recovery", recover) }

  /// Replays the logs, then serves. Blocks.
  @Sendable private func recover() {
    defer { lifespan.recovered.finish() }
    do throws(ClusterError) {
      try recovery.run()
    } catch {
      roster.withState { $0.recoveryFailure = error }
      return events.add(.recoveryFailed(error))
    }
    // Changes that are asked for from now on wait for the one that was interrupted.
    let interrupted = changes.takeUpInterrupted()
    roster.withState { $0.phase = .serving }
    if !lifespan.isClosing { dataPath.startServing() }
    recovery.announce()
    if !isMaintained { maintenance.deliverHints() }
    executor.startLoop("ticker") { [ticker, changes] in ticker.run { changes.replaceIfDue($0) } }
    executor.startLoop("links") { [dataPath, lifespan] in dataPath.messages.run(until: { lifespan.isClosing }) }
    if isMaintained { executor.startLoop("maintenance", maintenance.run) }
    if let interrupted { changes.resume(interrupted) }
  }

  /// The orderly end, to be begun when nothing serves and no node is being started or stopped.
  package func closing() -> Closing { Closing(options, folder, roster, dataPath, nodes, events, executor) }

  /// Ends all that serves and runs, and returns when it has ended. A second call waits for the first.
  func close() async {
    guard lifespan.beginClosing() else { return await lifespan.closed.wait() }
    await lifespan.recovered.wait()
    dataPath.stopServing()
    // No node is being started or stopped once the lock is free, and none will be.
    await nodes.lock.lock()
    nodes.lock.unlock()
    // Not one of the jobs that closing waits for.
    let closer = executor.startOwnedLoop("close") { [self] in
      let closing = closing()
      _ = StepSchedule.drive { closing.step() }
      lifespan.closed.finish()
    }
    await lifespan.closed.wait()
    closer?.join()
  }
}
