import KVCluster

/// How things break, and how they mend. What disks may lose follows from ``FaultAtlas``.
extension Simulation {
  var up: [String] { cluster.nodeNames.filter { cluster.isUp($0) } }

  func drawUp() -> String? { draw(up) }

  private func draw(_ names: [String]) -> String? { names.isEmpty ? nil : names[faultRandom.below(names.count)] }

  func strike(_ fault: SimulationPlan.Fault) {
    guard let words = apply(fault) else { return }
    report.faults[fault.rawValue] += 1
    trace("\(fault): \(words)")
    observer.onMark?(.fault, "\(fault): \(words)")
  }

  /// Returns what happened, or `nil` if the fault found nothing it may strike.
  private func apply(_ fault: SimulationPlan.Fault) -> String? {
    switch fault {
    case .crash: return crashNode(losingPower: false)
    case .powerLoss: return crashNode(losingPower: true)
    case .crashInDisk: return crashInDisk()
    case .kill: return killNode()
    case .programCrash:
      restartProgram(losingPower: false)
      return "all nodes"
    case .blackout:
      restartProgram(losingPower: true)
      return "all nodes"
    case .close:
      guard SimulationPlan.Switches.closesSuspects || cluster.suspects.isEmpty else { return nil }
      return closeProgram()
    case .clockJump:
      let ms = faultRandom.within(1...30_000)
      Clock.advance(toNs: after(ms * 1_000))
      return "\(ms) ms forward"
    case .partition, .deafness, .isolation, .clog: return breakLinks(fault)
    case .pause:
      guard let name = draw(up) else { return nil }
      cluster.setPaused(name, true)
      later(.resume(node: name), within: faultUs)
      return name
    case .bitRot: return flipBits()
    case .failedSync:
      guard let name = draw(up), mayDamage(name) else { return nil }
      machine.disk(of: name).fail(.sync)
      atlas.noteLoss(at: name)
      return name
    case .lostFile: return loseFile()
    case .lostSharedFile: return loseSharedFile()
    case .repair: return repair(acceptingLoss: isBeyond && faultRandom.chance(perMille: 500))
    case .backup: return backUp()
    case .restore: return restoreAll()
    case .fullDisk:
      guard let name = draw(up) else { return nil }
      let disk = machine.disk(of: name)
      disk.capacityBytes = disk.usedBytes + faultRandom.below(4_096)
      later(.room(node: name), within: faultUs)
      return name
    case .slowDisk:
      guard let name = draw(up) else { return nil }
      // A fourth of them hang: writers must wait for them where nothing else does.
      let syncUs = faultRandom.chance(perMille: 250) ? 4_000_000 : 400_000
      slowDisks.append((name, syncUs))
      later(.speed(node: name), within: faultUs)
      return "\(name), \(syncUs / 1_000) ms"
    }
  }

  /// How long a fault lasts.
  private var faultUs: ClosedRange<Int> { 1_000...max(200_000, plan.dayUs / 5) }

  func later(_ remedy: Remedy, within us: ClosedRange<Int>) {
    queue.add(.undo(remedy), at: after(faultRandom.within(us)))
  }

  // MARK: - Nodes

  /// Whether this node may lose records that were acknowledged: fewer owners than W will have, so one of any W still has
  /// each. The others are up, and no change is under way.
  /// - Parameter without: a node that is down with all that it has.
  func mayDamage(_ name: String, without: String? = nil) -> Bool {
    guard cluster.isUp(name), SimulationPlan.Switches.losesInChanges || !cluster.isChanging else { return false }
    let others = cluster.nodeNames.filter { $0 != name && $0 != without }
    let write = plan.quorum.effective(nodes: cluster.nodeNames.count).write
    guard SimulationPlan.Switches.losesWhileDown || others.allSatisfy({ cluster.isUp($0) }) else { return false }
    return others.count { isWounded($0) } + 1 < write
  }

