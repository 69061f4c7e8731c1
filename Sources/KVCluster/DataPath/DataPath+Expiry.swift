/// Keys that end by themselves: when, and what is left of their time.
extension DataPath {
  /// Gives a key another end, in one step with the look for it. O(bytes of the value).
  /// - Returns: the key's new time to live; ``TimeToLive/noKey`` if there is no such key.
  /// - Throws: `ClusterError.invalidArgument` if the time is less than a millisecond away or too late for any clock, as
  ///   ``Cluster/put(_:_:_:)`` otherwise.
  func expire(_ key: [UInt8], _ end: ExpiryTime) async throws(ClusterError) -> TimeToLive {
    try await update(key) { [clock] found in
      guard let value = found.value else { return (.keep, .noKey) }
      let left =
        switch end {
        case .after(let milliseconds): milliseconds
        case .at(let unixMilliseconds): max(0, max(0, unixMilliseconds) - Int64(clock.now))
        }
      return (.put(Array(value), .set(end)), .left(milliseconds: left))
    }
  }

  /// Takes the end of a key away. O(bytes of the value).
  /// - Returns: what was left of its time.
  /// - Throws: as a put.
  func persist(_ key: [UInt8]) async throws(ClusterError) -> TimeToLive {
    try await update(key) { [clock] found in
      guard let value = found.value, found.expiry != nil else { return (.keep, found.timeToLive(clock)) }
      return (.put(Array(value)), found.timeToLive(clock))
    }
  }

  /// What is left of a key's time.
  /// - Throws: as a get.
  func timeToLive(of key: [UInt8]) async throws(ClusterError) -> TimeToLive {
    try await update(key) { [clock] in (.keep, $0.timeToLive(clock)) }
  }
}

extension Found {
  fileprivate func timeToLive(_ clock: ExpiryClock) -> TimeToLive {
    if value == nil { return .noKey }
    return expiry.map { .left(milliseconds: max(0, Int64($0) - Int64(clock.now))) } ?? .unlimited
  }
}
