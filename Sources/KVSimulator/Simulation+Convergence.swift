import KVCluster

/// The end of the day: everything heals, and the cluster must converge.
extension Simulation {
  /// Once everybody has been served, everything becomes good, and the cluster has a bounded time to converge.
  func heal() {
    isHealing = true
    trace("everything heals")
    observer.onMark?(.healing, "everything heals")
    endFaults()
    deadlineNs = after(Simulation.convergenceUs)
    queue.add(.check, at: after(500_000))
  }

  /// More was lost than the promise covers. What people do then: they repair the folder, and if that does not help they
  /// accept the loss, and write again what no owner can read. Returns whether there was anything left to try.
  private func goBeyond() -> Bool {
    if isBeyond {
      attempts += 1
      if attempts == 2 || attempts == 3 { _ = repair(acceptingLoss: attempts == 3) }
      return attempts <= 3
    }
    guard wasBeyond else { return false }
    wasBeyond = false
    for key in allKeys where cluster.copies(of: key).contains(where: { $0 == nil }) {
      perform(.put(Array("v\(operations.count)".utf8)), key)
    }
    return true
  }

  private func fail(_ reason: String?) {
    report.unconverged = reason
    isOver = true
  }

  /// Everything is as it should be. Every key is read through every quorum, and once more when the program has been
  /// started again: what the logs hold is what memory held.
  private func finish() {
    if let reason = finalReads() { return fail(reason) }
    finalRounds += 1
    guard finalRounds < 2 else { return isOver = true }
    deadlineNs = after(Simulation.convergenceUs)
    if seed.isMultiple(of: 2) { restartProgram(losingPower: false) } else { _ = closeProgram() }
    queue.add(.check, at: after(500_000))
  }

  private static var convergenceUs: Int { 300_000_000 }

  func check() {
    let reason = unfinished()
    if reason == nil { return finish() }
    if goBeyond() { return queue.add(.check, at: after(20_000_000)) }
    if Clock.nowNs() > deadlineNs { return fail(reason) }
    for name in cluster.nodeNames where !cluster.isUp(name) { start(name) }
    queue.add(.check, at: after(500_000))
  }

  /// Reads each key by direct call, and by message from each set of owners that is enough; returns what was not answered.
  private func finalReads() -> String? {
    for name in cluster.nodeNames { cluster.syncNow(name) }
    for key in allKeys {
      guard finalRead(key) else { return "\(words(key)): a last read is not answered" }
      let owners = cluster.owners(of: key)
      let quorum = plan.quorum.effective(nodes: cluster.nodeNames.count)
      // A get is answered once W owners are known to hold what it returns.
      let needed = max(quorum.read, quorum.write)
      for set in 0..<1 << owners.count where set.nonzeroBitCount == needed {
        let (asked, others) = owners.enumerated().reduce(into: ([String](), [String]())) { sides, owner in
          if set >> owner.offset & 1 == 1 { sides.0.append(owner.element) } else { sides.1.append(owner.element) }
        }
        for other in others { cut(asked[0], other, true) }
        cluster.setCoordinator(asked[0])
        defer {
          for other in others { cut(asked[0], other, false) }
          cluster.setCoordinator(nil)
        }
        // With nobody to be cut off from, the operation is a direct one.
        guard finalRead(key) else { return "\(words(key)): a last read through \(asked) is not answered" }
      }
    }
    return nil
  }

  /// Those of groups too.
  private var allKeys: [[UInt8]] { keys + groups.flatMap(\.members) }

  private func cut(_ a: String, _ b: String, _ isCut: Bool) {
    cluster.cutLink(a, b, isCut)
    cluster.cutLink(b, a, isCut)
  }

  private func words(_ key: [UInt8]) -> String { String(decoding: key, as: UTF8.self) }

  /// A get that must be answered without delay.
  private func finalRead(_ key: [UInt8]) -> Bool {
    counts.finalReads += 1
    let number = operations.count
    perform(.get, key)
    takeAnswers()
    if case .found = operations[number].outcome { return true }
    return false
  }

  private func silence(of node: String) -> String {
    let reason = cluster.events(after: 0).reversed().lazy.compactMap { event -> String? in
      switch event.what {
      case .rebuildWaits(node, let reason): reason.text
      case .writesMayBeLost(node, let ranges): "writes may be lost: \(LostRange.words(ranges))"
      default: nil
      }
    }
    return "\(node) does not vote" + (reason.first.map { " (\($0))" } ?? "")
  }

  /// What is not as it should be at the end; `nil` if all is well.
  private func unfinished() -> String? {
    if report.changes < 2 {
      if !cluster.isChanging, changeSteps == nil { change() }
      return "\(report.changes) membership changes"
    }
    if cluster.isChanging {
      let waiting = cluster.status().change?.waitingFor.map { ", and waits: \($0.text)" } ?? ""
      return "a change is under way\(waiting)\(cluster.suspects.map { "; " + silence(of: $0) }.joined())"
    }
    if let down = cluster.nodeNames.first(where: { !cluster.isUp($0) }) { return "\(down) is down" }
    if let suspect = cluster.suspects.first { return silence(of: suspect) }
    if cluster.hintsWaiting > 0 { return "\(cluster.hintsWaiting) hints wait" }
    if cluster.hasUnfinishedBatches { return "a batch is unfinished" }
    for key in allKeys {
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
