import KVCluster

/// Nodes join and leave.
extension Simulation {
  /// A node joins or leaves, now and then.
  func change() {
    if !isHealing { queue.add(.change, at: after(faultRandom.within(plan.changeEveryUs / 2...plan.changeEveryUs * 2))) }
    guard changeSteps == nil, !cluster.isChanging else { return }
    let names = cluster.nodeNames
    let joins = names.count <= 5 || names.count < plan.nodesMax && faultRandom.chance(perMille: 500)
    let name = joins ? "node\(nextNode)" : names[faultRandom.below(names.count)]
    if !joins, name == rotten { return }
    do {
      changeSteps = add("change", try cluster.beginChange(joins ? .join : .leave, name))
      newcomer = joins ? name : nil
      if joins { nextNode += 1 }
      trace("\(name) \(joins ? "joins" : "leaves")")
    } catch {
      trace("\(name) cannot \(joins ? "join" : "leave"): \(error)")
    }
  }

  func changeDone() {
    changeSteps = nil
    report.changes += 1
    if let newcomer { startMaintenance(of: newcomer) }
    newcomer = nil
  }
}
