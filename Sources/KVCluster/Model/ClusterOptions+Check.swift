extension ClusterOptions {
  /// - Throws: `ClusterError.invalidArgument` for numbers that make no sense by themselves.
  func check() throws(ClusterError) {
    if let replicas, !(1...Limits.replicasMax).contains(replicas) {
      throw .invalidArgument("--replicas is 1 to \(Limits.replicasMax), not \(replicas)")
    }
    for (name, value) in [("--read-quorum", readQuorum), ("--write-quorum", writeQuorum)] {
      if let value, value < 1 { throw .invalidArgument("\(name) is 1 or more, not \(value)") }
    }
    guard cacheBytes >= 0 else { throw .invalidArgument("the cache's size cannot be negative") }
    guard !initialNodes.isEmpty, initialNodes.count <= Limits.nodesMax else {
      throw .invalidArgument("a cluster has 1 to \(Limits.nodesMax) nodes, not \(initialNodes.count)")
    }
    guard Set(initialNodes).count == initialNodes.count else {
      throw .invalidArgument("two nodes of a cluster cannot have the same name")
    }
  }

  /// A majority for what is not given: of N=3, R=2 and W=2.
  func quorumOfNewCluster() throws(ClusterError) -> QuorumSettings {
    let n = replicas ?? 3
    let settings = QuorumSettings(replicas: n, read: readQuorum ?? n / 2 + 1, write: writeQuorum ?? n / 2 + 1)
    for (name, value) in [("--read-quorum", settings.read), ("--write-quorum", settings.write)] where value > n {
      throw .invalidArgument("\(name) \(value) is more than the \(n) replicas there are")
    }
    return settings
  }

  /// - Throws: `ClusterError.invalidArgument` if nodes cannot be replaced unasked with such quorums.
  func checkReplacement(_ quorum: QuorumSettings) throws(ClusterError) {
    guard replaceAfterNs != nil, quorum.guarantee == .eventual else { return }
    throw .invalidArgument(
      .init(
        "--replace-after needs R + W > N: with R=\(quorum.read), W=\(quorum.write) and N=\(quorum.replicas) a node that is "
          + "down may hold the only copy of a write"))
  }

  /// - Throws: `ClusterError.dataFolder` if the folder's cluster was made with other numbers.
  func check(against existing: QuorumSettings) throws(ClusterError) {
    let asked = [
      ("--replicas", replicas, existing.replicas), ("--read-quorum", readQuorum, existing.read),
      ("--write-quorum", writeQuorum, existing.write),
    ]
    for (name, wanted, current) in asked {
      guard let wanted, wanted != current else { continue }
      throw .dataFolder(
        "the cluster in \(dataFolder) was made with \(name) \(current), not \(wanted): leave the option out, or use another --data folder"
      )
    }
  }
}
