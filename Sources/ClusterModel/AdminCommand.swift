/// An order to a cluster's administration.
public enum AdminCommand: Sendable, Equatable, Codable {
  /// Adds a node; done when its share of the keys has moved to it.
  case addNode(String)
  /// Removes a node; done when its keys have moved to the others.
  case removeNode(String)
  /// Gives all that a node owns to a new one, and removes it.
  case replaceNode(String, replacement: String)
  /// Stops a node as a crash of it would.
  case kill(String)
  /// Starts a node that is down; done when it has caught up.
  case restart(String)
  /// Lets a node hold still, as a stopped process does.
  case pause(String)
  /// Lets a paused node go on.
  case resume(String)
  /// Cuts all links between nodes of different groups. Nodes in no group belong to the last.
  case partition([[String]])
  /// Makes all links good and lets paused nodes go on.
  case heal
  /// Delays every message to and from a node by `byNs` nanoseconds; 0 ends the delay.
  case slow(String, byNs: UInt64)
  /// Loses `perMille` of 1,000 messages to and from a node; 0 ends the loss.
  case drop(String, perMille: Int)
  /// Flips a byte of a value on a node's disk.
  case corrupt(String)
  /// Lets the next sync of a node's log fail.
  case failSync(String)
  /// Empties dead records out of a node's log, or of all if `nil`.
  case compact(String?)
  /// Copies the data to a folder that is empty or not there.
  case backUp(path: String)
  /// Lets a replica take over from its master, in step with it, so that nothing is lost; of a master one of its replicas.
  case failOver(String)
  /// Steers a change of members, or closes what one that was cut off has left.
  case steer(ChangeSteering)

  /// Whether it adds, removes or replaces a node.
  public var changesMembers: Bool { feature == .membership || feature == .replacement }

  /// The feature that a backend needs for it.
  public var feature: Capabilities.Feature {
    switch self {
    case .addNode, .removeNode: .membership
    case .replaceNode: .replacement
    case .kill, .restart: .nodeControl
    case .pause, .resume, .partition, .heal, .slow, .drop: .linkFaults
    case .corrupt, .failSync: .diskFaults
    case .compact: .compaction
    case .backUp: .backup
    case .failOver: .failover
    case .steer: .changeSteering
    }
  }
}

/// A step for a change of members that is under way, or was cut off.
public enum ChangeSteering: String, Sendable, Equatable, Codable, CaseIterable {
  /// Holds the change until it is resumed.
  case pause
  /// Resumes a paused change.
  case resume
  /// Ends the change; data that has moved stays where it is.
  case cancel
  /// Moves parts that a broken change has left between two nodes to their receivers.
  case finish
  /// Moves such parts back.
  case undo
}

/// How far an order is.
public enum AdminProgress: Sendable, Equatable, Codable {
  /// A backup's bytes.
  case backup(BackupProgress)
}

/// How an order ended.
public enum AdminResult: Sendable, Equatable, Codable {
  /// It is done.
  case done
  /// The logs are compacted.
  case compacted(CompactionSummary)
  /// The backup is on the disk.
  case backedUp(BackupSummary)
  /// The caller stopped it; the cluster is as it was.
  case stopped
}
