/// Looks through the keys of all nodes, and waits for what keeps them from being read.
struct KeyScan: Sendable {
  let roster: Roster
  let data: DataPath

  /// See ``Cluster/keys(prefix:limit:)``.
  /// - Parameter after: leaves out this key and all before it.
  func keys(prefix: [UInt8], after: [UInt8]?, limit: Int) throws(ClusterError) -> KeyListing {
    try data.checkServing()
    try checkAllCanBeListed()
    var found: [[UInt8]] = []
    for number in 0..<Store.partitionCount {
      let partition = data.partitions[number]
      partition.lock.pointee.withLock { collect(prefix, partition, number, &found) }
    }
    if let after { found.removeAll { !after.lexicographicallyPrecedes($0) } }
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
  func untilCompared() async {
    let deadlineNs = Clock.nowNs() + data.settings.timeoutNs
    while isComparing, Clock.nowNs() < deadlineNs { try? await Task.sleep(for: .milliseconds(20)) }
  }

  private var isComparing: Bool {
    let quorum = roster.configuration.quorum
    let suspects = roster.live.filter { $0.store.isSuspect }
    guard suspects.count > quorum.replicas - max(quorum.read, quorum.write) else { return false }
    return suspects.contains { !data.partitions.hasLostRanges($0) }
  }

  private func checkAllCanBeListed() throws(ClusterError) {
    let partitions = data.partitions
    let lost = LostRange.merged(roster.live.filter(partitions.hasLostRanges).map(partitions.lostRanges))
    guard !lost.isEmpty else { return }
    var refusal = Refusal(needed: 0, owners: 0, consistency: nil, folder: data.settings.folder)
    refusal.lost = lost
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
