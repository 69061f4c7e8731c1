/// Digests of what a replica holds of one partition, so that two replicas find out where they differ by comparing few
/// (Merkle, CRYPTO '87; Dynamo, SOSP '07, §4.7). A leaf is one slot of the ring: the sum of its keys' digests, so that
/// neither the order of keys nor where they lie matters; above it, each node stands for sixteen.
package struct MerkleTree: Equatable, Sendable {
  /// Slots of a partition.
  package static let leafCount = 256
  private static let fanout = 16

  package private(set) var root: UInt64 = 0
  private var branches = [UInt64](repeating: 0, count: leafCount / fanout)
  private var leaves = [UInt64](repeating: 0, count: leafCount)

  package init() {}

  /// Takes in one key's version. Equal tags are the same write, so the value need not be looked at; where that
  /// does not hold, ``TwinSearch`` finds it.
  package mutating func add(leaf: Int, hash: UInt64, tag: Tag) {
    leaves[leaf] &+= MerkleTree.mix(hash ^ MerkleTree.mix(tag.rawValue))
  }

  /// Makes the upper levels from the leaves; call once all keys are in.
  package mutating func finish() {
    for branch in branches.indices {
      var digest: UInt64 = 0
      for leaf in branch * MerkleTree.fanout..<(branch + 1) * MerkleTree.fanout {
        digest = MerkleTree.mix(digest ^ leaves[leaf])
      }
      branches[branch] = digest
    }
    root = branches.reduce(0) { MerkleTree.mix($0 ^ $1) }
  }

  /// Leaves in which two trees differ, ascending. O(branches that differ).
  package func differences(from other: MerkleTree) -> [Int] {
    guard root != other.root else { return [] }
    return branches.indices.filter { branches[$0] != other.branches[$0] }.flatMap { branch in
      (branch * MerkleTree.fanout..<(branch + 1) * MerkleTree.fanout).filter { leaves[$0] != other.leaves[$0] }
    }
  }

  /// The finaliser of SplitMix64.
  private static func mix(_ word: UInt64) -> UInt64 {
    var z = word &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
