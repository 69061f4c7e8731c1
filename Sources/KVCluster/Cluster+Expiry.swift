/// Keys that end by themselves.
///
/// ```swift
/// try await cluster.put(key, value, WriteOptions(expiry: .after(milliseconds: 60_000)))
/// try await cluster.timeToLive(of: key)  // .left(milliseconds: 59_998)
/// ```
///
/// From its end on a key is absent: to gets, to updates, and after a restart, even if the system's clock was set back meanwhile.
/// The time is that of the cluster: the system's clock, but for that it never goes back. A put takes the end away, and an update
/// keeps it, unless it says otherwise (``ExpiryChange``). All of these are linearizable, as other operations are.
extension Cluster {
  /// Gives a key another end, in one step with the look for it. O(bytes of the value).
  /// - Returns: what is left of its time then; ``TimeToLive/noKey`` if there is no such key.
  /// - Throws: `ClusterError.invalidArgument` if the time is less than a millisecond away or too late for any clock, as
  ///   ``Cluster/put(_:_:_:)`` otherwise.
  @discardableResult
  public func expire(_ key: [UInt8], _ end: ExpiryTime) async throws(ClusterError) -> TimeToLive {
    let clock = dataPath.clock
    return try await dataPath.update(key) { found in
      guard let value = found.value else { return (.keep, .noKey) }
      let left =
        switch end {
        case .after(let milliseconds): milliseconds
        case .at(let unixMilliseconds): max(0, unixMilliseconds - Int64(clock.now))
        }
      return (.put(Array(value), .set(end)), .left(milliseconds: left))
    }
  }

  /// Takes the end of a key away. O(bytes of the value).
  /// - Returns: what was left of its time.
  /// - Throws: as ``Cluster/put(_:_:_:)``.
  @discardableResult
  public func persist(_ key: [UInt8]) async throws(ClusterError) -> TimeToLive {
    let clock = dataPath.clock
    return try await dataPath.update(key) { found in
      guard let value = found.value, found.expiry != nil else { return (.keep, found.timeToLive(clock)) }
      return (.put(Array(value)), found.timeToLive(clock))
    }
  }

  /// What is left of a key's time.
  /// - Throws: as ``Cluster/get(_:_:)``.
  public func timeToLive(of key: [UInt8]) async throws(ClusterError) -> TimeToLive {
    let clock = dataPath.clock
    return try await dataPath.update(key) { (.keep, $0.timeToLive(clock)) }
  }
}

extension Found {
  fileprivate func timeToLive(_ clock: ExpiryClock) -> TimeToLive {
    if value == nil { return .noKey }
    return expiry.map { .left(milliseconds: max(0, Int64($0) - Int64(clock.now))) } ?? .unlimited
  }
}
