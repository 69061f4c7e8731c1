import ClusterModel

/// Owners of the slots of a ring, as drawn now.
struct RingOwners {
  let ring: RingMap
  private let showsNext: Bool
  /// Slots before this one have been handed over, as far as they move.
  private let handedOver: Int
  /// By node id, which are small: asked for every pixel.
  private let conditions: [Condition?]

  /// - Parameter phase: in the second phase of the animation moving slots show their owner after the change.
  init(_ status: ClusterStatus, _ seen: Observations, phase: Bool) {
    ring = seen.ring
    showsNext = phase && !ring.nextOwners.isEmpty
    handedOver = Int((status.change?.fraction ?? 0) * Double(ring.slotCount))
    let idsEnd = Swift.min(Int(UInt16.max), (status.nodes.map(\.id).max() ?? -1) + 1)
    var conditions = [Condition?](repeating: nil, count: Swift.max(0, idsEnd))
    for node in status.nodes where conditions.indices.contains(node.id) { conditions[node.id] = Condition(node, seen) }
    self.conditions = conditions
  }

  /// How an owner is drawn.
  enum Condition: Equatable, CaseIterable {
    case serving, joining, leaving
    /// It answers late, or loses messages.
    case slow
    /// Others have not heard from it for a second.
    case silent
    /// It holds still and will go on where it was.
    case paused
    /// It is not on the largest side of a partition.
    case cutOff
    /// It reads its log and will then serve again.
    case recovering
    case dead

    static func isDown(_ state: NodeState) -> Bool {
      switch state {
      case .dead, .failed: true
      case .up, .joining, .leaving, .recovering: false
      }
    }

    init(_ node: NodeStatus, _ seen: Observations) {
      switch node.state {
      case .recovering: self = .recovering
      case .dead, .failed: self = .dead
      case .up, .joining, .leaving:
        switch seen.trouble(ofNode: node) {
        case .paused: self = .paused
        case .cutOff: self = .cutOff
        case .unheard: self = .silent
        case .slow, .losing: self = .slow
        case nil: self = node.state == .joining ? .joining : node.state == .leaving ? .leaving : .serving
        }
      }
    }

    /// Texture of its ranges, beside their colour; `nil` for plain ones.
    func texture(_ glyphs: Glyphs) -> Unicode.Scalar? {
      switch self {
      case .serving, .joining, .leaving: nil
      case .slow: glyphs.slowTexture
      case .silent: glyphs.silentTexture
      case .paused: glyphs.pausedTexture
      case .cutOff: glyphs.cutTexture
      case .recovering: glyphs.recoveringTexture
      case .dead: glyphs.dead
      }
    }

    /// How much of the node's colour is lost.
    var fading: Double {
      switch self {
      case .serving, .joining, .leaving: 0
      case .slow: 0.25
      case .silent: 0.4
      case .paused: 0.5
      case .cutOff: 0.75
      case .recovering: 0.65
      case .dead: 1
      }
    }

    /// In a word or two, for a legend.
    var words: String? {
      switch self {
      case .serving: nil
      case .joining: "joining"
      case .leaving: "leaving"
      case .slow: "slow"
      case .silent: "silent"
      case .paused: "paused"
      case .cutOff: "cut off"
      case .recovering: "reading its log"
      case .dead: "down"
      }
    }

    /// Before a node's name, where its label stands.
    func sign(_ glyphs: Glyphs) -> String {
      switch self {
      case .serving: ""
      case .joining: "+"
      case .leaving: glyphs.isASCII ? "<" : "←"
      case .slow, .silent, .paused, .cutOff, .recovering, .dead: texture(glyphs).map { String(Character($0)) } ?? ""
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
      if condition == .dead { return theme[.ringDead] }
      if condition.fading > 0 { return own.shaded(towards: theme[.ringDead], condition.fading) }
      return theme.band(id, rank: rank)
    }

    /// The colour of the texture on its ranges.
    func textureColor(_ theme: Theme) -> Color {
      condition == .dead ? crossColor(theme) : theme.node(id).shaded(towards: theme[.ringDead], 0.35)
    }

    /// The colour of a letter that stands for it: to be read, so it is not faded.
    func letterColor(_ theme: Theme) -> Color { isDead ? theme[.dim] : theme.node(id) }

    /// The colour of the cross that stands for a dead owner.
    func crossColor(_ theme: Theme) -> Color { theme.node(id).shaded(towards: theme[.ringDead], 0.35) }
  }

  var ranks: Int { Swift.max(ring.ranks, ring.nextRanks) }
  var isEmpty: Bool { ring.slotCount <= 0 || ring.ranks <= 0 || ring.owners.count < ring.slotCount * ring.ranks }

  /// The owner drawn for a slot. Moving slots that have been handed over show their new owner, those that wait for
  /// it both owners in turn.
  /// - Complexity: O(1).
  func owner(slot: Int, rank: Int) -> Owner? {
    let now = Self.id(ring.owners, slot: slot, rank: rank, ranks: ring.ranks)
    let next = Self.id(ring.nextOwners, slot: slot, rank: rank, ranks: ring.nextRanks)
    let isMoving = !ring.nextOwners.isEmpty && now != next
    let isHandedOver = isMoving && slot < handedOver
    guard let id = isMoving && (showsNext || isHandedOver) ? next ?? now : now ?? next else { return nil }
    return Owner(id: id, condition: condition(ofNode: id), isMoving: isMoving && !isHandedOver)
  }

  func condition(ofNode id: Int) -> Condition { id < conditions.count ? conditions[id] ?? .serving : .serving }

  /// The conditions in which nodes are, the worst last.
  var present: [Condition] { Condition.allCases.filter { condition in conditions.contains(condition) } }

  private static func id(_ owners: [UInt16], slot: Int, rank: Int, ranks: Int) -> Int? {
    let index = slot * ranks + rank
    return rank < ranks && index < owners.count && owners[index] != RingMap.nobody ? Int(owners[index]) : nil
  }

  /// The slot in the middle of part `index` of `count` equal parts of the ring.
  func slot(part index: Int, of count: Int) -> Int {
    Swift.min(ring.slotCount - 1, (2 * index + 1) * ring.slotCount / (2 * Swift.max(1, count)))
  }
}

/// How evenly the nodes hold data, and how much a change moves.
enum RingFigures {
  /// The largest part of the ring that one node holds copies of, over the mean: 1 when all are equal.
  static func imbalance(_ status: ClusterStatus) -> Double? {
    let shares = status.nodes.compactMap(\.share).filter { $0 > 0 }
    let sum = shares.reduce(0, +)
    guard sum > 0, let most = shares.max() else { return nil }
    return most * Double(shares.count) / sum
  }
}
