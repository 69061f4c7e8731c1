/// Who has heard from whom: heartbeats in, suspicion out. Pure.
///
/// Every node tells every other each ``Limits/heartbeatNs`` that it is there, over the links that operations use. A node
/// that another has not heard for ``Limits/heartbeatTimeoutNs`` is *suspected by* it: it is dead, holds still, is slow,
/// or cut off; the one that suspects cannot know which (Chandra and Toueg, JACM '96). That is why a suspicion is shown
/// and decides nothing: quorums are counted by answers, and a node that is asked wrongly costs time, never safety.
/// Rejected: accrual of suspicion (Hayashibara, SRDS '04) adapts to networks whose delays drift; links here are as good
/// as they are told to be.
package struct FailureDetector: Sendable {
  /// A node, and those who do not hear it.
  package struct Suspicion: Equatable, Sendable {
    package var node: UInt16
    package var by: [UInt16]
  }

  /// The nodes that answer, with the time since when; ascending.
  private var nodes: [(id: UInt16, sinceNs: UInt64)] = []
  /// When everybody has heard everybody.
  private var allHeardNs: UInt64 = 0
  /// Later than that: `heardNs[from * nodes.count + to]` by places in `nodes`, 0 for never; empty if nothing was heard.
  private var heardNs: [UInt64] = []

  package init() {}

  /// Says which nodes answer; one that is new counts as heard now. O(n) unless they change.
  package mutating func adopt(_ ids: [UInt16], nowNs: UInt64) {
    if ids.count == nodes.count, zip(ids, nodes).allSatisfy({ $0 == $1.id }) { return }
    let before = ids.map(place)
    if !heardNs.isEmpty {
      heardNs = before.flatMap { from in
        before.map { to in from.flatMap { from in to.map { heardNs[from * nodes.count + $0] } } ?? 0 }
      }
    }
    nodes = zip(ids, before).map { id, place in place.map { nodes[$0] } ?? (id, nowNs) }
  }

  /// Where a node is in ``nodes``. O(log n).
  private func place(_ id: UInt16) -> Int? {
    var (low, high) = (0, nodes.count)
    while low < high {
      let middle = (low + high) / 2
      if nodes[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low < nodes.count && nodes[low].id == id ? low : nil
  }

  /// A heartbeat arrived.
  package mutating func hear(_ from: UInt16, by to: UInt16, atNs: UInt64) {
    guard let from = place(from), let to = place(to) else { return }
    if heardNs.isEmpty { heardNs = [UInt64](repeating: 0, count: nodes.count * nodes.count) }
    heardNs[from * nodes.count + to] = max(heardNs[from * nodes.count + to], atNs)
  }

  /// A heartbeat arrived on every link. O(1) while no link is faulty.
  package mutating func hearAll(atNs: UInt64) {
    allHeardNs = atNs
    heardNs.removeAll()
  }

  /// Nodes that somebody suspects, ascending. O(n²) while links are faulty, else O(1).
  /// - Parameter paused: nodes that hold still and so suspect nobody.
  package func suspicions(nowNs: UInt64, besides paused: [UInt16] = []) -> [Suspicion] {
    if nowNs < allHeardNs + Limits.heartbeatTimeoutNs { return [] }
    var suspicions: [Suspicion] = []
    for (from, node) in nodes.enumerated() {
      var by: [UInt16] = []
      for (to, other) in nodes.enumerated() where to != from && !paused.contains(other.id) {
        let heard = heardNs.isEmpty ? 0 : heardNs[from * nodes.count + to]
        let last = max(allHeardNs, node.sinceNs, other.sinceNs, heard)
        if nowNs >= last + Limits.heartbeatTimeoutNs { by.append(other.id) }
      }
      if !by.isEmpty { suspicions.append(Suspicion(node: node.id, by: by)) }
    }
    return suspicions
  }
}
