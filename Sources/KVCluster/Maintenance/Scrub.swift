/// Reads a node's log again and again, slowly, and says where it is not what was written: a damaged copy shall be found
/// while the other copies are good.
struct Scrub {
  /// The segment to read next: the first with an id of at least this.
  private var nextID: UInt64 = 0

  struct Finding {
    var segment: Log.Segment
    var damage: [SegmentScan.Damage]
  }

  /// Reads one segment; `nil` if it is as it should be.
  mutating func step(_ store: Store) -> Finding? {
    store.log.settle()
    // What has been appended is whole, on the disk or not: the end of the last segment was taken under the log's lock.
    let segments = store.log.segmentsNow.segments
    guard let segment = segments.first(where: { $0.id >= nextID }) ?? segments.first else { return nil }
    nextID = segment.id + 1
    let limit = segment.end
    guard limit > LogFormat.segmentHeaderBytes, !segment.isDamaged else { return nil }
    let source = SegmentSource(
      base: segment.file.base, slot: segment.slot, id: segment.id, clusterID: store.log.identity.clusterID)
    let scan = SegmentScan(source, limit: limit, values: .verified)
    var damage = scan.damage
    if scan.end < limit { damage.append(SegmentScan.Damage(range: scan.end..<limit)) }
    return damage.isEmpty ? nil : Finding(segment: segment, damage: damage)
  }
}
