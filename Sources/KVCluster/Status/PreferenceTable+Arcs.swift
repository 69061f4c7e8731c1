extension PreferenceTable {
  /// The ring's arcs, of neighbours with the same owners one. O(arcs · ranks).
  var arcs: [RingStatus.Arc] {
    var arcs: [RingStatus.Arc] = []
    var start = 0
    forEachArc { end, owners in
      let ids = UnsafeBufferPointer(start: owners, count: ranks).map(Int.init)
      if arcs.last?.owners != ids { arcs.append(RingStatus.Arc(start: start, owners: ids)) }
      start = end + 1
    }
    return arcs
  }
}
