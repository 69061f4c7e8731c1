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

  private struct Link: Hashable {
    var from: UInt16
    var to: UInt16
  }

  /// The nodes that answer, with the time since when; ascending.
  private var nodes: [(id: UInt16, sinceNs: UInt64)] = []
  /// When everybody has heard everybody.
  private var allHeardNs: UInt64 = 0
  /// Later than that.
  private var heardNs: [Link: UInt64] = [:]

  package init() {}

  /// Says which nodes answer; one that is new counts as heard now. O(n) unless they change.
  package mutating func adopt(_ ids: [UInt16], nowNs: UInt64) {
    guard ids != nodes.map(\.id) else { return }
    nodes = ids.map { id in nodes.first { $0.id == id } ?? (id, nowNs) }
    heardNs = heardNs.filter { link, _ in ids.contains(link.from) && ids.contains(link.to) }
  }

  /// A heartbeat arrived.
  package mutating func hear(_ from: UInt16, by to: UInt16, atNs: UInt64) {
    let link = Link(from: from, to: to)
    heardNs[link] = max(heardNs[link] ?? 0, atNs)
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
    return nodes.compactMap { node in
      let by = nodes.filter { other in
        if paused.contains(other.id) { return false }
        let last = max(allHeardNs, node.sinceNs, other.sinceNs, heardNs[Link(from: node.id, to: other.id)] ?? 0)
        return other.id != node.id && nowNs >= last + Limits.heartbeatTimeoutNs
      }
      return by.isEmpty ? nil : Suspicion(node: node.id, by: by.map(\.id))
    }
  }
}
