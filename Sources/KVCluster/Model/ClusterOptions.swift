/// How to open a cluster.
public struct ClusterOptions: Sendable, Equatable {
  /// The folder that holds configuration and logs; made if it is missing, mode 0700.
  public var dataFolder: String
  /// Remove the folder when the cluster closes.
  public var isEphemeral: Bool
  /// Names of a new cluster's nodes; an existing folder keeps its own.
  public var initialNodes: [String]
  /// N, copies of each key, 1 to 7; `nil` for the folder's own (a new one: 3). An existing folder that says otherwise is
  /// refused.
  public var replicas: Int?
  /// R, owners whose answers decide a read, 1 to N; `nil` for the folder's own (a new one: a majority).
  public var readQuorum: Int?
  /// W, owners that must hold a write before it is acknowledged, 1 to N; `nil` for the folder's own (a new one: a
  /// majority).
  public var writeQuorum: Int?
  /// When an acknowledged write is on the disk.
  public var fsync: FsyncPolicy
  /// Bytes of values each node keeps in its cache; 0 turns the cache off.
  public var cacheBytes: Int
  /// How long an operation waits for its quorum before it is indeterminate.
  public var operationTimeoutNs: UInt64
  /// A node that has been down for so long is replaced by the cluster itself; `nil`: never. Needs R + W > N, because
  /// otherwise a node that is down may hold the only copy of a write.
  public var replaceAfterNs: UInt64?
  /// Size of a log's segments.
  package var segmentBytes = Limits.segmentBytesDefault
  /// A checkpoint is written after this much more log, see ``Limits/checkpointBytes``.
  package var checkpointBytes = Limits.checkpointBytes
  /// How long hints are kept.
  package var hintAgeMaxNs = Limits.hintAgeMaxNs
  package var mistake: PlantedMistake?

  /// All but the folder has a default: three nodes, three copies, majorities, and nothing acknowledged before it is on
  /// the disk.
  public init(
    dataFolder: String, isEphemeral: Bool = false, initialNodes: [String] = ["node1", "node2", "node3"],
    replicas: Int? = nil, readQuorum: Int? = nil, writeQuorum: Int? = nil, fsync: FsyncPolicy = .always,
    cacheBytes: Int = 64 << 20, operationTimeoutNs: UInt64 = 5_000_000_000
  ) {
    self.dataFolder = dataFolder
    self.isEphemeral = isEphemeral
    self.initialNodes = initialNodes
    self.replicas = replicas
    self.readQuorum = readQuorum
    self.writeQuorum = writeQuorum
    self.fsync = fsync
    self.cacheBytes = cacheBytes
    self.operationTimeoutNs = operationTimeoutNs
  }
}
