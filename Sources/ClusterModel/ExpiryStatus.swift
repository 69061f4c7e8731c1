/// Values that end by themselves. They are counted now and then, in the background.
public struct ExpiryStatus: Sendable, Equatable, Codable {
  /// Keys with such a value.
  public var keys: Int
  /// How many of them were to end within a minute when they were counted.
  public var soon: Int
  /// Ended values that were deleted since the cluster was opened.
  public var deleted: Int
  /// For how long the oldest value has ended that is not deleted yet, in milliseconds.
  public var behindMs: UInt64

  /// Backends make these; panels and tests make their own.
  public init(keys: Int, soon: Int, deleted: Int, behindMs: UInt64) {
    (self.keys, self.soon, self.deleted, self.behindMs) = (keys, soon, deleted, behindMs)
  }
}
