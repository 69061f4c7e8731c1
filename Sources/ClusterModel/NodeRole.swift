/// Role of a node where a master takes the writes and its replicas copy it; see ``NodeStatus/role``.
public enum NodeRole: Sendable, Equatable, Codable {
  /// It takes writes, and sends them to its replicas after it has acknowledged them.
  case master(replicas: Int)
  /// It copies the node with this id; `nil` if that one is no member any more.
  case replica(of: Int?, Lag)

  /// How far a replica is behind.
  public struct Lag: Sendable, Equatable, Codable {
    /// Bytes of writes that it has not acknowledged to its master.
    public var bytes: Int?
    /// Whole seconds since it acknowledged last.
    public var seconds: Int?
    /// Whether it has a connection to its master; `nil` if it does not tell.
    public var isLinked: Bool?

    /// Backends make these.
    public init(bytes: Int? = nil, seconds: Int? = nil, isLinked: Bool? = nil) {
      (self.bytes, self.seconds, self.isLinked) = (bytes, seconds, isLinked)
    }
  }

  /// `master` or `replica`.
  public var word: String {
    switch self {
    case .master: "master"
    case .replica: "replica"
    }
  }
}
