/// A ring's owners slot by slot, for faces that draw slots and look owners up. Made once a ring.
package struct RingMap: Sendable, Equatable {
  /// Number of equal slots the ring is cut into.
  package let slotCount: Int
  /// Owners of each slot now: `owners[slot * ranks + rank]` is a node's id, or ``nobody``; rank 0 is the primary.
  package let owners: [UInt16]
  /// Replica ranks in ``owners``: the most owners that a slot has.
  package let ranks: Int
  /// During a membership change the owners after it, laid out like ``owners`` with ``nextRanks`` ranks; else empty.
  package let nextOwners: [UInt16]
  /// Replica ranks in ``nextOwners``.
  package let nextRanks: Int

  /// Stands where a slot has fewer owners than there are ranks.
  package static let nobody = UInt16.max

  /// - Complexity: O(slots × owners of a slot).
  package init(_ ring: RingStatus) {
    slotCount = Swift.max(0, ring.slotCount)
    (owners, ranks) = Self.table(ring.arcs, slotCount)
    (nextOwners, nextRanks) = Self.table(ring.nextArcs, slotCount)
  }

  private static func table(_ arcs: [RingStatus.Arc], _ slotCount: Int) -> ([UInt16], ranks: Int) {
    let ranks = arcs.map(\.owners.count).max() ?? 0
    guard ranks > 0 else { return ([], 0) }
    var table = Array(repeating: nobody, count: slotCount * ranks)
    for (index, arc) in arcs.enumerated() {
      let end = Swift.min(slotCount, index + 1 < arcs.count ? arcs[index + 1].start : slotCount)
      for slot in stride(from: Swift.max(0, arc.start), to: end, by: 1) {
        for (rank, id) in arc.owners.enumerated() { table[slot * ranks + rank] = UInt16(clamping: id) }
      }
    }
    return (table, ranks)
  }

  /// The slot of a 64-bit hash, where slots are equal ranges of hashes.
  package func slot(ofHash hash: UInt64) -> Int {
    Int(hash.multipliedFullWidth(by: UInt64(Swift.max(1, slotCount))).high)
  }

  /// The ids of a slot's owners, the primary first.
  package func owners(ofSlot slot: Int) -> [Int] {
    let start = slot * ranks
    guard slot >= 0, ranks > 0, start + ranks <= owners.count else { return [] }
    return owners[start..<start + ranks].filter { $0 != Self.nobody }.map(Int.init)
  }

  /// The run of slots around `slot` that has the same primary.
  package func run(around slot: Int) -> Range<Int> {
    guard slot >= 0, slot < slotCount, ranks > 0, owners.count >= slotCount * ranks else { return 0..<0 }
    var (start, end) = (slot, slot + 1)
    while start > 0, owners[(start - 1) * ranks] == owners[slot * ranks] { start -= 1 }
    while end < slotCount, owners[end * ranks] == owners[slot * ranks] { end += 1 }
    return start..<end
  }
}
