/// One node at a moment.
public struct NodeStatus: Sendable, Equatable, Codable, Identifiable {
  /// Small number that is the node's for as long as it is a member; colours follow it.
  public var id: Int
  /// The name it was added under.
  public var name: String
  /// Whether the node answers, and what work it does.
  public var state: NodeState
  /// Part of the ring of which the node holds a copy, all replica ranks counted: from 0 to 1.
  public var share: Double?
  /// Keys the node holds, tombstones not counted.
  public var keys: Int?
  /// Tombstones the node holds.
  public var tombstones: Int?
  /// Its cache of values.
  public var cache: CacheStatus?
  /// Its log.
  public var wal: WalStatus?
  /// Missed writes that other nodes keep for this one.
  public var hintsWaiting: Int?
  /// Bytes of these hints in the logs of the nodes that keep them.
  public var hintBytes: Int?
  /// Requests this node has served as a replica.
  public var operations: OperationCounters?
  /// Nodes that have not heard from this one for a second. It decides nothing: the same
  /// nodes are asked and must answer.
  public var suspectedBy: [String] = []
  /// Time until the cluster replaces this node, which is down, without being asked.
  public var replacedInNs: UInt64?
  /// Whether it is a master or a replica; `nil` where all nodes are alike.
  public var role: NodeRole?

  /// Figures that are not given are unknown.
  public init(
    id: Int, name: String, state: NodeState, share: Double? = nil, keys: Int? = nil, tombstones: Int? = nil,
    cache: CacheStatus? = nil, wal: WalStatus? = nil, hintsWaiting: Int? = nil, operations: OperationCounters? = nil
  ) {
    self.id = id
    self.name = name
    self.state = state
    self.share = share
    self.keys = keys
    self.tombstones = tombstones
    self.cache = cache
    self.wal = wal
    self.hintsWaiting = hintsWaiting
    self.operations = operations
  }
}

/// State of a node.
public enum NodeState: Sendable, Equatable, Codable {
  /// It answers.
  case up
  /// It answers, and receives the ranges it is about to own.
  case joining
  /// It answers, and hands over its ranges before it goes.
  case leaving
  /// It reads its log: `fraction` from 0 to 1, if it tells how far it is. It does not answer yet.
  case recovering(fraction: Double?)
  /// It was killed and stays so until it is restarted.
  case dead
  /// A failure stopped it; `reason` says why and what to do.
  case failed(reason: String)

  /// Whether the node answers reads and writes.
  public var isServing: Bool {
    switch self {
    case .up, .joining, .leaving: true
    case .recovering, .dead, .failed: false
    }
  }

  /// Whether it takes a restart to bring the node back.
  public var isDown: Bool {
    switch self {
    case .up, .joining, .leaving, .recovering: false
    case .dead, .failed: true
    }
  }

  /// The state's name in one word.
  public var word: String {
    switch self {
    case .up: "up"
    case .joining: "joining"
    case .leaving: "leaving"
    case .recovering: "recovering"
    case .dead: "dead"
    case .failed: "failed"
    }
  }
}

/// A node's cache of values at a moment. Bytes count keys, values and bookkeeping.
public struct CacheStatus: Sendable, Equatable, Codable {
  /// Reads whose value the cache had, since the node started.
  public var hits: UInt64?
  /// Reads that went to the log.
  public var misses: UInt64?
  /// Bytes in use.
  public var bytes: Int?
  /// Bytes it may use.
  public var capacityBytes: Int?

  /// Figures that are not given are unknown.
  public init(hits: UInt64? = nil, misses: UInt64? = nil, bytes: Int? = nil, capacityBytes: Int? = nil) {
    self.hits = hits
    self.misses = misses
    self.bytes = bytes
    self.capacityBytes = capacityBytes
  }
}

/// A node's write-ahead log at a moment: bytes of records, not of the files that hold them.
public struct WalStatus: Sendable, Equatable, Codable {
  /// Bytes of all records.
  public var bytes: Int
  /// Bytes of the records that a key still points to.
  public var liveBytes: Int?
  /// Segment files in use.
  public var segments: Int?
  /// Completed fdatasync calls since the node started.
  public var syncs: UInt64?
  /// How long they took.
  public var syncLatencies: LatencyCounts?
  /// Segments that compaction has emptied since the node started.
  public var compactions: Int?
  /// Bytes of live records that compaction wrote again.
  public var compactedBytes: Int?
  /// Damaged places found since the node started.
  public var damages: Int?
  /// The log has lost records of unknown keys: the node takes writes, but does not vote until it has been rebuilt.
  public var isSuspect: Bool?

  /// Figures that are not given are unknown.
  public init(
    bytes: Int, liveBytes: Int? = nil, segments: Int? = nil, syncs: UInt64? = nil, compactions: Int? = nil,
    compactedBytes: Int? = nil, damages: Int? = nil, isSuspect: Bool? = nil
  ) {
    self.bytes = bytes
    self.liveBytes = liveBytes
    self.segments = segments
    self.syncs = syncs
    self.compactions = compactions
    self.compactedBytes = compactedBytes
    self.damages = damages
    self.isSuspect = isSuspect
  }

  /// Live bytes as a part of all, from 0 to 1; `nil` for an empty log.
  public var liveFraction: Double? { bytes > 0 ? liveBytes.map { Double($0) / Double(bytes) } : nil }

  /// Bytes that newer records have replaced.
  public var deadBytes: Int? { liveBytes.map { Swift.max(0, bytes - $0) } }
}
