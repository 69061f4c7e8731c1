import Text

extension LostRange {
  /// Slots of the ring with these owners, whose names are sorted here.
  init(owners: [String], losers: [String], needed: Int, slotCount: Int) {
    self.init(
      owners: owners.sorted(by: Configuration.countsBefore), losers: losers.sorted(by: Configuration.countsBefore),
      needed: needed, share: Double(slotCount) / Double(Ring.slotCount))
  }

  /// Takes more slots with the same owners.
  mutating func add(slotCount: Int) { share = (share ?? 0) + Double(slotCount) / Double(Ring.slotCount) }

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
    Figures.list(names.sorted(by: Configuration.countsBefore))
  }
}

extension Configuration {
  /// The rings whose quorums operations satisfy, the one in force first, with W and N of each.
  private var rings: [(table: PreferenceTable, quorum: QuorumSettings)] {
    [ring, change?.nextRing].compactMap { $0 }.map { ring in
      let table = ring.preferenceTable(replicas: quorum.replicas)
      return (table, quorum.effective(nodes: table.nodes.count))
    }
  }

  /// Whether the node owns each slot, of either ring.
  func slots(ownedBy node: UInt16) -> [Bool] {
    let rings = rings
    return (0..<Ring.slotCount).map { slot in rings.contains { $0.table.owners(of: slot).contains(node) } }
  }

  /// The ranges of which these nodes, which have lost records, leave too few owners that could say what was acknowledged.
  /// O(slots).
  func lostRanges(_ losers: [UInt16]) -> [LostRange] {
    guard let ring = rings.first else { return [] }
    var places: [Set<UInt16>: Int] = [:]
    var ranges: [LostRange] = []
    for slot in 0..<Ring.slotCount {
      let owners = Set(ring.table.owners(of: slot))
      guard owners.count(where: losers.contains) >= ring.quorum.write else { continue }
      if let place = places[owners] {
        ranges[place].add(slotCount: 1)
        continue
      }
      let names = { (ids: Set<UInt16>) in ids.compactMap { self.member($0)?.name } }
      places[owners] = ranges.count
      ranges.append(
        LostRange(
          owners: names(owners), losers: names(owners.filter(losers.contains)),
          needed: owners.count - ring.quorum.write + 1, slotCount: 1))
    }
    return ranges
  }
}
