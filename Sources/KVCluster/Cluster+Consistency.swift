/// Reads and writes at a level of consistency of their own.
extension Cluster {
  /// ``put(_:_:)``, acknowledged when as many owners have it as `consistency` says; `nil` is the cluster's default.
  /// - Throws: as ``put(_:_:)``.
  public func put(_ key: [UInt8], _ value: [UInt8], consistency: Consistency?) async throws(ClusterError) {
    guard let consistency else { return try await put(key, value) }
    try checkServing()
    let startedNs = dataPath.writeLatencies.start()
    defer { dataPath.writeLatencies.finish(startedNs) }
    let slot = key.withBytes { key in
      tap.watches(key) ? value.withBytes { tap.begin(.put, key, ObservedValue($0)) } : nil
    }
    do throws(ClusterError) {
      try await write(.value, key, value, consistency)
    } catch {
      throw ended(slot, error)
    }
    endWrite(slot, consistency)
  }

  /// ``get(_:)`` from as many owners as `consistency` says; `nil` is the cluster's default.
  /// - Throws: as ``get(_:)``.
  public func get(_ key: [UInt8], consistency: Consistency?) async throws(ClusterError) -> [UInt8]? {
    guard let consistency else { return try await get(key) }
    try checkServing()
    let startedNs = dataPath.readLatencies.start()
    defer { dataPath.readLatencies.finish(startedNs) }
    let isWatched = key.withBytes { tap.watches($0) } && isJudged(readAt: consistency)
    let slot = isWatched ? key.withBytes { tap.begin(.get, $0) } : nil
    let value: [UInt8]?
    do throws(ClusterError) {
      value = try await read(key, consistency)
    } catch {
      throw ended(slot, error)
    }
    tap.end(slot, .done, found: value?.withBytes { ObservedValue($0) } ?? .absent)
    return value
  }

  /// ``delete(_:)``, acknowledged when as many owners have it as `consistency` says; `nil` is the cluster's default.
  /// - Returns: whether a get at the same level, made just before, found a value.
  public func delete(_ key: [UInt8], consistency: Consistency?) async throws(ClusterError) -> Bool {
    guard let consistency else { return try await delete(key) }
    let existed = try await get(key, consistency: consistency) != nil
    try checkServing()
    let startedNs = dataPath.writeLatencies.start()
    defer { dataPath.writeLatencies.finish(startedNs) }
    let slot = key.withBytes { tap.watches($0) ? tap.begin(.delete, $0) : nil }
    do throws(ClusterError) {
      try await write(.tombstone, key, [], consistency)
    } catch {
      throw ended(slot, error)
    }
    endWrite(slot, consistency)
    return existed
  }

  /// ``putBlocking(_:_:)``, acknowledged when as many owners have it as `consistency` says; `nil` is the cluster's
  /// default. Allocates nothing unless it has to wait.
  /// - Throws: as ``put(_:_:)``.
  public func putBlocking(
    _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, consistency: Consistency?
  ) throws(ClusterError) {
    guard let consistency else { return try putBlocking(key, value) }
    try checkServing()
    let slot = tap.watches(key) ? tap.begin(.put, key, ObservedValue(value)) : nil
    try writeBlocking(.value, key, value, consistency, slot)
  }

  /// ``deleteBlocking(_:)``, acknowledged when as many owners have it as `consistency` says; `nil` is the cluster's
  /// default.
  public func deleteBlocking(_ key: UnsafeRawBufferPointer, consistency: Consistency?) throws(ClusterError) {
    guard let consistency else { return try deleteBlocking(key) }
    try checkServing()
    let slot = tap.watches(key) ? tap.begin(.delete, key) : nil
    let empty = UnsafeRawBufferPointer(start: key.baseAddress, count: 0)
    try writeBlocking(.tombstone, key, empty, consistency, slot)
  }

  private func writeBlocking(
    _ kind: RecordKind, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ consistency: Consistency,
    _ slot: Int?
  ) throws(ClusterError) {
    do throws(ClusterError) {
      try writeBlocking(kind, key, value, consistency)
    } catch {
      throw ended(slot, error)
    }
    endWrite(slot, consistency)
  }

  /// ``getBlocking(_:into:)`` from as many owners as `consistency` says; `nil` is the cluster's default. Allocates nothing
  /// unless it has to wait.
  /// - Returns: the value's byte count, of which as many were copied as fit; `nil` if the key has no value.
  /// - Throws: as ``get(_:)``.
  public func getBlocking(
    _ key: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer, consistency: Consistency?
  ) throws(ClusterError) -> Int? {
    guard let consistency else { return try getBlocking(key, into: buffer) }
    try checkServing()
    guard tap.watches(key), isJudged(readAt: consistency) else {
      return try readBlocking(key, consistency) { Cluster.copy($0, to: buffer) }
    }
    let slot = tap.begin(.get, key)
    var found = ObservedValue.absent
    let count: Int?
    do throws(ClusterError) {
      count = try readBlocking(key, consistency) { value in
        found = ObservedValue(value)
        return Cluster.copy(value, to: buffer)
      }
    } catch {
      throw ended(slot, error)
    }
    tap.end(slot, .done, found: found)
    return count
  }

  // What the live verdict makes of levels: whoever asks for less than the cluster's own quorums has not been promised
  // what it judges. A get from fewer owners is not recorded at all. A write to fewer is recorded as one of unknown
  // outcome, which may take effect at any time or never: nothing that others then read is held against them, and a value
  // from nowhere still is. Levels that wait for as many owners as the default, or more, overlap with it and are judged.

  private func isJudged(readAt consistency: Consistency) -> Bool {
    let quorum = effectiveQuorum
    return consistency.count(of: quorum.replicas) >= quorum.read
  }

  private func endWrite(_ slot: Int?, _ consistency: Consistency) {
    guard let slot else { return }
    let quorum = effectiveQuorum
    let isJudged = consistency.count(of: quorum.replicas) >= quorum.write
    tap.end(slot, isJudged ? .done : .unknown)
  }

  private var effectiveQuorum: QuorumSettings {
    let configuration = parts.roster.configuration
    return configuration.quorum.effective(nodes: configuration.ring.nodes.count)
  }
}
