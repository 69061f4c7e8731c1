/// Something the cluster did, and why, in words for people.
public struct ClusterEvent: Sendable, Equatable, Codable {
  /// How much attention an event deserves.
  public enum Severity: String, Sendable, Equatable, Codable {
    /// Something went as it should.
    case info
    /// Something that was asked for, or was wrong, is done or good again.
    case success
    /// Something is not as it should be, and the cluster goes on.
    case warning
    /// Something could not be done.
    case failure
  }

  /// What kind of thing happened; graphs mark some of them on their time axis.
  public enum Kind: String, Sendable, Equatable, Codable {
    /// The cluster as a whole, and the links between its nodes.
    case cluster
    /// A node joins.
    case join
    /// A node leaves.
    case leave
    /// A node was killed.
    case kill
    /// A node was started again.
    case restart
    /// Logs are read at a start, and nodes rebuilt.
    case recovery
    /// Writes that nodes missed are kept for them or handed to them.
    case hints
    /// Disks: damage, syncs that failed, compaction.
    case storage
  }

  /// Counts events from 1 since the cluster was opened.
  public var sequence: UInt64
  /// When it happened, as ``ClusterStatus/uptimeNs`` counts.
  public var uptimeNs: UInt64
  /// What kind of thing happened.
  public var kind: Kind
  /// How much attention it deserves.
  public var severity: Severity
  /// One sentence without a final full stop.
  public var message: String

  /// The engine makes events; others do so to show them.
  public init(sequence: UInt64, uptimeNs: UInt64, kind: Kind, severity: Severity, message: String) {
    self.sequence = sequence
    self.uptimeNs = uptimeNs
    self.kind = kind
    self.severity = severity
    self.message = message
  }
}
