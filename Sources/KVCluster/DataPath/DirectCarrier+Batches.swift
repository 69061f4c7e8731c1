/// The steps of a batch at its keys. Each is a read-modify-write; what makes them one is that all locks are held meanwhile,
/// and the journal (``Batches``).
extension DirectCarrier {
  /// A key of a batch, as it was found.
  struct BatchedKey {
    let key: [UInt8]
    let hash: UInt64
    let base: Base
    let found: FoundKey
    /// What becomes of it; `nil` if nothing is written.
    var write: BatchedWrite?

    var partition: Int { Store.partition(of: hash) }
  }

  /// Looks at the keys, and decides what becomes of each; nothing is written. Call with the locks of all held.
  /// - Throws: nothing was done, and nothing is to be.
  func prepare(
    _ batch: Batches.Job, among allowed: [[UInt16]]? = nil
  ) throws(ClusterError) -> [BatchedKey] {
    var keys: [BatchedKey] = []
    keys.reserveCapacity(batch.keys.count)
    for (i, key) in batch.keys.enumerated() {
      let (hash, partition) = (batch.hashes[i], partitions[Store.partition(of: batch.hashes[i])])
      let prepared = try key.withBytes { bytes throws(ClusterError) in
        let base = try base(hash, bytes, partition, among: allowed.map { allowed in { allowed[i].contains($0) } })
        let found = try found(base.newest, hash, bytes)
        return BatchedKey(
          key: key, hash: hash, base: base, found: FoundKey(found, base.newest?.stamp, copies: batch.readsValues))
      }
      keys.append(prepared)
    }
    let changes = try batch.decide(keys.map(\.found))
    for (i, change) in changes.enumerated() { keys[i].write = try write(change, keys[i]) }
    return keys
  }

  private func write(_ change: Change, _ key: BatchedKey) throws(ClusterError) -> BatchedWrite? {
    let bytes = key.found.exists ? UnsafeRawBufferPointer(start: nil, count: 0) : nil
    let found = Found(value: bytes, expiry: key.found.expiry)
    let made = try key.key.withBytes { bytes throws(ClusterError) -> NewVersion? in
      try version(change, of: bytes, found)
    }
    guard let version = made else { return nil }
    let stamp = try stamp(version, after: key.base, partitions[key.partition])
    return BatchedWrite(key: key.key, hash: key.hash, stamp: stamp, body: version.body)
  }

  /// Writes what was decided of a key, or settles what was found. Call with its partition's lock held.
  /// - Returns: what to wait for before the batch may be answered.
  func apply(_ prepared: BatchedKey) throws(ClusterError) -> PendingOperation? {
    let partition = partitions[prepared.partition]
    return try prepared.key.withBytes { key throws(ClusterError) in
      guard let write = prepared.write else {
        partition.pointee.operations.reads &+= 1
        guard prepared.base.operation.phase == .writingBack else { return nil }
        // What other keys needed since may have taken the place of what was found in a cache.
        let base = try base(again: prepared.hash, key, partition, prepared.base)
        return try settle(base, prepared.hash, key, partition)
      }
      partition.pointee.operations.writes &+= 1
      return try propose(
        write.body, write.stamp, write.hash, key, partition, prepared.base.participants, prepared.base.live)
    }
  }

  private func base(
    again hash: UInt64, _ key: UnsafeRawBufferPointer, _ partition: UnsafeMutablePointer<Partition>,
    _ known: Base
  ) throws(ClusterError) -> Base {
    try base(
      hash, key, partition,
      among: { id in
        (0..<known.participants.count).contains { known.participants.ids[$0] == id && known.live.contains($0) }
      })
  }

  // MARK: - What was begun

  /// Does first what a batch has begun at this key. Call with its partition's lock held.
  /// - Throws: too few owners take it.
  @inline(never)
  func finishBatches(
    _ hash: UInt64, _ key: UnsafeRawBufferPointer, _ partition: UnsafeMutablePointer<Partition>
  ) throws(ClusterError) {
    if partitions.unfinished.isDoubtful(hash) {
      throw .storage("the journal of batches in \(folder) cannot be written, and it may name this key; make room there")
    }
    for write in partitions.unfinished.of(hash) where write.key.elementsEqual(key) {
      guard !links.isFaulty else { throw Batches.unfinished }
      try finish(write, partition)
    }
  }

  /// Brings a write of a batch to its owners, unless one of them has it already or a newer one. It comes behind what is found:
  /// nothing was written to the key since, and if it is on an owner that does not answer, that copy is the older one. It is
  /// finished when it is found on enough disks; who comes before that waits for them by itself.
  func finish(
    _ write: BatchedWrite, _ partition: UnsafeMutablePointer<Partition>, among allowed: ((UInt16) -> Bool)? = nil
  ) throws(ClusterError) {
    let pending = try write.key.withBytes { key throws(ClusterError) -> PendingOperation? in
      let base = try base(write.hash, key, partition, among: allowed, isFinishing: true)
      let newest = base.newest?.stamp ?? .none
      if newest == write.stamp || newest.isNewer(than: write.stamp) {
        return try settle(base, write.hash, key, partition)
      } else {
        let version = NewVersion(
          body: write.body, isTombstone: write.stamp.isTombstone, expires: write.stamp.tag.expires)
        let stamp = try stamp(version, after: base, partition)
        return try propose(write.body, stamp, write.hash, key, partition, base.participants, base.live)
      }
    }
    if pending == nil { partitions.unfinished.remove(write, partition) }
  }
}
