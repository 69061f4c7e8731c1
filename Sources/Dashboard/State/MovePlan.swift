import ClusterModel

/// Plan of a membership change: which node hands over how much to which, and the progress.
///
/// Made once for each pair of rings. Ranges are handed over in the order of their hashes, so how far the change is says
/// which of them are done: that is how progress can be told for every pair without asking the engine.
package struct MovePlan: Equatable, Sendable {
  /// Ranges that one node gives and another gets.
  package struct Transfer: Equatable, Sendable {
    /// `nil`: nobody gives them up; the ring gets one more copy of each key.
    package var from: Int?
    package var to: Int
    /// Slots it is about, by part of the ring in the order in which they are handed over.
    fileprivate var slotsByPart: [Int]

    package var slotCount: Int { slotsByPart.reduce(0, +) }

    /// The part of it that is done when the whole change is at `fraction` of the ring.
    package func done(at fraction: Double) -> Double {
      let parts = Double(slotsByPart.count) * Swift.min(1, Swift.max(0, fraction))
      let whole = Int(parts)
      var slots = Double(slotsByPart.prefix(whole).reduce(0, +))
      if whole < slotsByPart.count { slots += Double(slotsByPart[whole]) * (parts - Double(whole)) }
      return slotCount == 0 ? 0 : slots / Double(slotCount)
    }
  }

  /// The largest first.
  package let transfers: [Transfer]
  /// The part of all copies that get another owner.
  package let movedPart: Double
  private let slotCount: Int

  /// As many parts as the engine has partitions, which it goes through one by one.
  private static let partCount = 256

  /// - Complexity: O(slots · ranks).
  package init?(_ ring: RingMap) {
    guard ring.nextRanks > 0, ring.ranks > 0, ring.nextOwners.count == ring.slotCount * ring.nextRanks,
      ring.owners.count == ring.slotCount * ring.ranks
    else { return nil }
    slotCount = ring.slotCount
    var found: [Pair: [Int]] = [:]
    var movedCopies = 0
    for slot in 0..<ring.slotCount {
      let now = ring.owners[slot * ring.ranks..<(slot + 1) * ring.ranks]
      let next = ring.nextOwners[slot * ring.nextRanks..<(slot + 1) * ring.nextRanks]
      if now == next { continue }
      let givers = now.filter { !next.contains($0) && $0 != RingMap.nobody }
      for (index, getter) in next.filter({ !now.contains($0) && $0 != RingMap.nobody }).enumerated() {
        let pair = Pair(from: index < givers.count ? givers[index] : nil, to: getter)
        found[pair, default: Array(repeating: 0, count: Self.partCount)][slot * Self.partCount / ring.slotCount] += 1
        movedCopies += 1
      }
    }
    movedPart = Double(movedCopies) / Double(ring.nextOwners.count)
    transfers = found.map { Transfer(from: $0.from.map(Int.init), to: Int($0.to), slotsByPart: $1) }
      .sorted { ($1.slotCount, $0.from ?? -1, $0.to) < ($0.slotCount, $1.from ?? -1, $1.to) }
  }

  private struct Pair: Hashable { var from: UInt16?, to: UInt16 }

  /// The part of the ring's slots that a transfer is about.
  package func part(of transfer: Transfer) -> Double { Double(transfer.slotCount) / Double(Swift.max(1, slotCount)) }

  /// The least that any placement would have to move; `nil` if the share of a node that leaves is unknown.
  static func ideal(_ change: ChangeStatus, _ status: ClusterStatus, ranks: Int) -> Double? {
    switch change.kind {
    case .join: 1 / Double(Swift.max(1, status.nodes.count))
    case .leave: status.nodes.first { $0.name == change.node }?.share.map { $0 / Double(Swift.max(1, ranks)) }
    }
  }
}
