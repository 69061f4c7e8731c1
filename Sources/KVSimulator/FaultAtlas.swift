import KVCluster

/// What nodes have lost of what was on their disks, and have not been given back yet.
///
/// The promise: while at most W − 1 owners of a key have lost records, every answer about it is right, and the cluster
/// mends itself. Where more have, a key may be refused until someone accepts the loss; it must never be answered wrongly.
/// The atlas is kept by what was really done to the disks, not by what the engine says about it.
final class FaultAtlas {
  /// A byte that was changed in a segment, and is still what it was changed to.
  private struct Scar {
    let path: String
    let offset: Int
    let byte: UInt8
  }

  private var scars: [String: [Scar]] = [:]
  private var losses: Set<String> = []

  /// A bit of a node's segment was flipped.
  func noteFlip(at node: String, _ path: String, _ offset: Int, _ disk: SimulatedDisk) {
    guard let byte = disk.byte(path, at: offset) else { return }
    scars[node, default: []].append(Scar(path: path, offset: offset, byte: byte))
  }

  /// A node has lost files, the end of its log, or what it had not synced.
  func noteLoss(at node: String) { losses.insert(node) }

  /// Someone has accepted that all that was lost stays so.
  func acceptLoss() { (scars, losses) = ([:], []) }

  /// Whether a node has lost anything that it may not have been given back.
  /// - Parameter isRebuilt: it answers and votes, and nothing is planned for its disk.
  func isWounded(_ node: String, _ disk: SimulatedDisk, isRebuilt: Bool) -> Bool {
    if isRebuilt { losses.remove(node) }
    // A segment that was emptied is gone from its name, or has other bytes there.
    scars[node]?.removeAll { disk.byte($0.path, at: $0.offset) != $0.byte }
    return losses.contains(node) || !(scars[node] ?? []).isEmpty
  }
}
