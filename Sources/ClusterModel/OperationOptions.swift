/// How to read a key.
public struct ReadOptions: Sendable, Equatable, Codable {
  /// How many owners decide; `nil`: as many as the cluster's R says.
  public var consistency: Consistency?

  /// The cluster's own level unless another is named.
  @inlinable
  public init(consistency: Consistency? = nil) {
    self.consistency = consistency
  }
}

/// How to write a key.
public struct WriteOptions: Sendable, Equatable, Codable {
  /// How many owners must have the write, durably as the fsync policy says, before it is acknowledged; `nil`: as many as
  /// the cluster's W says.
  public var consistency: Consistency?
  /// When the value of a put ends; `nil`: not by itself.
  public var expiry: ExpiryTime?

  /// The cluster's own level unless another is named.
  @inlinable
  public init(consistency: Consistency? = nil, expiry: ExpiryTime? = nil) {
    self.consistency = consistency
    self.expiry = expiry
  }
}
