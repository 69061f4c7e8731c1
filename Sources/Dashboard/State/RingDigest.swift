import ClusterModel

/// Figures over all slots of a ring: made once for each ring, because it costs a look at 65,536 slots.
package struct RingDigest: Sendable, Equatable {
  /// Where a node's label stands, as a part of the ring from 0 to 1: the middle of one of its longest runs of slots as
  /// first owner. Runs are about equally long, so of those nearly as long as the longest it is the one that lets the labels
  /// stand apart: nearest to the node's turn, when nodes take turns around the ring. A node that owns nothing yet stands
  /// where it will.
  ///
  /// A run over the ring's end counts as two: it is a matter of where a label stands.
  package let labelPlaces: [Int: Double]
  /// The part of the ring of which a node is the first owner: all of them together are 1.
  package let firstParts: [Int: Double]

  /// - Complexity: O(slots).
  package init(_ ring: RingMap) {
    let now = Self.runs(ring.owners, ring.ranks, ring.slotCount)
    var runs = now
    for (id, next) in Self.runs(ring.nextOwners, ring.nextRanks, ring.slotCount) where now[id] == nil {
      runs[id] = next
    }
    labelPlaces = Self.places(runs, ring.slotCount)
    firstParts = now.mapValues { Double($0.reduce(0) { $0 + $1.count }) / Double(Swift.max(1, ring.slotCount)) }
  }

  private static func places(_ runs: [Int: [Range<Int>]], _ slotCount: Int) -> [Int: Double] {
    var places: [Int: Double] = [:]
    for (turn, id) in runs.keys.sorted().enumerated() {
      let own = runs[id] ?? []
      let longest = own.map(\.count).max() ?? 0
      let wanted = (Double(turn) + 0.5) / Double(runs.count)
      places[id] = own.filter { Double($0.count) >= 0.8 * Double(longest) }
        .map { Double($0.lowerBound + $0.upperBound) / 2 / Double(slotCount) }
        .min { abs($0 - wanted) < abs($1 - wanted) }
    }
    return places
  }

  /// Runs of slots with the same first owner.
  private static func runs(_ owners: [UInt16], _ ranks: Int, _ slotCount: Int) -> [Int: [Range<Int>]] {
    guard ranks > 0, slotCount > 0, owners.count >= slotCount * ranks else { return [:] }
    var runs: [Int: [Range<Int>]] = [:]
    var start = 0
    for slot in 1...slotCount {
      let first = owners[start * ranks]
      if slot < slotCount, owners[slot * ranks] == first { continue }
      if first != RingMap.nobody { runs[Int(first), default: []].append(start..<slot) }
      start = slot
    }
    return runs
  }
}
