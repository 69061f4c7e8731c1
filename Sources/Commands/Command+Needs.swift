import ClusterModel

extension Command {
  /// The key that the command reads or writes.
  package var key: [UInt8]? {
    switch self {
    case .put(let key, _, _), .get(let key, _), .delete(let key, _), .update(let key, _): key
    default: nil
    }
  }

  /// The feature that the command needs and the backend lacks; `nil` if it lacks none. Help on a command needs the command.
  package func missingFeature(_ capabilities: Capabilities) -> Capabilities.Feature? {
    var needed = name.feature
    switch self {
    case .put(_, _, .some), .get(_, .some), .delete(_, .some): needed = .consistencyLevels
    case .benchmark(.run): needed = .workloads
    case .help(let about?): needed = about.feature
    default: break
    }
    return needed.flatMap { capabilities.has($0) ? nil : $0 }
  }
}

extension CommandName {
  init(_ order: AdminCommand) {
    self =
      switch order {
      case .addNode: .addnode
      case .removeNode: .removenode
      case .replaceNode: .replacenode
      case .kill: .kill
      case .restart: .restart
      case .pause: .pause
      case .resume: .resume
      case .partition: .partition
      case .heal: .heal
      case .slow: .slow
      case .drop: .drop
      case .corrupt: .corrupt
      case .failSync: .fsyncFail
      case .backUp: .backup
      case .compact: .compact
      case .failOver: .failover
      case .steer: .change
      }
  }

  /// The feature that the command needs; `nil` if every backend has the command.
  package var feature: Capabilities.Feature? {
    switch self {
    case .put, .get, .del, .mget, .nodes, .benchmark, .load, .explain, .demo, .help, .exit: nil
    case .cas, .incr, .append, .getdel, .expire, .ttl, .persist: .updates
    case .mset: .batches
    case .keys: .scans
    case .addnode, .removenode: .membership
    case .replacenode: .replacement
    case .kill, .restart: .nodeControl
    case .pause, .resume, .partition, .heal, .slow, .drop: .linkFaults
    case .corrupt, .fsyncFail: .diskFaults
    case .verdict: .verdict
    case .backup: .backup
    case .compact: .compaction
    case .failover: .failover
    case .change: .changeSteering
    }
  }

  /// Whether such a backend has the command.
  package func isOffered(by capabilities: Capabilities?) -> Bool {
    guard let feature, let capabilities else { return true }
    return capabilities.has(feature)
  }
}
