/// Something the cluster did, and why, in words for people.
public struct ClusterEvent: Sendable, Equatable {
  /// How much attention an event deserves.
  public enum Severity: String, Sendable, Equatable {
    case info, success, warning, failure
  }

  /// What kind of thing happened; graphs mark some of them on their time axis.
  public enum Kind: String, Sendable, Equatable {
    case cluster, join, leave, kill, restart, recovery, hints, storage
  }

  /// Counts events from 1 since the cluster was opened.
  public var sequence: UInt64
  /// When it happened, in nanoseconds of the monotonic clock.
  public var atNs: UInt64
  public var kind: Kind
  public var severity: Severity
  /// One sentence without a final full stop.
  public var message: String

  public init(sequence: UInt64, atNs: UInt64, kind: Kind, severity: Severity, message: String) {
    self.sequence = sequence
    self.atNs = atNs
    self.kind = kind
    self.severity = severity
    self.message = message
  }
}
