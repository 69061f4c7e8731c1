import KVCluster

/// How things break, and how they mend.
///
/// A fault atlas keeps at least one good copy of whatever was acknowledged or seen: disks damage what they hold on one
/// node a day only, and of nodes that may have lost acknowledged writes there is one at a time, until it has been merged.
/// So any violation is a bug.
extension Simulation {
  private var up: [String] { cluster.nodeNames.filter { cluster.isUp($0) } }

  private func draw(_ names: [String]) -> String? { names.isEmpty ? nil : names[faultRandom.below(names.count)] }

  func strike(_ fault: SimulationPlan.Fault) {
    guard let words = apply(fault) else { return }
    report.faults[fault.rawValue] += 1
    trace("\(fault): \(words)")
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
      guard mayDamage(rotten) else { return nil }
      machine.disk(of: rotten).fail(.sync)
      return rotten
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

  private func later(_ remedy: Remedy, within us: ClosedRange<Int>) {
    queue.add(.undo(remedy), at: after(faultRandom.within(us)))
  }

  // MARK: - Nodes

  /// Whether this node may lose acknowledged writes now: all others are whole.
  /// - Parameter other: may be down.
  private func mayDamage(_ name: String, besides other: String? = nil) -> Bool {
    cluster.isUp(name)
      && cluster.nodeNames.allSatisfy { $0 == name || (cluster.isUp($0) || $0 == other) && !cluster.isSuspect($0) }
      && !cluster.isChanging
  }

  private func crashNode(losingPower: Bool) -> String? {
    if losingPower, plan.fsync != .always { return beginLoss() }
    guard let name = draw(up) else { return nil }
    cluster.crashNode(name)
    machine.disk(of: name).restart(losingPower: losingPower)
    later(.start(node: name), within: faultUs)
    return name
  }

  /// Acknowledged writes are lost on one node, and nobody else may notice: in three acts, since chance alone seldom brings
  /// them together. One node is cut off, so that writes are on few; another loses its power with what was not synced; it
  /// comes back when the first is there again and a third is cut off.
  private func beginLoss() -> String? {
    guard let isolated = draw(up.filter { $0 != rotten }), mayDamage(rotten) else { return nil }
    isolate(isolated, true)
    later(.loss(isolated: isolated), within: faultUs)
    return "\(isolated) is cut off, \(rotten) will lose power"
  }

  private func isolate(_ name: String, _ isCut: Bool) {
    if carrier == .direct {
      guard isCut else { return start(name) }
      cluster.crashNode(name)
      return machine.disk(of: name).restart(losingPower: false)
    }
    for other in cluster.nodeNames where other != name {
      cluster.cutLink(name, other, isCut)
      cluster.cutLink(other, name, isCut)
    }
  }

  private func lose(_ isolated: String) {
    guard mayDamage(rotten, besides: isolated) else { return isolate(isolated, false) }
    cluster.crashNode(rotten)
    machine.disk(of: rotten).restart(losingPower: true)
    // It must not be believed when it is back.
    cluster.markSuspect(rotten)
    trace("\(rotten) loses power")
    later(.lossEnds(isolated: isolated), within: 1_000...200_000)
  }

  private func endLoss(_ isolated: String) {
    isolate(isolated, false)
    if let other = draw(up.filter { $0 != isolated }) {
      isolate(other, true)
      if carrier == .direct { later(.start(node: other), within: faultUs) }
      for peer in cluster.nodeNames where peer != other && carrier != .direct {
        later(.link(from: other, to: peer), within: faultUs)
        later(.link(from: peer, to: other), within: faultUs)
      }
      trace("\(isolated) is there again, \(other) is cut off")
    }
    start(rotten)
  }

  /// The machine stops at one of its next calls to its disk, whatever that is for; it is found dead a little later.
  private func crashInDisk() -> String? {
    guard let name = draw(up), plan.fsync == .always else { return nil }
    let disk = machine.disk(of: name)
    let moment = DiskFaults.Moment(rawValue: faultRandom.below(3))!
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
    guard mayDamage(rotten) else { return nil }
    let disk = machine.disk(of: rotten)
    if faultRandom.chance(perMille: 500), let words = loseTombstone() { return words }
    // Most of a log is dead records: every second time the value of a live one is hit.
    if faultRandom.chance(perMille: 500),
      let place = cluster.place(of: keys[faultRandom.below(plan.keys)], at: rotten)
    {
      let offset = faultRandom.within(place.range.lowerBound...place.range.upperBound - 1)
      disk.flip(place.path, at: offset, mask: UInt8(1 << faultRandom.below(8)))
      return "\(place.path) at \(offset), a value"
    }
    let segments = disk.listing.filter { $0.path.hasSuffix(".segment") && $0.byteCount > 256 }
    guard !segments.isEmpty else { return nil }
    let segment = segments[faultRandom.below(segments.count)]
    let offset = LogFormat.segmentHeaderBytes + faultRandom.below(segment.byteCount - LogFormat.segmentHeaderBytes)
    disk.flip(segment.path, at: offset, mask: UInt8(1 << faultRandom.below(8)))
    return "\(segment.path) at \(offset)"
  }

  /// A log loses the tombstone of a key that was purged, and the node reads its log again: an older value comes to light
  /// of which nobody else knows any more.
  private func loseTombstone() -> String? {
    for key in keys {
      guard let place = cluster.hidingTombstone(of: key, at: rotten) else { continue }
      let disk = machine.disk(of: rotten)
      let offset = place.range.lowerBound + faultRandom.below(LogFormat.recordHeaderBytes)
      disk.flip(place.path, at: offset, mask: UInt8(1 << faultRandom.below(8)))
      cluster.crashNode(rotten)
      disk.restart(losingPower: false)
      later(.start(node: rotten), within: 1_000...20_000)
      return "\(place.path) at \(offset), a purged tombstone, and \(rotten) starts again"
    }
    return nil
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
    case .loss(let isolated): lose(isolated)
    case .lossEnds(let isolated): endLoss(isolated)
    case .speed(let node): slowDisks.removeAll { $0.node == node }
    case .restartCrashed(let node):
      cluster.crashNode(node)
      machine.disk(of: node).restart(losingPower: true)
      trace("\(node) is found dead")
      later(.start(node: node), within: faultUs)
    }
  }

  /// Nothing breaks any more.
  func endFaults() {
    cluster.healLinks()
    slowDisks = []
    for (_, disk) in machine.disks { disk.capacityBytes = .max }
    for name in cluster.nodeNames {
      if machine.disk(of: name).isCrashed {
        cluster.crashNode(name)
        machine.disk(of: name).restart(losingPower: true)
      }
      start(name)
    }
  }
}
