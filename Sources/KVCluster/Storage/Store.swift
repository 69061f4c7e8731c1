import CKernels
import Glibc

/// What a node keeps of one partition. Guarded by the partition's lock.
package struct StoreStripe {
  package var index = HashIndex()
  package var cache: ValueCache
  /// Bytes of the records the index points to.
  package var liveBytes = 0
  package var tombstones = 0
  package var operations = OperationCounters()
}

/// One node's storage: a log, an index into it and a cache of values, cut into ``partitionCount`` stripes.
///
/// A call that touches a stripe must be made with that partition's lock held (or by the only thread); the log has its
/// own. Rejected: a lock per node and stripe, which costs a put on three replicas three locks and their cache lines.
package final class Store: @unchecked Sendable {
  /// Partitions are equal parts of the ring: the hash's highest byte. 256 keep two of ten threads from meeting.
  package static let partitionCount = 256

  package let log: Log
  private let table: StripeTable
  package let stripes: UnsafeMutablePointer<StoreStripe>
  /// The greatest tag in the log when it was opened.
  package internal(set) var newestTag = Tag.none
  /// Hints found in the log when it was opened, for each absent node the hashes of the keys it missed.
  package internal(set) var recoveredHints: [RecoveredHints] = []

  init(log: Log, table: StripeTable) {
    self.log = log
    self.table = table
    stripes = table.base
  }

  @inline(__always)
  package static func partition(of hash: UInt64) -> Int { Int(hash >> 56) }

  @inline(__always)
  func stripe(_ hash: UInt64) -> UnsafeMutablePointer<StoreStripe> { stripes + Store.partition(of: hash) }

  /// Asks for the memory a look-up of `hash` will touch first.
  @inline(__always)
  package func prefetch(_ hash: UInt64) { kv_prefetch(stripe(hash).pointee.index.address(of: hash)) }

  @inline(__always)
  func record(at location: Location) -> RecordView { RecordView(log.address(of: location)) }

  // MARK: - Writing

  /// What the replica asked before has found for the key; spares this one a look into the log.
  package struct Previous {
    var tag = Tag.none
    var byteCount = 0
    package init(tag: Tag = .none, byteCount: Int = 0) {
      self.tag = tag
      self.byteCount = byteCount
    }
  }

  /// Takes a write if its tag is greater than what the node holds. Either way returns the position that must be
  /// durable before the write may be acknowledged: of this record, or of the newer one in its place.
  ///
  /// Equal tags are the same write, and so the same key: the second and third replica of a put recognise the record
  /// they replace by its tag and need not look at its bytes.
  @inline(__always)
  package func apply(
    _ kind: RecordKind, hash: UInt64, tag: Tag, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer,
    valueChecksum: UInt32, previous: inout Previous
  ) throws(StorageError) -> LogPosition {
    let stripe = stripe(hash)
    let known = previous.tag
    let found = stripe.pointee.index.find(hash) { slot in
      (slot.tag == known && known != .none) || record(at: slot.location).hasKey(key)
    }
    if let found {
      let slot = stripe.pointee.index[found]
      if tag <= slot.tag { return slot.location.position }
      if slot.tag != known { previous = Previous(tag: slot.tag, byteCount: record(at: slot.location).byteCount) }
      let location = try log.append(kind, tag: tag, key: key, value: value, valueChecksum: valueChecksum)
      stripe.pointee.index[found] = IndexSlot(hash: hash, location: location, tag: tag)
      stripe.pointee.liveBytes -= previous.byteCount
      stripe.pointee.count(added: location, removed: slot.location, keyBytes: key.count, valueBytes: value.count)
      return location.position
    }
    let location = try log.append(kind, tag: tag, key: key, value: value, valueChecksum: valueChecksum)
    stripe.pointee.index.insert(IndexSlot(hash: hash, location: location, tag: tag))
    stripe.pointee.count(added: location, removed: nil, keyBytes: key.count, valueBytes: value.count)
    return location.position
  }

  // MARK: - Reading

  /// What a node knows of a key.
  package enum Answer {
    case absent
    /// Newest version; a tombstone has no value. The bytes stay valid while the partition's lock is held.
    case found(tag: Tag, position: LogPosition, isTombstone: Bool, value: UnsafeRawBufferPointer)
    /// The node has the key but its copy is damaged: it does not know.
    case damaged(tag: Tag)
  }

  @inline(__always)
  package func read(_ hash: UInt64, _ key: UnsafeRawBufferPointer) -> Answer {
    let stripe = stripe(hash)
    stripe.pointee.operations.reads &+= 1
    var cached: UnsafeRawBufferPointer?
    let found = stripe.pointee.index.find(hash) { slot in
      if !slot.location.isTombstone, let entry = stripe.pointee.cache.find(slot.location, slot.tag) {
        cached = entry.value
        return entry.key.count == key.count && memcmp(entry.key.baseAddress!, key.baseAddress!, key.count) == 0
      }
      cached = nil
      return record(at: slot.location).hasKey(key)
    }
    guard let found else { return .absent }
    let slot = stripe.pointee.index[found]
    let position = slot.location.position
    if let cached { return .found(tag: slot.tag, position: position, isTombstone: false, value: cached) }
    let stored = record(at: slot.location)
    guard stored.hasIntactValue else { return .damaged(tag: slot.tag) }
    if !slot.location.isTombstone { stripe.pointee.cache.insert(slot.location, stored) }
    return .found(tag: slot.tag, position: position, isTombstone: slot.location.isTombstone, value: stored.value)
  }

  /// The version of a key, without its value. A node that holds the version `known` needs no look at the key.
  @inline(__always)
  package func version(_ hash: UInt64, _ key: UnsafeRawBufferPointer, known: Tag) -> (tag: Tag, position: LogPosition) {
    let stripe = stripe(hash)
    stripe.pointee.operations.reads &+= 1
    let found = stripe.pointee.index.find(hash) { slot in
      (slot.tag == known && known != .none) || record(at: slot.location).hasKey(key)
    }
    guard let found else { return (.none, .start) }
    let slot = stripe.pointee.index[found]
    return (slot.tag, slot.location.position)
  }

  /// Calls `body` with the newest record of every key that has this hash: one, but for collisions.
  package func forEach(withHash hash: UInt64, _ body: (IndexSlot, RecordView) -> Void) {
    let index = stripe(hash).pointee.index
    _ = index.find(hash) { slot in
      body(slot, record(at: slot.location))
      return false
    }
  }

  /// Calls `body` with each entry of a partition from table position `from`, at most `limit` positions, and returns
  /// where to go on, or `nil` at the end. A table that grew in between has another ``HashIndex/capacity``.
  package func scan(
    _ partition: Int, from: Int, limit: Int, _ body: (IndexSlot, RecordView) -> Void
  ) -> Int? {
    let index = stripes[partition].index
    let end = min(from + limit, index.capacity)
    for position in from..<max(from, end) where index[position].location != .none {
      body(index[position], record(at: index[position].location))
    }
    return end < index.capacity ? end : nil
  }

  /// Gives up the ring slots for good: says so in the log. ``forget(_:keeping:)`` then takes them from the index.
  package func appendRangeDrop(_ ranges: RingRanges) throws(StorageError) {
    let bytes = ranges.bytes
    let key: [UInt8] = [0]
    try key.withBytes { key throws(StorageError) in
      try bytes.withBytes { value throws(StorageError) in
        _ = try log.append(
          .rangeDrop, tag: .none, key: key, value: value,
          valueChecksum: kv_crc32c(0, value.baseAddress, value.count))
      }
    }
  }

  /// Takes the partition's entries in ring slots that are not kept from the index. O(entries of the partition).
  package func forget(_ partition: Int, keeping isKept: (_ ringSlot: Int) -> Bool) {
    stripes[partition].keep(where: isKept) { record(at: $0).byteCount }
  }

  // MARK: - Hints

  /// Notes durably that `node` missed the write `tag` of `key`.
  package func appendHint(for node: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, tag: Tag) throws(StorageError)
  {
    _ = try log.append(
      .hint, tag: tag, key: key, value: node, valueChecksum: kv_crc32c(0, node.baseAddress, node.count))
  }

  /// Notes that no hint for `node` before this place counts any more.
  package func appendHintsSettled(for node: UnsafeRawBufferPointer) throws(StorageError) {
    let empty = UnsafeRawBufferPointer(start: node.baseAddress, count: 0)
    _ = try log.append(.hintsSettled, tag: .none, key: node, value: empty, valueChecksum: 0)
  }
}