  /// ``mayDamage(_:)``, or on days on which more may be lost than the promise covers: then keys may be refused, but not
  /// answered wrongly.
  func mayLose(_ name: String) -> Bool {
    if mayDamage(name) { return true }
    let hasOneCopy = plan.quorum.effective(nodes: cluster.nodeNames.count).replicas == 1
    guard hasOneCopy || SimulationPlan.Switches.losesBeyond, cluster.isUp(name), !cluster.isChanging else {
      return false
    }
    (isBeyond, wasBeyond) = (true, true)
    return true
  }

  func isWounded(_ name: String) -> Bool {
    let disk = machine.disk(of: name)
    let isUp = cluster.isUp(name)
    let isDoubtful =
      disk.hasPlannedFailure
      || (isUp ? cluster.isSuspect(name) || cluster.hasDamagedSegments(name) : disk.bytes("\(name).wal/suspect") != nil)
    return atlas.isWounded(name, disk, isRebuilt: isUp && !isDoubtful) || isDoubtful
  }

  private func crashNode(losingPower: Bool) -> String? {
    if losingPower, mayLoseWrites || faultRandom.chance(perMille: 400) { return beginLoss() }
    // The power is best lost where most is not on the disk yet.
    let slow = up.filter { name in slowDisks.contains { $0.node == name } }
    guard let name = draw(losingPower && !slow.isEmpty && faultRandom.chance(perMille: 500) ? slow : up) else {
      return nil
    }
    cluster.crashNode(name)
    machine.disk(of: name).restart(losingPower: losingPower)
    later(.start(node: name), within: faultUs)
    return name
  }

  /// Acknowledged writes are lost on one node, and nobody else may notice: in three acts, since chance alone seldom brings
  /// them together. One node is cut off, so that writes are on few; another loses its power with what was not synced; it
  /// comes back when the first is there again and a third is cut off. On days of direct calls nodes die instead. Where all
  /// that was acknowledged is on the disk, the power goes right after a sync, in the middle of which another write came.
  private func beginLoss() -> String? {
    guard let name = draw(up), mayDamage(name), let isolated = draw(up.filter { $0 != name }) else { return nil }
    exclude(isolated, true)
    if !mayLoseWrites { lossAfterSync = (name, isolated) }
    later(.loss(at: name, isolated: isolated), within: faultUs)
    return "\(isolated) is cut off, \(name) will lose power"
  }

  /// Keeps a node from answering, or lets it answer again.
  private func exclude(_ name: String, _ isOut: Bool) {
    guard plan.isDirect else { return isolate(name, isOut) }
    guard isOut else { return start(name) }
    cluster.crashNode(name)
    machine.disk(of: name).restart(losingPower: false)
  }

  private func isolate(_ name: String, _ isCut: Bool) {
    for other in cluster.nodeNames where other != name {
      cluster.cutLink(name, other, isCut)
      cluster.cutLink(other, name, isCut)
    }
  }

  func lose(_ name: String, _ isolated: String) {
    lossAfterSync = nil
    guard mayDamage(name, without: plan.isDirect ? isolated : nil) else { return exclude(isolated, false) }
    // What it has answered is still on its way when it lives again.
    if !plan.isDirect, faultRandom.chance(perMille: 500) {
      for other in cluster.nodeNames where other != name {
        let delayNs = UInt64(faultRandom.within(100_000...2_000_000)) * 1_000
        if !isHealing { cluster.slowLink(name, other, byNs: delayNs) }
        later(.link(from: name, to: other), within: faultUs)
      }
    }
    cluster.crashNode(name)
    machine.disk(of: name).losePower(keepingNone: true)
    if mayLoseWrites {
      // It must not be believed when it is back.
      atlas.noteLoss(at: name)
      cluster.markSuspect(name)
    }
    trace("\(name) loses power")
    later(.lossEnds(at: name, isolated: isolated), within: 1_000...200_000)
  }

  private func endLoss(_ name: String, _ isolated: String) {
    if let other = draw(up.filter { $0 != isolated && $0 != name }) {
      // No link breaks any more once everything has healed: nobody would wait for it.
      if plan.isDirect || !isHealing { exclude(other, true) }
      if plan.isDirect {
        later(.start(node: other), within: faultUs)
      } else {
        for peer in cluster.nodeNames where peer != other {
          later(.link(from: other, to: peer), within: faultUs)
          later(.link(from: peer, to: other), within: faultUs)
        }
      }
      trace("\(isolated) is there again, \(other) is cut off")
    }
    exclude(isolated, false)
    start(name)
  }

