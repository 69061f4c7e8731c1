import CKernels
import Glibc
import Synchronization

/// What a node keeps of one partition. Guarded by the partition's lock.
package struct StoreStripe {
  package var index: HashIndex
  package var cache: ValueCache
  package var tombstones = 0
  package var expiry = StripeExpiry()
  package var operations = OperationCounters.zero
}

/// What is known of a stripe's values that expire.
package struct StripeExpiry {
  /// No value expires before this time, in Unix milliseconds: 0 until somebody has looked.
  package var earliest: UInt64 = 0
  /// A value that expires was written since somebody last looked.
  package var hasNews = false
  /// Such values for which this node speaks, and those that were to expire within a minute, when somebody last looked.
  package var keys = 0
  package var soon = 0
}

/// One node's storage: a log, an index into it and a cache of values, cut into ``partitionCount`` stripes.
///
/// A call that touches a stripe must be made with that partition's lock held (or by the only thread); the log has its
/// own. Rejected: a lock per node and stripe, which costs a put on three replicas three locks and their cache lines.
package final class Store: @unchecked Sendable {
  /// Partitions are equal parts of the ring: the hash's highest byte. 256 keep two of ten threads from meeting.
  package static let partitionCount = 256

  package let log: Log
  let table: SegmentTable
  package let stripes: UnsafeMutablePointer<StoreStripe>
  let stripeTable: StripeTable
  /// The greatest tag in the log when it was opened.
  package internal(set) var newestTag = Tag.none
  /// Hints found in the log when it was opened, for each absent node the hashes of the keys it missed.
  package internal(set) var recoveredHints: [RecoveredHints] = []
  /// What opening the log found damaged.
  package internal(set) var damage = DamageReport()
  private let suspicion = Atomic<Bool>(false)
  /// What agreeing readers go by: the suspicion, unless a mistake is planted.
  private let silence = Atomic<Bool>(false)
  private let loss = Atomic<Bool>(false)
  /// Positions before which hints for a node no longer count.
  private let settled: Mutex<[String: LogPosition]>
  /// Up to where the index is that of the checkpoint with which the store was opened. Hints before it had been settled.
  let covered: LogPosition
  /// Held by whoever moves records within the log, and by whoever voids ranges of it.
  let relocating = Lock()
  /// Hashes of which an older version lies behind a newer one in the log, as opening it found; see ``mendOrder()``.
  var invertedHashes: [UInt64] = []
  /// A tombstone may lie before older records of its key, so none of them may leave the log.
  let isDisordered = Atomic<Bool>(false)
  /// Ranges that were given up, and the position before which their records are void.
  let drops: Mutex<[(ranges: RingRanges, effect: LogPosition)]>
  /// A value that expires was written since the expirer last looked which partitions are due.
  let hasExpiryNews = Atomic<Bool>(true)
  /// A mistake, for a test: purged tombstones leave the log with whatever segment they are in.
  let buriesEarly = Atomic<Bool>(false)
  /// A mistake, for a test: suspicion does not keep the store from agreeing with others.
  let agreesAlways = Atomic<Bool>(false)

  init(
    log: Log, stripes: StripeTable, settled: [String: LogPosition] = [:], covered: LogPosition = .start,
    drops: [(ranges: RingRanges, effect: LogPosition)] = []
  ) {
    self.log = log
    self.drops = Mutex(drops)
    table = log.table
    stripeTable = stripes
    self.stripes = stripes.base
    self.settled = Mutex(settled)
    self.covered = covered
  }

  @inline(__always)
  package static func partition(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 56) }

  @inline(__always)
  func stripe(_ hash: UInt64) -> UnsafeMutablePointer<StoreStripe> { stripes + Store.partition(of: hash) }

  /// Asks for the memory a look-up of `hash` will touch first.
  @inline(__always)
  package func prefetch(_ hash: UInt64) { kv_prefetch(stripe(hash).pointee.index.address(of: hash)) }

  /// Asks for what the index points to under this hash, cached or in the log: its first 256 bytes at most. Everything an
  /// operation waits for is memory, so the sooner the better.
  @inline(__always)
  func prefetchRecord(_ hash: UInt64) {
    let stripe = stripe(hash)
    guard let slot = stripe.pointee.index.find(hash, matching: { _ in true }) else { return }
    let location = slot.pointee.location
    let address =
      location.isCached ? UnsafeRawPointer(stripe.pointee.cache.entry(location).base) : table.address(of: location)
    let last = min(location.byteCount, 256) &- 1
    kv_prefetch(address)
    if last >= 64 { kv_prefetch(address + 64) }
    if last >= 128 { kv_prefetch(address + 128) }
    kv_prefetch(address + max(0, last))
  }

  @inline(__always)
  func record(at location: Location) -> RecordView { RecordView(table.address(of: location)) }

  /// Where an entry's record lies in the log, cached or not.
  @inline(__always)
  func logLocation(_ location: Location, _ stripe: UnsafeMutablePointer<StoreStripe>) -> Location {
    location.isCached ? stripe.pointee.cache.entry(location).logLocation : location
  }

  @inline(__always)
  func byteCount(_ location: Location) -> Int {
    location.byteCount != 0 ? location.byteCount : record(at: location).byteCount
  }

  /// Records of unknown keys were lost, so any answer may be out of date: the store takes writes and its records are
  /// good for comparison, but to readers it says "don't know".
  @inline(__always)
  package var isSuspect: Bool {
    get { suspicion.load(ordering: .relaxed) }
    set {
      suspicion.store(newValue, ordering: .releasing)
      silence.store(newValue && !agreesAlways.load(ordering: .relaxed), ordering: .releasing)
    }
  }

  /// Some of the records lost had been on this node's disk: its copies together with those of others that lost some too
  /// are no proof of what was acknowledged. Only of a suspect store.
  package var hasLost: Bool {
    get { loss.load(ordering: .relaxed) }
    set { loss.store(newValue, ordering: .releasing) }
  }

  // MARK: - Finding

  /// The index's entry of a key.
  ///
  /// An entry with the version `known` is the key's without a look at its record: equal tags are the same write. Where
  /// the hash matches and the key does not, the record may be another key's, or damaged: then this node does not know,
  /// which must never pass for "absent", nor for an older version that came late. `doubt` is the greatest tag of such
  /// entries. Of a read-modify-write the anchor must be readable as well, or nobody could tell what is newer.
  @inline(__always)
  private func find(
    _ hash: UInt64, _ key: UnsafeRawBufferPointer, known: Tag, _ stripe: UnsafeMutablePointer<StoreStripe>,
    doubt: inout Tag
  ) -> UnsafeMutablePointer<IndexSlot>? {
    stripe.pointee.index.find(hash) { slot in
      if slot.pointee.tag == known, known != .none { return true }
      let location = slot.pointee.location
      if location.isCached { return stripe.pointee.cache.entry(location).hasKey(key) }
      let record = record(at: location)
      if record.hasKey(key), !slot.pointee.tag.isRMW || hasIntactHeader(location) { return true }
      if !hasIntactHeader(location) { doubt = max(doubt, slot.pointee.tag) }
      return false
    }
  }

  @inline(never)
  func hasIntactHeader(_ location: Location) -> Bool {
    let seed = LogFormat.seed(clusterID: log.identity.clusterID, segment: table.id(location.slot))
    let record = RecordView.checked(
      in: table.base(location.slot), at: location.offset, limit: location.offset + byteCount(location), seed: seed)
    return record != nil
  }

  /// Whether the place of an entry's version among others can be told: of a read-modify-write it is in the record.
  @inline(__always)
  private func isPlaced(_ slot: IndexSlot) -> Bool {
    !slot.tag.isRMW || slot.location.isCached || hasIntactHeader(slot.location)
  }

  /// Of the version that an entry points to.
  @inline(__always)
  func stamp(_ slot: IndexSlot) -> Stamp {
    slot.tag.isRMW ? stampOfRMW(slot) : Stamp(slot.tag, isTombstone: slot.location.isTombstone)
  }

  @inline(never)
  private func stampOfRMW(_ slot: IndexSlot) -> Stamp {
    guard slot.location.isCached else { return record(at: slot.location).stamp }
    let entry = stripe(slot.hash).pointee.cache.entry(slot.location)
    return Stamp(slot.tag, anchor: entry.anchor, isTombstone: false)
  }

  /// Of the read-modify-write with this tag that the node holds under a hash; `nil` if its record is damaged.
  package func stamp(_ hash: UInt64, _ tag: Tag) -> Stamp? {
    guard let slot = stripe(hash).pointee.index.find(hash, matching: { $0.pointee.tag == tag }),
      slot.pointee.location.isCached || hasIntactHeader(slot.pointee.location)
    else { return nil }
    return stampOfRMW(slot.pointee)
  }

  // MARK: - Writing

  /// Takes a write if it is newer than what the node holds. Either way returns the position that must be
  /// durable before the write may be acknowledged: of this record, or of the newer one in its place.
  /// - Parameter value: the payload.
  package func apply(
    _ kind: RecordKind, hash: UInt64, tag: Tag, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer,
    valueChecksum: UInt32
  ) throws(StorageError) -> LogPosition {
    let stripe = stripe(hash)
    var doubt = Tag.none
    let stamp = Stamp(kind, tag, payload: value)
    if let slot = find(hash, key, known: tag, stripe, doubt: &doubt),
      slot.pointee.tag == tag || isPlaced(slot.pointee) && !stamp.isNewer(than: self.stamp(slot.pointee))
    {
      return table.position(of: logLocation(slot.pointee.location, stripe))
    }
    let location = try log.append(kind, tag: tag, key: key, value: value, valueChecksum: valueChecksum)
    var known = Tag.none
    return publish(location, hash: hash, tag: tag, key: key, known: &known)
  }

  /// Lets the index point to a record just appended, unless it has a newer version of the key; then the record is dead
  /// from the start. Returns the position that must be durable before the write may be acknowledged.
  /// - Parameter known: the version another replica has found for the key, which spares this one a look into its log;
  ///   set to what this one has found.
  @inline(__always)
  func publish(
    _ location: Location, hash: UInt64, tag: Tag, key: UnsafeRawBufferPointer, known: inout Tag
  ) -> LogPosition {
    let stripe = stripe(hash)
    stripe.pointee.operations.writes &+= 1
    if tag.expires { noteExpiry(location, stripe) }
    var doubt = Tag.none
    guard let slot = find(hash, key, known: known, stripe, doubt: &doubt), isPlaced(slot.pointee) else {
      stripe.pointee.index.insert(IndexSlot(hash: hash, location: location, tag: tag))
      if location.isTombstone { stripe.pointee.tombstones &+= 1 }
      return table.position(of: location)
    }
    let old = logLocation(slot.pointee.location, stripe)
    let stamp = tag.isRMW ? record(at: location).stamp : Stamp(tag, isTombstone: location.isTombstone)
    if !stamp.isNewer(than: self.stamp(slot.pointee)) {
      table.addDead(byteCount(location), slot: location.slot)
      if old.isTombstone, tag != slot.pointee.tag { keepLast(slot) }
      return table.position(of: logLocation(slot.pointee.location, stripe))
    }
    known = slot.pointee.tag
    table.addDead(byteCount(old), slot: old.slot)
    slot.pointee = IndexSlot(hash: hash, location: location, tag: tag)
    if old.isTombstone != location.isTombstone {
      stripe.pointee.tombstones &+= location.isTombstone ? 1 : -1
    }
    return table.position(of: location)
  }

  /// Has the expirer look at the stripe in time.
  @inline(never)
  func noteExpiry(_ location: Location, _ stripe: UnsafeMutablePointer<StoreStripe>) {
    guard let expiry = record(at: location).expiry else { return }
    stripe.pointee.expiry.earliest = min(stripe.pointee.expiry.earliest, expiry)
    stripe.pointee.expiry.hasNews = true
    if !hasExpiryNews.load(ordering: .relaxed) { hasExpiryNews.store(true, ordering: .releasing) }
  }

  // MARK: - Reading

  /// What a node knows of a key.
  package enum Answer {
    case absent
    /// Newest version; a tombstone has no value. `body` is the payload behind the anchor: the value, and before it the
    /// time at which it expires, if the tag says so. It stays valid while the partition's lock is held.
    case found(tag: Tag, position: LogPosition, isTombstone: Bool, body: UnsafeRawBufferPointer)
    /// The node's copy is damaged: it does not know.
    case damaged
  }

  @inline(__always)
  package func read(_ hash: UInt64, _ key: UnsafeRawBufferPointer) -> Answer {
    let stripe = stripe(hash)
    stripe.pointee.operations.reads &+= 1
    if isSuspect { return .damaged }
    var doubt = Tag.none
    guard let slot = find(hash, key, known: .none, stripe, doubt: &doubt) else {
      return doubt == .none ? .absent : .damaged
    }
    if doubt != .none, isDoubtful(slot.pointee, doubt) { return .damaged }
    let location = slot.pointee.location
    let tag = slot.pointee.tag
    if location.isCached {
      let entry = stripe.pointee.cache.entry(location)
      stripe.pointee.cache.countHit(entry)
      return .found(tag: tag, position: table.position(of: entry.logLocation), isTombstone: false, body: entry.body)
    }
    let stored = record(at: location)
    guard stored.byteCount == byteCount(location), stored.tag == tag, stored.hasIntactValue else { return .damaged }
    if !location.isTombstone {
      stripe.pointee.cache.countMiss()
      stripe.pointee.cache.insert(stored, slot, stripe.pointee.index)
    }
    return .found(
      tag: tag, position: table.position(of: location), isTombstone: location.isTombstone, body: stored.body)
  }

  /// The version of a key, without its value. A node that holds the version `known` needs no look at the key; `nil` if
  /// the node does not know.
  @inline(__always)
  package func version(
    _ hash: UInt64, _ key: UnsafeRawBufferPointer, known: Tag
  ) -> (tag: Tag, location: Location)? {
    let stripe = stripe(hash)
    var doubt = Tag.none
    guard let slot = find(hash, key, known: known, stripe, doubt: &doubt) else {
      return doubt == .none ? (.none, .none) : nil
    }
    return doubt != .none && isDoubtful(slot.pointee, doubt) ? nil : (slot.pointee.tag, slot.pointee.location)
  }

  /// Whether an unreadable record of the same hash may be a newer version of the key.
  @inline(never)
  private func isDoubtful(_ slot: IndexSlot, _ doubt: Tag) -> Bool {
    slot.tag != doubt && !stamp(slot).isCertainlyNewer(than: doubt)
  }

  /// Whether the node holds nothing of the key that is as new as this version; `nil` if it does not know.
  func lacks(_ stamp: Stamp, _ hash: UInt64, _ key: UnsafeRawBufferPointer) -> Bool? {
    guard let held = version(hash, key, known: stamp.tag) else { return nil }
    if held.tag == .none { return true }
    let slot = IndexSlot(hash: hash, location: held.location, tag: held.tag)
    return isPlaced(slot) ? stamp.isNewer(than: self.stamp(slot)) : nil
  }

  /// ``version(_:_:known:)`` for a reader's quorum: a suspect node does not know.
  @inline(__always)
  func vote(_ hash: UInt64, _ key: UnsafeRawBufferPointer, known: Tag) -> (tag: Tag, location: Location)? {
    stripe(hash).pointee.operations.reads &+= 1
    return silence.load(ordering: .relaxed) ? nil : version(hash, key, known: known)
  }

  /// The place in the log of a location that ``version(_:_:known:)`` returned for the hash.
  package func position(_ location: Location, _ hash: UInt64) -> LogPosition {
    location == .none ? .start : table.position(of: logLocation(location, stripe(hash)))
  }

  /// Calls `body` with the newest record of every key that has this hash: one, but for collisions.
  package func forEach(withHash hash: UInt64, _ body: (IndexSlot, RecordView) -> Void) {
    let stripe = stripe(hash)
    _ = stripe.pointee.index.find(hash) { slot in
      present(slot, stripe, body)
      return false
    }
  }

  /// Calls `body` with each entry of a partition from place `from`, at most `limit` places, and returns where to go on,
  /// or `nil` at the end. The place is valid until the index has another ``HashIndex/layout``. Of an entry whose record
  /// does not verify only the hash and the tag are known.
  package func scan(
    _ partition: Int, from: Int, limit: Int, unreadable: (IndexSlot) -> Void = { _ in },
    _ body: (IndexSlot, RecordView) -> Void
  ) -> Int? {
    let stripe = stripes + partition
    return stripe.pointee.index.scan(from: from, limit: limit) { slot in
      if !present(slot, stripe, body) { unreadable(slot.pointee) }
    }
  }

  /// Hands out an entry with its place in the log, unless its record does not verify.
  @discardableResult
  private func present(
    _ slot: UnsafeMutablePointer<IndexSlot>, _ stripe: UnsafeMutablePointer<StoreStripe>,
    _ body: (IndexSlot, RecordView) -> Void
  ) -> Bool {
    var entry = slot.pointee
    entry.location = logLocation(entry.location, stripe)
    guard hasIntactHeader(entry.location) else { return false }
    body(entry, record(at: entry.location))
    return true
  }

  // MARK: - Ranges

  /// Whether the partition has entries in ring slots that match.
  func holdsAny(_ partition: Int, where isMatch: (_ ringSlot: Int) -> Bool) -> Bool {
    var holds = false
    _ = stripes[partition].index.scan(from: 0, limit: .max / 2) { slot in
      holds = holds || isMatch(Ring.slot(of: slot.pointee.hash))
    }
    return holds
  }

  /// Gives up ranges of the ring for good: durably in the log, then in the index.
  /// - Parameters:
  ///   - sync: puts the log on the disk.
  ///   - withPartition: runs a body with a partition's lock held.
  package func drop(
    _ ranges: RingRanges, sync: () throws(StorageError) -> Void,
    withPartition: (_ partition: Int, _ body: () -> Void) -> Void
  ) throws(StorageError) {
    guard !ranges.isEmpty else { return }
    // A record that compaction moved behind the drop meanwhile would come back to life at the next start.
    try relocating.withLock { () throws(StorageError) in
      let effect = try log.appendRangeDrop(ranges, effect: nil)
      self.drops.withLock { $0.append((ranges, effect)) }
      try sync()
      for partition in 0..<Store.partitionCount {
        withPartition(partition) { forget(partition, ranges) }
      }
    }
  }

  /// Takes the partition's entries in the ranges from the index. O(entries of the partition).
  func forget(_ partition: Int, _ ranges: RingRanges) {
    let stripe = stripes + partition
    if stripe.pointee.index.count == 0 { return }
    stripe.pointee.index.filter { slot in
      if !ranges.contains(Ring.slot(of: slot.hash)) { return true }
      let location = logLocation(slot.location, stripe)
      table.addDead(byteCount(location), slot: location.slot)
      if location.isTombstone { stripe.pointee.tombstones -= 1 }
      return false
    }
  }

  /// Takes entries from the index as if they had never been there: for mistakes that are planted.
  func forget(where isGone: (IndexSlot) -> Bool) {
    for partition in 0..<Store.partitionCount {
      stripes[partition].index.filter { slot in
        guard isGone(slot) else { return true }
        if slot.location.isTombstone { stripes[partition].tombstones -= 1 }
        return false
      }
    }
  }

  // MARK: - Hints

  /// Notes durably that `node` missed the write `tag` of `key`.
  package func appendHint(for node: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, tag: Tag) throws(StorageError)
  {
    _ = try log.appendNote(.hint, tag: tag, key: key, value: node)
  }

  /// Notes that no hint for `node` before this place counts any more.
  package func appendHintsSettled(for node: UnsafeRawBufferPointer) throws(StorageError) {
    let empty = UnsafeRawBufferPointer(start: node.baseAddress, count: 0)
    let position = try log.appendNote(.hintsSettled, tag: .none, key: node, value: empty)
    settled.withLock { $0[String(decoding: node, as: UTF8.self)] = position }
  }

  /// Whether a hint at this place still counts.
  func isHintOpen(for node: UnsafeRawBufferPointer, at position: LogPosition) -> Bool {
    position >= covered && settled.withLock { $0[String(decoding: node, as: UTF8.self)] ?? .start } < position
  }
}

