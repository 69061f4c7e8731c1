/// Compares a node's replicas with those of the other owners, one partition after the other, for ever, and brings either
/// side what it lacks: whatever hints, write-backs and sweeps have missed, replicas become equal in the end.
///
/// Trees are made when they are needed, from the index in memory: a partition of a million keys on three nodes has some
/// ten thousand entries, 0.1 ms; to keep trees up to date would cost every write a cache line.
package struct AntiEntropy {
  private let replica: Replica
  private let partitions: PartitionTable
  private let links: Links
  private var number = 0
  /// Copies made, and partitions found to differ.
  private(set) var copied = 0
  private(set) var differences = 0

  package init(_ replica: Replica, _ partitions: PartitionTable, _ links: Links) {
    self.replica = replica
    self.partitions = partitions
    self.links = links
    number = Int(replica.id) % Store.partitionCount
  }

  /// Compares one partition with every other owner; of two nodes the one with the lesser id does it. Returns whether it
  /// must be looked at once more, because there was too much to copy at once.
  package mutating func step() -> Bool {
    let partition = partitions[number]
    var isMore = false
    for id in partitions.attachedIDs.sorted() where id > replica.id && links.reaches(replica.id, id) {
      partition.lock.pointee.withLock {
        guard partition.pointee.replica(replica.id)?.takeUnretainedValue() === replica,
          let other = partition.pointee.replica(id)?.takeUnretainedValue(),
          !replica.store.isSuspect, !other.store.isSuspect
        else { return }
        isMore = compare(with: other, partition.pointee.view.takeUnretainedValue()) || isMore
      }
    }
    if !isMore { number = (number + 1) % Store.partitionCount }
    return isMore
  }

  /// Call with the partition's lock held.
  private mutating func compare(with other: Replica, _ view: PlacementView) -> Bool {
    if replica.store.stripes[number].index.count == 0, other.store.stripes[number].index.count == 0 { return false }
    let first = number * MerkleTree.leafCount
    let shared = (first..<first + MerkleTree.leafCount).map {
      view.isOwner(replica.id, ofSlot: $0) && view.isOwner(other.id, ofSlot: $0)
    }
    guard shared.contains(true) else { return false }
    let leaves = tree(of: replica, shared).differences(from: tree(of: other, shared))
    guard !leaves.isEmpty else { return false }
    differences += 1
    var isWanted = [Bool](repeating: false, count: MerkleTree.leafCount)
    for leaf in leaves { isWanted[leaf] = true }
    var budget = Limits.moveBatchKeysMax
    copy(from: replica, to: other, isWanted, &budget)
    copy(from: other, to: replica, isWanted, &budget)
    return budget <= 0
  }

  private func tree(of replica: Replica, _ shared: [Bool]) -> MerkleTree {
    var tree = MerkleTree()
    _ = replica.store.stripes[number].index.scan(from: 0, limit: .max / 2) { slot in
      let leaf = Ring.slot(of: slot.pointee.hash) % MerkleTree.leafCount
      if shared[leaf] { tree.add(leaf: leaf, hash: slot.pointee.hash, tag: slot.pointee.tag) }
    }
    tree.finish()
    return tree
  }

  private mutating func copy(from source: Replica, to target: Replica, _ isWanted: [Bool], _ budget: inout Int) {
    var left = budget
    var made = 0
    _ = source.store.scan(number, from: 0, limit: .max / 2, unreadable: { source.noteDamage($0.hash) }) {
      slot, record in
      guard left > 0, isWanted[Ring.slot(of: slot.hash) % MerkleTree.leafCount] else { return }
      guard target.store.lacks(record.stamp, slot.hash, record.key) == true else { return }
      guard record.hasIntactValue else { return source.noteDamage(slot.hash) }
      guard partitions.mayCopy(slot.hash) else { return }
      // Without room the target stays behind; it is compared again.
      let isCopied = (try? partitions.copy(slot, record, from: source, to: target, links)) ?? false
      if isCopied { (left, made) = (left - 1, made + 1) }
    }
    copied += made
    budget = left
  }
}
