/// A membership change that waits for the one under way.
public struct QueuedChange: Sendable, Equatable, Codable {
  /// Whether it will join or leave.
  public var kind: ChangeStatus.Kind
  /// The node that will join or leave.
  public var node: String
  /// The new node that will take over all that the leaving one owns, if one will.
  public var replacement: String?

  /// Backends make these.
  public init(kind: ChangeStatus.Kind, node: String, replacement: String? = nil) {
    self.kind = kind
    self.node = node
    self.replacement = replacement
  }
}

/// A membership change under way.
public struct ChangeStatus: Sendable, Equatable, Codable {
  /// Which way a change goes.
  public enum Kind: String, Sendable, Equatable, Codable {
    /// A node comes, and takes its share.
    case join
    /// A node goes, and hands its share over.
    case leave
  }

  /// Whether the node joins or leaves.
  public var kind: Kind
  /// The node that joins or leaves.
  public var node: String
  /// The new node that takes over all that the leaving one owns, if one does.
  public var replacement: String?
  /// Parts of the ring already handed over, from 0 to 1.
  public var fraction: Double
  /// Copies of keys moved so far.
  public var keysMoved: Int?
  /// Bytes of the records moved so far.
  public var bytesMoved: Int?
  /// Time since the change began, in nanoseconds.
  public var elapsedNs: UInt64
  /// Why the change cannot go on, if it cannot.
  public var waitingFor: ClusterError.Detail?
  /// Transfers between pairs of nodes so far; pairs that have not begun are left out.
  public var transfers: [TransferStatus] = []

  /// Backends make these.
  public init(
    kind: Kind, node: String, fraction: Double, keysMoved: Int?, bytesMoved: Int?, elapsedNs: UInt64,
    waitingFor: ClusterError.Detail?
  ) {
    self.kind = kind
    self.node = node
    self.fraction = fraction
    self.keysMoved = keysMoved
    self.bytesMoved = bytesMoved
    self.elapsedNs = elapsedNs
    self.waitingFor = waitingFor
  }
}

/// Progress of one node in taking over ranges from another.
public struct TransferStatus: Sendable, Equatable, Codable {
  /// Id of the node that gives the ranges up; `nil` if nobody does, because the ring gets one more copy of each key.
  public var from: Int?
  /// Id of the node that gets them.
  public var to: Int
  /// Copies of keys it has got.
  public var keys: Int
  /// Bytes of their records.
  public var bytes: Int

  /// Backends make these.
  public init(from: Int?, to: Int, keys: Int, bytes: Int) {
    (self.from, self.to, self.keys, self.bytes) = (from, to, keys, bytes)
  }
}
