/// Finding and replacing records that are not what was written.
extension Store {
  /// Hashes of the partition's entries whose records, in the segment with this slot, do not verify. Call with the
  /// partition's lock held.
  func damagedHashes(_ partition: Int, slot: Int, within ranges: [Range<Int>]) -> [UInt64] {
    let stripe = stripes + partition
    var hashes: [UInt64] = []
    _ = stripe.pointee.index.scan(from: 0, limit: .max / 2) { entry in
      let location = logLocation(entry.pointee.location, stripe)
      guard location.slot == slot else { return }
      let bytes = location.offset..<location.offset + max(1, location.byteCount)
      guard ranges.contains(where: { $0.overlaps(bytes) }), !isIntact(location) else { return }
      hashes.append(entry.pointee.hash)
    }
    return hashes
  }

  /// Hashes whose entries point into a segment. Call with the partition's lock held.
  /// - Complexity: O(entries of the partition).
  func hashes(_ partition: Int, inSlot slot: Int) -> [UInt64] {
    let stripe = stripes + partition
    var hashes: [UInt64] = []
    _ = stripe.pointee.index.scan(from: 0, limit: .max / 2) { entry in
      if logLocation(entry.pointee.location, stripe).slot == slot { hashes.append(entry.pointee.hash) }
    }
    return hashes
  }

  /// Whether header, key and value are what was written.
  func isIntact(_ location: Location) -> Bool {
    guard hasIntactHeader(location) else { return false }
    return location.isTombstone || record(at: location).hasIntactValue
  }

  /// Where this hash has records that do not verify. Call with the partition's lock held.
  func damagedLocations(_ hash: UInt64) -> [Location] {
    let stripe = stripe(hash)
    var locations: [Location] = []
    _ = stripe.pointee.index.find(hash) { entry in
      let location = logLocation(entry.pointee.location, stripe)
      if !isIntact(location) { locations.append(location) }
      return false
    }
    return locations
  }

  /// Slots of the segments in which this hash has records that do not verify. Call with the partition's lock held.
  func damagedSegments(_ hash: UInt64) -> [Int] { damagedLocations(hash).map(\.slot) }

  /// Versions of this hash whose records do not verify. Call with the partition's lock held.
  func damagedVersions(_ hash: UInt64) -> [DamagedVersion] {
    let stripe = stripe(hash)
    var versions: [DamagedVersion] = []
    _ = stripe.pointee.index.find(hash) { entry in
      let location = logLocation(entry.pointee.location, stripe)
      if !isIntact(location) {
        let isPlaced = !entry.pointee.tag.isRMW || hasIntactHeader(location)
        versions.append(DamagedVersion(tag: entry.pointee.tag, stamp: isPlaced ? stamp(entry.pointee) : nil))
      }
      return false
    }
    return versions
  }

  /// Whether there is an intact record of this version, or of a newer one under the same hash: equal tags are the same
  /// write. Call with the partition's lock held.
  func holdsIntact(_ hash: UInt64, atLeast version: DamagedVersion) -> Bool {
    let stripe = stripe(hash)
    return stripe.pointee.index.find(hash) { entry in
      let location = logLocation(entry.pointee.location, stripe)
      return isIntact(location) && version.isReached(by: stamp(entry.pointee))
    } != nil
  }

  /// Takes another replica's copy in place of a damaged one, or as ``apply(_:hash:tag:key:value:valueChecksum:)`` does.
  ///
  /// Only for whoever has heard enough other owners to know that no acknowledged version is newer: it may replace a
  /// damaged record by an older one. Call with the partition's lock held.
  /// - Returns: whether a copy was taken.
  func heal(_ copy: RecordView, hash: UInt64, tag: Tag, isTombstone: Bool) throws(StorageError) -> Bool {
    let stripe = stripe(hash)
    let kind = isTombstone ? RecordKind.tombstone : .value
    let stamp = Stamp(kind, tag, payload: copy.payload)
    // It may have been written again since; then its damaged version only has to go.
    let newer = stripe.pointee.index.find(hash) { entry in
      let location = logLocation(entry.pointee.location, stripe)
      return isIntact(location) && record(at: location).hasKey(copy.key)
        && self.stamp(entry.pointee).isNewer(than: stamp)
    }
    if newer != nil { return false }
    let own = stripe.pointee.index.find(hash) { entry in
      let location = logLocation(entry.pointee.location, stripe)
      return entry.pointee.tag == tag || hasIntactHeader(location) && record(at: location).hasKey(copy.key)
    }
    if let own {
      let old = logLocation(own.pointee.location, stripe)
      guard !isIntact(old) || stamp.isNewer(than: self.stamp(own.pointee)) else { return false }
    }
    let location = try log.append(
      kind, tag: tag, key: copy.key, value: copy.payload, valueChecksum: copy.valueChecksum)
    if tag.expires { noteExpiry(location, stripe) }
    if let own {
      let old = logLocation(own.pointee.location, stripe)
      table.addDead(byteCount(old), slot: old.slot)
      if old.isTombstone != isTombstone { stripe.pointee.tombstones += isTombstone ? 1 : -1 }
      own.pointee = IndexSlot(hash: hash, location: location, tag: tag)
    } else {
      stripe.pointee.index.insert(IndexSlot(hash: hash, location: location, tag: tag))
      if isTombstone { stripe.pointee.tombstones += 1 }
    }
    // Versions that came while the newer one was damaged, and so were not known to be older.
    remove(hash) { entry, place in
      guard place != location, hasIntactHeader(place), record(at: place).hasKey(copy.key) else { return false }
      return entry.tag == tag || stamp.isNewer(than: record(at: place).stamp)
    }
    return true
  }

  /// Takes entries whose records do not verify from the index. For whoever has heard enough other owners to know that
  /// nothing acknowledged is lost. Call with the partition's lock held.
  /// - Returns: whether a tombstone was among them, which may have hidden older records of its key in the log.
  @discardableResult
  func removeDamaged(_ hash: UInt64) -> Bool {
    let hidesOlder = damagedLocations(hash).contains(where: \.isTombstone)
    remove(hash) { _, place in !isIntact(place) }
    return hidesOlder
  }

  /// Takes entries of the hash from the index.
  private func remove(_ hash: UInt64, where isGone: (IndexSlot, _ place: Location) -> Bool) {
    let stripe = stripe(hash)
    let first = stripe.pointee.index.find(hash) { isGone($0.pointee, logLocation($0.pointee.location, stripe)) }
    guard first != nil else { return }
    stripe.pointee.index.filter { entry in
      guard entry.hash == hash else { return true }
      let place = logLocation(entry.location, stripe)
      guard isGone(entry, place) else { return true }
      table.addDead(byteCount(place), slot: place.slot)
      if place.isTombstone { stripe.pointee.tombstones -= 1 }
      return false
    }
  }
}

/// A version of which a node's record does not verify.
struct DamagedVersion {
  var tag: Tag
  /// `nil` where that cannot be read: of a read-modify-write with a damaged header.
  var stamp: Stamp?

  init(tag: Tag, stamp: Stamp?) { (self.tag, self.stamp) = (tag, stamp) }

  /// Nothing of its record can be read.
  init(unreadable tag: Tag) { self.init(tag: tag, stamp: nil) }

  /// Whether another version is this one, or surely a newer one.
  func isReached(by other: Stamp) -> Bool {
    if other.tag == tag { return true }
    return stamp.map { other.isNewer(than: $0) } ?? other.isCertainlyNewer(than: tag)
  }
}
