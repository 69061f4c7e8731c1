/// Every bound of the engine, each with its reason.
public enum Limits {
  /// A key's length is stored in 16 bits.
  public static let keyBytesMax = 65_535
  /// Values above this belong in a file store; it also bounds the largest segment.
  public static let valueBytesMax = 64 << 20
  /// A segment's records fit this many bytes, unless a single record is larger and has a segment of its own.
  package static let segmentBytesDefault = 64 << 20
  /// A node's name becomes a folder's.
  public static let nodeNameBytesMax = 64
  /// Node ids are 16 bits and index a table of stores; ids of removed nodes are used again.
  public static let nodesMax = 1_024
  /// Keys of a batch: it holds the locks of all while it goes through them, some microseconds a key.
  public static let batchKeysMax = 65_536
  /// Bytes of values that a batch writes: they are in memory and in its journal at once.
  public static let batchBytesMax = 64 << 20
  /// Copies of a key; two owner sets of seven fit an operation's inline storage.
  public static let replicasMax = 7
  /// Membership changes that wait for their turn: more than anyone plans, few enough to be shown.
  public static let changesQueuedMax = 16
  /// Each node says so often to each other that it is there: a tenth of what a person calls "at once".
  static let heartbeatNs: UInt64 = 100_000_000
  /// Who has not been heard for ten heartbeats is suspected. On a link that loses 30 % of its messages ten in a row are
  /// lost six times in a million.
  static let heartbeatTimeoutNs: UInt64 = 1_000_000_000
  /// A replacement that could not begin, because too few nodes answered, is tried again after so long.
  static let replacementRetryNs: UInt64 = 10_000_000_000
  /// Events kept for late readers: some hours of a busy cluster.
  public static let eventsMax = 1_000
  /// Keys whose owners change that are copied under one hold of a partition's lock: about 30 µs.
  static let moveBatchKeysMax = 32
  /// Tombstones looked at under one hold of a partition's lock: each asks every member, about 0.1 ms in all.
  static let purgeBatchMax = 256
  /// Bytes of hints that one node keeps for another in one partition, as its log holds them: 32 MiB over all partitions,
  /// some 600,000 hints of short keys, 10 MB of memory. To hand over more takes as long as to compare the replicas.
  static let hintBytesPerPartitionMax = 128 << 10
  /// Hints are kept for so long. A node that was away longer has missed so much that it is compared key by key.
  /// (Cassandra's default.)
  static let hintAgeMaxNs: UInt64 = 3 * 3_600 * 1_000_000_000
  /// Writes wait once the oldest byte that is not yet on the disk is this old (`everysec`).
  static let unsyncedAgeMaxNs: UInt64 = 2_000_000_000
  /// Tags reserved on disk at a time: a start skips at most this many, and 67 million at one million writes a second
  /// need one small durable write a minute.
  package static let tagLease: UInt64 = 1 << 26
  /// Damaged copies noted at a time; those beyond are met again.
  static let damagedHashesMax = 4_096
  /// Twins remembered of each partition, each of which is looked at once a second under one hold of its lock, 2 ms at most.
  static let twinsPerPartitionMax = 2_048
  /// A checkpoint is written after so much more log; reading as much takes about a tenth of a second.
  static let checkpointBytes = 256 << 20
}
