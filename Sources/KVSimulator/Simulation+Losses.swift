import KVCluster

/// What is lost from disks while nobody, or not everybody, has them open.
extension Simulation {
  /// A node dies, a file of its folder is lost, and it starts again.
  func loseFile() -> String? {
    guard let name = drawUp() else { return nil }
    let disk = machine.disk(of: name)
    guard let file = drawFile(of: name) else { return nil }
    if file.isRecords {
      guard mayLose(name) else { return nil }
      atlas.noteLoss(at: name)
    }
    cluster.crashNode(name)
    disk.restart(losingPower: false)
    for path in file.paths { disk.put(path, nil) }
    later(.start(node: name), within: 1_000...200_000)
    return "\(name) dies and loses \(file.words)"
  }

  private struct File {
    var paths: [String]
    var words: String
    /// Acknowledged records go with it, or the knowledge whether any have.
    var isRecords = true
  }

  private func drawFile(of node: String) -> File? {
    let folder = "\(node).wal"
    let paths = machine.disk(of: node).listing.map(\.path)
    let segments = paths.filter { $0.hasSuffix(".segment") }
    switch faultRandom.below(6) {
    case 0: return File(paths: paths, words: "everything")
    case 1: return File(paths: ["\(folder)/segments"], words: "the list of its segments")
    case 2: return File(paths: ["\(folder)/checkpoint"], words: "its checkpoint", isRecords: false)
    case 3: return File(paths: ["\(folder)/lease", "\(folder)/clock"], words: "its lease", isRecords: false)
    default:
      guard !segments.isEmpty else { return nil }
      let path = segments[faultRandom.below(segments.count)]
      return File(paths: [path], words: path)
    }
  }

  /// The program ends, and finds its folder without a file that all nodes share: it must refuse to open where it cannot
  /// know what it was, and opens when the file has been put back.
  func loseSharedFile() -> String? {
    collectCounts()
    cluster.vanish()
    takeAnswers()
    machine.restart(losingPower: false)
    let kind = faultRandom.below(3)
    switch kind {
    case 0: refuseWithout(["configuration"], on: [machine.shared])
    case 1: refuseWithout(["lease"], on: [machine.shared] + machine.disks.map(\.disk))
    default:
      // Without the mark nobody can know that the power was lost.
      if !mayLoseWrites { machine.shared.put("boot", nil) }
    }
    beginLife(losingPower: false)
    return ["the configuration", "every lease", "the boot mark"][kind]
  }

  private func refuseWithout(_ names: [String], on disks: [SimulatedDisk]) {
    var lost: [(disk: SimulatedDisk, path: String, bytes: [UInt8])] = []
    for disk in disks {
      for path in disk.listing.map(\.path) where names.contains(where: { path == $0 || path.hasSuffix("/\($0)") }) {
        if let bytes = disk.bytes(path) { lost.append((disk, path, bytes)) }
        disk.put(path, nil)
      }
    }
    // A folder of nodes without a record may be a new one.
    if cluster.nodeNames.contains(where: { hasRecords(machine.disk(of: $0)) }) { refuse("without \(names[0])") }
    machine.restart(losingPower: false)
    for file in lost { file.disk.put(file.path, file.bytes) }
  }

  private func hasRecords(_ disk: SimulatedDisk) -> Bool {
    disk.listing.contains { file in
      file.path.hasSuffix(".segment")
        && disk.bytes(file.path)!.dropFirst(LogFormat.segmentHeaderBytes).contains { $0 != 0 }
    }
  }

  /// The program ends and its folder is repaired, as someone does who has read that something is damaged.
  func repair(acceptingLoss: Bool) -> String? {
    collectCounts()
    cluster.vanish()
    takeAnswers()
    machine.restart(losingPower: false)
    do throws(ClusterError) {
      cluster = try Cluster.open(simulated: machine, options, seed: seed, boot: machine.boot, isMaintained: false)
      _ = cluster.repairNow(acceptsLoss: acceptingLoss)
      counts.repairs += 1
      if acceptingLoss {
        counts.acceptedLosses += 1
        eras.begin(operations, mayBeAbsent: true)
        eras.tearGroups(groups)
        endings.beginEra(forgets: false)
        acceptLoss()
      }
      collectCounts()
      if SimulationPlan.Switches.closesSuspects || cluster.suspects.isEmpty {
        let closing = cluster.beginClosing()
        while closing.step() != .done {}
      } else {
        cluster.vanish()
      }
    } catch {
      trace("no repair: \(error)")
    }
    beginLife(losingPower: false)
    return acceptingLoss ? "what no owner has is given up" : "all nodes"
  }

  /// What was lost is given up, but for nodes that are down: nobody has looked at their logs.
  private func acceptLoss() {
    let left = cluster.nodeNames.filter { machine.disk(of: $0).bytes(SuspectMark.path("\($0).wal")) != nil }
    atlas.acceptLoss()
    for name in left { atlas.noteLoss(at: name) }
    isBeyond = !left.isEmpty
  }

  // MARK: - At rest

