import KVCluster
import Text

/// `kvstore verify DIR`: reads everything of a data folder and says what is damaged.
package enum VerifyRun {
  /// Returns the program's exit status.
  package static func run(_ path: String, _ console: Console = .standard) async -> Int32 {
    await ToolRun.run(console) { control throws(ClusterError) in
      let folder = try FolderAtRest(path)
      guard let report = try read(folder, control) else { return ToolRun.unreadable }
      for line in lines(report, folder.path) { control.say(line) }
      return report.isClean ? ToolRun.clean : ToolRun.damaged
    }
  }

  /// `nil` if it was stopped.
  package static func read(_ folder: FolderAtRest, _ control: ToolControl) throws(ClusterError) -> VerificationReport? {
    try Verification.run(folder) { progress in
      let done = Figures.percent(Double(progress.bytesRead) / Double(max(1, progress.bytesTotal)))
      control.progress("Verifying \(progress.node): \(done) of \(Figures.bytes(progress.bytesTotal))")
      return !control.isStopped
    }
  }

  /// The report, with a summary at the end.
  static func lines(_ report: VerificationReport, _ path: String) -> [String] {
    var lines = report.damage.map(line)
    for node in report.nodes { lines += self.lines(node) }
    lines += report.lostRanges.map { "Acknowledged writes may be lost: \($0.words)" }
    lines += report.remarks.map { "Note: \($0)" }
    let places = report.allDamage.count
    lines += misplaced(report, path)
    let isForeignOnly =
      report.damage.isEmpty && report.strays.isEmpty
      && report.nodes.allSatisfy { $0.foreign != nil || $0.damage.isEmpty }
    let found =
      places == 0
      ? "no damage"
      : isForeignOnly
        ? "\(Figures.count(places, "damaged place")). Nothing was changed"
        : report.damage.contains { $0.file == "configuration" }
          ? "\(Figures.count(places, "damaged place")). Nothing was changed; without its configuration the folder cannot be"
            + " opened or repaired: put the newest one back (an older one is refused), or restore a whole backup"
          : "\(Figures.count(places, "damaged place")). Nothing was changed; `kvstore repair \(path)` restores"
            + " damaged copies from good ones"
    let nodes = Figures.count(report.nodes.count, "node")
    let segments = Figures.count(report.nodes.reduce(0) { $0 + $1.segments }, "segment")
    let records = Figures.count(report.nodes.reduce(0) { $0 + $1.records }, "record of data", plural: "records of data")
    return lines + ["Verified \(path): \(nodes), \(segments), \(records): \(found)"]
  }

  /// Which folders are another node's, and how each gets back to its place.
  private static func misplaced(_ report: VerificationReport, _ path: String) -> [String] {
    func hasOwnLog(_ name: String) -> Bool {
      report.nodes.contains { $0.name == name && $0.foreign == nil && $0.records > 0 }
    }
    func line(_ name: String, _ owner: String) -> String {
      hasOwnLog(owner)
        ? "\(path)/\(name).wal has a copy of \(owner)'s log, and \(owner) has its own: move it somewhere else"
        : "\(path)/\(name).wal is \(owner)'s folder: rename it to \(path)/\(owner).wal"
    }
    let strays = report.strays.map { line($0.name, $0.owner) }
    let foreign = report.nodes.compactMap { node -> String? in
      guard let foreign = node.foreign else { return nil }
      let rebuild = "then `kvstore repair \(path)` rebuilds \(node.name) from the other nodes"
      guard let owner = foreign.owner else {
        return "\(node.name)'s log is not this cluster's: move \(path)/\(node.name).wal somewhere else; \(rebuild)"
      }
      return line(node.name, owner) + (hasOwnLog(owner) ? "; \(rebuild)" : "")
    }
    return strays + foreign
  }

  private static func lines(_ node: VerificationReport.Node) -> [String] {
    let contents = [
      Figures.count(node.segments, "segment"), Figures.count(node.records, "record"),
      Figures.count(node.keys, "key"),
      Figures.count(node.tombstones, "tombstone"), Figures.count(node.hints, "hint"),
      "\(Figures.bytes(node.liveBytes)) live", "\(Figures.bytes(node.deadBytes)) dead",
    ]
    let torn = node.torn.map { ["  Torn, not damaged: \($0.file) at byte \($0.offset): \($0.reason)"] } ?? []
    return ["\(node.name)\(node.isKilled ? " (killed)" : ""): \(contents.joined(separator: ", "))"] + torn
      + node.damage.map { "  " + line($0) }
  }

  private static func line(_ damage: VerificationReport.Damage) -> String {
    "Damaged: \(damage.file) at byte \(damage.offset): \(damage.reason)"
  }
}
