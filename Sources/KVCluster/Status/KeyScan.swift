/// Looks through the keys of all nodes, and waits for what keeps them from being read.
struct KeyScan: Sendable {
  let roster: Roster
  let data: DataPath

  /// See ``Cluster/keys(prefix:after:limit:)``.
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

  /// Keys in the order of their hashes, a part at a time; see ``Cluster/scan(from:limit:)``.
  func scan(from cursor: UInt64, limit: Int) throws(ClusterError) -> KeyScanPage {
    try data.checkServing()
    try checkAllCanBeListed()
    var page = KeyScanPage(keys: [], next: 0)
    for number in Int(cursor >> KeyScanPage.partitionShift)..<Store.partitionCount {
      let partition = data.partitions[number]
      var found: [[UInt8]] = []
      partition.lock.pointee.withLock { collect([], partition, number, &found) }
      var placed = found.map { (place: KeyScanPage.place(of: $0), key: $0) }
      placed.removeAll { $0.place < cursor }
      placed.sort { $0.place < $1.place }
      for (i, entry) in placed.enumerated() {
        // Keys of one place go together: a cursor cannot stand between them.
        if page.keys.count >= limit, i == 0 || placed[i - 1].place != entry.place {
          page.next = entry.place
          return page
        }
        page.keys.append(entry.key)
      }
      if page.keys.count >= limit, number + 1 < Store.partitionCount {
        page.next = UInt64(number + 1) << KeyScanPage.partitionShift
        return page
      }
    }
    return page
  }

  /// Adds the partition's keys that any node holds: each under the newest version among its nodes.
  private func collect(
    _ prefix: [UInt8], _ partition: UnsafeMutablePointer<Partition>, _ number: Int, _ found: inout [[UInt8]]
  ) {
    var newest: [(key: [UInt8], stamp: Stamp, expiry: UInt64?)] = []
    for id in partition.pointee.replicas.indices {
      guard let replica = partition.pointee.replica(UInt16(id))?.takeUnretainedValue() else { continue }
      _ = replica.store.scan(number, from: 0, limit: .max / 2) { slot, record in
        guard record.key.starts(with: prefix) else { return }
        newest.append((Array(record.key), record.stamp, record.expiry))
      }
    }
    newest.sort {
      $0.key == $1.key ? $0.stamp.isNewer(than: $1.stamp) : $0.key.lexicographicallyPrecedes($1.key)
    }
    for (i, entry) in newest.enumerated() where (i == 0 || newest[i - 1].key != entry.key) && !entry.stamp.isTombstone {
      // A listing for people: what cannot be noted now is shown.
      if let expiry = entry.expiry, (try? data.clock.hasPassed(expiry)) ?? false { continue }
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
    guard !lost.isEmpty else {
      guard let owners = data.partitions.ownersOfUnserved else { return }
      throw .unavailable(needed: 1, live: 0, owners: owners.count, missing: owners, consistency: nil)
    }
    var refusal = Refusal(needed: 0, owners: 0, consistency: nil, folder: data.settings.folder)
    refusal.lost = lost
    throw refusal.error
  }
}

/// Keys found by ``Cluster/scan(from:limit:)``, and where the next are.
package struct KeyScanPage: Sendable, Equatable {
  package var keys: [[UInt8]]
  /// Where the next page begins; 0 after the last.
  package var next: UInt64

  /// Bits of a place: clients keep it as a number that is exact up to 2⁵³.
  private static let bits = 52
  /// The highest bits of a place are those of its partition.
  static let partitionShift = bits - Store.partitionCount.trailingZeroBitCount

  /// The highest bits of a key's hash.
  static func place(of key: [UInt8]) -> UInt64 { key.withUnsafeBytes(Ring.hash) >> (64 - UInt64(bits)) }
}

/// Keys found by ``Cluster/keys(prefix:after:limit:)``.
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
