import ArgumentParser
import Faces
import Glibc
import KVCluster
import Text

/// The options of every face: which cluster, and how it is opened.
///
/// Each subcommand has them as the root has, so that they may stand before its name or behind it. All are optional here,
/// because only so can one tell "not given" from "given as the default" when the two places are put together.
struct StartOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Folder of the data (default: $XDG_DATA_HOME/kvstore).", valueName: "dir"),
    completion: .directory)
  var data: String?

  @Flag(help: "Use a temporary folder and remove it at the end.")
  var ephemeral = false

  @Option(help: ArgumentHelp("Nodes of a new cluster (default: 3).", valueName: "n"))
  var nodes: Int?

  @Option(help: ArgumentHelp("Copies of each key in a new cluster (default: 3).", valueName: "n"))
  var replicas: Int?

  @Option(help: ArgumentHelp("Copies that must answer a read (default: a majority).", valueName: "r"))
  var readQuorum: Int?

  @Option(help: ArgumentHelp("Copies that must hold a write (default: a majority).", valueName: "w"))
  var writeQuorum: Int?

  @Option(help: ArgumentHelp("When a write is safe on the disk (default: always).", valueName: "policy"))
  var fsync: FsyncPolicy?

  @Option(help: ArgumentHelp("Cache of each node in MiB (default: 64).", valueName: "mib"))
  var cacheMib: Int?

  @Option(
    help: ArgumentHelp(
      "Replace a node that has been down for so many seconds: by the others, else by a new one (default: never).",
      valueName: "seconds"))
  var replaceAfter: Int?

  @OptionGroup(title: "Redis Cluster options")
  var redis: RedisOptions

  /// The options as they are typed.
  static let words = [
    "--data", "--ephemeral", "--nodes", "--replicas", "--read-quorum", "--write-quorum", "--fsync", "--cache-mib",
    "--replace-after",
  ]

  /// All of this cluster and of others.
  static var allWords: [String] { words + RedisOptions.words }

  func validate() throws {
    // A year: beyond it, never is meant.
    try check("replace-after", replaceAfter, 1...31_536_000)
    try check("nodes", nodes, 1...Limits.nodesMax)
    try check("replicas", replicas, 1...Limits.replicasMax)
    try check("read-quorum", readQuorum, 1...(replicas ?? Limits.replicasMax))
    try check("write-quorum", writeQuorum, 1...(replicas ?? Limits.replicasMax))
    // 16 TiB: beyond any machine, and far from overflowing a count of bytes.
    try check("cache-mib", cacheMib, 0...(1 << 24))
    if data?.isEmpty == true { throw ValidationError("--data needs the name of a folder.") }
    if ephemeral, data != nil {
      throw ValidationError("--ephemeral makes a temporary folder and removes it; it does not go with --data.")
    }
  }

  private func check(_ name: String, _ value: Int?, _ range: ClosedRange<Int>) throws {
    guard let value, !range.contains(value) else { return }
    throw ValidationError("--\(name) is \(value); it can be \(range.lowerBound) to \(range.upperBound).")
  }

  /// These options where they were given, else `others`.
  func filled(from others: StartOptions) -> StartOptions {
    var filled = self
    filled.data = data ?? others.data
    filled.ephemeral = ephemeral || others.ephemeral
    filled.nodes = nodes ?? others.nodes
    filled.replicas = replicas ?? others.replicas
    filled.readQuorum = readQuorum ?? others.readQuorum
    filled.writeQuorum = writeQuorum ?? others.writeQuorum
    filled.fsync = fsync ?? others.fsync
    filled.cacheMib = cacheMib ?? others.cacheMib
    filled.replaceAfter = replaceAfter ?? others.replaceAfter
    filled.redis = redis.filled(from: others.redis)
    return filled
  }
}

extension StartOptions {
  /// The cluster that the options ask for.
  ///
  /// - Throws: ``Refusal``, or what the argument parser says.
  func source(isWatched: Bool = true, isServed: Bool = false) async throws -> ClusterSource {
    let redis = redis.given
    if let option = redis.first, let other = given.first(where: { !redis.contains($0) }) {
      throw ValidationError("\(other) is about a cluster of kvstore's own; it does not go with \(option).")
    }
    if let source = try await self.redis.source() { return source }
    return try await .reaching(try clusterOptions(), isWatched: isWatched, isServed: isServed)
  }

  /// What the engine is told; makes the temporary folder if one is asked for.
  ///
  /// - Throws: ``Refusal``, or what the argument parser says.
  func clusterOptions() throws -> ClusterOptions {
    // Again, now that root and subcommand are put together.
    try validate()
    if let option = redis.given.first {
      throw ValidationError("\(option) is about a Redis Cluster, and this works on a cluster of kvstore's own.")
    }
    let folder = try ephemeral ? nil : self.folder()
    let present = folder.flatMap(FolderAtRest.nodeCount)
    if let folder, let nodes, let present, present != nodes {
      throw Refusal(
        "--nodes is for a new cluster, and the one in \(folder) has \(Figures.count(present, "node")), not \(nodes): leave "
          + "the option out; addnode and removenode change it")
    }
    let cacheBytes = cacheMib.map { $0 << 20 } ?? ProcessLimits.cacheBytesDefault
    if let problem = ProcessLimits.problem(nodes: present ?? nodes ?? 3, cacheBytes: cacheBytes) {
      throw Refusal(problem)
    }
    if let nodes, let replicas, replicas > nodes {
      Console.standard.complain(
        "note: --replicas \(replicas) with --nodes \(nodes): keys have \(Figures.count(nodes, "copy", plural: "copies")) until there are more nodes"
      )
    }
    var made = ClusterOptions(
      dataFolder: try folder ?? TemporaryFolder.make(), isEphemeral: ephemeral,
      initialNodes: (1...(nodes ?? 3)).map { "node\($0)" }, replicas: replicas, readQuorum: readQuorum,
      writeQuorum: writeQuorum, fsync: fsync ?? .always, cacheBytes: cacheBytes)
    made.replaceAfterNs = replaceAfter.map { UInt64($0) * 1_000_000_000 }
    return made
  }

  /// The data's folder as an absolute path.
  func folder() throws -> String {
    if let data { return data.utf8.first == 0x2F ? data : "\(try Self.currentFolder())/\(data)" }
    // The XDG specification: a relative path is to be ignored.
    if let xdg = ByteText.variable("XDG_DATA_HOME"), xdg.utf8.first == 0x2F { return "\(xdg)/kvstore" }
    guard let home = ByteText.variable("HOME") else {
      throw Refusal("neither XDG_DATA_HOME nor HOME is set; say where the data is with --data DIR")
    }
    return "\(home)/.local/share/kvstore"
  }

  private static func currentFolder() throws -> String {
    guard let path = getcwd(nil, 0) else {
      throw Refusal("the current folder is gone: \(String(cString: strerror(errno)))")
    }
    defer { free(path) }
    return ByteText.encode(cString: path)
  }
}

extension FsyncPolicy: ExpressibleByArgument {}
