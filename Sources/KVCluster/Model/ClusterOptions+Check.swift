extension ClusterOptions {
  /// - Throws: `ClusterError.invalidArgument` for numbers that make no sense by themselves; it names the field.
  func check() throws(ClusterError) {
    if let replicas, !(1...Limits.replicasMax).contains(replicas) {
      throw .invalidArgument(
        .init("replicas is 1 to \(Limits.replicasMax), not \(replicas)", field: "replicas"))
    }
    for (name, value) in [("readQuorum", readQuorum), ("writeQuorum", writeQuorum)] {
      if let value, value < 1 {
        throw .invalidArgument(.init("\(name) is 1 or more, not \(value)", field: name))
      }
    }
    guard cacheBytes >= 0 else {
      throw .invalidArgument(.init("the cache's size cannot be negative", field: "cacheBytes"))
    }
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
    for (name, value) in [("readQuorum", settings.read), ("writeQuorum", settings.write)] where value > n {
      throw .invalidArgument(.init("\(name) is \(value), more than the \(n) replicas there are", field: name))
    }
    return settings
  }

  /// - Throws: `ClusterError.invalidArgument` if nodes cannot be replaced unasked with such quorums.
  func checkReplacement(_ quorum: QuorumSettings) throws(ClusterError) {
    guard replaceAfterNs != nil, quorum.guarantee == .eventual else { return }
    throw .invalidArgument(
      .init(
        "replaceAfterNs needs R + W > N: with R=\(quorum.read), W=\(quorum.write) and N=\(quorum.replicas) a node that is "
          + "down may hold the only copy of a write", field: "replaceAfterNs"))
  }

  /// - Throws: `ClusterError.dataFolder` if the folder's cluster was made with other numbers.
  func check(against existing: QuorumSettings) throws(ClusterError) {
    let asked = [
      ("replicas", replicas, existing.replicas), ("readQuorum", readQuorum, existing.read),
      ("writeQuorum", writeQuorum, existing.write),
    ]
    for (name, wanted, current) in asked {
      guard let wanted, wanted != current else { continue }
      throw .dataFolder(
        .init(
          "the cluster in \(dataFolder) was made with \(name) \(current), not \(wanted): leave it out, or use another folder",
          field: name))
    }
  }
}
