import ClusterModel
import Text

/// The remark behind the name of a node that is not simply up, or not reached by others as it should be.
extension NodeStatus {
  /// ` (paused; cut off from node2)`, or nothing.
  func remark(in status: ClusterStatus) -> String {
    let words = Self.roleWords(self, status) + Self.stateWords(self) + Self.faultWords(self, status)
    return words.isEmpty ? "" : " (\(words.joined(separator: "; ")))"
  }

  private static func stateWords(_ node: NodeStatus) -> [String] {
    var words: [String] = []
    switch node.state {
    case .up: break
    case .failed(let reason): words.append("failed: \(reason)")
    case .recovering(let fraction):
      words.append("recovering" + (fraction.map { ", \(Figures.percent($0))" } ?? ""))
    case .joining, .leaving, .dead: words.append(node.state.word)
    }
    if node.wal?.isSuspect == true { words.append("lost records; does not vote until it is rebuilt") }
    if let ns = node.replacedInNs {
      words.append("replaced in \(Figures.duration(seconds: (Double(ns) / 1e9).rounded(.up)))")
    }
    if !node.suspectedBy.isEmpty { words.append("not heard by \(node.suspectedBy.joined(separator: ", "))") }
    return words
  }

  private static func roleWords(_ node: NodeStatus, _ status: ClusterStatus) -> [String] {
    switch node.role {
    case .none: return []
    case .master?: return node.share.map { ["master of \(Figures.precisePercent($0))"] } ?? ["master"]
    case .replica(let id, let lag)?:
      let name = status.nodes.first { $0.id == id }?.name
      let link = lag.isLinked == false ? ["not connected to its master"] : []
      return ["replica" + (name.map { " of \($0)" } ?? "")] + link
    }
  }

  private static func faultWords(_ node: NodeStatus, _ status: ClusterStatus) -> [String] {
    var words: [String] = status.pausedNodes.contains(node.id) ? ["paused"] : []
    let own = status.linkFaults.filter { $0.from == node.id || $0.to == node.id }
    guard !own.isEmpty else { return words }
    let far = status.nodes.filter { other in own.contains { $0.isCut && ($0.from == other.id || $0.to == other.id) } }
      .map(\.name).filter { $0 != node.name }
    if !far.isEmpty { words.append("cut off from \(far.joined(separator: ", "))") }
    // A node is called slow if all of its links are, and not for one slow link to another node.
    let linkCount = 2 * (status.nodes.count - 1)
    let delays = own.map(\.delayNs).filter { $0 > 0 }
    if delays.count == linkCount, let most = delays.max() {
      words.append("slow, +\(Figures.given(ns: most)) a message")
    }
    let losses = own.map(\.lossPerMille).filter { $0 > 0 }
    if losses.count == linkCount, let most = losses.max() {
      words.append("loses \(Figures.given(perMille: most)) of its messages")
    }
    return words
  }
}
