import ClusterModel

/// One thing a person can ask of the cluster, whichever face they ask through.
///
/// Keys and values are bytes, not text: a store that cannot hold what is not UTF-8 is not a store. Names of nodes are
/// text, because the engine allows them letters, digits, `-`, `_` and `.` only, and says so itself.
package enum Command: Sendable, Equatable {
  /// `consistency` is `nil` for the cluster's default, here and below.
  case put(key: [UInt8], value: [UInt8], consistency: Consistency? = nil)
  case get(key: [UInt8], consistency: Consistency? = nil)
  case delete(key: [UInt8], consistency: Consistency? = nil)
  /// Reads keys, each as of a moment of its own.
  case getAll(keys: [[UInt8]])
  /// Stores values, all or none.
  case putTogether([KeyValue])
  /// Reads a key and writes it in one step.
  case update(key: [UInt8], KeyUpdate)
  case nodes
  /// An order to the administration, but for a backup, whose path may be any bytes. `isMeant`: the caller knows that it
  /// damages data, where it does.
  case order(AdminCommand, isMeant: Bool = false)
  case benchmark(BenchmarkRequest)
  /// Stores the `key<TAB>value` lines of the file at `path`; `-` is standard input.
  case load(path: [UInt8])
  /// Lists at most `limit` keys that begin with `prefix`, in the order of their bytes.
  case keys(prefix: [UInt8], limit: Int)
  /// The live checker's verdict.
  case verdict
  /// Copies the whole data folder to a new one.
  case backup(path: [UInt8])
  /// Explains one topic with the cluster's own figures, or lists all.
  case explain(Topic?)
  /// Plays the guided tour on clusters of its own.
  case demo
  /// Explains one command, or lists all.
  case help(CommandName?)
  case exit

  /// Keys that `keys` lists when nobody says how many: five screens of 24 lines, and little enough to print at once.
  package static let keysListedDefault = 100

  /// Whether the command reads standard input.
  package var readsInput: Bool { if case .load(let path) = self { path.elementsEqual("-".utf8) } else { false } }

  /// Under which name the command stands in the table.
  package var name: CommandName {
    switch self {
    case .put: .put
    case .get: .get
    case .delete: .del
    case .getAll: .mget
    case .putTogether: .mset
    case .update(_, .compareAndSet): .cas
    case .update(_, .increment): .incr
    case .update(_, .append): .append
    case .update(_, .take): .getdel
    case .update(_, .expire): .expire
    case .update(_, .timeToLive): .ttl
    case .update(_, .persist): .persist
    case .nodes: .nodes
    case .order(let order, _): CommandName(order)
    case .benchmark: .benchmark
    case .load: .load
    case .keys: .keys
    case .verdict: .verdict
    case .backup: .backup
    case .explain: .explain
    case .demo: .demo
    case .help: .help
    case .exit: .exit
    }
  }
}
