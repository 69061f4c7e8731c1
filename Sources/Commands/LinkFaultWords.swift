import ClusterModel
import Text

/// Texts about faults between nodes, one for each paused node and faulty link.
enum LinkFaultWords {
  /// `node1 paused`, `node1 → node2 cut`, `node1 → node2 +20 ms, 3.5 % lost`; empty if nothing is wrong.
  static func texts(_ status: ClusterStatus) -> [String] {
    func name(_ id: Int) -> String { status.nodes.first { $0.id == id }?.name ?? "node \(id)" }
    return status.pausedNodes.map { "\(name($0)) paused" }
      + status.linkFaults.map { "\(name($0.from)) → \(name($0.to)) \(words($0))" }
  }

  private static func words(_ fault: LinkFault) -> String {
    if fault.isCut { return "cut" }
    var words: [String] = []
    if fault.delayNs > 0 { words.append("+\(Figures.given(ns: fault.delayNs))") }
    if fault.lossPerMille > 0 { words.append("\(Figures.given(perMille: fault.lossPerMille)) lost") }
    return words.joined(separator: ", ")
  }
}
