import KVCluster

/// Nodes join, leave, and take the places of others.
extension Simulation {
  private enum Change {
    case join(String)
    case leave(String)
    case replace(String, replacement: String)
  }

  /// Now and then the members change.
  func change() {
    if !isHealing { queue.add(.change, at: after(faultRandom.within(plan.changeEveryUs / 2...plan.changeEveryUs * 2))) }
    guard changeSteps == nil, !cluster.isChanging, let change = drawChange() else { return }
    do {
      switch change {
      case .join(let name):
        changeSteps = add("change", try cluster.beginChange(.join, name))
        begun(newcomer: name)
        tell("\(name) joins")
      case .leave(let name):
        changeSteps = add("change", try cluster.beginChange(.leave, name))
        begun(newcomer: nil)
        tell("\(name) leaves")
      case .replace(let name, let replacement):
        let isUp = cluster.isUp(name)
        changeSteps = add("change", try cluster.beginChange(.leave, name, replacement: replacement))
        begun(newcomer: replacement)
        if isUp { counts.replacedLiving += 1 } else { counts.replacedDead += 1 }
        tell("\(replacement) takes the place of \(name), which is \(isUp ? "up" : "down")")
      }
      plannedDeath = drawDeath()
      hasLostCopies = false
    } catch {
      trace("no change, \(change): \(error)")
    }
  }

  private func drawChange() -> Change? {
    let names = cluster.nodeNames
    let new = "node\(nextNode)"
    if faultRandom.chance(perMille: 350) {
      // What people do about dead nodes.
      let dead = names.filter { !cluster.isUp($0) }
      let candidates = !dead.isEmpty && faultRandom.chance(perMille: 500) ? dead : names
      return .replace(candidates[faultRandom.below(candidates.count)], replacement: new)
    }
    if names.count <= plan.nodesMin || names.count < plan.nodesMax && faultRandom.chance(perMille: 500) {
      return .join(new)
    }
    // A sync that is still to fail was weighed against the W of as many nodes as there are now.
    if names.contains(where: { machine.disk(of: $0).hasPlannedFailure }) { return nil }
    return .leave(names[faultRandom.below(names.count)])
  }

  private func tell(_ change: String) {
    trace(change)
    observer.onMark?(.change, change)
  }

  private func begun(newcomer: String?) {
    self.newcomer = newcomer
    if newcomer != nil { nextNode += 1 }
  }

  func changeDone() {
    changeSteps = nil
    plannedDeath = nil
    report.changes += 1
    if let newcomer { startMaintenance(of: newcomer) }
    newcomer = nil
  }

  // MARK: - The program dies in the middle

  /// On days on which the program dies it now and then does so at a step of a change that chance would seldom hit.
  private func drawDeath() -> (step: MembershipChange.Step, parts: Int)? {
    guard !isHealing, plan.faults.contains(where: { $0.fault == .programCrash || $0.fault == .blackout }),
      faultRandom.chance(perMille: newcomer != nil ? 200 : 100)
    else { return nil }
    let steps: [MembershipChange.Step] = [
      .adoptJoint, .drainOld, .stream, .sync, .writeSettled, .adoptSettled, .drainJoint, .drop,
    ]
    let step = steps[faultRandom.below(steps.count)]
    return (step, step == .stream ? faultRandom.below(200) : 0)
  }

  /// Between the stream and the sync a node loses its power, and with it what it was given and is not on its disk yet: it is
  /// back before the change notices, which must go over all of it again.
  func loseCopies() {
    guard !isHealing, !hasLostCopies, !mayLoseWrites, cluster.changeStep == .sync else { return }
    hasLostCopies = true
    guard faultRandom.chance(perMille: 300) else { return }
    let candidates = newcomer.map { [$0] } ?? up
    let name = candidates[faultRandom.below(candidates.count)]
    guard cluster.isUp(name) else { return }
    cluster.crashNode(name)
    machine.disk(of: name).losePower(keepingNone: true)
    trace("\(name) loses what it was given")
    start(name)
  }

  /// Whether the program has just died at the step that was drawn.
  func diesInChange() -> Bool {
    guard let planned = plannedDeath, !isHealing, cluster.changeStep == planned.step else { return false }
    if planned.parts > 0 {
      plannedDeath?.parts -= 1
      return false
    }
    trace("the change is at \(planned.step)")
    counts.deathsInChanges += 1
    let kinds: [SimulationPlan.Fault] = [.programCrash, .blackout].filter { kind in
      plan.faults.contains { $0.fault == kind }
    }
    strike(kinds[faultRandom.below(kinds.count)])
    return true
  }
}
