/// The ring as its balancer sees it: ``count`` equal blocks of slots, each with its own preference list.
///
/// Any table of such lists can be written as tokens. Where the list changes from one block to the next, the block's
/// owners get a token each on consecutive slots, the first on the block's last slot:
///
/// ```
///        block 6 (a b c)        block 7 (a d c)
///  ───────────────────────┤a│b│c├──────────────────┤a│d│c├────
/// ```
///
/// so that whoever comes from within block 6 meets a, b, c. The price is that the first N − 1 slots of block 7 begin
/// with b or c: 2 of 64 slots, nearly always the same three nodes in another order. Blocks with equal lists share their
/// tokens, so a small cluster has few.
///
/// With lists to choose freely, balance and minimal movement are bookkeeping: a newcomer takes its fair number of
/// places from those who have most, a leaver's places go to those who have least, whole runs of blocks at a time so
/// that arcs stay long; every place that changes hands is one copy to make, and no other moves.
/// Rejected: tokens at hashed places need about 2,000 a node for a balance of 5 %, and draw the ring as confetti;
/// Cassandra's token allocation balances joins but not leaves; Riak's claim ties balance to the number of partitions.
struct RingBlocks {
  /// 30 places for each of 100 nodes at N=3: one more or less is 3 %.
  static let count = 1_024
  static let slotsPerBlock = Ring.slotCount / count
  /// Runs of blocks a newcomer's places are gathered in, in a cluster small enough to have a choice.
  private static let runsPerNode = 9

  private let ranks: Int
  private let nodes: [UInt16]
  /// `places[block * ranks + rank]` is a position in `nodes`.
  private var places: [Int]
  private var loads: [Int]

  /// The lists a ring's blocks have; `nodes` may hold more than the ring.
  init(_ ring: Ring, nodes: [UInt16], ranks: Int) {
    self.ranks = ranks
    self.nodes = nodes
    var positions = [Int](repeating: 0, count: Int(nodes.max() ?? 0) + 1)
    for (i, node) in nodes.enumerated() { positions[Int(node)] = i }
    var places: [Int] = []
    places.reserveCapacity(RingBlocks.count * ranks)
    // A block's last slot is never one of those where the list of the block before ends.
    var last = RingBlocks.slotsPerBlock - 1
    ring.preferenceTable(replicas: ranks).forEachArc { end, owners in
      while last <= end {
        for rank in 0..<ranks { places.append(positions[Int(owners[rank])]) }
        last += RingBlocks.slotsPerBlock
      }
    }
    self.places = places
    loads = nodes.map { _ in 0 }
    for node in places { loads[node] += 1 }
  }

  /// A new ring: nodes take turns in long arcs.
  init(balanced nodes: [UInt16], ranks: Int) {
    self.ranks = ranks
    self.nodes = nodes
    let arcs = nodes.count * max(1, min(8, RingBlocks.count / max(1, nodes.count)))
    places = (0..<RingBlocks.count).flatMap { block in
      let arc = block * arcs / RingBlocks.count
      return (0..<ranks).map { (arc + $0) % nodes.count }
    }
    loads = nodes.map { _ in 0 }
    for node in places { loads[node] += 1 }
    level(atMost: RingBlocks.count)
  }

  /// The tokens that give these lists.
  var tokens: [Ring.Token] {
    var tokens: [Ring.Token] = []
    for block in 0..<RingBlocks.count where !isSameList(block, (block + 1) % RingBlocks.count) {
      let end = (block + 1) * RingBlocks.slotsPerBlock - 1
      for rank in 0..<ranks {
        let slot = (end + rank) % Ring.slotCount
        tokens.append(Ring.Token(slot: UInt16(slot), node: nodes[places[block * ranks + rank]]))
      }
    }
    // One list all around needs its owners once.
    if tokens.isEmpty {
      tokens = (0..<ranks).map { Ring.Token(slot: UInt16(Ring.slotCount - ranks + $0), node: nodes[places[$0]]) }
    }
    return tokens.sorted { $0.slot < $1.slot }
  }

  private func isSameList(_ a: Int, _ b: Int) -> Bool {
    (0..<ranks).allSatisfy { places[a * ranks + $0] == places[b * ranks + $0] }
  }

  private func contains(_ block: Int, _ node: Int) -> Bool {
    (0..<ranks).contains { places[block * ranks + $0] == node }
  }

  private mutating func hand(_ block: Int, _ rank: Int, to node: Int) {
    loads[places[block * ranks + rank]] -= 1
    places[block * ranks + rank] = node
    loads[node] += 1
  }

  // MARK: - Join