  /// The machine stops at one of its next calls to its disk, whatever that is for; it is found dead a little later.
  private func crashInDisk() -> String? {
    guard let name = draw(up), !mayLoseWrites else { return nil }
    let disk = machine.disk(of: name)
    let moment = drawMoment()
    let step = disk.steps + faultRandom.within(1...20)
    disk.crash(atStep: step, moment)
    later(.restartCrashed(node: name), within: faultUs)
    return "\(name), \(moment) step \(step)"
  }

  private func killNode() -> String? {
    guard let name = draw(up), (try? cluster.killNode(name)) != nil else { return nil }
    machine.disk(of: name).restart(losingPower: false)
    later(.start(node: name), within: faultUs)
    return name
  }

  func start(_ name: String) {
    guard cluster.knows(name), !cluster.isUp(name) else { return }
    do {
      let catchUp = try cluster.startNode(name)
      _ = add("catch-up of \(name)", catchUp)
      startMaintenance(of: name)
      if name == newcomer { newcomer = nil }
      trace("\(name) is back\(cluster.isSuspect(name) ? ", and does not vote" : "")")
    } catch {
      trace("\(name) does not start: \(error)")
      // Its disk may be full, or fail once: it is tried again.
      queue.add(.undo(.start(node: name)), at: after(faultRandom.within(100_000...1_000_000)))
    }
  }

  // MARK: - Links

  private func breakLinks(_ fault: SimulationPlan.Fault) -> String? {
    let names = cluster.nodeNames
    let one = names[faultRandom.below(names.count)]
    var pairs: [(String, String)] = []
    switch fault {
    case .partition:
      let side = names.filter { _ in faultRandom.chance(perMille: 500) }
      pairs = names.flatMap { a in names.map { (a, $0) } }.filter { side.contains($0) != side.contains($1) }
    case .deafness: pairs = names.filter { $0 != one }.map { (one, $0) }
    case .isolation: pairs = names.filter { $0 != one }.flatMap { [(one, $0), ($0, one)] }
    default:
      pairs = names.flatMap { a in names.map { (a, $0) } }.filter { a, b in a != b && faultRandom.chance(perMille: 300)
      }
    }
    let together = faultRandom.within(faultUs)
    for (from, to) in pairs {
      if fault == .clog {
        let ns = UInt64(faultRandom.within(1_000_000...2_000_000_000))
        queue.add(.undo(.clog(from: from, to: to, byNs: ns)), at: after(faultRandom.below(together)))
      } else {
        cluster.cutLink(from, to, true)
        queue.add(.undo(.link(from: from, to: to)), at: after(together + faultRandom.below(1_000)))
      }
    }
    return pairs.isEmpty ? nil : "\(pairs.count) links"
  }

  // MARK: - Disks

  private func flipBits() -> String? {
    guard let name = draw(up), mayLose(name) else { return nil }
    let disk = machine.disk(of: name)
    if faultRandom.chance(perMille: 450) { return beginBurial() }
    if faultRandom.chance(perMille: 500), let words = loseTombstone(at: name) { return words }
    // Most of a log is dead records: every second time the value of a live one is hit.
    if faultRandom.chance(perMille: 500),
      let place = cluster.place(of: keys[faultRandom.below(plan.keys)], at: name)
    {
      let offset = faultRandom.within(place.range.lowerBound...place.range.upperBound - 1)
      flip(name, place.path, offset)
      return "\(place.path) at \(offset), a value"
    }
    let segments = disk.listing.filter { $0.path.hasSuffix(".segment") && $0.byteCount > 256 }
    guard !segments.isEmpty else { return nil }
    let segment = segments[faultRandom.below(segments.count)]
    let offset = LogFormat.segmentHeaderBytes + faultRandom.below(segment.byteCount - LogFormat.segmentHeaderBytes)
    flip(name, segment.path, offset)
    return "\(segment.path) at \(offset)"
  }

