import Synchronization

/// A distributed key-value store in one process: a cluster of nodes, each with its own write-ahead log, index and
/// cache, that keep N copies of every key and answer by quorum.
///
/// With R + W > N (the default: N=3, R=2, W=2) puts, gets and deletes of a key are linearizable, through node
/// failures and while nodes join and leave. A write is acknowledged when W owners have it as durably as
/// ``ClusterOptions/fsync`` says.
///
/// ```swift
/// let cluster = try Cluster.open(ClusterOptions(dataFolder: "/tmp/demo"))
/// try await cluster.ready()
/// try await cluster.put(Array("user:1001".utf8), Array("Alice".utf8))
/// try await cluster.addNode("node4")
/// let value = try await cluster.get(Array("user:1001".utf8))
/// await cluster.close()
/// ```
///
/// Every method may be called from any thread and task.
public final class Cluster: Sendable {
  package let options: ClusterOptions
  let folder: DataFolder
  let eventLog: EventLog
  let roster: Roster
  /// Reads and writes of keys.
  let dataPath: DataPath
  let verdict = Mutex<VerdictStatus?>(nil)
  /// How often who watches has looked.
  let watchPasses = Atomic<UInt64>(0)
  let openedNs = Clock.nowNs()
  let isClosing = Atomic<Bool>(false)
  let recovery = RecoveryProgress()
  /// Whether logs are compacted and healed in the background; a repair does it itself.
  let isMaintained: Bool
  private let closed = Latch()
  let provisioner: Provisioner?
  let heartbeats: Heartbeats
  let counters = ClusterCounters()
  /// Held by whoever starts or stops a node: one at a time.
  let lifecycle = AsyncLock()
  /// Held during a membership change: the others wait in the order they came.
  let changes = AsyncLock()
  /// Made once an epoch, see `status()`.
  let ringPicture = Mutex<RingPicture?>(nil)
  /// Nodes that may have lost writes, and whose disks did not take the mark that says so.
  let suspectsWithoutMark = Mutex<[String]>([])
  /// In a simulation: nodes that have failed, and are to be retired when nobody uses their logs.
  let failedReplicas = Mutex<[Replica]>([])
  /// What was deleted under the cluster.
  let deletedPath = Mutex<String?>(nil)
  private let threads = Mutex<[BackgroundThread]>([])

  private init(
    options: ClusterOptions, folder: DataFolder, configuration: Configuration, isMaintained: Bool, seed: UInt64
  ) {
    self.options = options
    self.isMaintained = isMaintained
    self.folder = folder
    let (eventLog, roster) = (EventLog(), Roster(configuration))
    self.eventLog = eventLog
    self.roster = roster
    let disk = folder.disk
    let tags = TagSource { bound throws(StorageError) in
      try TagLease.write(bound, to: disk, folder: TagLease.clusterFolder)
      // One node's full disk must not keep the others from writing.
      for replica in roster.live { try? TagLease.write(bound, to: disk, folder: replica.store.log.folder) }
    }
    dataPath = DataPath(
      configuration, tags: tags,
      DataPath.Settings(
        policy: options.fsync, timeoutNs: options.operationTimeoutNs, folder: folder.path, seed: seed,
        mistake: options.mistake, whyFailed: { roster.whyFailed($0) },
        whyNotServing: { [recovery] in
          if let failure = roster.withState({ $0.recoveryFailure }) { return failure }
          let percent = Int(recovery.fraction * 100)
          return .notServing("the cluster is still reading its logs (\(percent) %); try again in a moment")
        }))
    provisioner = Clock.isVirtual ? nil : Provisioner()
    heartbeats = Heartbeats(seed: seed &+ 1)
  }

  var partitions: PartitionTable { dataPath.partitions }
  var links: Links { dataPath.links }
  package var tap: OperationTap { dataPath.tap }
  var isServing: Bool { dataPath.isServing }
  /// The configuration in force, as operations look it up.
  var viewNow: PlacementView { dataPath.view(of: roster.configuration) }

  /// Opens a cluster: locks the folder, reads the configuration or makes a new one, and starts recovery in the
  /// background. ``status()`` works at once; reads and writes are served after ``ready()``.
  ///
  /// - Throws: ``ClusterError/dataFolder(_:)`` if the folder is in use, was written by a newer version or says other
  ///   quorums than the options; ``ClusterError/invalidArgument(_:)`` for quorums that make no sense.
  public static func open(_ options: ClusterOptions) throws(ClusterError) -> Cluster {
    try open(options, isMaintained: true)
  }

  /// - Parameters:
  ///   - isMaintained: false leaves compaction and healing to ``repair(progress:)``.
  ///   - disk: what the cluster uses in place of the folder's own disk, which is handed to it.
  package static func open(
    _ options: ClusterOptions, isMaintained: Bool, disk: (any Disk) -> any Disk = { $0 }
  ) throws(ClusterError) -> Cluster {
    try options.check()
    let folder = try DataFolder(options.dataFolder, options.fsync, disk)
    if options.isEphemeral, !folder.isEmpty {
      folder.close(removing: false)
      throw .dataFolder("\(folder.path) is not empty, and an ephemeral cluster removes its folder: use an empty one")
    }
    do throws(ClusterError) {
      var random = SystemRandomNumberGenerator()
      let cluster = try make(options, folder, isMaintained: isMaintained, seed: random.next())
      cluster.spawn("recovery") { $0.recover() }
      return cluster
    } catch {
      folder.close(removing: options.isEphemeral)
      throw error
    }
  }