  /// Gives `node`, which has no place yet, its fair number of places.
  mutating func settleIn(_ node: UInt16) {
    let newcomer = nodes.firstIndex(of: node)!
    let fair = ranks * RingBlocks.count / nodes.count
    let runLength = max(1, fair / RingBlocks.runsPerNode)
    var taken = [Int](repeating: 0, count: ranks)
    while loads[newcomer] < fair {
      let giver = loads.indices.filter { $0 != newcomer }.max { (loads[$0], $1) < (loads[$1], $0) }!
      // In the rank it has least of, so that it is primary as often as it is third.
      let order = (0..<ranks).sorted { (taken[$0], $0) < (taken[$1], $1) }
      let wanted = min(runLength, fair - loads[newcomer], max(1, loads[giver] - fair))
      var found: (rank: Int, blocks: Range<Int>)?
      for rank in order where found == nil {
        found = longestRun(of: giver, rank: rank, without: newcomer, atMost: wanted)
      }
      guard let run = found else { break }
      for block in run.blocks {
        hand(block, run.rank, to: newcomer)
        taken[run.rank] += 1
      }
    }
    level(atMost: fair / 50)
  }

  /// The end of the longest run of blocks in which `giver` has the rank and `newcomer` has no place.
  private func longestRun(
    of giver: Int, rank: Int, without newcomer: Int, atMost wanted: Int
  ) -> (rank: Int, blocks: Range<Int>)? {
    var best: Range<Int>?
    var start = 0
    for block in 0...RingBlocks.count {
      let isIn = block < RingBlocks.count && places[block * ranks + rank] == giver && !contains(block, newcomer)
      if isIn { continue }
      if block > start, best.map({ block - start > $0.count }) ?? true { best = start..<block }
      start = block + 1
    }
    return best.map { (rank, max($0.lowerBound, $0.upperBound - wanted)..<$0.upperBound) }
  }

  // MARK: - Leave

  /// Hands `node`'s places to those who have least. `node` keeps none.
  mutating func moveOut(_ node: UInt16) {
    let leaver = nodes.firstIndex(of: node)!
    let moving = loads[leaver]
    let fair = (ranks * RingBlocks.count + nodes.count - 2) / (nodes.count - 1)
    for rank in 0..<ranks {
      var receiver: Int?
      for block in 0..<RingBlocks.count where places[block * ranks + rank] == leaver {
        // The same receiver as in the block before, while it has room: arcs stay long.
        if receiver.map({ loads[$0] >= fair || contains(block, $0) }) ?? true {
          receiver = receivers(block, leaver).min { (loads[$0], $0) < (loads[$1], $1) }
        }
        hand(block, rank, to: receiver!)
      }
    }
    level(atMost: moving / 50, except: leaver)
  }

  private func receivers(_ block: Int, _ leaver: Int) -> [Int] {
    nodes.indices.filter { $0 != leaver && !contains(block, $0) }
  }

  // MARK: - Levelling

  /// Moves single places from those who have most to those who have least, until they differ by one or the allowance
  /// is used up: each is a copy that the change by itself did not need.
  private mutating func level(atMost allowance: Int, except absent: Int? = nil) {
    for _ in 0..<allowance {
      let present = loads.indices.filter { $0 != absent }
      let most = present.max { (loads[$0], $1) < (loads[$1], $0) }!
      let least = present.min { (loads[$0], $0) < (loads[$1], $1) }!
      guard loads[most] - loads[least] > 1, let place = place(from: most, to: least) else { return }
      hand(place.block, place.rank, to: least)
    }
  }

  private func place(from giver: Int, to taker: Int) -> (block: Int, rank: Int)? {
    for block in 0..<RingBlocks.count where !contains(block, taker) {
      for rank in 0..<ranks where places[block * ranks + rank] == giver { return (block, rank) }
    }
    return nil
  }
}

extension Ring {
  /// The ring of a new cluster.
  package static func balanced(nodes: [UInt16], replicas: Int) -> Ring {
    guard !nodes.isEmpty else { return Ring() }
    return Ring(RingBlocks(balanced: nodes.sorted(), ranks: min(replicas, nodes.count)))
  }

  /// The ring after `node` has joined. A function of the ring, the node and N.
  package func adding(_ node: UInt16, replicas: Int) -> Ring {
    let all = (nodes + [node]).sorted()
    // Everybody owns everything: nothing moves but what a new rank adds.
    if all.count <= replicas { return .balanced(nodes: all, replicas: replicas) }
    var blocks = RingBlocks(self, nodes: all, ranks: replicas)
    blocks.settleIn(node)
    return Ring(blocks)
  }

  /// The ring after `node` has left.
  package func removing(_ node: UInt16, replicas: Int) -> Ring {
    let left = nodes.filter { $0 != node }
    if left.count <= replicas { return .balanced(nodes: left, replicas: replicas) }
    var blocks = RingBlocks(self, nodes: nodes, ranks: replicas)
    blocks.moveOut(node)
    return Ring(blocks)
  }

  /// The ring after `replacement`, who is not on it, has taken the place of `node`.
  package func handing(_ node: UInt16, to replacement: UInt16) -> Ring {
    Ring(sorted: tokens.map { $0.node == node ? Token(slot: $0.slot, node: replacement) : $0 })
  }

  private init(_ blocks: RingBlocks) {
    tokens = blocks.tokens
  }
}
