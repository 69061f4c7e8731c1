import ClusterModel
import Text

/// The screen in words, for those who cannot see it: what `describe` answers.
package enum Description {
  package static func lines(_ state: DashboardState) -> [String] {
    guard let status = state.status else { return ["The cluster is being opened."] }
    let seen = state.seen
    var lines = [health(status), promise(status)].compactMap { $0 }
    if let verdict = status.verdict { lines.append("Answers watched: \(verdict.words).") }
    if let last = status.verdict?.lastViolation { lines.append("Not linearizable: \(last.summary).") }
    if let faults = seen.faults { lines.append("Faults in force: \(faults.texts.joined(separator: "; ")).") }
    if let change = status.change { lines.append(self.change(change, seen.plan, state.advice)) }
    lines += state.nodes.map { node($0, state.nodes, seen, state.advice) }
    if let rates = seen.rates {
      lines.append("Now \(Figures.short(rates.reads)) reads/s and \(Figures.short(rates.writes)) writes/s.")
    }
    if let count = status.hintsDropped, count > 0 {
      lines.append(
        "\(Figures.count(count, "hint")) \(Figures.word(count, "was", "were")) given up; anti-entropy brings what would have come with them."
      )
    }
    lines += latency("Reads", seen.readLatency) + latency("Writes", seen.writeLatency)
    lines += benchmark(state)
    if let walk = state.walk {
      let owners = state.ring.owners(ofSlot: walk.key.slot).map { name($0, status) }
      let hash = RingPlace.digits(slot: walk.key.slot, of: state.ring.slotCount)
      let copies = owners.dropFirst().joined(separator: " and ")
      lines.append(
        "Key \(walk.key.key) has the hash \(hash); its first owner is \(owners.first ?? "?")"
          + (copies.isEmpty ? "." : ", copies are on \(copies)."))
    }
    if let last = state.log.lines.last(where: { if case .event = $0.kind { true } else { false } }) {
      lines.append("Last event: \(last.text).")
    }
    return lines
  }

  private static func health(_ status: ClusterStatus) -> String {
    let up = status.nodes.count { $0.state.isServing }
    var text =
      "The cluster is \(status.health.rawValue): \(Figures.count(up)) of \(Figures.count(status.nodes.count, "node")) \(Figures.word(status.nodes.count, "serves", "serve"))"
    if case .recovering(let fraction) = status.phase { text += ", logs are read to \(Figures.percent(fraction))" }
    return text + ", up \(Figures.duration(seconds: Double(status.uptimeNs) / 1e9))."
  }

  private static func promise(_ status: ClusterStatus) -> String? {
    let fsync = status.fsync.map { " fsync \($0.rawValue)." } ?? ""
    let keys = status.keys.map { Figures.count($0, "key") }
    guard let quorum = status.effectiveQuorum else {
      let loss = status.canLoseAcknowledged == true ? ": an acknowledged write can be lost in a failover" : ""
      let known = [keys, status.guarantee.map { $0.rawValue + loss }].compactMap { $0 }
      return known.isEmpty ? nil : "\(known.joined(separator: ", ")).\(fsync)"
    }
    return
      "\(quorum.replicas) copies of each\(keys.map { " of \($0)" } ?? " key"); a read waits for \(quorum.read), "
      + "a write for \(quorum.write): \(quorum.consistencyWords), \(quorum.guarantee.rawValue).\(fsync)"
  }

  private static func change(_ change: ChangeStatus, _ plan: MovePlan?, _ advice: CommandAdvice) -> String {
    let verb = change.kind == .join ? "joins" : "leaves"
    var text = "\(change.node) \(verb): \(Figures.percent(change.fraction)) handed over"
    if let plan { text += " of \(Figures.precisePercent(plan.movedPart)) of all copies" }
    if let reason = change.waitingFor { text += "; it waits: \(advice.words(reason))" }
    return text + "."
  }

  private static func node(
    _ node: NodeStatus, _ nodes: [NodeStatus], _ seen: Observations, _ advice: CommandAdvice
  ) -> String {
    let owns = node.share.map { ", owns \(Figures.precisePercent($0))" } ?? ""
    if RingOwners.Condition.isDown(node.state) {
      // Its memory is gone, and nobody reads its log.
      let hints = node.hintsWaiting.map { "; \(waiting($0))" } ?? ""
      return "\(node.name) is \(node.state.word)\(owns)\(hints)."
    }
    var text = "\(node.name) is \(node.state.word)\(owns)"
    if let role = node.role { text += ", \(RoleWords.text(role, nodes))" }
    if let keys = node.keys { text += ", holds \(Figures.count(keys, "key"))" }
    if let wal = node.wal { text += ", log \(Figures.bytes(wal.bytes))" }
    if let rate = seen.operationsPerSecond(ofNode: node.id) { text += ", \(Figures.short(rate)) operations a second" }
    if let rate = seen.hitRate(ofNode: node.id) { text += ", cache hits \(Figures.percent(rate))" }
    if let count = node.hintsWaiting, count > 0 { text += ", \(waiting(count))" }
    if let bytes = node.hintBytes, bytes > 0 { text += " (\(Figures.bytes(bytes)))" }
    if node.wal?.isSuspect == true { text += ", is being rebuilt" }
    if let trouble = seen.trouble(ofNode: node) { text += "; \(trouble.word): \(trouble.words(node.name, advice))" }
    return text + "."
  }

  private static func waiting(_ hints: Int) -> String {
    "\(Figures.count(hints, "hint")) \(Figures.word(hints, "waits", "wait")) for it"
  }

  private static func latency(_ name: String, _ history: LatencyHistory) -> [String] {
    guard let recent = history.recent else { return [] }
    return ["\(name) take \(Figures.time(ns: recent.p50)), 99 of 100 at most \(Figures.time(ns: recent.p99))."]
  }

  private static func benchmark(_ state: DashboardState) -> [String] {
    guard let run = state.benchmark else { return [] }
    guard run.isRunning else {
      let result = run.results.last.map { " at \(Figures.short($0.operationsPerSecond)) operations a second" } ?? ""
      return ["Benchmark \(run.name) is over\(run.isListed ? result : "")."]
    }
    let fraction = run.fraction.map { ", \(Figures.percent($0)) done" } ?? ""
    return ["Benchmark \(run.name): \(run.phase)\(fraction)."]
  }

  private static func name(_ id: Int, _ status: ClusterStatus) -> String {
    status.nodes.first { $0.id == id }?.name ?? "?"
  }
}
