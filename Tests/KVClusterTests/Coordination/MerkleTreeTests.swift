import Testing

@testable import KVCluster

@Suite struct MerkleTreeTests {
  private func tree(_ keys: [(leaf: Int, hash: UInt64, tag: UInt64)]) -> MerkleTree {
    var tree = MerkleTree()
    for key in keys { tree.add(leaf: key.leaf, hash: key.hash, tag: Tag(rawValue: key.tag)) }
    tree.finish()
    return tree
  }

  @Test("The order of keys does not matter")
  func isUnordered() {
    let keys: [(Int, UInt64, UInt64)] = (0..<500).map { ($0 % 256, UInt64($0) &* 77, UInt64($0 + 1)) }
    #expect(tree(keys) == tree(keys.reversed()))
    #expect(tree(keys).differences(from: tree(keys.shuffled())).isEmpty)
  }

  @Test("One key more, less or newer shows in its leaf and in no other", arguments: [0, 1, 15, 16, 200, 255])
  func findsOne(leaf: Int) {
    let keys: [(Int, UInt64, UInt64)] = (0..<256).map { ($0, UInt64($0) &* 0x9e37_79b9, 10) }
    var newer = keys
    newer[leaf].2 = 11
    #expect(tree(keys).differences(from: tree(newer)) == [leaf])
    var fewer = keys
    fewer.remove(at: leaf)
    #expect(tree(fewer).differences(from: tree(keys)) == [leaf])
  }

  @Test("Two keys that swap their versions are not equal")
  func tellsSwaps() {
    #expect(!tree([(3, 1, 10), (3, 2, 20)]).differences(from: tree([(3, 1, 20), (3, 2, 10)])).isEmpty)
  }
}
