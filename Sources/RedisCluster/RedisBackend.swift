import ClusterModel
import RESP
import Synchronization
import Text

/// A running Redis Cluster, or one Redis server, as a backend.
///
/// Status and events are the watcher's; operations go to the owners of their keys. What Redis does not have is no capability:
/// operations have no consistency levels, and no key is promised more than eventually.
package final class RedisBackend: ClusterBackend {
  /// What it takes to reach a cluster.
  package struct Options: Sendable {
    /// Any node.
    package var seed: Address
    package var credentials: Credentials?
    /// Where nodes are reached that are announced under other addresses.
    package var detours: [Address: Address] = [:]

    package init(seed: Address, credentials: Credentials? = nil, detours: [Address: Address] = [:]) {
      (self.seed, self.credentials, self.detours) = (seed, credentials, detours)
    }
  }

  let watcher: Watcher
  let router: Router
  private let administration: Administration
  private let control = ChangeControl()
  /// The servers, if they are ours to stop and start.
  private let servers: (any ServerControl)?

  private init(
    _ watcher: Watcher, _ router: Router, _ administration: Administration, _ servers: (any ServerControl)?
  ) {
    (self.watcher, self.router, self.administration, self.servers) = (watcher, router, administration, servers)
  }

  /// Connects, and returns when every node has been asked once.
  /// - Parameters:
  ///   - options: where a node is, and who asks.
  ///   - servers: stops and starts the cluster's servers, where this program may.
  package static func connect(
    _ options: Options, servers: (any ServerControl)? = nil
  ) async throws(ClusterError) -> RedisBackend {
    let watcher = Watcher(options.seed, ConnectionPool(options.credentials, detours: options.detours))
    let router = Router(ConnectionPool(options.credentials, detours: options.detours), ClusterMap()) {
      [weak watcher] in watcher?.hurry()
    }
    do throws(ClusterError) {
      try await watcher.open { router.take($0) }
    } catch {
      watcher.close()
      throw error
    }
    watcher.tellOpenSlots()
    return RedisBackend(watcher, router, Administration(options), servers)
  }

  /// Leaves the cluster, which goes on. A change of members ends once the slot that moves has arrived.
  package func close() async {
    await control.close()
    breakOff()
  }

  /// Leaves the cluster at once, whatever is under way.
  func breakOff() {
    control.cancel()
    watcher.close()
    router.pool.close()
    administration.close()
  }

  deinit { breakOff() }

  package var capabilities: Capabilities {
    var features: Set<Capabilities.Feature> = [.scans, .updates]
    if watcher.view.isCluster { features.formUnion([.membership, .failover, .changeSteering]) }
    if servers != nil { features.insert(.nodeControl) }
    return Capabilities(
      features: features, keyBytesMax: RedisLimits.keyBytesMax, valueBytesMax: RedisLimits.valueBytesMax)
  }

  // MARK: - What is seen

  package func status() -> ClusterStatus { watcher.status() }
  package func events(after sequence: UInt64) -> [ClusterEvent] { watcher.events(after: sequence) }
  /// Adds an event.
  package func tell(_ what: ClusterEvent.What) { watcher.tell(what) }
  package func place(of key: [UInt8]) -> KeyPlace { watcher.view.place(of: key) }

  // MARK: - Keys

  package func get(_ key: [UInt8], _ options: ReadOptions) async throws(ClusterError) -> [UInt8]? {
    let reply = try await router.run([Array("GET".utf8), key], key: key, isWrite: false)
    return reply.bytes
  }

  package func put(_ key: [UInt8], _ value: [UInt8], _ options: WriteOptions) async throws(ClusterError) {
    try checkKey(key)
    guard value.count <= RedisLimits.valueBytesMax else {
      throw .invalidArgument("a value has at most \(Figures.given(bytes: RedisLimits.valueBytesMax)); nothing was done")
    }
    let end: [[UInt8]] =
      switch options.expiry {
      case .after(let milliseconds): [Array("PX".utf8), Array("\(milliseconds)".utf8)]
      case .at(let milliseconds): [Array("PXAT".utf8), Array("\(milliseconds)".utf8)]
      case nil: []
      }
    _ = try await router.run([Array("SET".utf8), key, value] + end, key: key, isWrite: true)
  }

  package func delete(_ key: [UInt8], _ options: WriteOptions) async throws(ClusterError) -> Bool {
    try await router.run([Array("DEL".utf8), key], key: key, isWrite: true) == .integer(1)
  }

  /// By the server's own commands; a compare-and-set is a script of two of them, for Redis before 8.4 has none.
  package func update(_ key: [UInt8], _ update: KeyUpdate) async throws(ClusterError) -> KeyUpdateResult {
    try checkKey(key)
    func run(_ words: [UInt8]...) async throws(ClusterError) -> ReplyValue {
      try await router.run(words, key: key, isWrite: true)
    }
    switch update {
    case .compareAndSet(nil, let value):
      let old = try await run(Array("SET".utf8), key, value, Array("NX".utf8), Array("GET".utf8))
      return old.bytes.map { .differs($0) } ?? .swapped
    case .compareAndSet(let expected?, let value):
      let old = try await run(Array("EVAL".utf8), Self.compareAndSet, Array("1".utf8), key, expected, value)
      return old == .integer(1) ? .swapped : .differs(old.bytes)
    case .increment(let amount):
      guard case .integer(let sum) = try await run(Array("INCRBY".utf8), key, Array("\(amount)".utf8)) else { break }
      return .sum(Int64(sum))
    case .append(let suffix):
      guard case .integer(let count) = try await run(Array("APPEND".utf8), key, suffix) else { break }
      return .length(count)
    case .take: return .taken(try await run(Array("GETDEL".utf8), key).bytes)
    case .expire(let end):
      let (name, time) =
        switch end {
        case .after(let milliseconds): ("PEXPIRE", milliseconds)
        case .at(let milliseconds): ("PEXPIREAT", milliseconds)
        }
      guard try await run(Array(name.utf8), key, Array("\(time)".utf8)) == .integer(1) else {
        return .timeToLive(.noKey)
      }
      return .timeToLive(try await timeToLive(key))
    case .persist:
      let left = try await timeToLive(key)
      if case .left = left { _ = try await run(Array("PERSIST".utf8), key) }
      return .timeToLive(left)
    case .timeToLive: return .timeToLive(try await timeToLive(key))
    }
    throw .refused("the server answered what makes no sense here")
  }

  private func timeToLive(_ key: [UInt8]) async throws(ClusterError) -> TimeToLive {
    switch try await router.run([Array("PTTL".utf8), key], key: key, isWrite: false) {
    case .integer(-1): .unlimited
    case .integer(let left) where left >= 0: .left(milliseconds: Int64(left))
    default: .noKey
    }
  }

  /// Returns 1, or the value that is there.
  private static let compareAndSet = Array(
    """
    local old = redis.call('GET', KEYS[1])
    if old ~= ARGV[1] then return old end
    redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
    return 1
    """.utf8)

  private func checkKey(_ key: [UInt8]) throws(ClusterError) {
    guard !key.isEmpty, key.count <= RedisLimits.keyBytesMax else {
      throw .invalidArgument("a key has 1 to \(Figures.count(RedisLimits.keyBytesMax, "byte")); nothing was done")
    }
  }

  package func scan(
    prefix: [UInt8], from cursor: ScanCursor?, limit: Int
  ) async throws(ClusterError) -> ScanPage {
    try await KeyScan(router: router, prefix: prefix, limit: limit).page(from: cursor)
  }

  // MARK: - Orders

  package func perform(
    _ command: AdminCommand, progress: @escaping @Sendable (AdminProgress) -> Bool
  ) async throws(ClusterError) -> AdminResult {
    guard capabilities.has(command.feature) else { throw .unsupported(command.feature) }
    let changes = MembershipChanges(
      watcher: watcher, administration: administration, control: control, servers: servers)
    switch command {
    case .addNode(let name): try await changes.add(name)
    case .removeNode(let name): try await changes.remove(try node(name))
    case .failOver(let name): try await changes.failOver(try node(name))
    case .steer(.pause): try control.steer { isPaused, _ in isPaused = true }
    case .steer(.resume): try control.steer { isPaused, _ in isPaused = false }
    case .steer(.cancel): try control.steer { _, isCancelled in isCancelled = true }
    case .steer(.finish): try await changes.close(openSlots: true)
    case .steer(.undo): try await changes.close(openSlots: false)
    case .kill(let name): try await control(name) { servers, address throws(ClusterError) in try servers.kill(address) }
    case .restart(let name):
      try await control(name) { servers, address throws(ClusterError) in try await servers.restart(address) }
    default: throw .unsupported(command.feature)
    }
    return .done
  }

  private func control(
    _ name: String, _ act: (any ServerControl, Address) async throws(ClusterError) -> Void
  ) async throws(ClusterError) {
    guard let servers else { throw .unsupported(.nodeControl) }
    let node = try node(name)
    try await act(servers, node.address)
    await watcher.look(at: node.id, withMap: false, within: .seconds(1))
    await watcher.lookAtMap()
  }

  /// The member of a name: its address, its hostname and port, or its port where no other has that.
  func node(_ name: String) throws(ClusterError) -> ClusterMap.Node {
    let members = watcher.view.map.nodes.filter(\.isMember)
    let found = members.filter { $0.name == name || "\($0.address)" == name }
    if let node = found.first ?? members.only({ "\($0.address.port)" == name }) { return node }
    throw .invalidArgument("there is no node \(name); there are \(members.map(\.name).joined(separator: ", "))")
  }
}

/// Stops and starts the servers of a cluster that belongs to this program.
package protocol ServerControl: Sendable {
  /// Ends a server at once, as a crash does.
  func kill(_ address: Address) throws(ClusterError)
  /// Starts a server on its old data.
  func restart(_ address: Address) async throws(ClusterError)
  /// Starts a new server where none listens, if the address is one of this program's to use.
  func startIfNeeded(_ address: Address) async throws(ClusterError)
}

extension Array {
  /// The element that fulfils a condition, if exactly one does.
  fileprivate func only(_ condition: (Element) -> Bool) -> Element? {
    let found = filter(condition)
    return found.count == 1 ? found[0] : nil
  }
}
