/// The preference list of every slot, kept by arcs of slots that share one, and what follows from it.
package struct PreferenceTable: Equatable, Sendable {
  /// Owners of each slot: N, or as many as there are nodes.
  package let ranks: Int
  /// Ascending.
  package let nodes: [UInt16]
  /// Last slot of each arc, ascending; the last is the ring's last slot.
  private let ends: [Int]
  /// `lists[arc * ranks + rank]`; rank 0 is the primary.
  private let lists: [UInt16]

  package init(_ ring: Ring, replicas: Int) {
    let tokens = ring.tokens
    nodes = ring.nodes
    ranks = min(replicas, nodes.count)
    var ends: [Int] = []
    var lists: [UInt16] = []
    ends.reserveCapacity(tokens.count + 1)
    lists.reserveCapacity((tokens.count + 1) * ranks)
    for (i, token) in tokens.enumerated() where ranks > 0 {
      ends.append(Int(token.slot))
      PreferenceTable.appendList(tokens, from: i, ranks, to: &lists)
    }
    // What lies beyond the last token belongs to the first.
    if ranks > 0, ends.last != Ring.slotCount - 1 {
      ends.append(Ring.slotCount - 1)
      lists += lists[..<ranks]
    }
    self.ends = ends
    self.lists = lists
  }

  /// Adds the first `count` distinct nodes from a token on, around the ring.
  private static func appendList(_ tokens: [Ring.Token], from first: Int, _ count: Int, to lists: inout [UInt16]) {
    let start = lists.count
    var at = first
    while lists.count < start + count {
      let node = tokens[at].node
      var known = start
      while known < lists.count, lists[known] != node { known += 1 }
      if known == lists.count { lists.append(node) }
      at = at + 1 == tokens.count ? 0 : at + 1
    }
  }

  /// The owners of a slot, the primary first. O(log arcs).
  package func owners(of slot: Int) -> ArraySlice<UInt16> {
    var (low, high) = (0, ends.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if ends[middle] < slot { low = middle + 1 } else { high = middle }
    }
    return owners(ofArc: low)
  }

  /// Calls `body` with each arc's last slot and its owners, as many as there are ranks, ascending.
  @inline(__always)
  func forEachArc(_ body: (_ end: Int, _ owners: UnsafePointer<UInt16>) -> Void) {
    lists.withUnsafeBufferPointer { lists in
      for arc in ends.indices { body(ends[arc], lists.baseAddress! + arc * ranks) }
    }
  }

  /// Whether at least `least` of the owners of every slot satisfy `isMatch`. O(arcs · ranks).
  func hasEverywhere(_ least: Int, where isMatch: (UInt16) -> Bool) -> Bool {
    ends.indices.allSatisfy { owners(ofArc: $0).count(where: isMatch) >= least }
  }

  private func owners(ofArc arc: Int) -> ArraySlice<UInt16> { lists[arc * ranks..<(arc + 1) * ranks] }

  /// All lists laid out by slot: `slotOwners[slot * ranks + rank]`. O(slots · ranks).
  package var slotOwners: [UInt16] {
    [UInt16](unsafeUninitializedCapacity: ranks * Ring.slotCount) { buffer, count in
      for (arc, end) in ends.enumerated() {
        let slots = end - (arc == 0 ? -1 : ends[arc - 1])
        for _ in 0..<slots {
          for owner in owners(ofArc: arc) {
            buffer[count] = owner
            count += 1
          }
        }
      }
    }
  }

  /// Slots of which each node holds a copy, in the order of ``nodes``. O(arcs · ranks).
  package var loads: [Int] {
    var counts = [Int](repeating: 0, count: Int(nodes.last ?? 0) + 1)
    for (arc, end) in ends.enumerated() {
      let slots = end - (arc == 0 ? -1 : ends[arc - 1])
      for owner in owners(ofArc: arc) { counts[Int(owner)] += slots }
    }
    return nodes.map { counts[Int($0)] }
  }

  /// Part of the ring of which the node holds a copy, from 0 to 1.
  package func share(of node: UInt16) -> Double {
    guard let i = nodes.firstIndex(of: node) else { return 0 }
    return Double(loads[i]) / Double(Ring.slotCount)
  }

  /// The greatest load divided by the mean: 1 is perfect.
  package var imbalance: Double {
    let loads = loads
    guard let most = loads.max(), most > 0 else { return 1 }
    return Double(most) * Double(loads.count) / Double(loads.reduce(0, +))
  }

  /// Calls `body` with every longest run of slots in which neither table changes its owners. O(arcs of both).
  fileprivate static func zipArcs(
    _ a: PreferenceTable, _ b: PreferenceTable, _ body: (_ slots: Int, ArraySlice<UInt16>, ArraySlice<UInt16>) -> Void
  ) {
    var (i, j) = (0, 0)
    var start = 0
    while start < Ring.slotCount, i < a.ends.count, j < b.ends.count {
      let end = min(a.ends[i], b.ends[j])
      body(end + 1 - start, a.owners(ofArc: i), b.owners(ofArc: j))
      if a.ends[i] == end { i += 1 }
      if b.ends[j] == end { j += 1 }
      start = end + 1
    }
  }
}

/// What a change of owners has to copy.
package struct Movement: Equatable, Sendable {
  /// Copies of slots that nodes gain.
  package let copies: Int
  /// The least any placement could do and end in balance: a newcomer's fair share, or what a leaver held and others
  /// lack.
  package let minimum: Int

  package init(from old: PreferenceTable, to new: PreferenceTable) {
    var copies = 0
    PreferenceTable.zipArcs(old, new) { slots, before, after in
      copies += slots * after.count { !before.contains($0) }
    }
    self.copies = copies
    let fairShare = new.ranks * Ring.slotCount / max(1, new.nodes.count)
    let joined = new.nodes.count { !old.nodes.contains($0) } * fairShare
    let left = zip(old.nodes, old.loads).reduce(0) { $0 + (new.nodes.contains($1.0) ? 0 : $1.1) }
    let ranksLost = max(0, old.ranks - new.ranks) * Ring.slotCount
    minimum = joined + max(0, left - ranksLost)
  }

  /// How much more is copied than must be: 1 is perfect.
  package var ratio: Double { minimum == 0 ? (copies == 0 ? 1 : .infinity) : Double(copies) / Double(minimum) }
}