  /// What people and disks do to a folder that nobody has open.
  /// - Parameter victims: nodes that may lose records.
  func harmFolder(_ victims: [String]) -> String? {
    let candidates = SimulationPlan.Switches.losesBeyond ? cluster.nodeNames : victims
    let name = candidates.isEmpty ? nil : candidates[faultRandom.below(candidates.count)]
    let words: String?
    switch faultRandom.below(backup == nil ? 2 : 8) {
    case 0: return nil
    case 1 where SimulationPlan.Switches.losesTails: words = name.flatMap { loseTail(of: $0) }
    case 2...6 where SimulationPlan.Switches.restoresNodes: words = name.flatMap { restore($0) }
    case 7 where SimulationPlan.Switches.restoresConfigurations:
      refuseOlderConfiguration()
      return nil
    default: return nil
    }
    if let name, words != nil {
      atlas.noteLoss(at: name)
      if !victims.contains(name) { (isBeyond, wasBeyond) = (true, true) }
    }
    return words
  }

  /// The last bytes of a log are zeros, or gone with the end of the file.
  private func loseTail(of name: String) -> String? {
    let disk = machine.disk(of: name)
    guard let path = disk.listing.map(\.path).last(where: { $0.hasSuffix(".segment") }), let bytes = disk.bytes(path)
    else { return nil }
    let used = bytes.count - bytes.reversed().prefix { $0 == 0 }.count
    guard used > LogFormat.segmentHeaderBytes else { return nil }
    let kept = used - faultRandom.within(1...min(2_000, used - LogFormat.segmentHeaderBytes))
    let isCut = faultRandom.chance(perMille: 500)
    disk.put(path, Array(bytes.prefix(kept)) + (isCut ? [] : [UInt8](repeating: 0, count: bytes.count - kept)))
    counts.tailsLost += 1
    return "\(path) \(isCut ? "ends" : "is zero") from \(kept) on, and had records up to \(used)"
  }

  /// A node's folder is again what it was when it was copied; those of the others are not.
  private func restore(_ name: String) -> String? {
    guard let files = backup?.contents.filter({ $0.disk == name }), !files.isEmpty else { return nil }
    let disk = machine.disk(of: name)
    for file in disk.listing { disk.put(file.path, nil) }
    for file in files { disk.put(file.path, file.bytes) }
    counts.nodesRestored += 1
    return "\(name) has its folder of operation \(backup!.operations)"
  }

  /// The folder has the configuration of an older copy: it must not open, or nobody would know who owns what.
  private func refuseOlderConfiguration() {
    let path = "configuration"
    guard let old = backup?.contents.first(where: { $0.disk == nil && $0.path == path })?.bytes,
      let new = machine.shared.bytes(path),
      (try? Configuration(text: String(decoding: old, as: UTF8.self)).epoch)
        != (try? Configuration(text: String(decoding: new, as: UTF8.self)).epoch)
    else { return }
    machine.restart(losingPower: false)
    let files = machine.contents
    machine.shared.put(path, old)
    refuse("with an older configuration")
    machine.restart(losingPower: false)
    machine.replaceContents(files)
  }

  /// The folder as it is must not open.
  private func refuse(_ words: String) {
    do throws(ClusterError) {
      let opened = try Cluster.open(simulated: machine, options, seed: seed, boot: machine.boot)
      opened.vanish()
      report.unconverged = "the program opens a folder \(words)"
      isOver = true
    } catch {
      counts.refusedFolders += 1
    }
  }

  // MARK: - Backups

  /// Keeps the folder as it is: a backup is of one moment, between two operations.
  func backUp() -> String? {
    guard !cluster.isChanging, !cluster.hasUnfinishedBatches, !cluster.nodeNames.contains(where: isWounded) else {
      return nil
    }
    for name in cluster.nodeNames { cluster.syncNow(name) }
    backup = Backup(
      contents: machine.contents.filter { $0.path != BatchJournal.name }, operations: operations.count, moment: moments,
      era: eras.current,
      fsync: options.fsync)
    counts.backups += 1
    return "of all nodes"
  }

  /// The program ends, and the backup takes the place of its folder.
  func restoreAll() -> String? {
    guard let backup else { return nil }
    collectCounts()
    cluster.vanish()
    takeAnswers()
    machine.restart(losingPower: false)
    machine.replaceContents(backup.contents)
    // It is of no boot of the machine.
    machine.shared.put("boot", nil)
    eras.restore(operations, backup)
    endings.beginEra(forgets: true)
    atlas.acceptLoss()
    isBeyond = false
    options.fsync = backup.fsync
    machine.change(isStaged: backup.fsync.stagesLogs)
    counts.restores += 1
    beginLife(losingPower: false, isDurable: true)
    return "the whole folder, as it was at operation \(backup.operations)"
  }
}

/// A copy of the folder, and what the clients had been told by then.
struct Backup {
  let contents: [(disk: String?, path: String, bytes: [UInt8])]
  let operations: Int
  let moment: Int
  let era: Int
  let fsync: FsyncPolicy
}
