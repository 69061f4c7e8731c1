import ArgumentParser
import Commands
import Faces
import KVCluster
import Text

/// A command of the command language as a subcommand: `kvstore get a`. The shell has read the quotes already, so the
/// arguments are taken as they are.
protocol DirectCommand: Subcommand, AsyncParsableCommand {
  static var name: CommandName { get }
  var options: StartOptions { get }
  var command: Command { get }
}

extension DirectCommand {
  /// Behind `--` the parser takes options for words of a value.
  /// - Throws: if there is one that the command would have.
  func checkWords(_ words: [String]) throws {
    let known = ["--consistency"] + StartOptions.allWords
    guard words.count > 1, let option = words.first(where: { known.contains(String($0.prefix { $0 != "=" })) }) else {
      return
    }
    throw ValidationError(
      "behind -- all is key and value, also \(option): options go before it, as in \(Self.name.rawValue) --data DIR -- -5 x; "
        + "a value with such a word in it goes in quotes.")
  }

  static var configuration: CommandConfiguration {
    let summary = CommandEntry.of(name).summary
    return CommandConfiguration(
      commandName: name.rawValue, abstract: "\(summary.prefix(1).uppercased())\(summary.dropFirst()).")
  }

  func run() async throws {
    let command = command
    let source = try await options.filled(from: parent.options).source(isWatched: false)
    throw ExitCode(await Script.run(source) { await $0.run(command) })
  }
}

struct Put: DirectCommand {
  static let name = CommandName.put
  @Argument(help: "The key.") var key: String
  @Argument(help: ArgumentHelp("The value; several words are joined by a space. Put -- before a key or value like -5."))
  var value: [String]
  @Option(help: "How many owners it waits for: one, quorum or all; as the cluster, if not said.")
  var consistency: Consistency?
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  func validate() throws { try checkWords(value) }

  var command: Command {
    .put(
      key: ByteText.decode(key), value: ByteText.decode(value.joined(separator: " ")),
      consistency: consistency)
  }
}

struct Compact: DirectCommand {
  static let name = CommandName.compact
  @Argument(help: "The node's name; all that are up, if not said.", completion: .node) var node: String?
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore
  var command: Command { .order(.compact(node)) }
}

struct Get: DirectCommand {
  static let name = CommandName.get
  @Argument(help: "The key.") var key: String
  @Option(help: "How many owners it waits for: one, quorum or all; as the cluster, if not said.")
  var consistency: Consistency?
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  var command: Command { .get(key: ByteText.decode(key), consistency: consistency) }
}

struct Del: DirectCommand {
  static let name = CommandName.del
  @Argument(help: "The key.") var key: String
  @Option(help: "How many owners it waits for: one, quorum or all; as the cluster, if not said.")
  var consistency: Consistency?
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  var command: Command { .delete(key: ByteText.decode(key), consistency: consistency) }
}

struct MGet: DirectCommand {
  static let name = CommandName.mget
  @Argument(help: "The keys.") var keys: [String]
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  func validate() throws { try checkWords(keys) }

  var command: Command { .getAll(keys: keys.map { ByteText.decode($0) }) }
}

struct MSet: DirectCommand {
  static let name = CommandName.mset
  @Argument(help: "Keys and their values in turn; a value of several words goes in quotes.") var words: [String]
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  func validate() throws {
    try checkWords(words)
    guard words.isEmpty || !words.count.isMultiple(of: 2) else { return }
    throw ValidationError("mset takes a VALUE for each KEY: mset KEY VALUE KEY VALUE.")
  }

  var command: Command {
    let bytes = words.map { ByteText.decode($0) }
    return .putTogether(stride(from: 0, to: bytes.count, by: 2).map { KeyValue(bytes[$0], bytes[$0 + 1]) })
  }
}

struct Cas: DirectCommand {
  static let name = CommandName.cas
  @Argument(help: "The key.") var key: String
  @Argument(help: "The value that is expected, left out with --absent, and the new one.") var values: [String]
  @Flag(help: "Expect that there is no value.") var absent = false
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  func validate() throws {
    try checkWords(values)
    let expected = absent ? 1 : 2
    guard values.count != expected else { return }
    throw ValidationError(
      "cas takes \(absent ? "KEY NEW with --absent" : "KEY OLD NEW, or --absent KEY NEW"); a value of several words goes in quotes."
    )
  }

  var command: Command {
    .update(
      key: ByteText.decode(key),
      .compareAndSet(
        expected: absent ? nil : ByteText.decode(values[0]), value: ByteText.decode(values[values.count - 1])))
  }
}