  private func flip(_ node: String, _ path: String, _ offset: Int) {
    let disk = machine.disk(of: node)
    disk.flip(path, at: offset, mask: UInt8(1 << faultRandom.below(8)))
    atlas.noteFlip(at: node, path, offset, disk)
  }

  /// A log loses the tombstone of a key that was purged, and the node reads its log again: an older value comes to light
  /// of which nobody else knows any more.
  private func loseTombstone(at name: String) -> String? {
    for key in keys {
      guard let place = cluster.hidingTombstone(of: key, at: name) else { continue }
      let offset = place.range.lowerBound + faultRandom.below(LogFormat.recordHeaderBytes)
      flip(name, place.path, offset)
      cluster.crashNode(name)
      machine.disk(of: name).restart(losingPower: false)
      later(.start(node: name), within: 1_000...20_000)
      return "\(place.path) at \(offset), a purged tombstone, and \(name) starts again"
    }
    return nil
  }

  /// A deleted value is to come back: a key is written, deleted and purged, and then one log loses the tombstone. Chance
  /// alone seldom finds a key in that state.
  private func beginBurial() -> String {
    perform(.put(Array("v\(operations.count)".utf8)), SimulationPlan.buriedKey)
    later(.burial(looks: 20), within: 1_000...50_000)
    return "\(String(decoding: SimulationPlan.buriedKey, as: UTF8.self)) is written, to be deleted and come back"
  }

  private func goOnWithBurial(looks: Int) {
    guard looks > 0, !isHealing else { return }
    if looks == 20 { perform(.delete, SimulationPlan.buriedKey) }
    if looks == 1 {
      // What compaction has done to the tombstone meanwhile shows when the logs are read again.
      for name in up {
        cluster.crashNode(name)
        machine.disk(of: name).restart(losingPower: false)
        start(name)
      }
      return
    }
    let places = up.filter { mayDamage($0) && cluster.hidingTombstone(of: SimulationPlan.buriedKey, at: $0) != nil }
    if faultRandom.chance(perMille: 300), let name = draw(places), let words = loseTombstone(at: name) {
      return trace("bitRot: \(words)")
    }
    later(.burial(looks: looks - 1), within: 200_000...400_000)
  }

  // MARK: - Mending

  func undo(_ remedy: Remedy) {
    switch remedy {
    case .start(let node): start(node)
    case .link(let from, let to):
      cluster.cutLink(from, to, false)
      cluster.slowLink(from, to, byNs: 0)
      trace("the link from \(from) to \(to) is good")
    case .clog(let from, let to, let ns):
      guard !isHealing else { return }
      cluster.slowLink(from, to, byNs: ns)
      trace("the link from \(from) to \(to) is slow")
      later(.link(from: from, to: to), within: faultUs)
    case .resume(let node):
      cluster.setPaused(node, false)
      trace("\(node) goes on")
    case .room(let node):
      machine.disk(of: node).capacityBytes = .max
      trace("\(node) has room")
    case .burial(let looks): goOnWithBurial(looks: looks)
    case .loss(let name, let isolated):
      // It may have come already, after a sync.
      if mayLoseWrites || lossAfterSync?.node == name { lose(name, isolated) }
    case .lossEnds(let name, let isolated): endLoss(name, isolated)
    case .speed(let node): slowDisks.removeAll { $0.node == node }
    case .restartCrashed(let node):
      cluster.crashNode(node)
      machine.disk(of: node).restart(losingPower: !mayLoseWrites)
      trace("\(node) is found dead")
      later(.start(node: node), within: faultUs)
    }
  }

  /// Nothing breaks any more.
  func endFaults() {
    cluster.healLinks()
    slowDisks = []
    for (_, disk) in machine.disks {
      disk.capacityBytes = .max
      disk.cancelFailures()
    }
    for name in cluster.nodeNames {
      if machine.disk(of: name).isCrashed {
        cluster.crashNode(name)
        machine.disk(of: name).restart(losingPower: !mayLoseWrites)
      }
      start(name)
    }
  }
}
