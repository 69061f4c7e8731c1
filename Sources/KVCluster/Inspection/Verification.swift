import Glibc
import Text

/// Reads everything of a data folder at rest and says what is not what was written: every segment's header, every
/// record's header and value, lists of segments, leases, checkpoints, the configuration. Changes nothing.
package enum Verification {
  /// How far a verification is.
  package struct Progress: Sendable {
    package var bytesRead: Int
    package var bytesTotal: Int
    /// The node whose log is read now.
    package var node: String
  }

  /// - Parameter progress: is told after every segment; false stops.
  /// - Returns: `nil` if it was stopped.
  /// - Throws: `ClusterError.dataFolder` if a newer version wrote the folder.
  package static func run(
    _ folder: FolderAtRest, progress: (Progress) -> Bool = { _ in true }
  ) throws(ClusterError) -> VerificationReport? {
    var report = VerificationReport()
    let plan = try plan(folder, &report)
    var lease = (try? TagLease.read(from: folder.disk, folder: TagLease.clusterFolder))?.tagsBelow ?? 0
    let witnesses = try evidence(folder, &report)
    var newest = witnesses?.newest
    newest?.enter(boot: DataFolder.bootID())
    let isLeased =
      witnesses?.newest == nil
      && (lease > 0
        || plan.contains { node in
          ((try? TagLease.read(from: folder.disk, folder: DataFolder.logFolder(node.name))) ?? nil) != nil
        })
    var sofar = Progress(bytesRead: 0, bytesTotal: folder.bytes(of: plan.map(\.name)), node: "")
    var newestTag = Tag.none
    let contents = VersionContents()
    for node in plan {
      sofar.node = node.name
      let known = newest?.log(node.name)
      let mayHaveLostPower = folder.mayHaveLostPower(node.name) || known?.suspicion == .unsynced
      let log = LogVerification(
        disk: folder.disk, folder: DataFolder.logFolder(node.name),
        identity: LogIdentity(clusterID: node.clusterID, node: node.name),
        known: (mayHaveLostPower ? known?.synced : known?.written) ?? .start, mayHaveLostPower: mayHaveLostPower,
        contents: contents)
      do throws(StorageError) {
        let verified = try log.run(isExpected: known != nil || isLeased) { bytes in
          sofar.bytesRead += bytes
          return progress(sofar)
        }
        guard var verified else { return nil }
        verified.isKilled = node.isKilled
        verified.damage += remarks(of: witnesses, on: node.name, folder)
        report.nodes.append(verified)
      } catch {
        throw .dataFolder(.init(error.description))
      }
      report.remarks += log.remarks
      newestTag = max(newestTag, log.newestTag)
      lease = max(lease, log.lease ?? 0)
    }
    if lease > 0, newestTag.counter >= lease {
      report.damage.append(
        VerificationReport.Damage(
          file: "*.wal/lease", offset: 0, reason: "a record has tag \(newestTag.counter), and every lease ends below it"
        ))
    }
    if case .intact(let configuration) = try folder.readConfiguration() {
      report.lostRanges = lostRanges(configuration, report)
      report.damage += twins(folder, configuration, contents)
    }
    return report
  }

  /// The witnesses in the folders; what they say against the configuration goes into the report.
  private static func evidence(
    _ folder: FolderAtRest, _ report: inout VerificationReport
  ) throws(ClusterError) -> FolderEvidence? {
    guard case .intact(let configuration) = try folder.readConfiguration() else { return nil }
    let evidence = FolderEvidence(folder.disk, configuration)
    if let objection = evidence.objection(to: configuration) {
      report.damage.append(VerificationReport.Damage(file: "configuration", offset: 0, reason: objection))
    }
    return evidence
  }

  /// What the other folders say against a node's.
  private static func remarks(
    of evidence: FolderEvidence?, on node: String, _ folder: FolderAtRest
  ) -> [VerificationReport.Damage] {
    let name = DataFolder.logFolder(node)
    var found: [VerificationReport.Damage] = []
    let path = Witness.path(name)
    if evidence?.foreign.contains(node) ?? false {
      found.append(VerificationReport.Damage(file: path, offset: 0, reason: FolderEvidence.foreignWords(name)))
    }
    let isMarked = ((try? SuspectMark.read(from: folder.disk, folder: name)) ?? nil) != nil
    if evidence?.newest?.log(node)?.suspicion != nil, !isMarked {
      let reason = "records were lost before, say the other folders, and the node was not rebuilt yet"
      found.append(VerificationReport.Damage(file: SuspectMark.path(name), offset: 0, reason: reason))
    }
    return found
  }

  /// A finding if one of the folder's small files cannot be opened: then no start can open the folder.
  private static func unreadable(_ name: String, _ folder: FolderAtRest) -> [VerificationReport.Damage] {
    do throws(StorageError) {
      _ = try folder.disk.read(name)
      return []
    } catch {
      let cure = if case .unusable = error { "; move it away, and the next start makes it anew" } else { "" }
      return [VerificationReport.Damage(file: name, offset: 0, reason: error.description + cure)]
    }
  }

  private static func damagedJournal(_ folder: FolderAtRest) -> [VerificationReport.Damage] {
    let unreadable = unreadable(BatchJournal.name, folder)
    guard unreadable.isEmpty, let bytes = try? folder.disk.read(BatchJournal.name),
      BatchJournal.decode(bytes, of: nil) == nil
    else { return unreadable }
    return [
      VerificationReport.Damage(
        file: BatchJournal.name, offset: 0, reason: "the journal of batches is damaged; \(BatchJournal.cure)")
    ]
  }

  private typealias PlannedNode = (name: String, clusterID: UInt64, isKilled: Bool)

  /// The configuration's nodes; without one, those whose logs are here.
  private static func plan(
    _ folder: FolderAtRest, _ report: inout VerificationReport
  ) throws(ClusterError) -> [PlannedNode] {
    let withLogs = folder.nodesWithLogs()
    for name in (try? folder.disk.names(in: "")) ?? [] where !name.hasSuffix(".wal") {
      guard
        !["configuration", "lock", "lease", "clock", "boot", "witness", "kvstore.sock", BatchJournal.name].contains(
          name)
      else {
        continue
      }
      report.remarks.append("\(name) is " + (name.hasSuffix(".new") ? "left over from a crash" : "not kvstore's"))
    }
    for name in ["lease", "clock", "boot", "witness"] { report.damage += unreadable(name, folder) }
    report.damage += damagedJournal(folder)
    let reason: String
    switch try folder.readConfiguration() {
    case .intact(let configuration):
      let names = configuration.namesInOrder
      for name in withLogs where !names.contains(name) {
        let owner = folder.identity(ofLogOf: name)
        if let owner, owner.clusterID == configuration.clusterID, names.contains(owner.node) {
          report.strays.append(.init(name: name, owner: owner.node))
        } else {
          report.remarks.append("\(DataFolder.logFolder(name)) is left over: \(name) is not in the cluster")
        }
      }
      return names.map { ($0, configuration.clusterID, configuration.member(named: $0)?.isKilled ?? false) }
    case .missing: reason = "the configuration is missing, so nobody can say which node owns what"
    case .damaged(let why): reason = why
    }
    report.damage.append(VerificationReport.Damage(file: "configuration", offset: 0, reason: reason))
    let clusterID = folder.clusterIDInLogs() ?? 0
    return withLogs.map { ($0, clusterID, false) }
  }
}

extension FolderAtRest {
  /// Whether a loss of power may have taken what a node had not synced: the machine was started anew since, or the node's
  /// mark says so.
  fileprivate func mayHaveLostPower(_ node: String) -> Bool {
    guard let boot = DataFolder.bootID() else { return true }
    let mark = (try? SuspectMark.read(from: disk, folder: DataFolder.logFolder(node))) ?? nil
    let found = (try? BootMark.read(from: disk)) ?? nil
    return mark?.mayHaveLostPower ?? false || found?.isLost(in: boot) ?? false
  }

  /// Bytes of the nodes' segments.
  func bytes(of nodes: [String]) -> Int {
    nodes.reduce(0) { sum, node in
      let folder = DataFolder.logFolder(node)
      let segments = ((try? disk.names(in: folder)) ?? []).filter { LogFormat.segmentID(ofName: $0) != nil }
      return segments.reduce(sum) { sum, name in
        var info = stat()
        return stat(ByteText.path("\(path)/\(folder)/\(name)"), &info) == 0 ? sum + Int(info.st_size) : sum
      }
    }
  }
}
