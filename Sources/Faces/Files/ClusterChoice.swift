import Glibc
import KVCluster
import Text

/// The user's options for a cluster on this machine. A field is `nil` if its option was not given.
package struct ClusterChoice: Sendable {
  /// The folder as it was typed.
  package var data: String?
  /// A temporary folder that is removed at the end.
  package var isEphemeral = false
  /// Nodes of a new cluster.
  package var nodes: Int?
  /// Copies of each key in a new cluster.
  package var replicas: Int?
  package var readQuorum: Int?
  package var writeQuorum: Int?
  package var fsync: FsyncPolicy?
  /// Cache of each node.
  package var cacheMiB: Int?
  package var replaceAfterSeconds: Int?

  private static let nodesDefault = 3

  package init() {}

  /// The engine's options. Makes the temporary folder of an ephemeral cluster.
  package func clusterOptions(_ console: Console = .standard) throws -> ClusterOptions {
    let folder = try isEphemeral ? nil : self.folder()
    let present = folder.flatMap { FolderAtRest.nodeNames(of: $0)?.count }
    if let folder, let nodes, let present, present != nodes {
      throw Refusal(
        "--nodes is for a new cluster, and the one in \(folder) has \(Figures.count(present, "node")), not "
          + "\(Figures.count(nodes)): leave the option out; addnode and removenode change it")
    }
    let cacheBytes = cacheMiB.map { $0 << 20 } ?? ProcessLimits.cacheBytesDefault
    let count = present ?? nodes ?? Self.nodesDefault
    if let problem = ProcessLimits.problem(nodes: count, cacheBytes: cacheBytes) { throw Refusal(problem) }
    if let nodes, let replicas, replicas > nodes {
      console.complain(
        "note: --replicas \(replicas) with --nodes \(nodes): keys have "
          + "\(Figures.count(nodes, "copy", plural: "copies")) until there are more nodes")
    }
    var made = ClusterOptions(
      dataFolder: try folder ?? TemporaryFolder.make(), isEphemeral: isEphemeral,
      initialNodes: (1...(nodes ?? Self.nodesDefault)).map { "node\($0)" }, replicas: replicas, readQuorum: readQuorum,
      writeQuorum: writeQuorum, fsync: fsync ?? .always, cacheBytes: cacheBytes)
    made.replaceAfterNs = replaceAfterSeconds.map { UInt64($0) * 1_000_000_000 }
    return made
  }

  /// The data's folder as an absolute path.
  /// - Parameter variable: the environment's variables that are set and not empty.
  package func folder(_ variable: (String) -> String? = ByteText.variable) throws(Refusal) -> String {
    if let data { return data.utf8.first == 0x2F ? data : "\(try Self.currentFolder())/\(data)" }
    // The XDG specification: a relative path is to be ignored.
    if let xdg = variable("XDG_DATA_HOME"), xdg.utf8.first == 0x2F { return "\(xdg)/kvstore" }
    guard let home = variable("HOME") else {
      throw Refusal("neither XDG_DATA_HOME nor HOME is set; say where the data is with --data DIR")
    }
    return "\(home)/.local/share/kvstore"
  }

  private static func currentFolder() throws(Refusal) -> String {
    guard let path = getcwd(nil, 0) else {
      throw Refusal("the current folder is gone: \(String(cString: strerror(errno)))")
    }
    defer { free(path) }
    return ByteText.encode(cString: path)
  }
}
