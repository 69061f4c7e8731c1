/// The cluster's state at one moment: a plain value that panels, scripts and tests read without touching the engine.
///
/// Everything in it was measured when it was taken. Counters only grow while the program runs, so a rate is the
/// difference of two statuses divided by the difference of their ``atNs``.
public struct ClusterStatus: Sendable, Equatable {
  /// When the status was taken, in nanoseconds of the monotonic clock.
  public var atNs: UInt64
  /// Time since the cluster was opened, in nanoseconds.
  public var uptimeNs: UInt64
  /// What the cluster as a whole is doing.
  public var phase: ClusterPhase
  /// Number of the configuration in force; grows by one at every step of a membership change.
  public var epoch: UInt64
  /// Copies of each key, and how many of them a read and a write wait for, as configured.
  public var quorum: QuorumSettings
  /// When an acknowledged write is on the disk.
  public var fsync: FsyncPolicy
  /// The folder that holds the data, as an absolute path.
  public var dataFolder: String
  /// Whether the data folder is removed when the cluster closes.
  public var isEphemeral: Bool
  /// One entry a node, in the order of their names as people count (`node2` before `node10`).
  public var nodes: [NodeStatus]
  /// Which nodes own which part of the hash ring.
  public var ring: RingStatus
  /// The membership change under way, if any.
  public var change: ChangeStatus?
  /// Changes that wait for their turn, in their order.
  public var queuedChanges: [QueuedChange] = []
  /// What is wrong with links between nodes, and which nodes are paused, in words; empty if nothing is.
  public var faults: [String] = []
  /// Ids of the nodes that hold still.
  public var pausedNodes: [Int] = []
  /// Links that are not good, in the order of their nodes' ids.
  public var linkFaults: [LinkFault] = []
  /// Finished client operations since the cluster was opened.
  public var operations: OperationCounters
  /// Hints given up since the cluster was opened, because they were too many or too old: what they would have brought, a
  /// comparison of replicas brings.
  public var hintsDropped = 0
  /// Markers of deleted keys that were taken away since the cluster was opened, because nobody needs them any more.
  public var tombstonesPurged = 0
  /// What watching the clients' operations has found; `nil` if nobody watches.
  public var verdict: VerdictStatus?
  /// How long ``Cluster/put(_:_:_:)``, ``Cluster/get(_:_:)`` and ``Cluster/delete(_:_:)`` took: all of them while they are
  /// few, a part of them under load.
  public var latencies = OperationLatencies()

  /// ``Cluster/status()`` makes these; panels and tests make their own.
  public init(
    atNs: UInt64, uptimeNs: UInt64, phase: ClusterPhase, epoch: UInt64, quorum: QuorumSettings, fsync: FsyncPolicy,
    dataFolder: String, isEphemeral: Bool, nodes: [NodeStatus], ring: RingStatus, change: ChangeStatus?,
    operations: OperationCounters, verdict: VerdictStatus? = nil
  ) {
    self.atNs = atNs
    self.uptimeNs = uptimeNs
    self.phase = phase
    self.epoch = epoch
    self.quorum = quorum
    self.fsync = fsync
    self.dataFolder = dataFolder
    self.isEphemeral = isEphemeral
    self.nodes = nodes
    self.ring = ring
    self.change = change
    self.operations = operations
    self.verdict = verdict
  }

  /// What the configured quorums promise about reads and writes of one key.
  public var guarantee: Guarantee { quorum.guarantee }

  /// Keys in use, each counted once however many copies it has: the copies that serving owners hold, divided by the part
  /// of the ring they own. Exact while all owners serve and agree, else as good as keys are spread evenly.
  public var keys: Int {
    let owners = nodes.filter { $0.state.isServing && $0.share > 0 }
    let share = owners.reduce(0) { $0 + $1.share }
    return share == 0 ? 0 : Int((Double(owners.reduce(0) { $0 + $1.keys }) / share).rounded())
  }

  /// The cluster's condition in one word, the worst thing that is true of it.
  public var health: ClusterHealth {
    switch phase {
    case .recovering: return .recovering
    case .closed: return .unavailable
    case .serving: break
    }
    let live = nodes.filter { $0.state.isServing && !pausedNodes.contains($0.id) }.count
    let owners = min(quorum.replicas, nodes.count)
    if owners - min(owners, nodes.count - live)
      < max(quorum.effective(nodes: nodes.count).read, quorum.effective(nodes: nodes.count).write)
    {
      return .unavailable
    }
    if nodes.count < quorum.replicas { return .underReplicated }
    return live < nodes.count || linkFaults.contains(where: \.isCut) ? .degraded : .healthy
  }
}

