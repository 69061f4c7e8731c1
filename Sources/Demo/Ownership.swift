import KVCluster

/// Who owns what, as the cluster's status says it: what the tour predicts from it is compared with what happens.
struct Ownership {
  private let ring: RingMap
  /// Tokens on the ring.
  let tokenCount: Int
  private let names: [Int: String]

  init(_ status: ClusterStatus) {
    ring = RingMap(status.ring)
    tokenCount = status.ring.tokenCount ?? 0
    names = Dictionary(status.nodes.map { ($0.id, $0.name) }) { first, _ in first }
  }

  /// A key's owners, the first copy's first.
  func owners(of key: [UInt8]) -> [String] {
    ids(of: key).map { names[$0] ?? "?" }
  }

  static func hash(_ key: [UInt8]) -> UInt64 { key.withUnsafeBytes { Ring.hash($0) } }

  private func ids(of key: [UInt8]) -> [Int] { ring.owners(ofSlot: ring.slot(ofHash: Self.hash(key))) }

  /// The part of the ring of which each node has the first copy.
  var firstShares: [Double] {
    var counts: [Int: Int] = [:]
    for slot in 0..<ring.slotCount where ring.ranks > 0 { counts[Int(ring.owners[slot * ring.ranks]), default: 0] += 1 }
    return names.keys.map { Double(counts[$0] ?? 0) / Double(ring.slotCount) }
  }

  /// Slots that have as many different owners as there are copies.
  var distinctSlots: Int {
    (0..<ring.slotCount).count { Set(ring.owners(ofSlot: $0)).count == ring.ranks && ring.ranks > 0 }
  }

  var slotCount: Int { ring.slotCount }

  /// Of the copies of these keys, those that `next` puts on a node that had none.
  func moved(_ numbers: Range<Int>, to next: Ownership) -> Int {
    numbers.reduce(0) { sum, number in
      let key = Stage.key(number)
      let before = ids(of: key)
      return sum + next.ids(of: key).count { !before.contains($0) }
    }
  }

  /// Of these keys, those that another number of nodes gives another home if the home is the hash modulo the nodes.
  static func movedByModulo(_ numbers: Range<Int>, from nodes: Int, to next: Int) -> Int {
    numbers.count { number in
      let hash = hash(Stage.key(number))
      return hash % UInt64(nodes) != hash % UInt64(next)
    }
  }
}
