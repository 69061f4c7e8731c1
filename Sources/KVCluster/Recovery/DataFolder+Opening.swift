extension DataFolder {
  /// Makes and locks the folder that options name.
  convenience init(_ options: ClusterOptions, _ wrap: (any Disk) -> any Disk) throws(ClusterError) {
    try self.init(options.dataFolder, options.fsync, wrap)
    guard !options.isEphemeral || isEmpty else {
      close(removing: false)
      throw .dataFolder("\(path) is not empty, and an ephemeral cluster removes its folder: use an empty one")
    }
  }

  /// The configuration of a cluster that is to be opened here; written, if the cluster is new.
  func configuration(_ options: ClusterOptions, newID: UInt64) throws(ClusterError) -> Configuration {
    if let existing = try readConfiguration() {
      try options.check(against: existing.quorum)
      return existing
    }
    guard !hasLogs() else {
      throw .dataFolder(
        .init(
          "\(path) has logs but no configuration, so nobody can say which node owns what; put the newest file "
            + "'configuration' back (an older one is refused), or restore a whole backup"))
    }
    let quorum = try options.quorumOfNewCluster()
    for name in options.initialNodes { try Configuration.checkName(name) }
    let made = Configuration(
      clusterID: newID, quorum: quorum, nodeNames: options.initialNodes)
    do {
      try write(made)
    } catch {
      throw .dataFolder(.init(error.description))
    }
    return made
  }
}
