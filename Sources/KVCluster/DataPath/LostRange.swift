/// Keys of which too many owners have lost records that were on their disks: an acknowledged write may have been on these
/// alone, so nobody can say what was acknowledged.
package struct LostRange: Equatable, Sendable {
  /// All owners, during a change those of both rings.
  package var owners: [String]
  /// Those that have lost records.
  package var losers: [String]
  /// How many owners that have lost nothing could say it.
  package var needed: Int
  /// Slots of the ring with these owners.
  package var slotCount: Int
}

extension LostRange {
  /// Counts slots in; `ranges` keeps one entry for each list of owners.
  static func add(
    _ view: PlacementView, _ participants: PlacementView.Participants, slotCount: Int,
    hasLost: (_ node: UInt16) -> Bool, to ranges: inout [LostRange]
  ) {
    let ids = (0..<participants.count).map { participants.ids[$0] }
    let names = { (ids: [UInt16]) in ids.map(view.name(of:)).sorted(by: Configuration.countsBefore) }
    let owners = names(ids)
    if let i = ranges.firstIndex(where: { $0.owners == owners }) {
      ranges[i].slotCount += slotCount
    } else {
      let rule = view.evidenceRule(participants)
      ranges.append(
        LostRange(
          owners: owners, losers: names(ids.filter(hasLost)), needed: max(rule.needed, rule.nextNeeded),
          slotCount: slotCount))
    }
  }

  /// Whose keys they are, and why nobody can say what was acknowledged.
  package var words: String {
    let left = owners.count - losers.count
    let percent = max(1, (slotCount * 100 + Ring.slotCount / 2) / Ring.slotCount)
    let share = slotCount == 1 ? "" : " (\(percent) % of the ring)"
    return
      "the keys of \(Names.list(owners))\(share): \(Names.list(losers)) lost records that were on disk; to tell what was "
      + "acknowledged takes \(needed) \(needed == 1 ? "owner" : "owners") that lost nothing, and there \(left == 1 ? "is" : "are") "
      + "\(left)"
  }

  /// The ranges of several nodes together, each list of owners once.
  package static func merged(_ lists: [[LostRange]]) -> [LostRange] {
    var all: [LostRange] = []
    for range in lists.joined() where !all.contains(where: { $0.owners == range.owners }) { all.append(range) }
    return all
  }
}

/// Names of nodes in a sentence.
enum Names {
  /// `node1, node2 and node10`, in the order in which people count.
  static func list(_ names: [String]) -> String {
    let sorted = names.sorted(by: Configuration.countsBefore)
    return sorted.count < 2
      ? sorted.joined() : "\(sorted.dropLast().joined(separator: ", ")) and \(sorted[sorted.count - 1])"
  }
}
