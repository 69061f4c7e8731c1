import KVCluster

/// The program ends, in order or not, and begins again.
extension Simulation {
  /// Everything in memory is gone.
  func restartProgram(losingPower: Bool) {
    collectCounts()
    cluster.vanish()
    takeAnswers()
    beginLife(losingPower: losingPower)
  }

  /// The program is closed as its user would close it, and begins another life. It may die at a step of that, and the
  /// machine may lose its power right after.
  func closeProgram() -> String {
    let isCut = !isHealing && faultRandom.chance(perMille: 400)
    if isCut { machine.stop(atStep: faultRandom.within(1...40), drawMoment()) }
    let victims = up.filter { mayDamage($0) }
    let areAllUp =
      cluster.nodeNames.allSatisfy { cluster.isUp($0) }
      && machine.disks.allSatisfy { !$0.disk.isCrashed && !$0.disk.hasPlannedFailure }
    collectCounts()
    let closing = cluster.beginClosing()
    while closing.step() != .done, !machine.isStopped {}
    takeAnswers()
    if machine.isStopped { cluster.vanish() }
    let hasDied = machine.isStopped
    let isWhole = !hasDied && areAllUp && options.fsync != .never
    if hasDied { counts.deathsInCloses += 1 } else { counts.closes += 1 }
    let harm = isWhole && !isHealing ? harmFolder(victims) : nil
    let losesPower = !isHealing && faultRandom.chance(perMille: 400)
    beginLife(losingPower: losesPower, mayTurn: isWhole)
    return (hasDied ? "the program dies in it" : harm ?? "all nodes") + (losesPower ? ", and the power is lost" : "")
  }

  func drawMoment() -> DiskFaults.Moment { DiskFaults.Moment(rawValue: faultRandom.below(3))! }

  /// Whether a loss of power now takes nothing that was acknowledged: so says the folder itself.
  private var isSafe: Bool {
    String(decoding: machine.shared.bytes("boot") ?? [], as: UTF8.self).hasSuffix(" safe\n")
  }

  /// Whether writes that were acknowledged may be in memory only.
  var mayLoseWrites: Bool { options.fsync != .always || isUnsafe }

  /// - Parameters:
  ///   - isDurable: everything is on the disks, whatever the folder says.
  ///   - mayTurn: and every log ends where a sync has ended.
  func beginLife(losingPower: Bool, isDurable: Bool = false, mayTurn: Bool = false) {
    var losingPower = losingPower
    if options.fsync == .never { hasNeverSynced = true }
    isUnsafe = mayLoseWrites && !isSafe && !isDurable
    for _ in 0..<Simulation.startsMax {
      if losingPower, isUnsafe {
        eras.begin(operations)
        // Under `never` each key may be rolled back by itself.
        if hasNeverSynced { eras.tearGroups(groups) }
        endings.beginEra(forgets: false)
      }
      if endsValues { turnClock(within: 5_000) }
      machine.restart(losingPower: losingPower)
      if mayTurn || SimulationPlan.Switches.turnsPolicyAnyTime { turnPolicy() }
      queue.removeAll { event in
        switch event {
        case .job, .sync, .tick: true
        case .think, .goOn, .strike, .undo, .change, .check: false
        }
      }
      if !isHealing, faultRandom.chance(perMille: 150) {
        machine.stop(atStep: faultRandom.within(1...60), drawMoment())
      }
      if open() {
        if !isHealing { setLinks() }
        return
      }
      if isOver { return }
      trace("the program dies while it starts")
      counts.deathsInStarts += 1
      losingPower = false
    }
  }

  /// So often the program may die while it starts, until it is left alone.
  private static var startsMax: Int { 1_000 }

  private func turnPolicy() {
    guard plan.turnsPolicy else { return }
    let policy = SimulationPlan.drawPolicy(&faultRandom)
    guard policy != options.fsync else { return }
    options.fsync = policy
    machine.change(isStaged: policy.stagesLogs)
    counts.policyTurns += 1
    trace("fsync is \(policy.rawValue) from here on")
  }
}
