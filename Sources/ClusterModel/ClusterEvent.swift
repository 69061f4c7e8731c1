/// Something that happened to the cluster.
public struct ClusterEvent: Sendable, Equatable, Codable {
  /// How much attention an event deserves.
  public enum Severity: String, Sendable, Equatable, Codable {
    /// Something went as it should.
    case info
    /// Something that was asked for, or was wrong, is done or good again.
    case success
    /// Something is not as it should be, and the cluster goes on.
    case warning
    /// Something could not be done.
    case failure
  }

  /// Subject of an event; graphs mark some kinds on their time axis.
  public enum Kind: String, Sendable, Equatable, Codable {
    /// The cluster as a whole, and the links between its nodes.
    case cluster
    /// A node joins.
    case join
    /// A node leaves.
    case leave
    /// A node was killed.
    case kill
    /// A node was started again.
    case restart
    /// Logs are read at a start, and nodes rebuilt.
    case recovery
    /// Writes that nodes missed are kept for them or handed to them.
    case hints
    /// Disks: damage, syncs that failed, compaction.
    case storage
  }

  /// The encoded form; a newer one is refused before anything else of it is read.
  public var version = FormatVersion()
  /// Counts events from 1 since the cluster was opened.
  public var sequence: UInt64
  /// When it happened, as ``ClusterStatus/uptimeNs`` counts.
  public var uptimeNs: UInt64
  /// The event itself, with its nodes and figures.
  public var what: What

  /// Backends make events; others do so to show them.
  public init(sequence: UInt64, uptimeNs: UInt64, _ what: What) {
    self.sequence = sequence
    self.uptimeNs = uptimeNs
    self.what = what
  }

  /// The event's subject.
  public var kind: Kind { what.rank.kind }
  /// How much attention it deserves.
  public var severity: Severity { what.rank.severity }
  /// The node it happened to, if it is about one.
  public var node: String? { what.node }
}

extension ClusterEvent {
  /// Why a node that may have lost records votes again.
  public enum RebuildEvidence: String, Sendable, Equatable, Codable {
    /// Enough undamaged owners were compared: nothing is lost.
    case undamagedOwners
    /// All owners were compared: what none of them has on its disk is lost.
    case allOwners
    /// The operator accepted the loss of what no owner has left.
    case acceptedLoss
  }

  /// An event with its fields. Times are in the unit of their name, bytes are of records.
  public enum What: Sendable, Equatable, Codable {
    /// The logs are read, and reads and writes are served.
    case opened(nodes: Int, logBytes: Int, ms: Int)
    /// The cluster cannot serve.
    case recoveryFailed(ClusterError)
    /// The machine stopped while acknowledged writes were not on its disk.
    case unsyncedWritesLost

    /// A node begins to join, or to leave, perhaps to a replacement.
    case changeBegan(ChangeStatus.Kind, node: String, replacement: String?)
    /// The change under way cannot go on at the moment.
    case changeWaits(ClusterError.Detail)
    /// A node has joined.
    case joined(node: String, copiesMoved: Int)
    /// A node has left, perhaps to a replacement.
    case left(node: String, copiesMoved: Int, replacement: String?)
    /// Fewer nodes than copies that each key should have.
    case underReplicated(nodes: Int, replicas: Int)
    /// The cluster replaces a node that stays down: with `replacement`, or with the remaining nodes if that is `nil`.
    case replacementDue(node: String, downSeconds: Int, replacement: String?)
    /// A node that stays down cannot be replaced at the moment.
    case replacementPostponed(node: String, ClusterError)

    /// A node was killed.
    case killed(node: String)
    /// A node that was down is back and has caught up.
    case restarted(node: String, ms: Int, hintsDelivered: Int, copiesRepaired: Int)
    /// A node stopped because its disk failed or its log cannot be read.
    case nodeFailed(node: String, reason: String)
    /// A node could not start: something has to be mended first.
    case nodeCannotStart(node: String, ClusterError.Detail)
    /// A node was paused: it takes and sends no messages.
    case paused(node: String)
    /// A paused node goes on.
    case resumed(node: String)
    /// Other nodes have not heard from a node for a while.
    case contactLost(node: String, by: [String])
    /// All nodes hear a node again.
    case contactRestored(node: String)

    /// All links between groups of nodes are cut.
    case partitioned([[String]])
    /// A node's messages are delayed.
    case slowed(node: String, delayNs: UInt64)
    /// A part of a node's messages is lost.
    case lossy(node: String, perMille: Int)
    /// All links are good.
    case linksHealed