/// What the cluster as a whole is doing.
public enum ClusterPhase: Sendable, Equatable {
  /// Logs are being replayed: `fraction` of their bytes, from 0 to 1, have been read.
  case recovering(fraction: Double)
  /// Reads and writes are served.
  case serving
  /// The cluster has been closed.
  case closed
}

/// The cluster's condition in one word.
public enum ClusterHealth: String, Sendable, Equatable {
  /// All nodes serve and every key has all its copies' owners.
  case healthy
  /// Some nodes do not serve or do not reach others; every key still has a quorum if the dead are no more than
  /// N − max(R, W).
  case degraded
  /// Fewer nodes than replicas: each key has as many copies as there are nodes.
  case underReplicated = "under-replicated"
  /// So many nodes are down that some keys may have no quorum.
  case unavailable
  /// Logs are being replayed.
  case recovering
}

/// Copies of each key and how many of them an operation waits for: N, R and W.
public struct QuorumSettings: Sendable, Equatable {
  /// N: copies of each key; 1 to 7.
  public var replicas: Int
  /// R: owners whose answers decide a read; 1 to N.
  public var read: Int
  /// W: owners that must hold a write before it is acknowledged; 1 to N.
  public var write: Int

  /// A majority of three, if nothing else is said.
  public init(replicas: Int = 3, read: Int = 2, write: Int = 2) {
    self.replicas = replicas
    self.read = read
    self.write = write
  }

  /// The settings clipped to a cluster of `nodes` nodes: with fewer nodes than replicas each number is at most that,
  /// and read and write quorums still overlap if they did as configured.
  public func effective(nodes: Int) -> QuorumSettings {
    let n = Swift.max(1, Swift.min(replicas, nodes))
    guard n < replicas else { return self }
    var r = Swift.min(read, n)
    let w = Swift.min(write, n)
    if guarantee == .linearizable, r + w <= n { r = n - w + 1 }
    return QuorumSettings(replicas: n, read: r, write: w)
  }

  /// What these quorums promise about reads and writes of one key.
  public var guarantee: Guarantee { read + write > replicas ? .linearizable : .eventual }
}

/// What reads and writes of one key promise.
public enum Guarantee: String, Sendable, Equatable {
  /// Every read sees the newest acknowledged write: R + W > N.
  case linearizable
  /// A read may see an older value: R + W ≤ N.
  case eventual
}

/// When an acknowledged write is on the disk.
public enum FsyncPolicy: String, Sendable, Equatable, CaseIterable {
  /// Before it is acknowledged.
  case always
  /// Within two seconds; at once safe against a crash of the program.
  case everysec
  /// When the operating system writes it; at once safe against a crash of the program.
  case never
}

/// Operations counted since a start; they only grow.
public struct OperationCounters: Sendable, Equatable {
  /// Gets.
  public var reads: UInt64
  /// Puts and deletes.
  public var writes: UInt64

  /// None, but for what is given.
  public init(reads: UInt64 = 0, writes: UInt64 = 0) {
    self.reads = reads
    self.writes = writes
  }
}

/// Who owns which part of the ring. The 64-bit ring is cut into ``slotCount`` equal slots; slot `s` holds the hashes
/// whose highest bits are `s`.
public struct RingStatus: Sendable, Equatable {
  /// Number of equal slots the ring is cut into.
  public var slotCount: Int
  /// Owners of each slot now: `owners[slot * ranks + rank]` is a node's `id`; rank 0 is the primary.
  public var owners: [UInt16]
  /// Replica ranks in ``owners``: the effective N.
  public var ranks: Int
  /// During a membership change, the owners after it, laid out like ``owners`` with ``nextRanks`` ranks; else empty.
  public var nextOwners: [UInt16]
  /// Replica ranks in ``nextOwners``.
  public var nextRanks: Int
  /// Number of tokens (virtual nodes) on the ring.
  public var tokenCount: Int

  /// A ring that nobody owns, but for what is given.
  public init(
    slotCount: Int = 65_536, owners: [UInt16] = [], ranks: Int = 0, nextOwners: [UInt16] = [], nextRanks: Int = 0,
    tokenCount: Int = 0
  ) {
    self.slotCount = slotCount
    self.owners = owners
    self.ranks = ranks
    self.nextOwners = nextOwners
    self.nextRanks = nextRanks
    self.tokenCount = tokenCount
  }
}
