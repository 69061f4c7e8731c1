import ClusterModel
import Text

/// Words for the role of a node where some copy others.
enum RoleWords {
  /// `replica of node1, 12 B and 1 s behind`.
  static func text(_ role: NodeRole, _ nodes: [NodeStatus]) -> String {
    switch role {
    case .master(let replicas): return "master with \(Figures.count(replicas, "replica"))"
    case .replica(let id, let lag):
      let master = nodes.first { $0.id == id }?.name ?? "a node that is no member"
      if lag.isLinked == false { return "replica of \(master), without a connection to it" }
      let parts = [lag.bytes.map { Figures.bytes($0) }, lag.seconds.map { Figures.duration(seconds: Double($0)) }]
        .compactMap { $0 }
      return "replica of \(master)" + (parts.isEmpty ? "" : ", \(parts.joined(separator: " and ")) behind")
    }
  }
}
