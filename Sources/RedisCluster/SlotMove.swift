/// One slot's way from one master to another, decided from what both say at the moment, so that a move that was cut off
/// anywhere goes on as one that was not.
///
/// The order is redis-cli's, with one thing more: the receiver's replicas and a majority of masters must have heard of the
/// new owner before the old one lets go (redis#3122, redis#6339: a receiver that dies earlier takes the slot along).
struct SlotMove: Sendable, Equatable {
  var slot: Int
  /// Ids of the masters.
  var source: String
  var target: String

  /// What the two say.
  struct Facts: Sendable, Equatable {
    /// The receiver's own map gives it the slot.
    var targetOwns: Bool
    var targetImports: Bool
    /// The giver's own map still gives the slot to itself.
    var sourceOwns: Bool
    var sourceMigrates: Bool
    /// Keys of the slot that the giver has.
    var keysLeft: Int
    /// The receiver's replicas and a majority of masters name the receiver.
    var isSeen: Bool
  }

  /// The next thing to do.
  enum Action: Sendable, Equatable {
    /// `SETSLOT IMPORTING` at the receiver, before the giver sends anybody there.
    case openTarget
    /// `SETSLOT MIGRATING` at the giver.
    case openSource
    /// `MIGRATE` some keys.
    case moveKeys
    /// `SETSLOT NODE` at the receiver.
    case give
    /// Nothing: the others have not heard of it yet.
    case waitUntilSeen
    /// `SETSLOT NODE` at the giver, and at the other masters.
    case letGo
    case nothing
  }

  func next(_ facts: Facts) -> Action {
    guard facts.targetOwns else {
      if !facts.targetImports { return .openTarget }
      if !facts.sourceMigrates { return .openSource }
      return facts.keysLeft > 0 ? .moveKeys : .give
    }
    // Keys may be left when another tool gave the slot too early: they would be lost to all readers.
    if facts.keysLeft > 0 { return .moveKeys }
    if !facts.isSeen { return .waitUntilSeen }
    return facts.sourceOwns || facts.sourceMigrates ? .letGo : .nothing
  }
}

/// The moves that make a change of members.
enum SlotPlan {
  /// Gives a master its equal share, taken from those that have more than theirs. Empty if it has it.
  static func joining(_ id: String, _ map: ClusterMap) -> [SlotMove] {
    var masters = map.owningMasters
    if !masters.contains(where: { $0.id == id }) { masters += map.masters.filter { $0.id == id } }
    guard let joiner = masters.first(where: { $0.id == id }) else { return [] }
    let share = KeySlot.count / masters.count
    var missing = share - joiner.slotCount
    var moves: [[SlotMove]] = []
    // Those that have most give first.
    for giver in masters.filter({ $0.id != id }).sorted(by: { ($1.slotCount, $0.id) < ($0.slotCount, $1.id) })
    where missing > 0 {
      let spare = min(missing, max(0, giver.slotCount - share))
      missing -= spare
      moves.append(giver.slots.joined().prefix(spare).map { SlotMove(slot: $0, source: giver.id, target: id) })
    }
    return interleaved(moves)
  }

  /// Gives all that a master owns to the others, to those that have least. Empty if it owns nothing.
  static func leaving(_ id: String, _ map: ClusterMap) -> [SlotMove] {
    guard let leaver = map.node(id) else { return [] }
    var counts = map.owningMasters.filter { $0.id != id }.map { (id: $0.id, count: $0.slotCount) }
    guard !counts.isEmpty else { return [] }
    let share = KeySlot.count / counts.count
    var slots = Array(leaver.slots.joined())[...]
    var moves: [SlotMove] = []
    // Runs of neighbours to one receiver each, so that ranges stay whole.
    counts.sort { ($0.count, $0.id) < ($1.count, $1.id) }
    for (index, receiver) in counts.enumerated() {
      let isLast = index == counts.count - 1
      let part = isLast ? slots.count : min(slots.count, max(0, share - receiver.count))
      moves += slots.prefix(part).map { SlotMove(slot: $0, source: id, target: receiver.id) }
      slots = slots.dropFirst(part)
    }
    return moves
  }

  /// The moves that slots which are open already ask for.
  static func open(_ map: ClusterMap) -> [SlotMove] {
    var moves: [SlotMove] = []
    for node in map.nodes {
      for open in node.openSlots {
        let move =
          open.end == .migrating
          ? SlotMove(slot: open.slot, source: node.id, target: open.other)
          : SlotMove(slot: open.slot, source: open.other, target: node.id)
        if !moves.contains(move) { moves.append(move) }
      }
    }
    return moves
  }

  /// Owners after the moves.
  static func owners(after moves: [SlotMove], _ map: ClusterMap) -> [String?] {
    moves.reduce(into: map.owners) { $0[$1.slot] = $1.target }
  }

  /// In turn, so that no giver is asked for all at once.
  private static func interleaved(_ lists: [[SlotMove]]) -> [SlotMove] {
    let longest = lists.map(\.count).max() ?? 0
    return (0..<longest).flatMap { index in lists.compactMap { index < $0.count ? $0[index] : nil } }
  }
}
