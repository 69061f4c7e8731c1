import ClusterModel

/// The order of the rows of the nodes table.
package struct NodeOrder: Equatable, Sendable {
  package enum Criterion: String, CaseIterable, Sendable {
    case name, share, keys, operations, log, hints

    /// As the table's heading says it.
    var word: String {
      switch self {
      case .name: "name"
      case .share: "owns"
      case .keys: "keys"
      case .operations: "ops/s"
      case .log: "log"
      case .hints: "hints"
      }
    }
  }

  package private(set) var criterion = Criterion.name
  package private(set) var isReversed = false

  package init() {}

  mutating func next() {
    let all = Criterion.allCases
    criterion = all[((all.firstIndex(of: criterion) ?? 0) + 1) % all.count]
    isReversed = false
  }

  /// By a column's heading; the second time the other way round.
  mutating func choose(_ criterion: Criterion) {
    (self.criterion, isReversed) = (criterion, criterion == self.criterion && !isReversed)
  }

  mutating func reverse() { isReversed.toggle() }

  /// Names as people count, figures from the greatest down; equals keep the order of their names.
  func sorted(_ nodes: [NodeStatus], _ seen: Observations) -> [NodeStatus] {
    let ordered: [NodeStatus]
    if criterion == .name {
      ordered = nodes
    } else {
      let ranked = nodes.enumerated().map { (offset: $0.offset, node: $0.element, figure: figure($0.element, seen)) }
      ordered = ranked.sorted { ($1.figure, $0.offset) < ($0.figure, $1.offset) }.map(\.node)
    }
    return isReversed ? ordered.reversed() : ordered
  }

  private func figure(_ node: NodeStatus, _ seen: Observations) -> Double {
    switch criterion {
    case .name: 0
    case .share: seen.ringDigest.firstParts[node.id] ?? 0
    case .keys: node.keys.map(Double.init) ?? -1
    case .operations: seen.operationsPerSecond(ofNode: node.id) ?? -1
    case .log: node.wal.map { Double($0.bytes) } ?? -1
    case .hints: node.hintsWaiting.map(Double.init) ?? -1
    }
  }
}
