/// What ``Cluster/repair(progress:)`` did and could not do.
package struct RepairReport: Equatable, Sendable {
  /// A damaged copy of which no good one was found.
  package struct Unrestored: Equatable, Sendable {
    /// `nil` if the key is damaged too.
    package var key: [UInt8]?
    package var segment: UInt64
    package var offset: Int
    /// Other owners have an older version, or enough of them none: without ``RepairReport`` being told to accept a loss
    /// it does not take the place of a newer one.
    package var isOlderLeft = false
  }

  /// A key of which owners hold different contents under one version, and nothing says which is right.
  package struct TwinCopies: Equatable, Sendable {
    package var key: [UInt8]
    package var owners: [String]
  }

  package struct Node: Equatable, Sendable {
    package var name: String
    /// What the node is, if its log was not open and so was not repaired.
    package var absence: NodeState?
    package var segmentsRead = 0
    /// Damaged copies fetched from other nodes again.
    package var copiesHealed = 0
    /// The node had lost records of unknown keys: how many copies a comparison with the others brought back.
    package var copiesRebuilt: Int?
    /// It had lost records of unknown keys, and no other node has copies of what it held.
    package var isLossPossible = false
    /// It has lost records of unknown keys, and too few other nodes could say which.
    package var isSuspect = false
    /// Ranges of which nobody can say what was acknowledged: too many of their owners have lost records.
    package var lostRanges: [LostRange] = []
    /// Segments whose live records were written again elsewhere, so that the damaged ones are gone.
    package var segmentsEmptied = 0
    package var isCheckpointRemoved = false
    package var unrestored: [Unrestored] = []

    init(name: String, absence: NodeState? = nil) {
      self.name = name
      self.absence = absence
    }
  }

  package var nodes: [Node] = []
  package var twins: [TwinCopies] = []
}

/// How far a repair is.
package enum RepairProgress: Sendable {
  case reading(node: String, segment: Int, of: Int)
  case rebuilding(node: String)
  case healing(node: String)
}

