/// Reads and writes at a level of consistency of their own.
extension Cluster {
  /// ``put(_:_:)``, acknowledged when as many owners have it as `consistency` says; `nil` is the cluster's default.
  /// - Throws: as ``put(_:_:)``.
  public func put(_ key: [UInt8], _ value: [UInt8], consistency: Consistency?) async throws(ClusterError) {
    guard let consistency else { return try await put(key, value) }
    try checkServing()
    let startedNs = writeLatencies.start()
    defer { writeLatencies.finish(startedNs) }
    let slot = key.withBytes { key in
      tap.watches(key) ? value.withBytes { tap.begin(.put, key, ObservedValue($0)) } : nil
    }
    do throws(ClusterError) {
      try await write(.value, key, value, consistency)
    } catch {
      throw ended(slot, error)
    }
    tap.end(slot, isJudged(writeAt: consistency) ? .done : .unknown)
  }

  /// ``get(_:)`` from as many owners as `consistency` says; `nil` is the cluster's default.
  /// - Throws: as ``get(_:)``.
  public func get(_ key: [UInt8], consistency: Consistency?) async throws(ClusterError) -> [UInt8]? {
    guard let consistency else { return try await get(key) }
    try checkServing()
    let startedNs = readLatencies.start()
    defer { readLatencies.finish(startedNs) }
    let isWatched = isJudged(readAt: consistency) && key.withBytes { tap.watches($0) }
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
    let startedNs = writeLatencies.start()
    defer { writeLatencies.finish(startedNs) }
    let slot = key.withBytes { tap.watches($0) ? tap.begin(.delete, $0) : nil }
    do throws(ClusterError) {
      try await write(.tombstone, key, [], consistency)
    } catch {
      throw ended(slot, error)
    }
    tap.end(slot, isJudged(writeAt: consistency) ? .done : .unknown)
    return existed
  }

  // What the live verdict makes of levels: whoever asks for less than the cluster's own quorums has not been promised
  // what it judges. A get from fewer owners is not recorded at all. A write to fewer is recorded as one of unknown
  // outcome, which may take effect at any time or never: nothing that others then read is held against them, and a value
  // from nowhere still is. Levels that wait for as many owners as the default, or more, overlap with it and are judged.

  private func isJudged(readAt consistency: Consistency) -> Bool {
    let quorum = effectiveQuorum
    return consistency.count(of: quorum.replicas) >= quorum.read
  }

  private func isJudged(writeAt consistency: Consistency) -> Bool {
    let quorum = effectiveQuorum
    return consistency.count(of: quorum.replicas) >= quorum.write
  }

  private var effectiveQuorum: QuorumSettings {
    let configuration = roster.configuration
    return configuration.quorum.effective(nodes: configuration.ring.nodes.count)
  }
}
