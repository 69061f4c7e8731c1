import ArgumentParser
import Faces
import KVCluster

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

  /// The engine's options. Makes the temporary folder of an ephemeral cluster.
  ///
  /// - Throws: ``Refusal``, or what the argument parser says.
  func clusterOptions() throws -> ClusterOptions {
    // Again, now that root and subcommand are put together.
    try validate()
    if let option = redis.given.first {
      throw ValidationError("\(option) is about a Redis Cluster, and this works on a cluster of kvstore's own.")
    }
    return try choice.clusterOptions()
  }

  /// The cluster of this machine that they choose.
  var choice: ClusterChoice {
    var choice = ClusterChoice()
    (choice.data, choice.isEphemeral, choice.nodes) = (data, ephemeral, nodes)
    (choice.replicas, choice.readQuorum, choice.writeQuorum) = (replicas, readQuorum, writeQuorum)
    (choice.fsync, choice.cacheMiB, choice.replaceAfterSeconds) = (fsync, cacheMib, replaceAfter)
    return choice
  }
}

extension FsyncPolicy: ExpressibleByArgument {}