/// One run of ``Cluster/repair(progress:)``.
///
/// Nodes are repaired in turns until a turn changes nothing: a node that was rebuilt can be what another waits for.
package final class Repair {
  private struct Patient {
    var maintenance: NodeMaintenance
    var report: RepairReport.Node
    var isRead = false
  }

  private let maintenance: Maintenance
  private let acceptsLoss: Bool
  private let progress: (RepairProgress) -> Bool
  private var patients: [Patient] = []
  private var twins: [RepairReport.TwinCopies] = []
  private var isStopped = false

  package init(_ maintenance: Maintenance, _ acceptsLoss: Bool, _ progress: @escaping (RepairProgress) -> Bool) {
    self.maintenance = maintenance
    self.acceptsLoss = acceptsLoss
    self.progress = progress
  }

  package func run() -> RepairReport? {
    patients = maintenance.roster.live.map {
      Patient(maintenance: NodeMaintenance($0, maintenance, isHurried: true), report: RepairReport.Node(name: $0.name))
    }
    for i in patients.indices { removeDamagedCheckpoint(&patients[i]) }
    // Before anything is copied: a copy would pass for evidence.
    for patient in patients { patient.maintenance.searchTwinsToTheEnd() }
    for patient in patients { _ = patient.maintenance.settleTwins() }
    treatAll(acceptsLoss: false)
    if acceptsLoss {
      // Files of damaged segments may be all that is left of what is given up now, also those of nodes that the others
      // can vouch for once these have accepted a loss.
      for patient in patients where patient.maintenance.replica.store.hasLost {
        patient.maintenance.replica.store.log.keepDamaged()
      }
      treatAll(acceptsLoss: true)
    }
    for patient in patients { twins += patient.maintenance.settleTwins(acceptsLoss: acceptsLoss) }
    for patient in patients { patient.maintenance.replica.commit.syncNow() }
    return isStopped ? nil : report()
  }

  private func treatAll(acceptsLoss: Bool) {
    var hasChanged = true
    while hasChanged, !isStopped {
      hasChanged = false
      for i in patients.indices where !isStopped {
        hasChanged = treat(&patients[i], acceptsLoss: acceptsLoss) || hasChanged
        // One at a time: what was accepted may be all that the others still wanted.
        if hasChanged, acceptsLoss { treatAll(acceptsLoss: false) }
      }
    }
  }

  private func tell(_ step: RepairProgress) {
    if !progress(step) || maintenance.lifespan.isClosing { isStopped = true }
  }

  /// Returns whether anything is better than before.
  private func treat(_ patient: inout Patient, acceptsLoss: Bool) -> Bool {
    let replica = patient.maintenance.replica
    var hasChanged = false
    if replica.store.isSuspect {
      tell(.rebuilding(node: replica.name))
      guard !isStopped, let rebuilding = patient.maintenance.rebuild(acceptsLoss: acceptsLoss) else { return false }
      patient.report.copiesRebuilt = rebuilding.keysCopied
      patient.report.segmentsEmptied += rebuilding.segmentsEmptied
      patient.report.isLossPossible = rebuilding.isLossPossible || rebuilding.keysDamaged > 0
      hasChanged = true
    }
    if !patient.isRead {
      read(&patient)
      hasChanged = true
    }
    guard !isStopped else { return hasChanged }
    tell(.healing(node: replica.name))
    let healed = patient.maintenance.healNoted(acceptsLoss: acceptsLoss)
    patient.report.copiesHealed += healed
    let emptied = patient.maintenance.emptyDamaged().count
    patient.report.segmentsEmptied += emptied
    return hasChanged || healed > 0 || emptied > 0
  }

  /// Reads every segment once, values too.
  private func read(_ patient: inout Patient) {
    let replica = patient.maintenance.replica
    patient.isRead = true
    // Only what is on the disk is judged.
    replica.commit.syncNow()
    var scrub = Scrub()
    let count = replica.store.log.size.segments
    for i in 1...count {
      tell(.reading(node: replica.name, segment: i, of: count))
      guard !isStopped else { return }
      if let finding = replica.whileOpen({ scrub.step(replica.store) }) ?? nil { patient.maintenance.take(finding) }
      patient.report.segmentsRead += 1
    }
  }

  /// The next start does without one and reads the log.
  private func removeDamagedCheckpoint(_ patient: inout Patient) {
    let log = patient.maintenance.replica.store.log
    let path = Checkpoint.path(log.folder)
    guard let names = try? log.disk.names(in: log.folder), names.contains("checkpoint") else { return }
    if let file = try? log.disk.openSegment(path, capacity: 0) {
      defer { file.close() }
      guard Checkpoint.damage(file.base, byteCount: file.byteCount, log.identity) != nil else { return }
    }
    patient.report.isCheckpointRemoved = (try? log.disk.remove(path)) != nil
  }

  private func report() -> RepairReport {
    var report = RepairReport()
    report.twins = twins
    for patient in patients {
      var node = patient.report
      node.isSuspect = patient.maintenance.replica.store.isSuspect
      node.lostRanges = patient.maintenance.lostRanges
      node.unrestored = patient.maintenance.unhealed()
      report.nodes.append(node)
    }
    for node in maintenance.roster.withState({ $0.nodes }) where node.replica == nil {
      report.nodes.append(RepairReport.Node(name: node.name, absence: node.state))
    }
    report.nodes.sort { Configuration.countsBefore($0.name, $1.name) }
    return report
  }
}

extension Maintenance {
  /// ``Cluster/repair(acceptsLoss:progress:)`` for a simulation, while nothing else is done.
  package func repairNow(acceptsLoss: Bool) -> RepairReport? {
    for replica in roster.live { HintReplay(data.partitions, data.links, to: replica).run() }
    return Repair(self, acceptsLoss) { _ in true }.run()
  }
}

extension NodeMaintenance {
  /// Copies that are damaged still.
  fileprivate func unhealed() -> [RepairReport.Unrestored] {
    let store = replica.store
    var found: [RepairReport.Unrestored] = []
    for hash in replica.takeDamagedHashes() {
      partitions.whileServing(replica, Store.partition(of: hash)) {
        for location in store.damagedLocations(hash) {
          let position = store.table.position(of: location)
          let key = store.hasIntactHeader(location) ? Array(store.record(at: location).key) : nil
          let isOlderLeft = partitions.cure(of: hash, at: replica, data.links)?.isOlder ?? false
          found.append(
            RepairReport.Unrestored(
              key: key, segment: position.segment, offset: position.offset, isOlderLeft: isOlderLeft))
        }
      }
    }
    return found.sorted { ($0.segment, $0.offset) < ($1.segment, $1.offset) }
  }
}
