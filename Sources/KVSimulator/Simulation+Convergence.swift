import KVCluster

/// The end of the day: everything heals, and the cluster must converge.
extension Simulation {
  /// Once everybody has been served, everything becomes good, and the cluster has a bounded time to converge.
  func heal() {
    isHealing = true
    trace("everything heals")
    endFaults()
    deadlineNs = after(Simulation.convergenceUs)
    queue.add(.check, at: after(500_000))
  }

  private static var convergenceUs: Int { 300_000_000 }

  func check() {
    let reason = unfinished()
    if reason == nil { return isOver = true }
    if Clock.nowNs() > deadlineNs { return report.unconverged = reason }
    for name in cluster.nodeNames where !cluster.isUp(name) { start(name) }
    queue.add(.check, at: after(500_000))
  }

  /// What is not as it should be at the end; `nil` if all is well.
  private func unfinished() -> String? {
    if report.changes < 2 {
      if !cluster.isChanging, changeSteps == nil { change() }
      return "\(report.changes) membership changes"
    }
    if cluster.isChanging { return "a change is under way" }
    if let down = cluster.nodeNames.first(where: { !cluster.isUp($0) }) { return "\(down) is down" }
    if let suspect = cluster.suspects.first { return "\(suspect) does not vote" }
    if cluster.hintsWaiting > 0 { return "\(cluster.hintsWaiting) hints wait" }
    for key in keys {
      let copies = cluster.copies(of: key)
      let name = String(decoding: key, as: UTF8.self)
      guard let first = copies[0] else { return "\(name): an owner does not know" }
      for copy in copies
      where copy?.tag != first.tag || copy?.checksum != first.checksum || copy?.isTombstone != first.isTombstone {
        return "\(name) differs: \(copies)"
      }
    }
    return nil
  }
}
