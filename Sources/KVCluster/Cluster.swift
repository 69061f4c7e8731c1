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
  let options: ClusterOptions
  let folder: DataFolder
  let eventLog: EventLog
  let roster: Roster
  let partitions: PartitionTable
  let coordinator: Coordinator
  let openedNs = Clock.nowNs()
  /// Reads and writes are served: recovery is done and the cluster is not closing.
  let isServing = Atomic<Bool>(false)
  let isClosing = Atomic<Bool>(false)
  let recovery = RecoveryProgress()
  let provisioner = Provisioner()
  /// Held by whoever starts or stops a node: one at a time.
  let lifecycle = AsyncLock()
  /// Made once an epoch, see `status()`.
  let ringPicture = Mutex<RingPicture?>(nil)
  private let threads = Mutex<[BackgroundThread]>([])

  private init(options: ClusterOptions, folder: DataFolder, configuration: Configuration) {
    self.options = options
    self.folder = folder
    let (eventLog, roster) = (EventLog(), Roster(configuration))
    self.eventLog = eventLog
    self.roster = roster
    partitions = PartitionTable(view: PlacementView(configuration))
    let disk = folder.disk
    let tags = TagSource { bound throws(StorageError) in
      for replica in roster.live { try TagLease.write(bound, to: disk, folder: replica.store.log.folder) }
    }
    coordinator = Coordinator(
      partitions: partitions, tags: tags, policy: options.fsync, nodeName: { roster.name(of: $0) },
      onDamage: { replica in
        eventLog.add(
          .storage, .failure,
          "\(replica.name) holds a damaged copy; nothing was deleted, its other replicas answer for the key")
      })
  }

  /// Opens a cluster: locks the folder, reads the configuration or makes a new one, and starts recovery in the
  /// background. ``status()`` works at once; reads and writes are served after ``ready()``.
  ///
  /// - Throws: ``ClusterError/dataFolder(_:)`` if the folder is in use, was written by a newer version or says other
  ///   quorums than the options; ``ClusterError/invalidArgument(_:)`` for quorums that make no sense.
  public static func open(_ options: ClusterOptions) throws(ClusterError) -> Cluster {
    try options.check()
    let folder = try DataFolder(options.dataFolder)
    do throws(ClusterError) {
      let configuration = try configuration(in: folder, options)
      let cluster = Cluster(options: options, folder: folder, configuration: configuration)
      cluster.spawn("recovery") { $0.recover() }
      return cluster
    } catch {
      folder.close(removing: options.isEphemeral)
      throw error
    }
  }

  private static func configuration(
    in folder: DataFolder, _ options: ClusterOptions
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
    var random = SystemRandomNumberGenerator()
    let made = Configuration(
      clusterID: random.next(), quorum: quorum, nodeNames: options.initialNodes)
    do {
      try folder.write(made)
    } catch {
      throw .dataFolder(error.description)
    }
    return made
  }

  /// Runs `body` on a thread of its own, which ``close()`` waits for.
  func spawn(_ name: String, _ body: @escaping @Sendable (Cluster) -> Void) {
    let thread = BackgroundThread(name) { [self] in body(self) }
    threads.withLock { $0.append(thread) }
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
    guard !isClosing.exchange(true, ordering: .acquiringAndReleasing) else { return }
    isServing.store(false, ordering: .releasing)
    await recovery.wait()
    await withCheckedContinuation { continuation in
      let closer = BackgroundThread("close") { [self] in
        closeBlocking()
        continuation.resume()
      }
      _ = closer
    }
  }

  private func closeBlocking() {
    for thread in threads.withLock({ $0 }) { thread.join() }
    provisioner.stop()
    let replicas = roster.live
    roster.withState { $0.phase = .closed }
    for replica in replicas { partitions.remove(replica.id) }
    for replica in replicas {
      replica.commit.stop(syncing: options.fsync != .never && !options.isEphemeral)
      replica.store.log.close()
      roster.setState(.dead, of: replica.id, replica: nil)
    }
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

/// How far recovery is, and who waits for its end.
final class RecoveryProgress: Sendable {
  private struct State {
    var isDone = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  let bytesRead = Atomic<Int>(0)
  let bytesTotal = Atomic<Int>(1)
  private let state = Mutex(State())

  var fraction: Double {
    min(1, Double(bytesRead.load(ordering: .relaxed)) / Double(max(1, bytesTotal.load(ordering: .relaxed))))
  }

  func finish() {
    let waiters = state.withLock { state in
      state.isDone = true
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  func wait() async {
    await withCheckedContinuation { continuation in
      let isDone = state.withLock { state in
        if !state.isDone { state.waiters.append(continuation) }
        return state.isDone
      }
      if isDone { continuation.resume() }
    }
  }
}

/// Lets one task at a time through, in the order they came, without holding a thread.
final class AsyncLock: Sendable {
  private struct State {
    var isHeld = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  func lock() async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        if state.isHeld {
          state.waiters.append(continuation)
          return false
        }
        state.isHeld = true
        return true
      }
      if isFree { continuation.resume() }
    }
  }

  func unlock() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard !state.waiters.isEmpty else {
        state.isHeld = false
        return nil
      }
      return state.waiters.removeFirst()
    }
    next?.resume()
  }
}
