/// How to open a cluster.
public struct ClusterOptions: Sendable, Equatable {
  /// The folder that holds configuration and logs; made if it is missing, mode 0700.
  public var dataFolder: String
  /// Remove the folder when the cluster closes.
  public var isEphemeral: Bool
  /// Names of a new cluster's nodes; an existing folder keeps its own.
  public var initialNodes: [String]
  /// Copies and quorums, or `nil` for the folder's own (a new one: N=3, R=2, W=2). An existing folder that says
  /// otherwise is refused.
  public var replicas: Int?
  public var readQuorum: Int?
  public var writeQuorum: Int?
  public var fsync: FsyncPolicy
  /// Bytes of values each node keeps in its cache; 0 turns the cache off.
  public var cacheBytes: Int
  /// How long an operation waits for its quorum before it is indeterminate.
  public var operationTimeoutNs: UInt64
  /// Size of a log's segments.
  package var segmentBytes = LogFormat.segmentBytesDefault
  /// How long hints are kept.
  package var hintAgeMaxNs = Limits.hintAgeMaxNs
  package var mistake: PlantedMistake?

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
