/// The cluster's state at one moment: a plain value that panels, scripts and tests read without touching a backend.
///
/// Everything in it was measured when it was taken; a figure that the backend does not have is `nil`, never 0. All times
/// are elapsed ones, so a status means the same in another process. Counters only grow while the backend runs, so a rate is
/// the difference of two statuses divided by the difference of their ``uptimeNs``.
public struct ClusterStatus: Sendable, Equatable, Codable {
  /// The form this status was encoded in; a reader refuses one that it does not know. Decoded first.
  public var version = FormatVersion()
  /// Time since the cluster was opened, or since the backend began to watch it, in nanoseconds. The events' times count
  /// from the same moment.
  public var uptimeNs: UInt64
  /// Phase of the cluster as a whole.
  public var phase: ClusterPhase
  /// Number of the configuration in force; grows by one at every step of a membership change.
  public var epoch: UInt64?
  /// Copies of each key, and how many of them a read and a write wait for, as configured; `nil` where operations do not
  /// wait for quorums.
  public var quorum: QuorumSettings?
  /// When an acknowledged write is on the disk.
  public var fsync: FsyncPolicy?
  /// The folder that holds the data, as an absolute path.
  public var dataFolder: String?
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
  /// Ids of the nodes that hold still.
  public var pausedNodes: [Int] = []
  /// Links that are not good, in the order of their nodes' ids.
  public var linkFaults: [LinkFault] = []
  /// Finished client operations since the cluster was opened.
  public var operations: OperationCounters?
  /// The same by equal parts of the hash ring, in the order of hashes.
  public var rangeOperations: [OperationCounters]?
  /// Hints dropped since the cluster was opened, because they were too many or too old; anti-entropy copies these writes
  /// instead.
  public var hintsDropped: Int?
  /// Tombstones removed since the cluster was opened, because no replica needs them any more.
  public var tombstonesPurged: Int?
  /// Values that end by themselves; `nil` while nobody has looked.
  public var expiry: ExpiryStatus?
  /// The live checker's verdict; `nil` if no checker runs.
  public var verdict: VerdictStatus?
  /// How long puts, gets and deletes took: all of them while they are few, a sample of them under load.
  public var latencies: OperationLatencies?
  /// The cluster's condition where the backend reports one itself; else ``health`` concludes it from the nodes.
  public var reportedHealth: ClusterHealth?
  /// The program that keeps the data, with its version, where it is not kvstore's own engine.
  public var engine: String?
  /// Whether a write may be lost after it was acknowledged, because its copies are made later.
  public var canLoseAcknowledged: Bool?

  /// Backends make statuses; panels and tests make their own.
  public init(
    uptimeNs: UInt64, phase: ClusterPhase, epoch: UInt64? = nil, quorum: QuorumSettings? = nil,
    fsync: FsyncPolicy? = nil,
    dataFolder: String? = nil, isEphemeral: Bool = false, nodes: [NodeStatus] = [], ring: RingStatus = RingStatus(),
    change: ChangeStatus? = nil, operations: OperationCounters? = nil, verdict: VerdictStatus? = nil
  ) {
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

  /// The guarantee for reads and writes of one key; `nil` where the backend tells neither its quorums nor that it may lose a
  /// write.
  public var guarantee: Guarantee? { quorum?.guarantee ?? (canLoseAcknowledged == true ? .eventual : nil) }

  /// The quorums clipped to the nodes there are.
  public var effectiveQuorum: QuorumSettings? { quorum?.effective(nodes: nodes.count) }

  /// Keys in use, each counted once however many copies it has: the copies that serving owners hold, divided by the part
  /// of the ring they own. Exact while all owners serve and agree, else as good as keys are spread evenly. 0 where there is
  /// no node; `nil` if no owner serves, or if a serving one does not tell its keys or its share.
  public var keys: Int? {
    if nodes.isEmpty { return phase == .serving ? 0 : nil }
    var (keys, share) = (0, 0.0)
    for node in nodes where node.state.isServing {
      guard let part = node.share else { return nil }
      if part == 0 { continue }
      guard let count = node.keys else { return nil }
      keys += count
      share += part
    }
    return share == 0 ? nil : Int((Double(keys) / share).rounded())
  }

  /// The cluster's condition in one word, the worst thing that is true of it.
  public var health: ClusterHealth {
    if let reportedHealth { return reportedHealth }
    switch phase {
    case .recovering: return .recovering
    case .closed: return .unavailable
    case .serving: break
    }
    let live = nodes.filter { $0.state.isServing && !pausedNodes.contains($0.id) }.count
    guard let quorum else { return live < nodes.count ? .degraded : .healthy }
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

/// Phase of the cluster as a whole.
public enum ClusterPhase: Sendable, Equatable, Codable {
  /// Logs are being replayed: `fraction` of their bytes, from 0 to 1, have been read.
  case recovering(fraction: Double)
  /// Reads and writes are served.
  case serving
  /// The cluster has been closed.
  case closed
}

/// The cluster's condition in one word.
public enum ClusterHealth: String, Sendable, Equatable, Codable {
  /// All nodes serve and every key has all its copies' owners.
  case healthy
  /// Some nodes do not serve or do not reach others; every key still has a quorum if the dead are no more than
  /// N − max(R, W).
  case degraded
  /// Fewer nodes than replicas: each key has as many copies as there are nodes.
  case underReplicated = "under-replicated"
  /// Enough nodes are down that some keys may have no quorum.
  case unavailable
  /// Logs are being replayed.
  case recovering
}

/// Copies of each key and how many of them an operation waits for: N, R and W.
public struct QuorumSettings: Sendable, Equatable, Codable {
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

  /// The guarantee of these quorums for reads and writes of one key.
  public var guarantee: Guarantee { read + write > replicas ? .linearizable : .eventual }
}

/// A guarantee for reads and writes of one key.
public enum Guarantee: String, Sendable, Equatable, Codable {
  /// Every read sees the newest acknowledged write: R + W > N.
  case linearizable
  /// A read may see an older value: R + W ≤ N.
  case eventual
}

/// When an acknowledged write is on the disk.
public enum FsyncPolicy: String, Sendable, Equatable, Codable, CaseIterable {
  /// Before it is acknowledged.
  case always
  /// Within two seconds; at once safe against a crash of the program.
  case everysec
  /// When the operating system writes it; at once safe against a crash of the program.
  case never
}

/// Operations counted since a start; they only grow.
public struct OperationCounters: Sendable, Equatable, Codable {
  /// Gets.
  public var reads: UInt64
  /// Puts and deletes.
  public var writes: UInt64

  /// Gets, puts and deletes.
  public var total: UInt64 { reads + writes }

  /// A backend that counts only one of them has no counters to give.
  public init(reads: UInt64, writes: UInt64) {
    self.reads = reads
    self.writes = writes
  }

  /// No operation yet.
  public static let zero = OperationCounters(reads: 0, writes: 0)
}
