/// Reads and writes.
extension Cluster {
  /// Stores a value. Durable on W owners as the fsync policy says when it returns.
  /// - Parameters:
  ///   - key: 1 to 65,535 bytes.
  ///   - value: 0 to 64 MiB; an empty value is a value.
  /// - Throws: ``ClusterError/unavailable(needed:live:owners:missing:consistency:)`` and nothing was written, or
  ///   ``ClusterError/indeterminate(_:)`` and it may have been.
  public func put(_ key: [UInt8], _ value: [UInt8]) async throws(ClusterError) {
    try checkServing()
    let startedNs = writeLatencies.start()
    defer { writeLatencies.finish(startedNs) }
    if key.withBytes({ tap.watches($0) }) { return try await watchedPut(key, value) }
    try await write(.value, key, value)
  }

  /// The newest value of a key, or `nil` if it has none.
  /// - Throws: ``ClusterError/unavailable(needed:live:owners:missing:consistency:)`` if fewer than R owners know;
  ///   ``ClusterError/indeterminate(_:)`` if faulty links kept them from saying so in time.
  public func get(_ key: [UInt8]) async throws(ClusterError) -> [UInt8]? {
    try checkServing()
    let startedNs = readLatencies.start()
    defer { readLatencies.finish(startedNs) }
    if key.withBytes({ tap.watches($0) }) { return try await watchedGet(key) }
    return try await read(key)
  }

  /// Removes a key. Durable like a put.
  /// - Returns: whether a get made just before found a value; that look is not part of the guarantee.
  public func delete(_ key: [UInt8]) async throws(ClusterError) -> Bool {
    let existed = try await get(key) != nil
    try checkServing()
    let startedNs = writeLatencies.start()
    defer { writeLatencies.finish(startedNs) }
    if key.withBytes({ tap.watches($0) }) {
      try await watchedDelete(key)
    } else {
      try await write(.tombstone, key, [])
    }
    return existed
  }

  /// ``put(_:_:)`` for a thread: blocks it while the disk works. Allocates nothing unless it has to wait.
  public func putBlocking(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(ClusterError) {
    try checkServing()
    if tap.watches(key) { return try watchedPut(key, value) }
    try writeBlocking(.value, key, value)
  }

  /// ``delete(_:)`` for a thread, without the look before.
  public func deleteBlocking(_ key: UnsafeRawBufferPointer) throws(ClusterError) {
    try checkServing()
    if tap.watches(key) { return try watchedDelete(key) }
    try writeBlocking(.tombstone, key, UnsafeRawBufferPointer(start: key.baseAddress, count: 0))
  }

  /// ``get(_:)`` for a thread, into the caller's memory. Allocates nothing.
  /// - Returns: the value's byte count, of which as many were copied as fit; `nil` if the key has no value.
  public func getBlocking(
    _ key: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer
  ) throws(ClusterError) -> Int? {
    try checkServing()
    if tap.watches(key) { return try watchedGet(key, into: buffer) }
    return try readBlocking(key) { Cluster.copy($0, to: buffer) }
  }

  /// Copies as much as fits; returns how much there is.
  @inline(__always)
  static func copy(_ value: UnsafeRawBufferPointer, to buffer: UnsafeMutableRawBufferPointer) -> Int {
    let copied = min(value.count, buffer.count)
    if copied > 0 { buffer.baseAddress!.copyMemory(from: value.baseAddress!, byteCount: copied) }
    return value.count
  }

  // MARK: - By direct call, or by message while links are faulty

  @inline(__always)
  func write(
    _ kind: RecordKind, _ key: [UInt8], _ value: [UInt8], _ consistency: Consistency? = nil
  ) async throws(ClusterError) {
    if links.isFaulty { return try await sendWrite(kind == .tombstone ? .delete : .put(value), key, consistency) }
    let pending = try key.withBytes { key throws(ClusterError) in
      try value.withBytes { value throws(ClusterError) in try coordinator.write(kind, key, value, consistency) }
    }
    if let pending { try await settle(pending, consistency) }
  }

  @inline(__always)
  func read(_ key: [UInt8], _ consistency: Consistency? = nil) async throws(ClusterError) -> [UInt8]? {
    if links.isFaulty { return try await sendRead(key, consistency) }
    let (value, pending) = try key.withBytes { key throws(ClusterError) in
      try coordinator.read(key, consistency) { $0.map { Array($0) } }
    }
    if let pending { try await settle(pending, consistency) }
    return value
  }

  @inline(__always)
  func writeBlocking(
    _ kind: RecordKind, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer,
    _ consistency: Consistency? = nil
  ) throws(ClusterError) {
    let startedNs = writeLatencies.start()
    defer { writeLatencies.finish(startedNs) }
    if links.isFaulty {
      return try sendWriteBlocking(kind == .tombstone ? .delete : .put(Array(value)), key, consistency)
    }
    if let pending = try coordinator.write(kind, key, value, consistency) { try settleBlocking(pending, consistency) }
  }

  /// - Parameter take: gets the value while a lock is held.
  @inline(__always)
  func readBlocking(
    _ key: UnsafeRawBufferPointer, _ consistency: Consistency? = nil, _ take: (UnsafeRawBufferPointer) -> Int
  ) throws(ClusterError) -> Int? {
    let startedNs = readLatencies.start()
    defer { readLatencies.finish(startedNs) }
    if links.isFaulty { return try sendReadBlocking(key, consistency)?.withBytes(take) }
    let (count, pending) = try coordinator.read(key, consistency) { value -> Int? in value.map(take) }
    if let pending { try settleBlocking(pending, consistency) }
    return count
  }

  /// Keys in use that begin with `prefix`, in the order of their bytes.
  ///
  /// A listing for people, not a consistent scan: it looks at every partition in turn. O(all keys).
  /// - Parameters:
  ///   - prefix: what the keys begin with; empty for all.
  ///   - limit: at most so many; the rest is only known to exist.
  /// - Throws: ``ClusterError/storage(_:)`` if every owner of some keys has lost records: what is not there may have been.
  public func keys(prefix: [UInt8], limit: Int) throws(ClusterError) -> KeyListing {
    try checkServing()
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
    return suspects.contains { !partitions.hasLostRanges($0) }
  }

  private func checkAllCanBeListed() throws(ClusterError) {
    let lost = LostRange.merged(roster.live.filter(partitions.hasLostRanges).map(partitions.lostRanges))
    guard !lost.isEmpty else { return }
    var refusal = Refusal(needed: 0, owners: 0, consistency: nil, folder: folder.path)
    refusal.lost = lost
    throw refusal.error
  }

  @inline(__always)
  func checkServing() throws(ClusterError) {
    if !isServing.load(ordering: .acquiring) { throw notServing() }
  }

  @inline(never)
  private func notServing() -> ClusterError {
    if isClosing.load(ordering: .relaxed) { return .notServing("the cluster is closed") }
    if let failure = roster.withState({ $0.recoveryFailure }) { return failure }
    return .notServing(
      "the cluster is still reading its logs (\(Int(recovery.fraction * 100)) %); try again in a moment")
  }

  func settle(_ pending: DurabilityWait, _ consistency: Consistency? = nil) async throws(ClusterError) {
    try check(await pending.wait(), consistency)
  }

  func settleBlocking(_ pending: DurabilityWait, _ consistency: Consistency? = nil) throws(ClusterError) {
    try check(pending.waitBlocking(), consistency)
  }

  private func check(_ step: WriteOperation.Step, _ consistency: Consistency?) throws(ClusterError) {
    if step == .done { return }
    throw .undecidedWrite("too few owners confirmed in time that it is on their disks\(consistency.words)")
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
