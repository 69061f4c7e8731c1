import KVCluster
import Text

/// The screen in words, for those who cannot see it: what `describe` answers.
package enum Description {
  package static func lines(_ state: DashboardState) -> [String] {
    guard let status = state.status else { return ["The cluster is being opened."] }
    let seen = state.seen
    var lines = [health(status), quorum(status)]
    if let verdict = status.verdict { lines.append("Answers watched: \(verdict.words).") }
    if let last = status.verdict?.lastViolation { lines.append("Not linearizable: \(last.summary).") }
    if let faults = seen.faults { lines.append("Faults in force: \(faults.texts.joined(separator: "; ")).") }
    if let change = status.change { lines.append(self.change(change, seen.plan, status)) }
    lines += state.nodes.map { node($0, seen) }
    lines.append(
      "Now \(Figures.short(seen.rates.reads)) reads and \(Figures.short(seen.rates.writes)) writes a second.")
    if status.hintsDropped > 0 {
      lines.append(
        "\(Figures.short(status.hintsDropped)) hints were given up; a comparison of replicas brings what they held.")
    }
    lines += latency("Reads", seen.readLatency) + latency("Writes", seen.writeLatency)
    lines += benchmark(state)
    if let walk = state.walk {
      let owners = status.ring.owners(ofSlot: status.ring.slot(of: walk.place.hash)).map { name($0, status) }
      let copies = owners.dropFirst().joined(separator: " and ")
      lines.append(
        "Key \(walk.place.key) has the hash \(KeyWalk.short(walk.place.hash)); its first owner is \(owners.first ?? "?")"
          + (copies.isEmpty ? "." : ", copies are on \(copies)."))
    }
    if let last = state.log.lines.last(where: { if case .event = $0.kind { true } else { false } }) {
      lines.append("Last event: \(last.text).")
    }
    return lines
  }

  private static func health(_ status: ClusterStatus) -> String {
    let up = status.nodes.count { $0.state.isServing }
    var text = "The cluster is \(status.health.rawValue): \(up) of \(status.nodes.count) nodes serve"
    if case .recovering(let fraction) = status.phase { text += ", logs are read to \(Figures.percent(fraction))" }
    return text + ", up \(Figures.duration(seconds: Double(status.uptimeNs) / 1e9))."
  }

  private static func quorum(_ status: ClusterStatus) -> String {
    let quorum = status.quorum.effective(nodes: status.nodes.count)
    return
      "\(quorum.replicas) copies of each of \(Figures.count(status.keys, "key")); a read waits for \(quorum.read), "
      + "a write for \(quorum.write): \(quorum.consistencyWords), \(status.guarantee.rawValue). fsync \(status.fsync.rawValue)."
  }

  private static func change(_ change: ChangeStatus, _ plan: MovePlan?, _ status: ClusterStatus) -> String {
    let verb = change.kind == .join ? "joins" : "leaves"
    var text = "\(change.node) \(verb): \(Figures.percent(change.fraction)) handed over"
    if let plan { text += " of \(Figures.precisePercent(plan.movedPart)) of all copies" }
    if let reason = change.waitingFor { text += "; it waits: \(reason)" }
    return text + "."
  }

  private static func node(_ node: NodeStatus, _ seen: Observations) -> String {
    if RingOwners.Condition.isDown(node.state) {
      // Its memory is gone, and nobody reads its log.
      let hints = Figures.count(node.hintsWaiting, "hint") + Figures.word(node.hintsWaiting, " waits", " wait")
      return "\(node.name) is \(node.state.word), owns \(Figures.precisePercent(node.share)); \(hints) for it."
    }
    var text =
      "\(node.name) is \(node.state.word), owns \(Figures.precisePercent(node.share)), holds "
      + "\(Figures.count(node.keys, "key")), log \(Figures.bytes(node.wal.bytes)), "
      + "\(Figures.short(seen.operationsPerSecond(ofNode: node.id))) operations a second"
    if let rate = seen.hitRate(ofNode: node.id) { text += ", cache hits \(Figures.percent(rate))" }
    if node.hintsWaiting > 0 {
      text += ", \(Figures.count(node.hintsWaiting, "hint")) \(Figures.word(node.hintsWaiting, "waits", "wait")) for it"
    }
    if node.hintBytes > 0 { text += " (\(Figures.bytes(node.hintBytes)))" }
    if node.wal.isSuspect { text += ", is being rebuilt" }
    if let trouble = seen.trouble(ofNode: node) { text += "; \(trouble.word): \(trouble.words(node.name))" }
    return text + "."
  }

  private static func latency(_ name: String, _ history: LatencyHistory) -> [String] {
    guard let recent = history.recent else { return [] }
    return ["\(name) take \(Figures.time(ns: recent.p50)), 99 of 100 at most \(Figures.time(ns: recent.p99))."]
  }

  private static func benchmark(_ state: DashboardState) -> [String] {
    guard let run = state.benchmark else { return [] }
    guard run.isRunning else {
      let result = run.results.last.map { " at \(Figures.short($0.operationsPerSecond)) operations a second" } ?? ""
      return ["Benchmark \(run.name) is over\(run.words.isEmpty ? result : "")."]
    }
    let fraction = run.fraction.map { ", \(Figures.percent($0)) done" } ?? ""
    return ["Benchmark \(run.name): \(run.phase)\(fraction)."]
  }

  private static func name(_ id: Int, _ status: ClusterStatus) -> String {
    status.nodes.first { $0.id == id }?.name ?? "?"
  }
}