    /// A byte was flipped on a node's disk, on purpose.
    case corrupted(node: String, segment: UInt64, offset: Int)
    /// A node's next sync will fail, on purpose.
    case syncWillFail(node: String)
    /// A start found a node's log damaged, in these bytes of a segment; empty if all of it is missing.
    case logDamaged(node: String, segment: UInt64, bytes: Range<Int>, reason: String)
    /// A copy on a node's disk does not verify.
    case copyDamaged(node: String, segment: UInt64, offset: Int)
    /// Damaged copies were fetched from other replicas.
    case copiesHealed(node: String, count: Int)
    /// Damaged copies wait for a good one.
    case copiesUnhealed(node: String, count: Int)
    /// A damaged copy could not be replaced.
    case healingFailed(node: String, reason: String)
    /// A node may have lost records, and no other node has copies of them.
    case possibleLoss(node: String)
    /// A node that may have lost records has been compared with others, and votes again.
    case rebuilt(node: String, copies: Int, RebuildEvidence)
    /// A node that may have lost records cannot be compared yet.
    case rebuildWaits(node: String, ClusterError.Detail)
    /// Too many owners of these ranges have lost records to say what was acknowledged.
    case writesMayBeLost(node: String, ranges: [LostRange])
    /// Hints for a node were given up.
    case hintsDropped(holder: String, target: String)
    /// No checkpoint of a node's index was written.
    case checkpointFailed(node: String, reason: String)
    /// A compacted segment could not be given up.
    case compactionFailed(node: String, reason: String)
    /// Nodes held different contents under one version; one node's count now.
    case twinsSettled(nodes: [String], winner: String)
    /// Nodes hold different contents of keys under one version; `more` keys beside the one named.
    case twinsFound(nodes: [String], key: [UInt8], more: Int)

    /// The live checker found an answer that nothing explains.
    case notLinearizable(String)

    /// Something that only this backend knows, in its words.
    case remark(Kind, Severity, node: String?, ClusterError.Detail)
  }
}

extension ClusterEvent.What {
  fileprivate var rank: (kind: ClusterEvent.Kind, severity: ClusterEvent.Severity) {
    switch self {
    case .opened: (.cluster, .info)
    case .recoveryFailed: (.recovery, .failure)
    case .unsyncedWritesLost: (.recovery, .warning)
    case .changeBegan(.join, _, _): (.join, .info)
    case .changeBegan(.leave, _, _): (.leave, .info)
    case .changeWaits: (.storage, .failure)
    case .joined: (.join, .success)
    case .left: (.leave, .success)
    case .underReplicated, .replacementDue, .replacementPostponed: (.leave, .warning)
    case .killed: (.kill, .warning)
    case .restarted: (.restart, .success)
    case .nodeFailed, .nodeCannotStart: (.storage, .failure)
    case .paused, .contactLost, .partitioned, .slowed, .lossy: (.cluster, .warning)
    case .resumed, .contactRestored, .linksHealed: (.cluster, .success)
    case .corrupted, .syncWillFail, .copiesUnhealed, .rebuildWaits, .hintsDropped, .checkpointFailed, .twinsSettled:
      (.storage, .warning)
    case .logDamaged, .copyDamaged, .healingFailed, .possibleLoss, .writesMayBeLost, .compactionFailed, .twinsFound:
      (.storage, .failure)
    case .copiesHealed, .rebuilt(_, _, .undamagedOwners): (.storage, .success)
    case .rebuilt: (.storage, .warning)
    case .notLinearizable: (.cluster, .failure)
    case .remark(let kind, let severity, _, _): (kind, severity)
    }
  }

  fileprivate var node: String? {
    switch self {
    case .changeBegan(_, let node, _), .joined(let node, _), .left(let node, _, _), .replacementDue(let node, _, _),
      .replacementPostponed(let node, _), .killed(let node), .restarted(let node, _, _, _), .nodeFailed(let node, _),
      .nodeCannotStart(let node, _),
      .paused(let node), .resumed(let node), .contactLost(let node, _), .contactRestored(let node),
      .slowed(let node, _), .lossy(let node, _), .corrupted(let node, _, _), .syncWillFail(let node),
      .logDamaged(let node, _, _, _), .copyDamaged(let node, _, _), .copiesHealed(let node, _),
      .copiesUnhealed(let node, _), .healingFailed(let node, _), .possibleLoss(let node), .rebuilt(let node, _, _),
      .rebuildWaits(let node, _), .writesMayBeLost(let node, _), .hintsDropped(let node, _),
      .checkpointFailed(let node, _), .compactionFailed(let node, _), .twinsSettled(_, let node):
      node
    case .opened, .recoveryFailed, .unsyncedWritesLost, .changeWaits, .underReplicated, .partitioned, .linksHealed,
      .twinsFound, .notLinearizable:
      nil
    case .remark(_, _, let node, _): node
    }
  }
}
