import ClusterModel

/// Who owns the slots of a ring, as it is to be drawn now.
struct RingOwners {
  let ring: RingMap
  private let showsNext: Bool
  /// Slots before this one have been handed over, as far as they move.
  private let handedOver: Int
  private let conditions: [Int: Condition]

  /// - Parameter phase: in the second phase of the animation moving slots show their owner after the change.
  init(_ status: ClusterStatus, _ ring: RingMap, phase: Bool) {
    self.ring = ring
    showsNext = phase && !ring.nextOwners.isEmpty
    handedOver = Int((status.change?.fraction ?? 0) * Double(ring.slotCount))
    conditions = Dictionary(status.nodes.map { ($0.id, Condition($0, status)) }) { first, _ in first }
  }

  /// How an owner is drawn.
  enum Condition: Equatable {
    case serving
    /// It reads its log and will be back by itself.
    case recovering
    /// It holds still and will go on where it was.
    case paused
    case dead

    static func isDown(_ state: NodeState) -> Bool {
      switch state {
      case .dead, .failed: true
      case .up, .joining, .leaving, .recovering: false
      }
    }

    init(_ node: NodeStatus, _ status: ClusterStatus) {
      switch node.state {
      case .up, .joining, .leaving: self = status.pausedNodes.contains(node.id) ? .paused : .serving
      case .recovering: self = .recovering
      case .dead, .failed: self = .dead
      }
    }
  }

  /// A slot's owner at a replica rank.
  struct Owner: Equatable {
    var id: Int
    var condition: Condition
    /// Whether the slot gets another owner at this rank.
    var isMoving: Bool

    var isDead: Bool { condition == .dead }

    /// The node's colour as its condition and the replica rank change it.
    func color(_ theme: Theme, rank: Int = 0) -> Color {
      let own = theme.node(id)
      switch condition {
      case .dead: return theme[.ringDead]
      case .recovering, .paused: return own.shaded(towards: theme[.ringDead], 0.65)
      case .serving: return theme.band(id, rank: rank)
      }
    }

    /// The colour of the cross that stands for a dead owner.
    func crossColor(_ theme: Theme) -> Color { theme.node(id).shaded(towards: theme[.ringDead], 0.35) }
  }

  var ranks: Int { Swift.max(ring.ranks, ring.nextRanks) }
  var isEmpty: Bool { ring.slotCount <= 0 || ring.ranks <= 0 || ring.owners.count < ring.slotCount * ring.ranks }

  /// Who is drawn as a slot's owner. Moving slots that have been handed over show their new owner, those that wait for
  /// it both owners in turn.
  /// - Complexity: O(1).
  func owner(slot: Int, rank: Int) -> Owner? {
    let now = Self.id(ring.owners, slot: slot, rank: rank, ranks: ring.ranks)
    let next = Self.id(ring.nextOwners, slot: slot, rank: rank, ranks: ring.nextRanks)
    let isMoving = !ring.nextOwners.isEmpty && now != next
    let isHandedOver = isMoving && slot < handedOver
    guard let id = isMoving && (showsNext || isHandedOver) ? next ?? now : now ?? next else { return nil }
    return Owner(id: id, condition: conditions[id] ?? .serving, isMoving: isMoving && !isHandedOver)
  }

  func isDead(node id: Int) -> Bool { conditions[id] == .dead }
  func isPaused(node id: Int) -> Bool { conditions[id] == .paused }

  private static func id(_ owners: [UInt16], slot: Int, rank: Int, ranks: Int) -> Int? {
    let index = slot * ranks + rank
    return rank < ranks && index < owners.count && owners[index] != RingMap.nobody ? Int(owners[index]) : nil
  }

  /// The slot in the middle of part `index` of `count` equal parts of the ring.
  func slot(part index: Int, of count: Int) -> Int {
    Swift.min(ring.slotCount - 1, (2 * index + 1) * ring.slotCount / (2 * Swift.max(1, count)))
  }

  /// Where a node's label stands, as a part of the ring from 0 to 1: the middle of one of its longest runs of slots as
  /// primary. Runs are about equally long, so of those nearly as long as the longest it is the one that lets the labels
  /// stand apart: nearest to the node's turn, when nodes take turns around the ring.
  ///
  /// A run over the ring's end counts as two: it is a matter of where a label stands.
  /// - Complexity: O(slots).
  func labelPlaces() -> [Int: Double] {
    let runs = primaryRuns()
    var places: [Int: Double] = [:]
    for (turn, id) in runs.keys.sorted().enumerated() {
      let own = runs[id] ?? []
      let longest = own.map(\.count).max() ?? 0
      let wanted = (Double(turn) + 0.5) / Double(runs.count)
      places[id] = own.filter { Double($0.count) >= 0.8 * Double(longest) }
        .map { Double($0.lowerBound + $0.upperBound) / 2 / Double(ring.slotCount) }
        .min { abs($0 - wanted) < abs($1 - wanted) }
    }
    return places
  }

  private func primaryRuns() -> [Int: [Range<Int>]] {
    var runs: [Int: [Range<Int>]] = [:]
    var start = 0
    for slot in 1...ring.slotCount {
      let first = ring.owners[start * ring.ranks]
      if slot < ring.slotCount, ring.owners[slot * ring.ranks] == first { continue }
      if first != RingMap.nobody { runs[Int(first), default: []].append(start..<slot) }
      start = slot
    }
    return runs
  }
}

/// How evenly the nodes hold data, and how much a change moves.
enum RingFigures {
  /// The largest part of the ring that one node holds copies of, over the mean: 1 when all are equal.
  static func imbalance(_ status: ClusterStatus) -> Double? {
    let shares = status.nodes.map(\.share).filter { $0 > 0 }
    let sum = shares.reduce(0, +)
    guard sum > 0, let most = shares.max() else { return nil }
    return most * Double(shares.count) / sum
  }
}