struct Incr: DirectCommand {
  static let name = CommandName.incr
  @Argument(help: "The key.") var key: String
  @Argument(help: "How much is added. Put -- before a key and a number like -5.") var by: Int64 = 1
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  var command: Command { .update(key: ByteText.decode(key), .increment(by: by)) }
}

struct Append: DirectCommand {
  static let name = CommandName.append
  @Argument(help: "The key.") var key: String
  @Argument(help: "What is appended; several words are joined by a space.") var value: [String]
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  func validate() throws { try checkWords(value) }

  var command: Command {
    .update(key: ByteText.decode(key), .append(ByteText.decode(value.joined(separator: " "))))
  }
}

struct GetDel: DirectCommand {
  static let name = CommandName.getdel
  @Argument(help: "The key.") var key: String
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  var command: Command { .update(key: ByteText.decode(key), .take) }
}

struct Expire: DirectCommand {
  static let name = CommandName.expire
  @Argument(help: "The key.") var key: String
  @Argument(help: "After how long: seconds, or as in 500ms, 90s, 5m, 2h, 1d.") var time: String
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  func validate() throws {
    do throws(CommandError) { _ = try Command.lifetime(time) } catch { throw ValidationError(error.description) }
  }

  var command: Command {
    guard let end = try? Command.lifetime(time) else { preconditionFailure("the time was validated") }
    return .update(key: ByteText.decode(key), .expire(end))
  }
}

struct TTL: DirectCommand {
  static let name = CommandName.ttl
  @Argument(help: "The key.") var key: String
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  var command: Command { .update(key: ByteText.decode(key), .timeToLive) }
}

struct Persist: DirectCommand {
  static let name = CommandName.persist
  @Argument(help: "The key.") var key: String
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  var command: Command { .update(key: ByteText.decode(key), .persist) }
}

struct Nodes: DirectCommand {
  static let name = CommandName.nodes
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  var command: Command { .nodes }
}

struct AddNode: DirectCommand {
  static let name = CommandName.addnode
  @Argument(help: "The new node's name.") var node: String
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  var command: Command { .order(.addNode(node)) }
}

struct RemoveNode: DirectCommand {
  static let name = CommandName.removenode
  @Argument(help: "The node's name.", completion: .node) var node: String
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  var command: Command { .order(.removeNode(node)) }
}

struct ReplaceNode: DirectCommand {
  static let name = CommandName.replacenode
  @Argument(help: "The node's name.", completion: .node) var node: String
  @Argument(help: "The new node's name.") var replacement: String
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  var command: Command { .order(.replaceNode(node, replacement: replacement)) }
}

struct Failover: DirectCommand {
  static let name = CommandName.failover
  @Argument(help: "The replica that takes over, or its master.", completion: .node) var node: String
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  var command: Command { .order(.failOver(node)) }
}

struct Kill: DirectCommand {
  static let name = CommandName.kill
  @Argument(help: "The node's name.", completion: .node) var node: String
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  var command: Command { .order(.kill(node)) }
}

struct Restart: DirectCommand {
  static let name = CommandName.restart
  @Argument(help: "The node's name.", completion: .node) var node: String
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  var command: Command { .order(.restart(node)) }
}

/// Not called `Benchmark`, which is the thing it runs.
struct BenchmarkCommand: DirectCommand {
  static let name = CommandName.benchmark
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  var command: Command { .benchmark(.averages) }
}

struct Explain: DirectCommand {
  static let name = CommandName.explain
  @Argument(help: "The topic; without one they are listed.") var topic: Topic?
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  var command: Command { .explain(topic) }
}

extension Topic: ExpressibleByArgument {}

struct Load: DirectCommand {
  static let name = CommandName.load
  @Argument(help: "The file; - is standard input.", completion: .file()) var file: String
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  var command: Command { .load(path: ByteText.decode(file)) }
}

struct Keys: DirectCommand {
  /// Keys listed at most, whatever is asked for: they are gathered in memory and sorted.
  private static let limitMax = 1_000_000

  static let name = CommandName.keys
  @Argument(help: "List only keys that begin so.") var prefix: String?
  @Option(help: ArgumentHelp("List at most so many keys.", valueName: "n")) var limit = Command.keysListedDefault
  @OptionGroup(title: "Cluster options") var options: StartOptions
  @ParentCommand var parent: KVStore

  func validate() throws {
    guard !(1...Self.limitMax).contains(limit) else { return }
    throw ValidationError("--limit is \(limit); it can be 1 to \(Self.limitMax).")
  }

  var command: Command { .keys(prefix: ByteText.decode(prefix ?? ""), limit: limit) }
}

extension Consistency: ExpressibleByArgument {}
