import Synchronization

/// Reads and writes of keys: who owns a key, what version it gets, how its owners are reached, and what is observed of
/// the operation.
///
/// Healthy links make every message a direct call on the caller's thread (``DirectCarrier``); while any link is faulty,
/// operations go by message (``MessageCarrier``). The data path knows nodes as ``Replica``s that membership and recovery
/// put into ``partitions`` and take out, and nothing else of the cluster.
package final class DataPath: Sendable {
  package let partitions: PartitionTable
  let tags: TagSource
  /// What a node that comes back must write into its folder before it serves.
  let leases: Leases
  package let links: Links
  /// Carries operations while all links are good.
  let direct: DirectCarrier
  /// Carries operations while links are faulty.
  package let messages: MessageCarrier
  /// Carries out operations on several keys that are all or nothing.
  let batches: Batches
  /// Where operations on watched keys are recorded for a live verdict.
  package let tap = OperationTap()
  /// By which values expire.
  package let clock: ExpiryClock
  let readLatencies = LatencyRecorder()
  let writeLatencies = LatencyRecorder()
  let settings: Settings
  private let serving = Atomic<Bool>(false)
  private let stopped = Atomic<Bool>(false)
  private let overdue = Atomic<Bool>(false)
  /// The placement in force, made once an epoch.
  private let views: Mutex<PlacementView>

  /// What the data path needs to know of the cluster it is part of.
  struct Settings {
    var policy: FsyncPolicy
    /// How long an operation waits for its quorum.
    var timeoutNs: UInt64
    /// The data folder, for messages to people.
    var folder: String
    /// Decides what faulty links do.
    var seed: UInt64
    var mistake: PlantedMistake?
    /// Where batches are written down; `nil` if the folder goes with the program.
    var journal: BatchJournal?
    /// Why a node failed; `nil` if it did not.
    var failure: @Sendable (_ id: UInt16) -> Refusal.Failure?
    /// Why operations are not served yet.
    var whyNotServing: @Sendable () -> ClusterError
  }

  init(
    _ configuration: Configuration, tags: TagSource, clock: ExpiryClock, leases: Leases, _ settings: Settings,
    _ executor: any Executor
  ) {
    self.settings = settings
    let view = PlacementView(configuration, settings.mistake)
    views = Mutex(view)
    partitions = PartitionTable(view: view, tags: tags, settings.mistake)
    self.tags = tags
    self.clock = clock
    self.leases = leases
    let visibility = Visibility(clock, tap)
    links = Links(seed: settings.seed)
    let service = ReplicaService(settings.policy, settings.mistake)
    direct = DirectCarrier(partitions, links, tags, visibility, service, settings)
    messages = MessageCarrier(partitions, links, tags, visibility, service, settings)
    batches = Batches(direct, messages, settings, executor)
  }

  // MARK: - Serving

  /// Whether operations are served: recovery is done and the cluster is not closing.
  @inline(__always)
  var isServing: Bool { serving.load(ordering: .acquiring) }

  /// Whether a client can have begun an operation.
  package var hasServed: Bool { serving.load(ordering: .sequentiallyConsistent) }

  func startServing() { serving.store(true, ordering: .releasing) }

  /// Operations are refused from here on; those under way go on.
  package func stopServing() {
    stopped.store(true, ordering: .releasing)
    serving.store(false, ordering: .releasing)
    messages.wake()
  }

  @inline(__always)
  func checkServing() throws(ClusterError) {
    if !isServing { throw notServing() }
  }

  @inline(never)
  private func notServing() -> ClusterError {
    stopped.load(ordering: .acquiring) ? .notServing("the cluster is closed") : settings.whyNotServing()
  }

  /// Whether writers wait because a disk lags too far behind.
  @inline(__always)
  package var holdsWritersBack: Bool { overdue.load(ordering: .relaxed) }

  func holdWritersBack(_ isOverdue: Bool) { overdue.store(isOverdue, ordering: .relaxed) }

  // MARK: - Placement

  /// The form in which operations look up a configuration; made once an epoch.
  package func view(of configuration: Configuration) -> PlacementView {
    views.withLock { view in
      if view.epoch != configuration.epoch { view = makeView(of: configuration) }
      return view
    }
  }

  /// The view of a configuration that is not in force yet. O(blocks of the ring).
  func makeView(of configuration: Configuration) -> PlacementView {
    PlacementView(configuration, settings.mistake)
  }

  /// Takes the view of a configuration that has just come into force.
  func keepView(_ made: PlacementView) { views.withLock { $0 = made } }
}
