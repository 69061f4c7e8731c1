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
    let (end, segments) = store.log.segmentsNow
    let durable = min(store.log.durable, end)
    guard let segment = segments.first(where: { $0.id >= nextID }) ?? segments.first else { return nil }
    nextID = segment.id + 1
    // Of the segment being written, what is on the disk.
    let limit =
      segment.id < durable.segment ? segment.end : segment.id == durable.segment ? durable.offset : 0
    guard limit > LogFormat.segmentHeaderBytes, !segment.isDamaged else { return nil }
    let source = SegmentSource(
      base: segment.file.base, slot: segment.slot, id: segment.id, clusterID: store.log.identity.clusterID)
    let scan = SegmentScan(source, limit: limit, values: .verified)
    var damage = scan.damage
    if scan.end < limit { damage.append(SegmentScan.Damage(range: scan.end..<limit)) }
    return damage.isEmpty ? nil : Finding(segment: segment, damage: damage)
  }
}
