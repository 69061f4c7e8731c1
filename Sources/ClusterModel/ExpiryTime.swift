/// When a value ends: from then on its key is absent.
public enum ExpiryTime: Sendable, Equatable, Codable {
  /// This many milliseconds after the value is written; 1 at least.
  case after(milliseconds: Int64)
  /// By the clock of the cluster; a time that has passed deletes the key.
  case at(unixMilliseconds: Int64)
}

/// What is left of a key's time.
public enum TimeToLive: Sendable, Equatable, Codable {
  /// There is no such key.
  case noKey
  /// It does not expire.
  case unlimited
  /// It ends in this many milliseconds, by the clock of the cluster.
  case left(milliseconds: Int64)
}