  /// A cluster that has yet to recover.
  /// - Parameter seed: names a new cluster, and decides what faulty links do.
  static func make(
    _ options: ClusterOptions, _ folder: DataFolder, isMaintained: Bool, seed: UInt64
  ) throws(ClusterError) -> Cluster {
    let configuration = try configuration(in: folder, options, newID: seed)
    try options.checkReplacement(configuration.quorum)
    return Cluster(
      options: options, folder: folder, configuration: configuration, isMaintained: isMaintained, seed: seed)
  }

  private static func configuration(
    in folder: DataFolder, _ options: ClusterOptions, newID: UInt64
  ) throws(ClusterError) -> Configuration {
    if let existing = try folder.readConfiguration() {
      try options.check(against: existing.quorum)
      return existing
    }
    guard !folder.hasLogs() else {
      throw .dataFolder(
        "\(folder.path) has logs but no configuration, so nobody can say which node owns what; restore the file 'configuration'"
      )
    }
    let quorum = try options.quorumOfNewCluster()
    for name in options.initialNodes { try Configuration.checkName(name) }
    let made = Configuration(
      clusterID: newID, quorum: quorum, nodeNames: options.initialNodes)
    do {
      try folder.write(made)
    } catch {
      throw .dataFolder(error.description)
    }
    return made
  }

  /// Runs `body` on a thread of its own, which ``close()`` waits for.
  /// In a simulation there are no threads: what a thread would do there is driven by events, step by step.
  func spawn(_ name: String, _ body: @escaping @Sendable (Cluster) -> Void) {
    let thread = BackgroundThread(name) { [self] in body(self) }
    let ended = threads.withLock { threads in
      let ended = threads.filter(\.hasEnded)
      threads.removeAll { $0.hasEnded }
      threads.append(thread)
      return ended
    }
    for thread in ended { thread.join() }
  }

  /// Takes a node out of service for good: nobody asks it any more, its thread ends, its files are closed. Whoever
  /// comes second finds it done or being done. Not to be called from the node's own commit thread.
  func retire(_ replica: Replica, syncing: Bool = false) {
    guard !replica.isRetired.exchange(true, ordering: .acquiringAndReleasing) else { return }
    partitions.remove(replica)
    replica.commit.stop(syncing: syncing)
    replica.close()
  }

  /// Returns when recovery is done and reads and writes are served.
  /// - Throws: why recovery failed.
  public func ready() async throws(ClusterError) {
    await recovery.wait()
    if let failure = roster.withState({ $0.recoveryFailure }) { throw failure }
  }

  /// Finishes what is under way, puts everything on the disk (unless the policy is `never`), and unlocks the folder; an
  /// ephemeral one is removed. Operations fail with ``ClusterError/notServing(_:)`` from here on.
  public func close() async {
    let isFirst = !isClosing.exchange(true, ordering: .acquiringAndReleasing)
    guard isFirst else { return await closed.wait() }
    await recovery.wait()
    dataPath.stopServing()
    // Whoever starts or stops a node has finished once the lock is free, and nobody begins any more.
    await lifecycle.lock()
    lifecycle.unlock()
    let closer = BackgroundThread("close") { [self] in
      closeBlocking()
      closed.finish()
    }
    await closed.wait()
    closer.join()
  }

  func closeBlocking() {
    noticeDeletion()
    while let thread = threads.withLock({ $0.popLast() }) { thread.join() }
    provisioner?.stop()
    dataPath.messages.endAll()
    let replicas = roster.live
    // A node that is down may have been killed with writes that are in the page cache only.
    var isSynced = options.fsync != .never && replicas.count == roster.configuration.members.count
    roster.withState { $0.phase = .closed }
    for replica in replicas {
      if replica.store.log.size.recordBytes > options.checkpointBytes / 8, !options.isEphemeral {
        writeCheckpoint(replica)
      }
      if isSynced, !options.isEphemeral {
        replica.commit.syncNow()
        isSynced = replica.store.log.failure == nil
      }
      retire(replica, syncing: options.fsync != .never && !options.isEphemeral)
      roster.setState(.dead, of: replica.id, replica: nil)
    }
    if isSynced { noteOrderlyEnd() }
    folder.close(removing: options.isEphemeral)
    eventLog.finish()
  }

  /// Events after the one with this sequence number, oldest first, from the last ``Limits/eventsMax``.
  public func events(after sequence: UInt64) -> [ClusterEvent] { eventLog.after(sequence) }

  /// Events from now on. A listener more than ``Limits/eventsMax`` behind misses the oldest; the stream ends with the
  /// cluster.
  public func events() -> AsyncStream<ClusterEvent> { eventLog.stream() }

  func log(_ kind: ClusterEvent.Kind, _ severity: ClusterEvent.Severity, _ message: String) {
    eventLog.add(kind, severity, message)
  }
}
