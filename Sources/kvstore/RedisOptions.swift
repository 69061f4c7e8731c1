import ArgumentParser
import Faces
import Glibc
import RedisCluster
import Text

/// The options for a cluster that is not kvstore's own, but Redis's.
struct RedisOptions: ParsableArguments {
  @Option(
    name: .customLong("redis"),
    help: ArgumentHelp("Watch and use a Redis Cluster, or one Redis; any of its nodes.", valueName: "host:port"))
  var seed: String?

  @Flag(name: .customLong("redis-demo"), help: "Start six Redis servers to try that on, and end them at the end.")
  var isDemo = false

  @Option(help: ArgumentHelp("The user to be there, if not the default one.", valueName: "name"))
  var redisUser: String?

  @Option(
    help: ArgumentHelp(
      "File whose first line is the password there (default: the environment's KVSTORE_PASSWORD).", valueName: "path"),
    completion: .file())
  var redisPasswordFile: String?

  @Option(
    help: ArgumentHelp(
      "Where a node is reached that is announced under another address; may be given several times.",
      valueName: "a:port=b:port"))
  var redisMap: [String] = []

  /// The options as they are typed.
  static let words = ["--redis", "--redis-demo", "--redis-user", "--redis-password-file", "--redis-map"]

  /// Those that were given.
  var given: [String] {
    zip(Self.words, [seed != nil, isDemo, redisUser != nil, redisPasswordFile != nil, !redisMap.isEmpty])
      .filter(\.1).map(\.0)
  }

  /// These options where they were given, else `others`.
  func filled(from others: RedisOptions) -> RedisOptions {
    var filled = self
    filled.seed = seed ?? others.seed
    filled.isDemo = isDemo || others.isDemo
    filled.redisUser = redisUser ?? others.redisUser
    filled.redisPasswordFile = redisPasswordFile ?? others.redisPasswordFile
    filled.redisMap = redisMap.isEmpty ? others.redisMap : redisMap
    return filled
  }

  func validate() throws {
    if let seed, Address(seed) == nil { throw ValidationError("--redis is \(seed); it must be host:port.") }
    for word in redisMap where Self.detour(word) == nil {
      throw ValidationError("--redis-map is \(word); it must be host:port=host:port.")
    }
    if isDemo, let other = given.first(where: { $0 != "--redis-demo" }) {
      throw ValidationError("--redis-demo starts servers of its own; it does not go with \(other).")
    }
  }

  /// Where the cluster is got from; `nil` if none of Redis's is asked for.
  func source() async throws -> ClusterSource? {
    try validate()
    if isDemo { return try await .redisDemo() }
    guard let seed, let address = Address(seed) else {
      guard let option = given.first else { return nil }
      throw ValidationError("\(option) is about a Redis Cluster, and --redis does not say which.")
    }
    var options = RedisBackend.Options(seed: address)
    options.detours = Dictionary(redisMap.compactMap(Self.detour)) { $1 }
    if let password = try Password.read(file: redisPasswordFile) {
      options.credentials = Credentials(user: redisUser, password: password)
    } else if let redisUser {
      throw ValidationError("--redis-user \(redisUser) needs a password: --redis-password-file, or KVSTORE_PASSWORD.")
    }
    return try await .redis(options)
  }

  private static func detour(_ word: String) -> (Address, Address)? {
    let parts = word.split(separator: "=", omittingEmptySubsequences: false)
    guard parts.count == 2, let from = Address(parts[0]), let to = Address(parts[1]) else { return nil }
    return (from, to)
  }
}