/// The stripes of one store, at a fixed address. Freed with the last reference.
package final class StripeTable: @unchecked Sendable {
  let base: UnsafeMutablePointer<StoreStripe>

  init(cacheBytes: Int) {
    base = .allocate(capacity: Store.partitionCount)
    for i in 0..<Store.partitionCount {
      (base + i).initialize(to: StoreStripe(cache: ValueCache(bytes: cacheBytes / Store.partitionCount)))
    }
  }

  deinit {
    for i in 0..<Store.partitionCount {
      base[i].index.deallocate()
      base[i].cache.deallocate()
    }
    base.deallocate()
  }
}

extension StoreStripe {
  @inline(__always)
  mutating func count(added: Location, removed: Location?, keyBytes: Int, valueBytes: Int) {
    operations.writes &+= 1
    liveBytes &+= LogFormat.recordBytes(keyBytes: keyBytes, valueBytes: valueBytes)
    if added.isTombstone { tombstones &+= 1 }
    if let removed, removed.isTombstone { tombstones &-= 1 }
  }

  /// Removes the entries in ring slots that are not kept. `byteCount` tells the size of a record.
  mutating func keep(where isKept: (_ ringSlot: Int) -> Bool, byteCount: (Location) -> Int) {
    var freedBytes = 0
    var freedTombstones = 0
    index.rebuild(capacity: index.capacity) { slot in
      if isKept(Ring.slot(of: slot.hash)) { return true }
      freedBytes += byteCount(slot.location)
      if slot.location.isTombstone { freedTombstones += 1 }
      return false
    }
    index.rebuild(capacity: max(HashIndex.capacityMin, index.count * 4 / 3)) { _ in true }
    liveBytes -= freedBytes
    tombstones -= freedTombstones
  }
}

/// Hints read from a log: the hashes of the keys whose writes `node` missed.
package struct RecoveredHints {
  package var node: String
  package var hashes: [UInt64]
}
