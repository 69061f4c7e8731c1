import ClusterModel
import Text

/// Advice on a membership change, before it begins or after it ends. Pure.
package enum ChangeAdvice {
  /// The nodes that are down, if because of them no copies could be brought to a new node now: a read quorum of the owners
  /// has to answer for every key, and the change would wait for it without an end.
  static func missing(forCopying status: ClusterStatus) -> [String] {
    let live = Set(status.nodes.filter(\.state.isServing).map(\.id))
    let down = status.nodes.filter { !live.contains($0.id) }.map(\.name)
    guard !down.isEmpty, let wanted = status.effectiveQuorum?.read else { return [] }
    let ring = RingMap(status.ring)
    for slot in 0..<ring.slotCount {
      if ring.owners(ofSlot: slot).count(where: { live.contains($0) }) < wanted {
        return down
      }
    }
    return []
  }

  /// The warning for a number of nodes, or `nil`: with fewer nodes than copies asked for, each key has fewer copies.
  package static func note(nodes: Int, _ quorum: QuorumSettings?) -> String? {
    guard let quorum, nodes > 0, nodes < quorum.replicas else { return nil }
    return
      "each key has \(Figures.count(nodes, "copy", plural: "copies")), not \(quorum.replicas), until a node is added"
  }
}