/// The stripes of one store and the memory they work on, at fixed addresses. Freed with the last reference.
package final class StripeTable: @unchecked Sendable {
  let base: UnsafeMutablePointer<StoreStripe>
  private let tables: UnsafeMutablePointer<HashIndex.Table>
  private let summaries: UnsafeMutablePointer<HashIndex.Summary>
  /// The caches of all partitions. Fresh pages: an empty cache costs nothing until it is used.
  let rings: UnsafeMutableRawBufferPointer

  init(cacheBytes: Int) {
    base = .allocate(capacity: Store.partitionCount)
    tables = .allocate(capacity: Store.partitionCount * HashIndex.tableCount)
    HashIndex.initialize(tables, count: Store.partitionCount * HashIndex.tableCount)
    summaries = .allocate(capacity: Store.partitionCount)
    let ringBytes = cacheBytes / Store.partitionCount & ~63
    rings = .allocate(byteCount: ringBytes * Store.partitionCount, alignment: 64)
    for i in 0..<Store.partitionCount {
      let ring = UnsafeMutableRawBufferPointer(rebasing: rings[i * ringBytes..<(i + 1) * ringBytes])
      let index = HashIndex(tables: tables + i * HashIndex.tableCount, summary: summaries + i)
      (base + i).initialize(to: StoreStripe(index: index, cache: ValueCache(ring: ring)))
    }
  }

  deinit {
    for i in 0..<Store.partitionCount { base[i].index.deallocate() }
    base.deallocate()
    tables.deallocate()
    summaries.deallocate()
    rings.deallocate()
  }
}

/// Hints read from a log: the hashes of the keys whose writes `node` missed.
package struct RecoveredHints {
  package var node: String
  package var hashes: [UInt64]
  /// Of each hint's record.
  package var byteCounts: [Int]
}
