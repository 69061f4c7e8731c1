import ClusterModel
import Text

/// Advice on a membership change, before it begins or after it ends. Pure.
package enum ChangeAdvice {
  /// The warning for a number of nodes, or `nil`: with fewer nodes than copies asked for, each key has fewer copies.
  package static func note(nodes: Int, _ quorum: QuorumSettings?) -> String? {
    guard let quorum, nodes > 0, nodes < quorum.replicas else { return nil }
    return
      "each key has \(Figures.count(nodes, "copy", plural: "copies")), not \(quorum.replicas), until a node is added"
  }
}
