/// Purged tombstones in one log.
///
/// The cluster decides when a tombstone may go (`Purge.swift`). Then its entry leaves the index at once, but its record
/// does not leave the log: it hides older records of its key, which are dead only as long as whoever reads the log reads
/// the tombstone too. A start that finds it takes it into the index again, and it is purged again.
///
/// When is nothing left to hide? Looking for older records of each key would mean an index of what is dead. Instead the
/// log keeps an order: **a tombstone lies behind all older records of its key.** Then it may leave the log with the oldest
/// segment, and compaction carries it on from all others. The order holds because
/// - a record is appended by whoever has a version newer than what the index has, so behind it; compaction moves only
///   what the index points to, to the end;
/// - a direct write appends before it looks, so that an older version may come to lie behind a tombstone (two writers of a
///   key met): then ``keepLast(_:)`` writes the tombstone again, under the same lock;
/// - a crash between the two is found by the next start, which compares places (``invertedHashes``), and mended before
///   the node serves; checkpoints are written by stores that are in order only;
/// - where the disk has no room for that, the store is *disordered*: then nothing leaves the log until the next start.
///
/// A segment is the oldest when the durable list of segments names none before it, so a crash brings none back, and an
/// index checkpoint that points into one that is gone is passed over there. A tombstone in a range that was given up
/// since hides nothing: the note of the drop voids what lies before it, and is kept by a rule of its own.
///
/// Damage: of an unreadable place in a segment with purged tombstones nobody knows whether it was one. When such a
/// segment is emptied while there are older ones, the node is marked suspect for its next start, where it is compared with
/// the others, and copies that none of them has are withdrawn (`Withdrawal.swift`).
///
/// Rejected: a list of purged keys beside the log (as large as the index was), and Bloom filters of each segment's dead
/// keys (unknown after a start from a checkpoint). Bitcask drops tombstones when all older files are merged, as here.
extension Store {
  /// Takes tombstones of one table of a partition from the index. Call with the partition's lock held. O(table).
  func purge(_ partition: Int, table number: Int, where isPurged: (Tag) -> Bool) {
    let stripe = stripes + partition
    stripe.pointee.index.filter(table: number) { slot in
      guard slot.location.isTombstone, isPurged(slot.tag) else { return true }
      table.addPurged(byteCount(slot.location), slot: slot.location.slot)
      stripe.pointee.tombstones -= 1
      return false
    }
  }

  /// Calls `body` with each tombstone of one table whose record can be read, until it returns false. Call with the
  /// partition's lock held.
  func forEachTombstone(_ partition: Int, table number: Int, _ body: (IndexSlot, RecordView) -> Bool) {
    var isWanted = true
    stripes[partition].index.forEach(inTable: number) { slot in
      guard isWanted, slot.location.isTombstone, hasIntactHeader(slot.location) else { return }
      isWanted = body(slot, record(at: slot.location))
    }
  }

  /// Writes a tombstone again, behind an older version of its key that has just been appended.
  @inline(never)
  func keepLast(_ slot: UnsafeMutablePointer<IndexSlot>) {
    let old = slot.pointee.location
    let tombstone = record(at: old)
    guard hasIntactHeader(old),
      let location = try? log.append(
        .tombstone, tag: slot.pointee.tag, key: tombstone.key, value: tombstone.payload,
        valueChecksum: tombstone.valueChecksum)
    else { return isDisordered.store(true, ordering: .relaxed) }
    table.addDead(byteCount(old), slot: old.slot)
    slot.pointee.location = location
  }

  /// Puts tombstones behind the older versions that opening the log found behind them. Call before anyone uses the store.
  func mendOrder() {
    for hash in invertedHashes {
      _ = stripe(hash).pointee.index.find(hash) { slot in
        if slot.pointee.location.isTombstone { keepLast(slot) }
        return false
      }
    }
    invertedHashes = []
  }

  /// Whether a record lies in a range that was given up since.
  func isVoid(_ hash: UInt64, _ position: LogPosition) -> Bool {
    drops.withLock { drops in
      drops.contains { position < $0.effect && $0.ranges.contains(Ring.slot(of: hash)) }
    }
  }

  /// Forgets drops of which nothing is left in the log.
  func trimDrops() {
    guard let oldest = log.settledSegments.first else { return }
    drops.withLock { $0.removeAll { $0.effect < LogPosition(segment: oldest.id, offset: 0) } }
  }
}

extension Store {
  /// A record of some key in the log, dead or alive.
  package struct LoggedRecord {
    package var tag: Tag
    package var isTombstone: Bool
    package var segment: UInt64
    /// Its bytes in the segment.
    package var range: Range<Int>
  }

  /// The records of a key's hash that a start would find, oldest first. Reads the whole log.
  package func loggedRecords(withHash hash: UInt64) -> [LoggedRecord] {
    log.segmentsNow.segments.flatMap { segment in
      let source = SegmentSource(
        base: segment.file.base, slot: segment.slot, id: segment.id, clusterID: log.identity.clusterID)
      let scan = SegmentScan(source, limit: segment.end)
      return withExtendedLifetime(scan) {
        scan.entries(Store.partition(of: hash)).filter { $0.hash == hash }.map { entry in
          LoggedRecord(
            tag: entry.tag, isTombstone: entry.location.isTombstone, segment: segment.id,
            range: entry.location.offset..<entry.location.offset + entry.location.byteCount)
        }
      }
    }
  }
}
