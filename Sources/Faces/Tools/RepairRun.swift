import Commands
import KVCluster
import Text

/// `kvstore repair DIR`: restores damaged copies from good ones, then verifies.
package enum RepairRun {
  /// Returns the program's exit status.
  package static func run(_ path: String, acceptsLoss: Bool, _ console: Console = .standard) async -> Int32 {
    await ToolRun.run(console) { control async throws(ClusterError) in
      // Refuses what is no kvstore folder before the engine makes one of it.
      let resolved = try FolderAtRest(path).path
      let nodes = FolderAtRest.nodeNames(of: resolved)?.count ?? 1
      if let problem = ProcessLimits.problem(nodes: nodes, cacheBytes: 0) { throw .refused(.init(problem)) }
      guard let report = try await repair(resolved, acceptsLoss, control) else {
        return ToolRun.unreadable
      }
      for line in report.nodes.flatMap({ lines($0, resolved) }) { control.say(line) }
      for line in report.twins.map(line) { control.say(line) }
      guard let after = try VerifyRun.read(try FolderAtRest(resolved), control) else { return ToolRun.unreadable }
      for line in lines(after, resolved) { control.say(line) }
      return after.isClean ? ToolRun.clean : ToolRun.damaged
    }
  }

  private static func repair(
    _ path: String, _ acceptsLoss: Bool, _ control: ToolControl
  ) async throws(ClusterError) -> RepairReport? {
    let cluster = try Cluster.open(ClusterOptions(dataFolder: path, cacheBytes: 0), isMaintained: false)
    do throws(ClusterError) {
      let report = try await cluster.repair(acceptsLoss: acceptsLoss) { step in
        control.progress(text(step))
        return !control.isStopped
      }
      await cluster.close()
      return report
    } catch {
      await cluster.close()
      throw error
    }
  }

  private static func text(_ step: RepairProgress) -> String {
    switch step {
    case .reading(let node, let segment, let count): "Reading \(node): segment \(segment) of \(count)"
    case .rebuilding(let node): "Rebuilding \(node) from the other nodes"
    case .healing(let node): "Healing \(node)"
    }
  }

  private static func lines(_ node: RepairReport.Node, _ path: String) -> [String] {
    if let absence = node.absence {
      // Each start tries again.
      if case .failed(let reason) = absence { return ["\(node.name): not repaired: \(reason)"] }
      return [
        "\(node.name): not repaired: it is \(absence.word)",
        "  `kvstore exec --data \(path) 'restart \(node.name)'` starts it; then repair again",
      ]
    }
    var done: [String] = []
    if let copies = node.copiesRebuilt {
      done.append("rebuilt with \(Figures.count(copies, "copy", plural: "copies"))")
    }
    if node.copiesHealed > 0 {
      done.append("\(Figures.count(node.copiesHealed, "damaged copy", plural: "damaged copies")) fetched again")
    }
    if node.segmentsEmptied > 0 {
      done.append("\(Figures.count(node.segmentsEmptied, "damaged segment")) written anew")
    }
    if node.isCheckpointRemoved { done.append("a damaged checkpoint removed: the next start reads the log") }
    let hasProblems = node.isSuspect || !node.unrestored.isEmpty
    if done.isEmpty { done.append(hasProblems ? "nothing could be repaired" : "nothing to repair") }
    return ["\(node.name): \(Figures.count(node.segmentsRead, "segment")) read; \(done.joined(separator: ", "))"]
      + problems(node)
  }

  private static func problems(_ node: RepairReport.Node) -> [String] {
    var lines = node.unrestored.map { copy in
      let key = copy.key.map { "of key \(Quoted.text($0))" } ?? "of an unknown key"
      return "  Not restored: the copy \(key) in segment \(copy.segment) at byte \(copy.offset): "
        + (copy.isOlderLeft
          ? "the other owners have an older version or none, which takes its place only with --accept-loss"
          : "no good copy is left; a put or delete of the key replaces it, --accept-loss gives it up")
    }
    if !node.lostRanges.isEmpty {
      lines += node.lostRanges.map { "  Not rebuilt: acknowledged writes may be lost: \($0.words)" }
      lines.append("  Reads of these keys stay refused; `kvstore repair --accept-loss` goes on with what is left")
    } else if node.isSuspect {
      lines.append(
        "  Not rebuilt: it may have lost records, and the other nodes cannot say yet what was acknowledged: one of them "
          + "does not answer, or has damaged copies itself. Its copies are kept; --accept-loss goes on with what is left"
      )
    }
    if node.isLossPossible {
      lines.append("  Possible loss: it lost records, and no other node is sure to have good copies of all of them")
    }
    return lines
  }

  private static func line(_ twins: RepairReport.TwinCopies) -> String {
    "Not settled: key \(Quoted.text(twins.key)): \(twins.owners.joined(separator: ", ")) hold different contents under one "
      + "version, and nothing says which is right; put the right folder back, put or delete the key, or --accept-loss takes one"
  }

  private static func lines(_ after: VerificationReport, _ path: String) -> [String] {
    guard !after.isClean else { return ["Repaired \(path): no damage is left"] }
    return Array(VerifyRun.lines(after, path).dropLast())
      + ["Repaired \(path): \(Figures.count(after.allDamage.count, "damaged place")) left; nothing was deleted"]
  }
}
