/// Reads and writes. Each may be called from any thread and task; a key has 1 to 65,535 bytes, a value 0 to 64 MiB, and an
/// empty value is a value.
///
/// Every write goes to all owners of its key. An operation that does not find enough of them is refused with
/// ``ClusterError/unavailable(needed:live:owners:missing:consistency:)``, and nothing was changed. If owners did not answer
/// in time it throws ``ClusterError/indeterminate(_:)``: a write may have taken effect, and of a read nothing is known.
extension Cluster {
  /// Stores a value. Durable on W owners as the fsync policy says when it returns.
  public func put(
    _ key: [UInt8], _ value: [UInt8], _ options: WriteOptions = WriteOptions()
  ) async throws(ClusterError) {
    try await dataPath.write(.put, key, value, options)
  }

  /// The newest value of a key, or `nil` if it has none.
  public func get(_ key: [UInt8], _ options: ReadOptions = ReadOptions()) async throws(ClusterError) -> [UInt8]? {
    try await dataPath.read(key, options)
  }

  /// Removes a key. Durable like a put.
  /// - Returns: whether a get at the same level, made just before, found a value; that look is not part of the guarantee.
  public func delete(_ key: [UInt8], _ options: WriteOptions = WriteOptions()) async throws(ClusterError) -> Bool {
    let existed = try await get(key, ReadOptions(consistency: options.consistency)) != nil
    try await dataPath.write(.delete, key, [], options)
    return existed
  }

  /// ``put(_:_:_:)`` for a thread: blocks it while the disk works. Allocates nothing unless it has to wait.
  public func putBlocking(
    _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ options: WriteOptions = WriteOptions()
  ) throws(ClusterError) {
    try dataPath.writeBlocking(.put, key, value, options)
  }

  /// ``get(_:_:)`` for a thread, into the caller's memory. Allocates nothing unless it has to wait.
  /// - Returns: the value's byte count, of which as many were copied as fit; `nil` if the key has no value.
  public func getBlocking(
    _ key: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer, _ options: ReadOptions = ReadOptions()
  ) throws(ClusterError) -> Int? {
    try dataPath.readBlocking(key, options) { value in
      let copied = min(value.count, buffer.count)
      if copied > 0 { buffer.baseAddress!.copyMemory(from: value.baseAddress!, byteCount: copied) }
      return value.count
    }
  }

  /// ``delete(_:_:)`` for a thread, without the look before. Allocates nothing unless it has to wait.
  public func deleteBlocking(
    _ key: UnsafeRawBufferPointer, _ options: WriteOptions = WriteOptions()
  ) throws(ClusterError) {
    try dataPath.writeBlocking(.delete, key, UnsafeRawBufferPointer(start: nil, count: 0), options)
  }

  /// An operation of a simulation's client: by message or by direct call, as the program would carry it.
  /// - Parameter completion: hears once how it ended, perhaps before this returns.
  /// - Throws: nothing was done.
  package func submit(
    _ call: ClientOperation.Call, _ key: [UInt8], consistency: Consistency? = nil,
    completion: @escaping @Sendable (ClientOperation.Outcome) -> Void
  ) throws(ClusterError) {
    try dataPath.submit(call, key, consistency, completion: completion)
  }

  // MARK: - Listing

  /// Keys in use that begin with `prefix`, in the order of their bytes.
  ///
  /// A listing for people, not a consistent scan: it looks at every partition in turn. O(all keys).
  /// - Parameters:
  ///   - prefix: what the keys begin with; empty for all.
  ///   - limit: at most so many; the rest is only known to exist.
  /// - Throws: ``ClusterError/storage(_:)`` if every owner of some keys has lost records: what is not there may have been.
  public func keys(prefix: [UInt8], limit: Int) throws(ClusterError) -> KeyListing {
    try dataPath.checkServing()
    try checkAllCanBeListed()
    var found: [[UInt8]] = []
    for number in 0..<Store.partitionCount {
      let partition = partitions[number]
      partition.lock.pointee.withLock { collect(prefix, partition, number, &found) }
    }
    found.sort { $0.lexicographicallyPrecedes($1) }
    return KeyListing(keys: Array(found.prefix(max(0, limit))), isComplete: found.count <= limit)
  }

  /// Adds the partition's keys that any node holds: each under the newest version among its nodes.
  private func collect(
    _ prefix: [UInt8], _ partition: UnsafeMutablePointer<Partition>, _ number: Int, _ found: inout [[UInt8]]
  ) {
    var newest: [(key: [UInt8], tag: Tag, isTombstone: Bool)] = []
    for id in partition.pointee.replicas.indices {
      guard let replica = partition.pointee.replica(UInt16(id))?.takeUnretainedValue() else { continue }
      _ = replica.store.scan(number, from: 0, limit: .max / 2) { slot, record in
        guard record.key.starts(with: prefix) else { return }
        newest.append((Array(record.key), slot.tag, slot.location.isTombstone))
      }
    }
    newest.sort { $0.key == $1.key ? $0.tag > $1.tag : $0.key.lexicographicallyPrecedes($1.key) }
    for (i, entry) in newest.enumerated() where (i == 0 || newest[i - 1].key != entry.key) && !entry.isTombstone {
      found.append(entry.key)
    }
  }

  // MARK: - Waiting

  /// Waits, as long as an operation may take, while so many nodes are compared after damage that reads are refused.
  package func untilCompared() async {
    let deadlineNs = Clock.nowNs() + options.operationTimeoutNs
    while isComparing, Clock.nowNs() < deadlineNs { try? await Task.sleep(for: .milliseconds(20)) }
  }

  private var isComparing: Bool {
    let quorum = roster.configuration.quorum
    let suspects = roster.live.filter { $0.store.isSuspect }
    guard suspects.count > quorum.replicas - max(quorum.read, quorum.write) else { return false }
    return suspects.contains { isHeldWhole($0) }
  }

  private func isHeldWhole(_ replica: Replica) -> Bool {
    (0..<Store.partitionCount).allSatisfy { partitions.isHeldWhole(replica, $0) }
  }

  private func checkAllCanBeListed() throws(ClusterError) {
    let lost = roster.live.filter { $0.store.hasLost && !isHeldWhole($0) }
    guard !lost.isEmpty else { return }
    var refusal = Refusal(needed: 0, owners: 0, consistency: nil, folder: folder.path)
    refusal.suspects = lost.map(\.name)
    refusal.isLost = true
    throw refusal.error
  }
}

/// Keys found by ``Cluster/keys(prefix:limit:)``.
public struct KeyListing: Sendable, Equatable {
  /// The keys, in the order of their bytes.
  public var keys: [[UInt8]]
  /// Whether these are all.
  public var isComplete: Bool

  /// The engine makes listings; others do so to show them.
  public init(keys: [[UInt8]], isComplete: Bool) {
    self.keys = keys
    self.isComplete = isComplete
  }
}
