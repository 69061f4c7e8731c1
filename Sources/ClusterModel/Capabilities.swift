/// Limits of a backend, and its features beyond reads, writes and a status. Command tables, completion and help offer nothing else.
public struct Capabilities: Sendable, Equatable, Codable {
  /// One thing that a backend may be able to do or not.
  public enum Feature: String, Sendable, Codable, CaseIterable {
    /// An operation may name its consistency level.
    case consistencyLevels
    /// A key can be read and written in one step.
    case updates
    /// Several keys can be written all or none.
    case batches
    /// Keys can be listed.
    case scans
    /// Nodes can be added and removed.
    case membership
    /// A node can be replaced by a new one.
    case replacement
    /// Nodes can be killed and restarted.
    case nodeControl
    /// Nodes can be paused; links can be cut, delayed and made lossy.
    case linkFaults
    /// A byte on a node's disk can be flipped, and a sync made to fail.
    case diskFaults
    /// The data can be copied to a folder while it is in use.
    case backup
    /// Dead records can be emptied out of the logs on request.
    case compaction
    /// A live checker judges the answers.
    case verdict
    /// A replica can take over from its master on request.
    case failover
    /// A change of members can be paused, cancelled, and finished after it was cut off.
    case changeSteering
    /// Workloads of the benchmark are driven at full speed, by a load generator in the cluster's own process.
    case workloads
  }

  /// Features of the backend.
  public var features: Set<Feature>
  /// Bytes a key may have.
  public var keyBytesMax: Int
  /// Bytes a value may have.
  public var valueBytesMax: Int

  /// Everything within the limits given, unless features are named.
  public init(features: Set<Feature> = Set(Feature.allCases), keyBytesMax: Int, valueBytesMax: Int) {
    self.features = features
    self.keyBytesMax = keyBytesMax
    self.valueBytesMax = valueBytesMax
  }

  /// Whether the backend can do it.
  public func has(_ feature: Feature) -> Bool { features.contains(feature) }
}
